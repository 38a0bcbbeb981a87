"""The general ledger on the command line: trial balance, a line, an account's interest."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from console.ledger import next_capitalisation
from projections.ledger_queries import InterestRow
from tests.interest_words import interest, side
from tests.story import BEGAN_MS, DAY_MS
from tests.terminal import Terminal, ndjson


def commands() -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = [
        {"type": "OpenAccount", "account": "nostro", "kind": "nostro", "currency": "EUR"},
        {"type": "OpenAccount", "account": "interest-paid", "kind": "expense", "currency": "EUR"},
        {"type": "OpenAccount", "account": "interest-received", "kind": "income", "currency": "EUR"},
        {"type": "OpenAccount", "account": "payable", "kind": "accrued", "currency": "EUR"},
        {"type": "OpenAccount", "account": "receivable", "kind": "accrued", "currency": "EUR"},
        {
            "type": "PublishDocument",
            "kind": "product",
            "document": "savings",
            "version": 1,
            "body": {
                "name": "Savings",
                "interest": [interest(side((0, "0.0365"), (2_000_000, "0.04"), method="whole"), "0.12")],
            },
        },
        {"type": "RegisterParty", "party": "p", "kind": "person", "name": "Ada", "status": "active"},
        {
            "type": "OpenAccount",
            "account": "alice",
            "party": "p",
            "currency": "EUR",
            "product": "savings",
        },
        {
            "type": "Transfer",
            "debit": "nostro",
            "credit": "alice",
            "amount": 1_000_000,
            "currency": "EUR",
        },
        {"type": "AdvanceTime", "to_ms": BEGAN_MS + 17 * DAY_MS},
    ]
    return [
        {"id": f"c{number}", "book": "main", "actor": "admin", "issued_at_ms": BEGAN_MS + number, **one}
        for number, one in enumerate(said)
    ]


OPENING: dict[str, Any] = {
    "type": "OpenBook",
    "id": "open",
    "book": "main",
    "actor": "admin",
    "issued_at_ms": BEGAN_MS - 1,
    "name": "Main",
    "currency": "EUR",
    "clock": "commanded",
    "administrators": [{"person": "ada", "user": "admin"}],
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Terminal:
    folder: Path = tmp_path_factory.mktemp("ledger")
    with psycopg.connect(postgres_server, autocommit=True) as session:  # not cli_test's
        session.execute("CREATE DATABASE ledger_cli")
    terminal = Terminal(folder, DAYBOOK_DATABASE_URL=make_conninfo(postgres_server, dbname="ledger_cli"))
    terminal.ok("init", "--user", "admin")
    terminal.ok("submit", "-", stdin=ndjson([OPENING, *commands()]))
    return terminal


def test_the_trial_balance_of_any_day_sums_to_zero(bank: Terminal) -> None:
    told = bank.ok("trial-balance").out
    assert "All lines in EUR sum to 0.00." in told
    assert "-10000.00" in told
    rows = bank.ok("trial-balance", "--at", "2024-05-16", "--json").lines
    assert {row["ledger"]: row["balance"] for row in rows} == {
        "1000": -1_000_000,
        "1300": 100,
        "2000": 1_000_000,
        "5000": -100,
    }
    rows = bank.ok("trial-balance", "--at", "2024-05-16", "--by", "value-date", "--json").lines
    assert {row["ledger"]: row["balance"] for row in rows}["1300"] == 200
    assert bank.run("trial-balance", "--at", "yesterday").status == 2


def test_a_line_of_the_ledger_stands_between_two_balances(bank: Terminal) -> None:
    told = bank.ok("ledger", "5000", "--from", "2024-05-20", "--to", "2024-05-21").out
    assert "opening balance: -4.00 EUR" in told
    assert told.count("InterestAccrued") == 2
    assert "closing balance: -6.00 EUR" in told
    whole = bank.ok("ledger", "2000", "--json").last
    assert [one["type"] for one in whole["entries"]] == ["TransferPosted", "InterestCapitalised"]
    assert whole["closing"] == {"EUR": 1_001_700}
    assert bank.run("ledger", "9999").status == 1


def test_an_accounts_interest_is_told_with_its_rates(bank: Terminal) -> None:
    told = bank.ok("interest", "alice").out
    assert "3.65 %, from 20000.00 EUR 4 % of all of it" in told
    assert "12 %" in told
    assert "received so far" in told
    assert "17.00 EUR" in told
    shown = bank.ok("interest", "alice", "--json").last
    assert (shown["paid"], shown["next_capitalisation"]) == (1_700, "2024-06-30")
    assert "none" in bank.ok("interest", "nostro").out
    assert bank.run("interest", "nobody").status == 1


def test_a_period_is_told_in_figures(bank: Terminal) -> None:
    told = bank.ok("statement", "alice", "--period", "2024-06").out
    assert "2024-06-01 to 2024-06-30" in told
    shown = bank.ok("statement", "alice", "--period", "2024-06", "--json").last
    assert (shown["opening"], shown["interest"], shown["fees"], shown["closing"]) == (
        *(1_000_000, 1_700, 0, 1_001_700),
    )
    may = bank.ok("statement", "alice", "--period", "2024-05", "--json").last
    assert (may["opening"], may["credit"], may["debit"], may["closing"]) == (0, 1_000_000, 0, 1_000_000)
    assert bank.run("statement", "nobody", "--period", "2024-05").status == 1
    for wrong in (["2024-13"], ["2024-5"], ["May"], ["2024-05", "--from", "2024-05-01"]):
        assert bank.run("statement", "alice", "--period", *wrong).status == 2


@pytest.mark.parametrize(
    ("capitalised", "term", "today", "expected"),
    [
        ("monthly", None, date(2024, 2, 1), date(2024, 2, 29)),
        ("monthly", None, date(2024, 2, 29), date(2024, 2, 29)),
        ("quarterly", None, date(2024, 11, 30), date(2024, 12, 31)),
        ("quarterly", None, date(2024, 3, 31), date(2024, 3, 31)),
        ("quarterly", None, date(2024, 1, 31), date(2024, 3, 31)),
        ("yearly", None, date(2024, 2, 29), date(2024, 12, 31)),
        ("at_maturity", 1, date(2024, 2, 1), date(2024, 2, 28)),
        ("at_maturity", 1, date(2024, 3, 1), None),
    ],
)
def test_when_interest_is_booked_next(
    capitalised: str, term: int | None, today: date, expected: date | None
) -> None:
    row = InterestRow(
        account="a",
        product="p",
        currency="EUR",
        booked=0,
        opened_on=date(2024, 1, 29),
        since=None,
        through=None,
        credit=0,
        debit=0,
        paid=0,
        charged=0,
        capitalised_through=None,
        business_date=today,
        terms={"capitalised": capitalised, "term_months": term},
    )
    assert next_capitalisation(row) == expected
