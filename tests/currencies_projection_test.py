"""The read models of foreign exchange and value dates say what the fold says, however events are batched."""

from __future__ import annotations

import contextlib
import datetime
from decimal import Decimal
from typing import Any

import pytest
from psycopg.rows import dict_row

from engine.log.records import BEFORE_FIRST
from projections.currencies_queries import currency_of, deferred, open_quotes, positions, tables
from projections.database import Session, connect
from projections.projector import Projector
from projections.queries import account as find_account
from projections.queries import statement
from schemas.catalogue import decode_event
from schemas.exchange import Exchanged
from tests.currencies_words import BANK, REVALUATION, exchange, pair, quote, rates, table
from tests.interest_words import days_go_by
from tests.projecting import is_right, utc
from tests.story import TODAY, account, given, later, refund, reversal, story, transfer, when

A_DAY = datetime.timedelta(days=1)


def rows(session: Session, query: str) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def some_days() -> None:
    """Quotes used, expired and open; exchanges both ways; money that waits, was taken back and came."""
    body = table(
        pair("EUR/USD", "1.25", buy="0.01"),
        pair("EUR/JPY", "160"),
        quote_valid_s=86_400,
        revaluation=REVALUATION,
    )
    given(
        BANK,
        rates(body),
        account("ann", 1_000_00),
        account("ann-usd", 1_000_00, currency="USD", party_id="p-ann"),
        account("ann-jpy", currency="JPY", party_id="p-ann"),
        account("bob"),
        quote("used", "EUR", "USD", 100_00, debit="ann"),
        quote("late", "USD", "JPY", buy_amount=1_000, party="p-ann"),
        exchange("ann", "ann-usd", quote="used", reference="trip"),
        exchange("ann-usd", "ann-jpy", 50_00),
        transfer("ann", "bob", 1_00, value_date=TODAY + A_DAY, reference="soon"),
        transfer("ann", "bob", 2_00, value_date=TODAY + 9 * A_DAY, reference="part"),
        transfer("ann", "bob", 3_00, value_date=TODAY + 9 * A_DAY, reference="whole"),
        refund("part", 50),
        reversal("whole"),
        transfer("ann", "bob", 4_00, value_date=TODAY - A_DAY, reference="back"),
    )
    when(days_go_by(2))
    when(quote("open", "EUR", "USD", 10_00), exchange("ann-usd", "ann", 10_00), later(ms=5))


@contextlib.contextmanager
def projected(dsn: str, limit: int) -> Any:
    with contextlib.closing(Projector(dsn, story().log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(dsn)) as session:
        yield session


@pytest.mark.parametrize("limit", [1, 5, 10_000])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, limit: int) -> None:
    some_days()
    book = story().book
    with projected(postgres_dsn, limit) as session:
        shown = {row["quote"]: row for row in rows(session, "SELECT * FROM daybook.quotes")}
        assert {name: row["status"] for name, row in shown.items()} == {
            "used": "used", "late": "expired", "open": "open",
        }  # fmt: skip
        assert [one.quote for one in open_quotes(session, "main")] == list(book.fx.quotes) == ["open"]
        kept = book.fx.quotes["open"]
        row = shown["open"]
        assert (row["sell_amount"], row["buy_amount"], row["rate"]) == (10_00, 12_38, Decimal("1.2375"))
        assert [row["sell_amount"], row["buy_amount"]] == [one.amount for one in kept.lines]
        assert (row["expires_at"], row["documents"]) == (utc(kept.expires_at_ms), ["rates/retail@1"])
        done = [
            event
            for event in map(decode_event, (record.value for record in story().log.events(BEFORE_FIRST)))
            if isinstance(event, Exchanged)
        ]
        exchanges = rows(session, "SELECT * FROM daybook.exchanges ORDER BY seq")
        assert [
            (
                one["seq"],
                one["quote"],
                one["sell"],
                one["sell_amount"],
                one["buy"],
                one["buy_amount"],
                str(one["rate"]),
            )
            for one in exchanges
        ] == [
            (
                one.seq,
                one.quote,
                one.lines[0].currency,
                one.lines[0].amount,
                one.lines[1].currency,
                one.lines[1].amount,
                one.rate,
            )
            for one in done
        ]
        assert len(done) == 3
        held = {one.account: one for one in positions(session, "main")}
        assert {name: (one.amount, one.cost, one.realised, one.result) for name, one in held.items()} == {
            name: (one.amount, one.cost, one.realised, one.result) for name, one in book.fx.positions.items()
        }
        assert held["position-usd"].valued_on == TODAY + A_DAY
        valued = book.fx.positions["position-usd"].value
        assert held["position-usd"].value == valued
        [cost] = {
            row["valued_cost"]
            for row in rows(session, "SELECT * FROM daybook.positions")
            if row["currency"] == "USD"
        }
        assert held["position-usd"].unrealised == valued - cost
        assert currency_of(session, "main") == "EUR"


