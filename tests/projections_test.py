"""The read models say what the fold of the log says, whatever happened and however it comes in batches."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

import msgspec
import orjson
import pytest
from psycopg.rows import dict_row

from book.state import SYSTEM_BOOK, Book
from engine.log.records import BEFORE_FIRST
from projections.database import Session
from projections.queries import business_days, trial_balance
from schemas import (
    approvals,
    case_reports,
    case_work,
    cases,
    flags,
    holds,
    orders,
    payments,
    payments_in,
    rail_reports,
    repairs,
    reviews,
    risk,
    stops,
)
from schemas.catalogue import EVENT_TYPES, decode_event
from schemas.message import Event
from schemas.rejections import CommandRejected, CommandRepeated
from tests.projecting import (
    books_of,
    events_of,
    projected,
    utc,
)
from tests.random_bank import BOOKS, Bank

SEEDS = (1, 2, 3)
NEVER_HERE = {"ReleaseActivated", "ClockConfirmed", "RepeatWindowSet", "TimerFailed", "EpochBegun"}
NEVER_HERE |= {one.__name__ for one in (*payments_in.EVENTS, *orders.EVENTS)}
NEVER_HERE |= {"BulkAccepted", "InstructionRefused"}
NEVER_HERE |= {"DocumentPublished", "DocumentTookEffect"}
NEVER_HERE |= {"InterestAccrued", "InterestCapitalised", "EndOfDayAdvanced", "DayFinished", "FeesCharged"}
NEVER_HERE |= {"ClosingBalancesAdded", "MonthEnded", "PeriodBalances", "YearClosed"}
NEVER_HERE |= {"CrossBookSent", "CrossBookReceived", "CrossBookRefused"}  # see crossbook_rows_test
NEVER_HERE |= {"CrossBookCompleted", "CrossBookReleased", "CrossBookAcknowledged"}
NEVER_HERE |= {one.__name__ for one in approvals.EVENTS} | {"PartyRiskRated"}  # approvals_projection_test
NEVER_HERE |= {
    one.__name__
    for capability in (flags, holds, payments, rail_reports, repairs, reviews, risk, stops)
    for one in capability.EVENTS
}
NEVER_HERE |= {"LimitRaised", "LimitRaiseExpired", "FeeWaived"}
NEVER_HERE |= {"QuoteGiven", "QuoteExpired", "Exchanged", "Revalued"}  # see currencies_rows_test
NEVER_HERE |= {"CreditReleased", "BackValuedPosted"}
NEVER_HERE |= {one.__name__ for one in (*cases.EVENTS, *case_work.EVENTS, *case_reports.EVENTS)}
"""What no read model but `audit` takes note of."""


def rows(session: Session, query: str, *parameters: Any) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters or None).fetchall()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, seed: int, limit: int) -> None:
    bank = Bank(seed)
    bank.run(400 if limit > 1 else 120)
    with projected(postgres_dsn, bank, limit) as session:
        for name, book in books_of(bank).items():
            check_book(session, name, book)
        check_entries(session, events_of(bank))
        check_audit(session, bank)
        check_commands(session, events_of(bank))


def test_the_histories_hold_every_event_that_a_read_model_knows() -> None:
    seen = set()
    for seed in SEEDS:
        bank = Bank(seed)
        bank.run(400)
        seen |= {type(event).__name__ for event in events_of(bank)}
    assert set(EVENT_TYPES) - seen <= NEVER_HERE


def check_book(session: Session, name: str, book: Book) -> None:
    (shown,) = rows(session, "SELECT * FROM daybook.books WHERE book = %s", name)
    assert (shown["seq"], shown["at"]) == (book.seq, utc(book.at))
    assert (shown["name"], shown["currency"], shown["clock"]) == (book.name, book.currency, book.clock)
    assert shown["time_zone"] == book.time_zone
    if name != SYSTEM_BOOK:
        assert (shown["open_from"], shown["reversible_days"]) == (book.open_from, book.reversible_days)
        days = business_days(session, name)
        assert days[-1].business_date == book.business_date
        for day, following in pairwise(days):
            assert (day.ended_at, day.last_seq) == (following.began_at, following.first_seq - 1)
        assert (days[-1].ended_at, days[-1].last_seq) == (None, None)
    check_accounts(session, name, book)
    check_parties(session, name, book)
    check_access(session, name, book)
    assert {one["asset"]: one["scale"] for one in of_book(session, "assets", name)} == book.assets
    assert {one["ledger"]: (one["name"], one["kind"]) for one in of_book(session, "chart", name)} == {
        ledger: (one.name, one.kind) for ledger, one in book.chart.items()
    }


def of_book(session: Session, table: str, book: str) -> list[dict[str, Any]]:
    return rows(session, f"SELECT * FROM daybook.{table} WHERE book = %s", book)


def check_accounts(session: Session, name: str, book: Book) -> None:
    shown = {one["account"]: one for one in of_book(session, "accounts", name)}
    assert set(shown) == set(book.accounts)
    for account_id, one in book.accounts.items():
        row = shown[account_id]
        for field in (
            "kind",
            "currency",
            "party",
            "product",
            "branch",
            "ledger",
            "booked",
            "held",
            "overdraft",
        ):
            assert row[field] == getattr(one, field), (account_id, field)
        assert row["status"] == ("open" if one.is_open else "closed")
        assert (row["closed_at"] is None) == one.is_open
        customer = one.kind == "customer"
        assert row["available"] == (one.booked - one.held + one.overdraft if customer else None)
        blocks = {
            block_id: {
                "direction": block.direction,
                "authority": block.authority,
                "reason": block.reason,
                "expires_at": None if block.expires_at_ms is None else utc(block.expires_at_ms),
            }
            for block_id, block in (one.blocks or {}).items()
        }
        for block in row["blocks"].values():
            if block["expires_at"] is not None:
                block["expires_at"] = datetime.datetime.fromisoformat(block["expires_at"])
        assert row["blocks"] == blocks


def check_parties(session: Session, name: str, book: Book) -> None:
    shown = {one["party"]: one for one in of_book(session, "parties", name)}
    assert set(shown) == set(book.parties)
    for party_id, one in book.parties.items():
        for field in ("kind", "status", "name", "country", "born_on", "number", "segment", "branch", "risk"):
            assert shown[party_id][field] == getattr(one, field), (party_id, field)


def check_access(session: Session, name: str, book: Book) -> None:
    assert {one["person"]: one["name"] for one in of_book(session, "persons", name)} == book.persons
    assert {
        one["actor"]: (one["person"], one["party"], one["suspended"])
        for one in of_book(session, "actors", name)
    } == {actor: (one.person, one.party, one.suspended) for actor, one in book.actors.items()}
    assert {one["role"]: one["permits"] for one in of_book(session, "roles", name)} == {
        role: orjson.loads(msgspec.json.encode(one.permits)) for role, one in book.roles.items()
    }
    assert {(one["actor"], one["role"]) for one in of_book(session, "grants", name)} == {
        (actor, role) for actor, one in book.actors.items() for role in one.roles
    }


def check_entries(session: Session, events: Sequence[Event]) -> None:
    expected = []
    for event in events:
        postings = getattr(event, "postings", ())
        for leg, one in enumerate(postings, 1):
            other = postings[2 - leg].account if len(postings) == 2 else ""
            said = event.reference if hasattr(event, "reference") else event.reason  # type: ignore[attr-defined]
            dates = (event.booking_date, event.value_date)  # type: ignore[attr-defined]
            expected.append(
                (
                    *(event.book, event.seq, leg, one.account, one.amount, one.currency, one.balance, *dates),
                    *(utc(event.at), type(event).__name__, other, said),
                )
            )
    shown = session.execute(
        "SELECT book, seq, leg, account, amount, currency, balance, booking_date, value_date, at, type, "
        "counter_account, reference FROM daybook.entries"
    ).fetchall()
    assert sorted(shown) == sorted(expected)


def check_audit(session: Session, bank: Bank) -> None:
    shown = rows(session, "SELECT * FROM daybook.audit ORDER BY event_offset")
    records = list(bank.log.events(BEFORE_FIRST))
    assert len(shown) == len(records)
    for row, record in zip(shown, records, strict=True):
        event = decode_event(record.value)
        assert row["event_offset"] == record.offset
        assert row["event"] == orjson.loads(record.value)
        assert (row["book"], row["seq"], row["at"]) == (event.book, event.seq, utc(event.at))
        assert (row["actor"], row["command"], row["timer"]) == (event.actor, event.command, event.timer)
        assert row["type"] == type(event).__name__


def check_commands(session: Session, events: Sequence[Event]) -> None:
    shown = {one["cause"]: one for one in rows(session, "SELECT * FROM daybook.commands")}
    expected = 0
    for cause, group in groupby(events, key=lambda event: event.cause):
        if cause < 0:
            continue
        answer = list(group)
        first = next((one for one in answer if one.book != SYSTEM_BOOK), answer[0])
        row = shown[cause]
        expected += 1
        assert (row["book"], row["actor"], row["command"]) == (first.book, first.actor, first.command)
        assert (row["seq"], row["at"]) == (first.seq, utc(first.at))
        match first:
            case CommandRejected():
                assert (row["outcome"], row["reason"]) == ("rejected", first.reason)
                assert row["figures"] == first.figures
                assert row["claimed"] == ("" if first.command else first.figures.get("id", ""))
            case CommandRepeated():
                assert (row["outcome"], row["reason"]) == ("repeated", first.reason)
                assert row["first_outcome_seq"] == first.first_seq
            case _:
                assert (row["outcome"], row["reason"], row["figures"]) == ("accepted", "", None)
    assert len(shown) == expected
    assert "restricted" not in next(iter(shown.values()))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_trial_balance_ties_to_the_accounts_and_sums_to_zero(postgres_dsn: str, seed: int) -> None:
    bank = Bank(seed)
    bank.run(300)
    with projected(postgres_dsn, bank, 50) as session:
        for name in BOOKS:
            book = books_of(bank)[name]
            lines: dict[tuple[str, str], int] = defaultdict(int)
            for one in book.accounts.values():
                lines[one.ledger, one.currency] += one.booked
            turnover: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
            for event in events_of(bank):
                for posting in getattr(event, "postings", ()) if event.book == name else ():
                    key = (book.accounts[posting.account].ledger, posting.currency)
                    turnover[key][posting.amount > 0] += abs(posting.amount)
            shown = {(one.ledger, one.currency): one for one in trial_balance(session, name)}
            assert {key: [one.debit, one.credit] for key, one in shown.items()} == turnover
            assert turnover, "money has moved"
            for key, balance in lines.items():
                assert (shown[key].balance if key in shown else 0) == balance
            for currency in ("EUR", "JPY"):
                assert sum(one.balance for one in shown.values() if one.currency == currency) == 0
