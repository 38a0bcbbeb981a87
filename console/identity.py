"""As whom the command line speaks, and by what: the home's own user by the home's key, others by theirs."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from engine.credentials import CredentialRefused, has_credential, key_id, prove
from engine.home import Home
from engine.proof import Key
from engine.settings import Settings


def acting_user(home: Home, settings: Settings, named: str | None) -> str:
    """Who acts: who is named, else who the settings name, else the home's first administrator."""
    return named or settings.actor or home.read().user


def identity_of(home: Home, user: str) -> tuple[str, Key] | None:
    """The id and key that the user signs with; None for the home's own key. Raises CredentialRefused."""
    if not has_credential(home, user):
        return None
    return key_id(user), prove(home, user, secret_of(user))


def secret_of(user: str) -> str:
    """The credential: from DAYBOOK_CREDENTIAL, from the file that DAYBOOK_CREDENTIAL_FILE names, or asked
    for. Raises CredentialRefused.
    """
    if secret := os.environ.get("DAYBOOK_CREDENTIAL"):
        return secret
    if file := os.environ.get("DAYBOOK_CREDENTIAL_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CredentialRefused(f"{file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CredentialRefused(f"{file} holds no credential: it is not text.") from None
    if sys.stdin.isatty():
        return getpass.getpass(f"Credential of {user}: ")
    raise CredentialRefused(f"Acting as {user} needs the credential of {user}.")
