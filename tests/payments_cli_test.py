"""Payments on the command line: paid by a person, its life, the stops, the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.payments import right
from engine.errors import WrongUse
from tests.payment_words import SEPA
from tests.terminal import Terminal, ndjson, small_bank

RAIL: dict[str, Any] = {
    "type": "PublishDocument",
    "kind": "rail",
    "document": "sepa",
    "version": 1,
    "body": SEPA,
}
SETUP = ndjson(
    [
        {"id": f"rail-{number}", "book": "main", **one}
        for number, one in enumerate(
            [
                {"type": "OpenAccount", "account": "sepa-transit", "kind": "suspense", "currency": "EUR"},
                {"type": "OpenAccount", "account": "sepa-suspense", "kind": "suspense", "currency": "EUR"},
                {"type": "RegisterSystem", "system": "sepa-gate", "purpose": "rail"},
                RAIL,
                {
                    "type": "StopPayments",
                    "stop": "night",
                    "scope": "rail",
                    "value": "sepa",
                    "reason": "outage",
                },
            ]
        )
    ]
)
PAULA = {"name": "Paula Payee", "account": "DE02", "agent": "", "country": "DE"}
TO = ("--to", "Paula Payee", "--payee", "DE02", "--country", "DE", "--rail", "sepa")


@pytest.mark.long
def test_a_payment_from_the_first_word_to_its_life(tmp_path: Path, postgres_dsn: str) -> None:
    bank = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    bank.ok("init", "--book", "main", "--second-admin", "")
    bank.ok("submit", "-", "--stamp", stdin=small_bank() + SETUP)

    paid = bank.ok("pay", "a1", "12.50", "EUR", *TO, "--id", "p1", "--json").last
    assert (paid["verdict"], paid["events"]) == ("accepted", ["PaymentSubmitted", "PaymentWaiting"])
    named = bank.ok("pay", "a1", "0.01", "EUR", *TO, "--json").last
    assert bank.ok("payment", named["payment"], "--json").last["payment"]["amount"] == 1
    refused = bank.run("pay", "a1", "87.51", "EUR", *TO, "--json")
    assert (refused.status, refused.last["reason"]) == (3, "insufficient_funds")
    for wrong in (("12.505", *TO), ("12.50", *TO, "--agent", "no BIC"), ("12.50", *TO, "--on", "tomorrow")):
        said = bank.run("pay", "a1", wrong[0], "EUR", *wrong[1:])
        assert (said.status, len(said.err.splitlines())) == (2, 1), said

    (stopped,) = bank.ok("stops", "--json").lines
    assert (stopped["stop"], stopped["waiting"]) == ("night", 2)
    life = bank.ok("payment", "p1", "--json").last
    assert life["payment"]["waits_for"] == "stopped"
    assert [one["type"] for one in life["events"]] == ["PaymentSubmitted", "PaymentWaiting"]
    shown = bank.ok("payment", "p1").out
    assert "waits for   stopped (night)" in shown
    assert "12.50 EUR" in shown
    assert bank.run("payment", "p9").status == 1
    assert "payment" in bank.ok("repairs").out


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"payee": {**PAULA, "agent": "no BIC"}},
            '--agent must be 8 or 11 capitals and digits such as BYLADEM1001, and is "no BIC".',
        ),
        (
            {"payee": {**PAULA, "country": "Germany"}},
            '--country must be a country\'s two capitals such as DE, and is "Germany".',
        ),
        ({"payee": {**PAULA, "name": "P" * 501}}, "--to must have at most 500 characters, and has 501."),
        ({"amount": 0}, "AMOUNT must be more than 0, and is 0."),
        ({"purpose": "S" * 65}, "--purpose must have at most 64 characters, and has 65."),
        (
            {"payment": "no id"},
            (
                "--id must be letters, digits and . _ : @ / + - beginning with a letter or digit, "
                'and is "no id".'
            ),
        ),
    ],
)
def test_what_is_wrong_with_a_payment_is_one_sentence_of_our_own(fields: dict[str, Any], said: str) -> None:
    asked = {"payment": "p1", "account": "a1", "amount": 1, "currency": "EUR", "rail": "sepa", "payee": PAULA}
    right(asked)
    with pytest.raises(WrongUse) as wrong:
        right({**asked, **fields})
    assert wrong.value.what == said
