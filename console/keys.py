"""`daybook key`: the keys of systems and gateways, which prove who sent a command.

A key that is added counts at once, in engines that run too; the old one until it is removed. So a secret is
changed without a pause: add, move the senders, remove. The secret is shown once, when it is made.
"""

from __future__ import annotations

import re

from console.output import Output
from engine.credentials import key_id
from engine.errors import WrongUse
from engine.home import LOCAL_KEY, SYSTEMS, Home
from engine.proof import Key, Keyring, new_key
from engine.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,59}")


def add(output: Output, home: Home, settings: Settings, name: str, *, gateway: bool) -> None:
    """Make one more key, of a system or of a gateway."""
    if _NAME.fullmatch(name) is None or name == LOCAL_KEY or name.startswith(key_id("")):
        raise WrongUse(
            f"{name!r} cannot be a {'gateway' if gateway else 'system'}'s name.",
            "Take up to 60 letters, digits and . _ : @ / + - that begin with a letter or digit.",
        )
    keys = home.keyring().keys
    found = next(
        candidate
        for number in range(1, len(keys) + 2)
        if (candidate := name if number == 1 else f"{name}-{number}") not in keys
    )
    made = new_key("" if gateway else name)
    home.write_keyring(Keyring({**keys, found: made}))
    secret = made.secret.hex()
    output.emit(key=found, system=made.system, gateway=gateway, secret=secret)
    output.say(f"Key {found} of the {'gateway' if gateway else 'system'} {name}. It counts from now on.")
    output.say(f"Secret, in hex, shown only now: {secret}")
    output.say(
        "Each record carries it as two headers: key, this id; mac, keyed BLAKE2b of the value, 16 bytes."
    )


def show(output: Output, home: Home, settings: Settings) -> None:
    """Whose keys there are; no secret."""
    keys = home.keyring().keys
    rows = [(name, *_whose(name, key)) for name, key in sorted(keys.items())]
    for name, kind, whose in rows:
        output.emit(key=name, kind=kind, of=whose)
    output.table("", ["key", "speaks as", "name"], rows)


def remove(output: Output, home: Home, settings: Settings, id: str, *, last: bool) -> None:
    """End a key: what is signed with it from now on proves nothing. Raises WrongUse."""
    keys = home.keyring().keys
    key = keys.get(id)
    if key is None:
        raise WrongUse(f"There is no key {id!r}.", "`daybook key list` shows them.")
    if id == LOCAL_KEY or id == key_id(key.system) or id in SYSTEMS:
        raise WrongUse(
            f"The key {id!r} is the home's own, or a person's.",
            "A person's credential is changed with `daybook access credential`.",
        )
    if key.system and not last and [one.system for one in keys.values()].count(key.system) == 1:
        raise WrongUse(
            f"It is the last key of {key.system}, for which gateways could speak from then on.",
            "Add another one first, or say --last where the system is to end; take its roles away, too.",
        )
    home.write_keyring(Keyring({name: one for name, one in keys.items() if name != id}))
    output.emit(removed=id)
    output.say(f"Removed {id}; it counts no more.")


def _whose(id: str, key: Key) -> tuple[str, str]:
    if id == LOCAL_KEY:
        return "the home's command line", key.owner
    if key.system and id == key_id(key.system):
        return "a person", key.system
    return ("a system", key.system) if key.system else ("a gateway, for people", id)
