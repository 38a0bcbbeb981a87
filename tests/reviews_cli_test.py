"""Reviews on the command line: what waits, released, declined, left to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.payments_cli_test import SETUP, TO
from tests.terminal import Terminal, ndjson, small_bank

pytestmark = pytest.mark.long
RULES: dict[str, Any] = {
    "type": "PublishDocument",
    "id": "rules",
    "book": "main",
    "kind": "rules",
    "document": "payments",
    "version": 1,
    "body": {
        "currency": "EUR",
        "rules": [{"id": "large", "when": {"feature": "amount", "at_least": 1_000}, "points": 60}],
        "thresholds": {"review": 50},
    },
}
RESUME = {"type": "ResumePayments", "id": "on", "book": "main", "stop": "night", "reason": "over"}


def test_a_payment_from_waiting_to_what_was_decided(tmp_path: Path, postgres_dsn: str) -> None:
    bank = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    bank.ok("init", "--book", "main", "--second-admin", "")
    bank.ok("submit", "-", "--stamp", stdin=small_bank() + SETUP + ndjson([RULES, RESUME]))
    person = ndjson(
        [
            {"type": "RegisterPerson", "id": "p", "book": "main", "person": "rita", "name": "Rita"},
            {"type": "RegisterUser", "id": "u", "book": "main", "user": "rita", "person": "rita"},
            {"type": "GrantRole", "id": "g", "book": "main", "subject": "rita", "role": "administrator"},
        ]
    )
    bank.ok("submit", "-", "--stamp", stdin=person)
    secret = bank.ok("access", "credential", "rita", "--json").last["credential"]
    assert bank.ok("reviews", "list").out.splitlines()[-1] == "No payment waits for review."
    for name in ("p1", "p2", "p3"):
        bank.ok("pay", "a1", "12.50", "EUR", *TO, "--id", name)
    mine = bank.run("reviews", "release", "p1", "--reason", "it is mine", "--json")
    assert (mine.status, mine.last["reason"]) == (3, "maker_cannot_check")
    waiting = bank.ok("reviews", "list", "--json").lines
    assert [(one["payment"], one["status"], one["level"]) for one in waiting] == [
        ("p1", "open", 0), ("p2", "open", 0), ("p3", "open", 0),
    ]  # fmt: skip
    for words in (
        ("release", "p1", "--reason", "called", "--label", "legitimate"),
        ("decline", "p2", "--reason", "a mule", "--label", "confirmed_fraud"),
        ("escalate", "p3", "--reason", "unsure"),
    ):
        bank.ok("reviews", *words, "--as", "rita", DAYBOOK_CREDENTIAL=secret)
    shown = {one["payment"]: one for one in bank.ok("reviews", "list", "--all", "--json").lines}
    assert {name: (one["status"], one["label"], one["level"]) for name, one in shown.items()} == {
        "p1": ("released", "legitimate", 0),
        "p2": ("declined", "confirmed_fraud", 0),
        "p3": ("open", "", 1),
    }
    assert bank.ok("payment", "p1", "--json").last["payment"]["status"] == "dispatched"
