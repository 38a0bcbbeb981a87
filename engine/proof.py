"""Proof of who speaks: the headers `key` and `mac`, and a key speaks for one system or a gateway.

The MAC is keyed BLAKE2b over the value, 16 bytes. A system's key speaks only as that system; a gateway's key
speaks for the people it has authenticated. Nothing here may know what a command says beyond its actor.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets

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
    ready: each key, and a digest that has taken its secret in, by the id as it stands in a header; likewise.
    """

    keys: dict[str, Key]
    systems: frozenset[str] = frozenset()
    ready: dict[bytes, tuple[Key, hashlib.blake2b]] = {}

    def __post_init__(self) -> None:
        force_setattr(self, "systems", frozenset(key.system for key in self.keys.values() if key.system))
        # Taking the secret in for every record would be a third of the work.
        ready = {name.encode(): (key, _keyed(key.secret)) for name, key in self.keys.items()}
        force_setattr(self, "ready", ready)

    def proves(self, headers: Headers, value: bytes, actor: str, *, in_person: bool = False) -> bool:
        """Whether the headers prove that `actor` sent `value`. in_person: nobody else's key will do."""
        if len(headers) == 2 and headers[0][0] == KEY and headers[1][0] == MAC:  # nearly always
            key_id, given = headers[0][1], headers[1][1]
        else:
            by_name = dict(headers)
            key_id, given = by_name.get(KEY, b""), by_name.get(MAC, b"")
        found = self.ready.get(key_id)
        if found is None:
            return False
        key, keyed = found
        if key.system != actor if key.system else actor in self.systems:
            return False
        if in_person and key.owner and key.owner != actor:
            return False
        digest = keyed.copy()
        digest.update(value)
        return hmac.compare_digest(digest.digest(), given)


def new_key(system: str = "", owner: str = "") -> Key:
    """A key with a fresh secret."""
    return Key(secrets.token_bytes(32), system, owner)


def mac(secret: bytes, value: bytes) -> bytes:
    """The MAC of a value."""
    digest = _keyed(secret).copy()
    digest.update(value)
    return digest.digest()


@functools.lru_cache(maxsize=1_024)
def _keyed(secret: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16, key=secret)


def proof(key_id: str, key: Key, value: bytes) -> Headers:
    """The headers that prove a value."""
    return ((KEY, key_id.encode()), (MAC, mac(key.secret, value)))
