"""Foreign exchange from the command line: rates, a quote and its use, positions, what waits."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from tests.currencies_words import pair, table
from tests.terminal import Terminal

pytestmark = pytest.mark.long


ACTIVE, EUR = {"status": "active"}, {"currency": "EUR"}


def opening(account: str, currency: str, **fields: str) -> dict[str, Any]:
    return {"type": "OpenAccount", "id": account, "account": account, "currency": currency, **fields}


@pytest.fixture
def home(tmp_path: Any, postgres_dsn: str) -> Terminal:
    terminal = Terminal(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    terminal.ok("init", "--book", "main", "--clock", "commanded")
    body = table(pair("EUR/USD", "1.25", buy="0.01", sell="0.01", minimum={"EUR": 500}), quote_valid_s=3600)
    opened = [
        opening("nostro", "EUR", kind="nostro"),
        opening("position-eur", "EUR", kind="fx_position"),
        opening("position-usd", "USD", kind="fx_position"),
        {"type": "RegisterParty", "id": "p", "party": "ann", "kind": "person", "name": "Ann", **ACTIVE},
        opening("ann", "EUR", party="ann"),
        opening("ann-usd", "USD", party="ann"),
        {"type": "Transfer", "id": "t", "debit": "nostro", "credit": "ann", "amount": 100_00, **EUR},
        {
            "type": "PublishDocument",
            "id": "d",
            "kind": "rates",
            "document": "retail",
            "version": 1,
            "body": body,
        },
    ]
    lines = [json.dumps({"book": "main", **one}) + "\n" for one in opened]
    terminal.ok("submit", "-", "--stamp", stdin="".join(lines))
    return terminal


def test_a_quote_is_asked_for_and_used(home: Terminal) -> None:
    shown = home.ok("rates").out
    assert "rates/retail@1" in shown
    assert "EUR/USD" in shown
    assert "1.2375" in shown
    assert "1.2625" in shown
    assert "5.00 EUR" in shown
    assert home.run("rates", "nothing").status == 1
    given = home.ok("quote", "q1", "EUR", "USD", "50.00", "--debit", "ann").out
    assert "1.2375" in given
    assert "61.88 USD" in given
    asked, answered = home.ok("quote", "q2", "EUR", "USD", "50.00", "--json").lines
    assert (asked["verdict"], answered["quote"], answered["buy_amount"]) == ("accepted", "q2", 61_88)
    home.ok("exchange", "ann", "ann-usd", "--quote", "q1", "--reference", "trip")
    assert home.run("exchange", "ann", "ann-usd", "--quote", "q1", "--json").last["reason"] == "quote_used"
    assert home.run("exchange", "ann", "ann-usd", "4.99", "--json").last["reason"] == "below_minimum"
    assert home.run("exchange", "ann", "nobody", "1", "--buying").status == 2
    assert home.run("exchange", "ann", "ann-usd", "1.234").status == 2
    home.ok("exchange", "ann", "ann-usd", "10.00", "--buying")
    (held,) = home.ok("positions", "--json").lines
    assert (held["account"], held["amount"]) == ("position-usd", -71_88)
    assert "-71.88" in home.ok("positions").out
    home.ok("replay", "verify")
    home.ok("replay", "redecide")


def test_what_waits_for_its_value_date_is_shown(home: Terminal) -> None:
    assert "Nothing waits for its value date." in home.ok("deferred").out
    ahead = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=9)).isoformat()
    later = {
        "type": "Transfer", "id": "later", "book": "main", "debit": "nostro", "credit": "ann", "amount": 7_00,
        "currency": "EUR", "value_date": ahead,
    }  # fmt: skip
    home.ok("submit", "-", "--stamp", stdin=json.dumps(later) + "\n")
    (waits,) = home.ok("deferred", "ann", "--json").lines
    assert (waits["waiting"], waits["value_date"]) == (7_00, ahead)
    assert "7.00" in home.ok("deferred").out
    assert (home.ok("account", "ann", "--json").last["held"]) == 7_00