@pytest.mark.parametrize("limit", [1, 5, 10_000])
def test_what_waits_is_shown_and_held(postgres_dsn: str, limit: int) -> None:
    some_days()
    with projected(postgres_dsn, limit) as session:
        shown = rows(session, "SELECT * FROM daybook.deferred ORDER BY transfer")
        assert [(one["amount"], one["waiting"], one["status"]) for one in shown] == [
            (1_00, 0, "available"), (2_00, 1_50, "waiting"), (3_00, 0, "taken back"),
        ]  # fmt: skip
        [waits] = deferred(session, "main")
        assert (waits.account, waits.waiting, waits.value_date) == ("bob", 1_50, TODAY + 9 * A_DAY)
        assert deferred(session, "main", "ann") == []
        bob = find_account(session, "main", "bob")
        assert bob is not None
        assert (bob.booked, bob.held, bob.available) == (6_50, 1_50, 5_00)


def test_a_statement_by_value_date_knows_what_was_booked_before_it_counts(postgres_dsn: str) -> None:
    """1.00 booked on the 15th for the 16th, 2.00 for the 24th of which 0.50 came back, 3.00 for the 24th that
    was taken back whole, 4.00 for the 14th.
    """
    some_days()
    with projected(postgres_dsn, 10_000) as session:
        found = [
            statement(session, "main", "bob", TODAY + first * A_DAY, TODAY + last * A_DAY, "value-date")
            for first, last in ((-1, -1), (0, 0), (1, 1), (2, 8), (9, 9))
        ]
        balances = [(one.opening, one.closing) for one in found if one]
        assert balances == [(0, 4_00), (4_00, 4_00), (4_00, 5_00), (5_00, 5_00), (5_00, 6_50)]
        assert [len(one.lines) for one in found if one] == [1, 0, 1, 0, 4]
        whole = statement(session, "main", "bob", None, None, "value-date")
        assert whole is not None
        assert (whole.opening, whole.closing) == (0, 6_50)


def test_a_rebuild_makes_the_same_rows(postgres_dsn: str) -> None:
    some_days()
    with projected(postgres_dsn, 3):
        assert is_right(postgres_dsn, story().log.reader())


@pytest.mark.parametrize("limit", [1, 10_000])
def test_rates_in_force_are_shown_and_those_that_are_over_are_not(postgres_dsn: str, limit: int) -> None:
    some_days()
    later_ms = story().now + 1_000
    changed = table(pair("EUR/USD", "1.30", sell="0.02"))
    when(rates(table(pair("EUR/USD", "1.20")), of="market"), rates(changed, 2, of="market"))
    when(rates(table(pair("EUR/USD", "1.40")), 3, of="market", effective_from_ms=later_ms))
    with projected(postgres_dsn, limit) as session:
        shown = {one.document: one for one in tables(session, "main")}
        assert {name: one.version for name, one in shown.items()} == {"retail": 1, "market": 2}
        assert shown["market"].body["pairs"][0]["mid"] == "1.30"
        view = "SELECT document, base, quote, mid, margin_sell FROM reporting.exchange_rates ORDER BY 1, 3"
        assert [tuple(row.values()) for row in rows(session, view)] == [
            ("market", "EUR", "USD", Decimal("1.30"), Decimal("0.02")),
            ("retail", "EUR", "JPY", Decimal(160), Decimal(0)),
            ("retail", "EUR", "USD", Decimal("1.25"), Decimal(0)),
        ]
    when(later(ms=2_000), exchange("ann-usd", "ann", 1_00, table="market"))
    with projected(postgres_dsn, limit) as session:
        assert {one.document: one.version for one in tables(session, "main")} == {"retail": 1, "market": 3}
