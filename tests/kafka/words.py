"""What the load says, in its own JSON, with its own proof: a second reading of the contract for upstreams."""

import hashlib
import json
import time
from typing import Any, Final

CURRENCY: Final = "EUR"
DEPOSIT: Final = 1_000_000_00
CUSTOMERS: Final = 8
"""Accounts of a book when the load begins: a1, a2..."""
PERMITTED: Final = ("OpenAccount", "Transfer", "PlaceHold", "CaptureHold", "ReleaseHold", "SendToBook")
RELAYED: Final = ("ReceiveFromBook", "CompleteCrossBook", "ReleaseCrossBook", "AcknowledgeCrossBook")


def now_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


def value_of(command: dict[str, Any]) -> bytes:
    """A command as it stands in the log."""
    return json.dumps(command, separators=(",", ":")).encode()


def proof(key: str, secret: bytes, value: bytes) -> list[tuple[str, bytes]]:
    """The headers that prove who speaks: keyed BLAKE2b over the value, 16 bytes."""
    mac = hashlib.blake2b(value, digest_size=16, key=secret).digest()
    return [("key", key.encode()), ("mac", mac)]


def envelope(id: str, book: str, actor: str) -> dict[str, Any]:
    """What every command has."""
    return {"id": id, "book": book, "actor": actor, "issued_at_ms": now_ms()}


def opening(book: str, others: list[str], administrator: str, systems: list[str]) -> list[dict[str, Any]]:
    """What makes a book to work in: accounts with money, systems, agreements with other books."""
    everything: list[dict[str, Any]] = [
        {
            "type": "OpenBook",
            "name": book,
            "currency": CURRENCY,
            "administrators": [{"person": f"person-{administrator}", "user": administrator}],
        },
        {"type": "OpenAccount", "account": "nostro", "kind": "nostro", "currency": CURRENCY},
        {"type": "OpenAccount", "account": "ib", "kind": "inter_book", "currency": CURRENCY},
        {"type": "RegisterParty", "party": "p1", "kind": "person", "name": "Ada", "status": "active"},
    ]
    for number in range(1, CUSTOMERS + 1):
        account = {"type": "OpenAccount", "account": f"a{number}", "party": "p1", "currency": CURRENCY}
        deposit = {"debit": "nostro", "credit": f"a{number}", "amount": DEPOSIT, "currency": CURRENCY}
        everything += [account, {"type": "Transfer", **deposit}]
    for role, permitted in (("loads", PERMITTED), ("relays", RELAYED)):
        permits = [{"command": one} for one in permitted]
        everything.append({"type": "DefineRole", "role": role, "permits": permits})
    for system in ["relay", *systems]:
        role = "relays" if system == "relay" else "loads"
        everything.append({"type": "RegisterSystem", "system": system, "purpose": "proof under faults"})
        everything.append({"type": "GrantRole", "subject": system, "role": role})
    for other in others:
        body = {"book": other, "relay": "relay", "accounts": {CURRENCY: "ib"}}
        agreed = {"kind": "counterpart", "document": other, "version": 1, "body": body}
        everything.append({"type": "PublishDocument", **agreed})
    return [
        {**envelope(f"set-up-{number}", book, administrator), **one} for number, one in enumerate(everything)
    ]
