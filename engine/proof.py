"""Proof of who speaks: the headers `key` and `mac`, and a key speaks for one system or a gateway.

The MAC is keyed BLAKE2b over the value, 16 bytes. A system's key speaks only as that system; a gateway's key
speaks for the people it has authenticated. Nothing here may know what a command says beyond its actor.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
from collections.abc import Mapping

import msgspec
from msgspec.structs import force_setattr

from engine.log.records import Headers

KEY, MAC = "key", "mac"


class Key(msgspec.Struct, frozen=True):
    """secret: 32 bytes.   system: the actor it speaks as; empty for a gateway, which speaks for people.

    owner: of a home's own key, whose it is: what only people may do, it asks for nobody else.
    """

    secret: bytes
    system: str = ""
    owner: str = ""


class Keyring(msgspec.Struct, frozen=True):
    """The keys that are honoured, by id. Rotation: add the new key, move the senders, remove the old one.

    systems: those that have a key of their own, for which no gateway speaks; made from the keys.
    """

    keys: dict[str, Key]
    systems: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        force_setattr(self, "systems", frozenset(key.system for key in self.keys.values() if key.system))

    def proves(self, headers: Headers, value: bytes, actor: str, *, in_person: bool = False) -> bool:
        """Whether the headers prove that `actor` sent `value`. in_person: nobody else's key will do."""
        given: Mapping[str, bytes] = dict(headers)
        key = self.keys.get(given.get(KEY, b"").decode("ascii", "replace"))
        if key is None or (key.system != actor if key.system else actor in self.systems):
            return False
        if in_person and key.owner and key.owner != actor:
            return False
        return hmac.compare_digest(mac(key.secret, value), given.get(MAC, b""))


def new_key(system: str = "", owner: str = "") -> Key:
    """A key with a fresh secret."""
    return Key(secrets.token_bytes(32), system, owner)


def mac(secret: bytes, value: bytes) -> bytes:
    """The MAC of a value."""
    digest = _keyed(secret).copy()  # taking the key in again would be a third of the work
    digest.update(value)
    return digest.digest()


@functools.lru_cache(maxsize=1_024)
def _keyed(secret: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16, key=secret)


def proof(key_id: str, key: Key, value: bytes) -> Headers:
    """The headers that prove a value."""
    return ((KEY, key_id.encode()), (MAC, mac(key.secret, value)))
