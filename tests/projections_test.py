"""The read models say what the fold of the log says, whatever happened and however it comes in batches."""

from __future__ import annotations

import contextlib
import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, ClassVar, get_args

import msgspec
import orjson
import psycopg
import pytest
from psycopg.rows import dict_row

from book.state import SYSTEM_BOOK, Book
from engine.fold import Folded
from engine.log.records import BEFORE_FIRST
from projections.answers import By
from projections.database import Session, connect
from projections.projector import Projector
from projections.queries import account, audit, business_days, outcomes, statement, trial_balance
from schemas.catalogue import EVENT_TYPES, decode_event
from schemas.message import Event
from schemas.rejections import CommandRejected, CommandRepeated
from tests.random_bank import BEGAN_MS, BOOKS, Bank

SEEDS = (1, 2, 3)
NEVER_HERE = {"ReleaseActivated", "ClockConfirmed", "RepeatWindowSet"}
"""What no read model but `audit` takes note of."""


@contextlib.contextmanager
def projected(dsn: str, bank: Bank, limit: int = 10_000) -> Iterator[Session]:
    """A session after everything in the bank's log was projected."""
    with contextlib.closing(Projector(dsn, bank.log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(dsn)) as session:
        yield session


def rows(session: Session, query: str, *parameters: Any) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters or None).fetchall()


def events_of(bank: Bank) -> list[Event]:
    return [decode_event(record.value) for record in bank.log.events(BEFORE_FIRST)]


def books_of(bank: Bank) -> dict[str, Book]:
    folded = Folded()
    folded.apply(bank.log.events(BEFORE_FIRST))
    return folded.partition.books


def utc(at_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC) + datetime.timedelta(
        milliseconds=at_ms % 1000
    )


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
        for field in ("kind", "status", "name", "country", "born_on", "number", "segment", "branch"):
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


@pytest.mark.parametrize("seed", SEEDS)
def test_statements_by_booking_and_by_value_date_add_up(postgres_dsn: str, seed: int) -> None:
    bank = Bank(seed)
    bank.run(500)
    events = [event for event in events_of(bank) if event.book == "main" and hasattr(event, "postings")]
    began = utc(BEGAN_MS).date()
    with projected(postgres_dsn, bank) as session:
        back_dated = 0
        for account_id in ("nostro-EUR", "a1", "a2", "a3"):
            moved: list[tuple[Any, ...]] = [
                (event.booking_date, event.value_date, event.seq, leg, one.amount)  # type: ignore[attr-defined]
                for event in events
                for leg, one in enumerate(event.postings, 1)
                if one.account == account_id
            ]
            back_dated += sum(valued < booked for booked, valued, *_ in moved)
            for first, last in ((None, None), *((day, day + 2) for day in range(8)), (5, 5), (90, 91)):
                begin = None if first is None else began + datetime.timedelta(days=first)
                end = None if last is None else began + datetime.timedelta(days=last)
                ways: tuple[tuple[By, int], ...] = (("booking-date", 0), ("value-date", 1))
                for by, column in ways:
                    found = statement(session, "main", account_id, begin, end, by)
                    assert found is not None
                    ordered = sorted(moved, key=itemgetter(column, 2, 3))
                    before = [one for one in ordered if begin is not None and one[column] < begin]
                    within = [
                        one
                        for one in ordered
                        if (begin is None or one[column] >= begin) and (end is None or one[column] <= end)
                    ]
                    assert found.opening == sum(one[4] for one in before)
                    assert [(line.seq, line.leg, line.amount) for line in found.lines] == [
                        (one[2], one[3], one[4]) for one in within
                    ]
                    running = found.opening
                    for line in found.lines:
                        running += line.amount
                        assert line.balance == running
                    assert found.closing == running
        assert back_dated, "some were booked with an earlier value date"
        assert statement(session, "main", "nobody") is None
        assert account(session, "main", "nobody") is None


