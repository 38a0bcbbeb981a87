"""Credentials of people: who knows a user's secret, and nobody else, speaks as that user.

The secret is never stored. What is made of it by scrypt is the user's key in the keyring, which signs every
command: the engine checks the signature like any other, in this process and behind the socket alike, and the
secret never travels. Whoever can read the keyring owns the home, as before.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from engine.errors import WrongUse
from engine.files import write_whole
from engine.home import Home
from engine.proof import Key, Keyring

_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # RFC 7914; 16 MiB and some 50 ms a try
SHORTEST = 12


class CredentialRefused(WrongUse):
    """The credential is not that user's, or is none."""

    advice = "Set DAYBOOK_CREDENTIAL or DAYBOOK_CREDENTIAL_FILE to the credential of the user."


def key_id(user: str) -> str:
    """The id of a user's key in the keyring."""
    return f"user:{user}"


def new_secret() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(24)


def has_credential(home: Home, user: str) -> bool:
    """Whether this user speaks by a credential of its own."""
    return user in _salts(home)


def set_credential(home: Home, user: str, secret: str) -> None:
    """From now on `user` speaks by this secret. What it had before no longer counts."""
    if len(secret) < SHORTEST:
        raise CredentialRefused(
            f"A credential has at least {SHORTEST} characters.", "Let Daybook make one, or take a longer one."
        )
    salts = _salts(home) | {user: secrets.token_hex(16)}
    keys = home.keyring().keys | {key_id(user): _key(user, secret, salts[user])}
    write_whole(home.credentials_file, msgspec.json.encode(salts))
    home.write_keyring(Keyring(keys))


def prove(home: Home, user: str, secret: str) -> Key:
    """The key of a user who knows the secret. Raises CredentialRefused."""
    salt = _salts(home).get(user)
    if salt is None:
        raise CredentialRefused(
            f"{user} has no credential yet.", f"Make one with `daybook access credential {user}`."
        )
    key = _key(user, secret, salt)
    if home.keyring().keys.get(key_id(user)) != key:
        raise CredentialRefused(f"That is not the credential of {user}.")
    return key


def _key(user: str, secret: str, salt: str) -> Key:
    derived = hashlib.scrypt(secret.encode(), salt=bytes.fromhex(salt), **_COST)
    return Key(derived, system=user)


def _salts(home: Home) -> dict[str, str]:
    try:
        return msgspec.json.decode(home.credentials_file.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CredentialRefused(
            f"{home.credentials_file} is damaged: {error}.", "Restore it from a backup."
        ) from None
