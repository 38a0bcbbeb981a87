"""Secrets of webhooks as they are stored: encrypted, under a key that stands in the home and not in the
database, so that a copy of the database is no copy of the secrets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from engine.errors import DaybookError
from engine.files import write_whole

_BITS: Final = 256


class SecretsUnreadable(DaybookError):
    """The key under which the secrets of webhooks were stored is not here, or is another."""

    advice = (
        "Bring back `keys/webhooks.key` of the home, or give each endpoint a new secret: webhooks rotate."
    )


class Seal:
    """Encrypts and decrypts with the key in a file, which is made when it is first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def seal(self, text: str, about: str) -> bytes:
        """about: whose it is, so that nobody can exchange two."""
        if not self._file.exists():
            write_whole(self._file, AESSIV.generate_key(_BITS))
        return AESSIV(self._file.read_bytes()).encrypt(text.encode(), [about.encode()])

    def open(self, sealed: bytes, about: str) -> str:
        """Raises SecretsUnreadable."""
        try:
            return AESSIV(self._file.read_bytes()).decrypt(sealed, [about.encode()]).decode()
        except (OSError, ValueError, InvalidTag):
            raise SecretsUnreadable(f"The secret of {about} cannot be read.") from None