def test_the_audit_log_is_found_by_actor_entity_and_command(postgres_dsn: str) -> None:
    bank = Bank(4)
    bank.run(500)
    events = events_of(bank)
    with projected(postgres_dsn, bank) as session:
        for actor in ("root", "mallory", "\\N"):
            expected = [one for one in events if one.actor == actor and one.book == "main"]
            found = audit(session, book="main", actor=actor, limit=10_000)
            assert [one.seq for one in found] == [one.seq for one in expected]
            assert [one.seq for one in audit(session, book="main", actor=actor, limit=3)] == [
                one.seq for one in expected[-3:]
            ]
        assert len(audit(session, limit=100_000)) == len(events)
        for account_id in ("a1", "nostro-EUR"):
            moved = {
                one.seq
                for one in events
                if one.book == "main"
                and (
                    getattr(one, "account", "") == account_id
                    or any(leg.account == account_id for leg in getattr(one, "postings", ()))
                    or (isinstance(one, CommandRejected) and one.figures.get("account") == account_id)
                )
            }
            found = audit(session, book="main", entity=account_id, limit=10_000)
            assert [one.seq for one in found] == sorted(moved)
            newest = audit(session, book="main", entity=account_id, limit=2)
            assert [one.seq for one in newest] == sorted(moved)[-2:]
        some = next(one.command for one in events if one.book == "side" and one.command)
        assert {one.command for one in audit(session, command=some)} == {some}
        assert audit(session, book="main", actor="root", command=some, entity="a1") == []


def test_an_outcome_is_found_by_the_commands_id_and_nobody_can_overwrite_it(postgres_dsn: str) -> None:
    bank = Bank(5)
    sent = bank._transfer("main")
    honest = msgspec.structs.replace(
        sent, id="pay-1", actor="root", book="main", debit="nostro-EUR", credit="nostro-EUR"
    )
    stolen = msgspec.structs.replace(honest, actor="mallory")
    from engine.log.records import Out
    from schemas.catalogue import encode

    bank.submit(
        Out(b"main", encode(honest)),
        Out(b"main", encode(stolen)),
        Out(b"main", b'{"type":"Transfer","id":"pay-1","actor":"root","amount":-1}'),
        Out(b"other", encode(honest)),
        Out(b"main", encode(honest)),
    )
    with projected(postgres_dsn, bank) as session:
        found = outcomes(session, "pay-1")
        assert [(one.actor, one.command, one.claimed, one.reason) for one in found] == [
            ("root", "pay-1", "", "same_account"),
            ("mallory", "pay-1", "", "not_permitted"),
            ("", "", "pay-1", "undecodable"),
            ("", "", "pay-1", "wrong_partition"),
            ("root", "pay-1", "", "same_account"),
        ]
        assert [one.outcome for one in found] == ["rejected"] * 4 + ["repeated"]
        assert found[4].first_outcome_seq == found[0].seq
        assert [one.actor for one in outcomes(session, "pay-1", book="main", actor="root")] == [
            "root",
            "root",
        ]
        assert outcomes(session, "") == [], "records without an id claim nothing"


class Explained(psycopg.Cursor[Any]):
    """Keeps the plan of every query."""

    plans: ClassVar[list[str]] = []

    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
        if isinstance(query, bytes) and query.startswith((b"SELECT", b"(")):
            super().execute(b"EXPLAIN " + query, params, **kwargs)
            self.plans.append(
                "\n".join(str(next(iter(row.values())) if isinstance(row, dict) else row[0]) for row in self)
            )
        return super().execute(query, params, **kwargs)


def test_every_question_is_answered_by_an_index(postgres_dsn: str) -> None:
    bank = Bank(6)
    bank.run(100)
    with projected(postgres_dsn, bank) as session:
        session.execute("ANALYZE")
    with psycopg.connect(postgres_dsn, autocommit=True, cursor_factory=Explained) as session:
        Explained.plans.clear()
        # Few rows are read whole because that is quicker; what counts is whether there was another way.
        session.execute("SET enable_seqscan = off")
        session.execute("SET enable_bitmapscan = off")
        account(session, "main", "a1")
        for by in get_args(By):
            statement(session, "main", "a1", datetime.date(2024, 1, 2), datetime.date(2024, 1, 4), by)
        audit(session, book="main")
        audit(session, book="main", actor="root")
        audit(session, command="c7")
        outcomes(session, "c7")
        trial_balance(session, "main")
        business_days(session, "main")
        for plan in Explained.plans:
            assert "Seq Scan" not in plan, plan
            assert plan.count("Index Cond") >= plan.count("Index Scan") + plan.count(
                "Index Only Scan"
            ) - plan.count("on books"), plan
        Explained.plans.clear()
        session.execute("SET enable_bitmapscan = on")
        session.execute(b"SELECT FROM daybook.audit WHERE entities @> ARRAY['a1']")
        assert "Bitmap Index Scan on audit_2024_01_entities_idx" in Explained.plans[-1], Explained.plans[-1]
