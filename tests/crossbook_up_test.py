"""Payments between two books of a site under `daybook up`, while the relay's process is killed."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from book.state import Partition
from engine.fold import Folded
from engine.home import LOCAL_KEY, Home
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST
from engine.proof import Key
from tests.crossbook_words import RELAYED
from tests.terminal import Terminal, Up, kill, ndjson, until

BOOKS = ("north", "south")
DEPOSIT = 10_000_000_00


@pytest.fixture
def site() -> Iterator[Terminal]:
    folder = Path(tempfile.mkdtemp(prefix="daybook-", dir="/tmp"))
    terminal = Terminal(folder)
    for book in BOOKS:
        terminal.ok("init", "--book", book, "--second-admin", "")
    terminal.ok("submit", "-", "--stamp", stdin=ndjson([one for book in BOOKS for one in agreed(book)]))
    yield terminal
    shutil.rmtree(folder, ignore_errors=True)


def agreed(book: str) -> list[dict[str, Any]]:
    """Customers with a deposit, the relay, and an agreement with the other book."""
    (other,) = (one for one in BOOKS if one != book)
    permits = [{"command": one.__name__} for one in RELAYED]
    commands: list[dict[str, Any]] = [
        {"type": "OpenAccount", "account": "nostro", "kind": "nostro", "currency": "EUR"},
        {"type": "OpenAccount", "account": "ib", "kind": "inter_book", "currency": "EUR"},
        {"type": "RegisterParty", "party": "p1", "kind": "person", "name": "Ada", "status": "active"},
        {"type": "OpenAccount", "account": "a1", "party": "p1", "currency": "EUR"},
        {"type": "Transfer", "debit": "nostro", "credit": "a1", "amount": DEPOSIT, "currency": "EUR"},
        {"type": "RegisterSystem", "system": "relay", "purpose": "payments between books"},
        {"type": "DefineRole", "role": "relays", "permits": permits},
        {"type": "GrantRole", "subject": "relay", "role": "relays"},
        {
            "type": "PublishDocument",
            "kind": "counterpart",
            "document": other,
            "version": 1,
            "body": {"book": other, "relay": "relay", "accounts": {"EUR": "ib"}},
        },
    ]
    return [{"id": f"set-up-{number}", "book": book, **one} for number, one in enumerate(commands)]


def sent(numbers: range) -> str:
    """Payments there and back, every fifth to an account that there is not."""
    return ndjson(
        [
            {
                "type": "SendToBook",
                "id": f"send-{number}",
                "book": BOOKS[number % 2],
                "transfer": f"x{number}",
                "account": "a1",
                "amount": number + 1,
                "currency": "EUR",
                "to_book": BOOKS[1 - number % 2],
                "to_account": "nobody" if number % 5 == 4 else "a1",
            }
            for number in numbers
        ]
    )


def state(site: Terminal) -> Partition:
    folded = Folded()
    with RecorderLog.sqlite(Home(site.folder / ".daybook").log, writer=False) as log:
        folded.apply(log.events(BEFORE_FIRST))
    return folded.partition


def is_settled(site: Terminal, payments: int) -> bool:
    books = [state(site).books[name] for name in BOOKS]
    others = [other for book in books for other in book.crossings.others.values()]
    return sum(other.sent for other in others) == payments and not any(
        other.on_the_way or other.answered for other in others
    )


def check(site: Terminal, payments: int) -> None:
    """Everything arrived once, or was refused and is back."""
    expected: Counter[str] = Counter()
    for number in range(payments):
        if number % 5 != 4:
            expected[BOOKS[number % 2]] -= number + 1
            expected[BOOKS[1 - number % 2]] += number + 1
    books = state(site).books
    for book in BOOKS:
        accounts = books[book].accounts
        assert (accounts["a1"].booked, accounts["a1"].held) == (DEPOSIT + expected[book], 0)
        assert (accounts["ib"].booked, accounts["ib"].held) == (-expected[book], 0)
    assert "No payment between books is on its way." in site.ok("crossbook").out
    refused = site.ok("crossbook", "x4", "--json").last
    assert (refused["state"], refused["reason"]) == ("released", "account_not_found")
    assert "because" in site.ok("crossbook", "x4", "--book", "north").out
    assert site.run("crossbook", "x4", "--book", "west").status == 1
    assert site.ok("replay", "verify", "--json").last["ok"]
    assert site.ok("replay", "redecide", "--json").last["ok"]


def _kill_the_relay(site: Terminal, payments: int, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    up = Up(site)
    try:
        for round_ in range(kills):
            part = range(payments * round_ // kills, payments * (round_ + 1) // kills)
            site.ok("submit", "-", "--stamp", stdin=sent(part))
            time.sleep(chance.random() / 5)
            until(lambda: "relay" in up.children())
            kill(up.children()["relay"])
        until(lambda: is_settled(site, payments))
        assert "The relay ended with status -9; starting it again." in up.text()
        assert up.stop() == 0
    finally:
        if up.process.poll() is None:
            up.kill_all()
    check(site, payments)


@pytest.mark.long
def test_payments_arrive_although_the_relay_is_killed(site: Terminal) -> None:
    _kill_the_relay(site, payments=40, kills=2, seed=1)


@pytest.mark.long
def test_payments_arrive_although_the_relay_is_killed_at_length(site: Terminal) -> None:
    _kill_the_relay(site, payments=1_200, kills=6, seed=2)


@pytest.mark.long
def test_a_home_without_a_key_for_the_relay_gets_one(site: Terminal) -> None:
    """Homes that were made before there was a relay go on."""
    keys = site.folder / ".daybook/keys/keyring.json"
    before = msgspec.json.decode(keys.read_bytes(), type=dict[str, Key])
    keys.write_bytes(json.dumps({LOCAL_KEY: json.loads(keys.read_bytes())[LOCAL_KEY]}).encode())
    up = Up(site)
    try:
        assert "Made a key for the system relay" in up.text()
        site.ok("submit", "-", "--stamp", stdin=sent(range(2)))
        until(lambda: is_settled(site, 2))
        assert up.stop() == 0
    finally:
        if up.process.poll() is None:
            up.kill_all()
    after = msgspec.json.decode(keys.read_bytes(), type=dict[str, Key])
    assert after.keys() == before.keys() == {LOCAL_KEY, "relay", "triage"}
    assert after[LOCAL_KEY] == before[LOCAL_KEY]
    assert after["relay"].system == "relay"
