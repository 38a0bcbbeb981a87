"""Webhooks on the command line: added, tried out, delivered by their process, rotated, removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.home import Home
from tests.receiver import Receiver, says, verified
from tests.terminal import Terminal, Up, ndjson, small_bank

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


def moved(name: str) -> str:
    move = {"type": "Transfer", "id": name, "book": "main", "debit": "a1", "credit": "a2", "amount": 1_500}
    return ndjson([{**move, "currency": "EUR", "reference": name}])


def test_an_alert_of_a_rule_reaches_who_asked_for_it(tmp_path: Path, postgres_dsn: str) -> None:
    bank = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    bank.ok("init", "--book", "main", "--second-admin", "")
    bank.ok("submit", "-", "--stamp", stdin=small_bank() + ndjson([RULES]))
    assert bank.ok("webhooks", "list").out.splitlines()[-1] == "There are no endpoints."
    for wrong in (
        ("x y", "https://e.com/"),
        ("e", "http://e.com/"),
        ("e", "https://u:p@e.com/"),
        ("e", "no"),
    ):
        said = bank.run("webhooks", "add", *wrong)
        assert (said.status, said.out, len(said.err.splitlines())) == (2, "", 1), said
    with Receiver() as receiver:
        added = bank.ok("webhooks", "add", "desk", receiver.url, "--kind", "payments", "--json").last
        assert added["secret"].startswith("whsec_")
        assert bank.run("webhooks", "add", "desk", receiver.url).status == 2
        tried = bank.ok("webhooks", "test", "desk", "--json").last
        assert (tried["delivered"], tried["status"]) == (True, 204)
        assert verified(receiver.got[0], added["secret"])
        up = Up(bank)
        try:
            bank.ok("submit", "-", "--stamp", stdin=moved("t1"))
            assert receiver.came.wait(30)
            while len(receiver.got) < 2:
                receiver.came.clear()
                assert receiver.came.wait(60), "the alert arrives"
            got = receiver.got[1]
            assert verified(got, added["secret"])
            assert got.data["kind"] == "payments/large"
            assert got.id == got.data["id"] == bank.ok("alerts", "--json").last["id"]
            assert "webhooks" in up.children()
        finally:
            up.stop()
        (row,) = bank.ok("webhooks", "list", "--json").lines
        assert (row["endpoint"], row["kind"], row["dead"]) == ("desk", "payments", 0)
        for text in (bank.ok("webhooks", "list").out, str(row)):
            assert "t0ps3cret" not in text
            assert "whsec_" not in text
        turned = bank.ok("webhooks", "rotate", "desk", "--hours", "1", "--json").last["secret"]
        bank.ok("webhooks", "test", "desk")
        assert verified(receiver.got[-1], added["secret"])
        assert verified(receiver.got[-1], turned)
        receiver.behave = says(500)
        refused = bank.run("webhooks", "test", "desk")
        assert (refused.status, refused.out) == (1, "desk answered 500: that is not taken for a yes.\n")
    assert bank.run("webhooks", "test", "desk").status == 1
    assert bank.ok("webhooks", "dead").out.splitlines()[-1] == "There are no dead letters."
    assert bank.run("webhooks", "resend", "desk", "nothing").status == 2
    assert bank.ok("webhooks", "resend", "desk").out == "0 to be tried again.\n"
    bank.ok("webhooks", "remove", "desk")
    for words in (("remove", "desk"), ("rotate", "desk"), ("resend", "desk"), ("test", "desk")):
        assert bank.run("webhooks", *words).status == 2, words
    assert (Home(tmp_path / ".daybook").keys / "webhooks.key").stat().st_mode & 0o777 == 0o600
