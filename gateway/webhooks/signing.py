"""Signatures of webhooks, as the Standard Webhooks specification 1.0.0 says, symmetric ones (`v1`).

What is signed is `id.timestamp.body`, with HMAC-SHA256. While a secret is being replaced there are two
signatures, so that a receiver can change over at a time of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64


def make_secret() -> str:
    """A new secret, as receivers configure it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key in a secret. Raises ValueError, without the secret in its words."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"it does not begin with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows the prefix is not base64") from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"it has {len(key)} bytes, and is to have {LEAST_BYTES} to {MOST_BYTES}")
    return key


def signature(key: bytes, message: str, at_s: int, body: bytes) -> str:
    """The signature of a message, with its version."""
    signed = b".".join((message.encode(), str(at_s).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(message: str, at_s: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of an attempt. at_s: when it is made, Unix seconds.   keys: the newest first."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signature(key, message, at_s, body) for key in keys),
    }
