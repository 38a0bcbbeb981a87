"""The read models of bulks, orders and payments in say what the fold says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.rows import dict_row

from projections.database import Session, connect
from projections.orders_queries import bulk as find_bulk
from projections.orders_queries import instructions, orders, suspense
from projections.projector import Projector
from schemas.message import Event
from schemas.orders import StandingOrderMissed, StandingOrderRun, StandingOrderSkipped
from schemas.payments_in import ReceiptCredited
from tests.bulk_test import bulk
from tests.orders_test import cancelled, changed, go_to, of, order, paused, scheduled
from tests.payments_in_test import BANK, assigned, received, refunded, resolved, sent_back
from tests.projecting import utc
from tests.story import DAY_MS, account, advance, given, happened, story, then, transfer, when


@contextlib.contextmanager
def projected(dsn: str, limit: int) -> Iterator[Session]:
    with contextlib.closing(Projector(dsn, story().log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(dsn)) as session:
        yield session


def rows(session: Session, query: str) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


@pytest.mark.parametrize("limit", [1, 10_000])
def test_orders_are_shown_with_their_next_run_and_what_came_of_each(postgres_dsn: str, limit: int) -> None:
    given(account("alice", 100), account("bob"))
    when(
        order("rent", 30),
        order("daily", 40, every="day", runs=4, retries=0),
        order("late", 5, every="week"),
        scheduled("once", "2024-05-16", 500, retries=1),
        order("never", 5, every="week", first=story().book.business_date.replace(day=30)),
    )
    go_to("2024-05-18")
    when(paused("late"), changed("rent", amount=35, reference="flat 7"), cancelled("never"))
    go_to("2024-05-20")
    with projected(postgres_dsn, limit) as session:
        found = {one["order_id"]: one for one in rows(session, "SELECT * FROM daybook.standing_orders")}
        standing = story().book.orders.standing
        assert set(found) == {"rent", "daily", "late", "once", "never"}
        for name, one in standing.items():
            row = found[name]
            assert (row["amount"], row["made"], row["next_date"]) == (one.amount, one.made, one.date)
            assert row["state"] == ("paused" if one.paused else "active")
            due = story().book.timers.due.get(f"standing_order\n{name}")
            assert row["due_at"] == (None if due is None else utc(due))
        assert {name: row["state"] for name, row in found.items()} == {
            "rent": "active", "daily": "ended", "late": "paused", "once": "ended", "never": "cancelled",
        }  # fmt: skip
        runs = rows(session, "SELECT * FROM daybook.standing_order_runs ORDER BY seq")
        kinds: dict[type[Event], str] = {
            StandingOrderRun: "made",
            StandingOrderMissed: "missed",
            StandingOrderSkipped: "skipped",
        }
        assert [(row["seq"], row["outcome"]) for row in runs] == [
            (one.seq, kinds[type(one)]) for one in of(*kinds)
        ]
        assert {row["outcome"] for row in runs} == {"made", "missed", "skipped"}
        refused = [row for row in runs if row["reason"] == "insufficient_funds"]
        assert refused
        assert all(row["figures"]["currency"] == "EUR" for row in refused)


@pytest.mark.parametrize("limit", [1, 10_000])
def test_bulks_are_shown_with_what_became_of_each_instruction(postgres_dsn: str, limit: int) -> None:
    given(account("alice", 100), account("bob"))
    when(bulk(("alice", "bob", 60), ("alice", "bob", 50), ("alice", "nobody", 1), ("alice", "bob", 40)))
    when(transfer("bob", "alice", 1), bulk(("bob", "alice", 2), bulk_id="two", mode="all_or_nothing"))
    with projected(postgres_dsn, limit) as session:
        bulks = rows(
            session, "SELECT bulk, mode, instructions, accepted, refused FROM daybook.bulks ORDER BY at"
        )
        assert [tuple(one.values()) for one in bulks] == [
            ("salaries", "each", 4, 2, 2),
            ("two", "all_or_nothing", 1, 1, 0),
        ]
        found = rows(session, "SELECT * FROM daybook.bulk_instructions WHERE bulk = 'salaries' ORDER BY seq")
        assert [(one["index"], one["state"], one["amount"], one["reason"]) for one in found] == [
            (0, "accepted", 60, None),
            (1, "refused", None, "insufficient_funds"),
            (2, "refused", None, "account_not_found"),
            (3, "accepted", 40, None),
        ]
        assert found[1]["figures"] == {"available": 40, "needed": 50, "currency": "EUR"}


@pytest.mark.parametrize("limit", [1, 10_000])
def test_what_came_in_is_shown_and_what_waits_with_owner_and_age(postgres_dsn: str, limit: int) -> None:
    given(*BANK, account("alice"))
    when(*(received(f"r{number}", "nobody", 10 + number) for number in range(4)), received("ok", "alice", 50))
    when(resolved("r0", "alice"), sent_back("r1"), assigned("r2", "anna"), refunded("ok", 20))
    go_to("2024-05-22")
    with projected(postgres_dsn, limit) as session:
        found = {one["receipt"]: one for one in rows(session, "SELECT * FROM daybook.receipts")}
        receipts = story().book.receipts
        waiting = {name: one for name, one in found.items() if one["state"] == "in_suspense"}
        assert set(waiting) == set(receipts.parked) == {"r2", "r3"}
        for name, parked in receipts.parked.items():
            assert (waiting[name]["amount"], waiting[name]["owner"]) == (parked.amount, parked.owner)
            assert (waiting[name]["age_days"], waiting[name]["received_at"]) == (5, utc(parked.parked_ms))
        for name, credited in receipts.credited.items():
            assert (found[name]["state"], found[name]["account"]) == ("credited", credited.account)
            assert found[name]["refunded"] == credited.refunded
        assert (found["r1"]["state"], found["r0"]["reason"]) == ("returned", "account_not_found")
        shown = rows(session, "SELECT receipt, payer, age_days FROM reporting.suspense ORDER BY receipt")
        assert [tuple(one.values()) for one in shown] == [("r2", "***", 5), ("r3", "***", 5)]


def test_what_the_command_line_asks(postgres_dsn: str) -> None:
    given(*BANK, account("alice", 100), account("bob"))
    when(
        order("rent", 30),
        scheduled("once", "2024-05-16", 20),
        bulk(("alice", "bob", 60), ("alice", "bob", 50)),
        received("r1", "nobody", 11),
        received("r2", "alice", 12),
    )
    go_to("2024-05-18")
    with projected(postgres_dsn, 10_000) as session:
        assert [one.order_id for one in orders(session, "main", None)] == ["rent"]
        assert [one.order_id for one in orders(session, "main", "alice")] == ["once", "rent"]
        assert orders(session, "main", "bob") == []
        found = find_bulk(session, "main", "salaries")
        assert found is not None
        assert (found.accepted, found.refused) == (1, 1)
        assert [(one.index, one.state) for one in instructions(session, "main", "salaries")] == [
            (0, "accepted"),
            (1, "refused"),
        ]
        assert find_bulk(session, "main", "none") is None
        (waits,) = suspense(session, "main")
        assert (waits.receipt, waits.owner, waits.reason) == ("r1", "ops", "account_not_found")
        waited_ms = story().book.at - story().book.receipts.parked["r1"].parked_ms
        assert waits.age_s == round(waited_ms / 1_000)


@pytest.mark.parametrize("limit", [1, 10_000])
def test_an_id_that_is_used_anew_shows_the_newest(postgres_dsn: str, limit: int) -> None:
    """Ids are forgotten after 400 days, and the projector goes on."""
    given(BANK, account("alice", 100), account("bob"))
    when(bulk(("alice", "bob", 1), ("alice", "bob", 2)), scheduled("once", "2024-05-16", 5))
    when(received("r", "alice", 7))
    for _ in range(5):
        story().now += 100 * DAY_MS
        when(advance(story().now + 1))
    far = story().book.business_date.replace(year=2027)
    when(bulk(("alice", "bob", 4), bulk_id="other"), scheduled("other", far), received("other", "alice"))
    when(bulk(("alice", "bob", 3)), scheduled("once", far, 6), received("r", "alice", 8))
    then(happened(ReceiptCredited))
    with projected(postgres_dsn, limit) as session:
        found = rows(session, "SELECT * FROM daybook.bulk_instructions WHERE bulk = 'salaries'")
        assert [(row["index"], row["amount"]) for row in found] == [(0, 3)]
        (one,) = rows(session, "SELECT * FROM daybook.standing_orders WHERE order_id = 'once'")
        assert (one["amount"], one["made"], one["state"]) == (6, 0, "active")
        (one,) = rows(session, "SELECT * FROM daybook.receipts WHERE receipt = 'r'")
        assert one["amount"] == 8
