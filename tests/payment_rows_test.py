"""The read models of holds and payments say what the fold says, however the events come in batches."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.rows import dict_row

from gateway.simulated_rail import SimulatedRail
from projections.database import Session, connect
from projections.payment_queries import repairs, stops, timeline
from projections.projector import Projector
from schemas.approvals import ApprovalGiven, TermsChanged
from schemas.catalogue import encode
from schemas.rail_reports import PaymentFailed
from tests.approvals_words import approve, line, newest, policy, staff
from tests.payment_words import (
    HOUR_MS,
    cancel,
    capture,
    hold,
    pay,
    rails,
    raised,
    recall,
    release,
    repair,
    repairers,
    report,
    resume,
    screened,
    stop,
    the_payment,
)
from tests.projecting import is_right, utc
from tests.simulated_rail_test import HOSTILE
from tests.story import (
    TODAY,
    account,
    given,
    grant,
    happened,
    later,
    rejected,
    role,
    story,
    the_account,
    then,
    transfer,
    when,
)

TICK = transfer("nostro", "ticker", 1)


def a_life_of_payments() -> None:
    """Every state, waiting for this and that, what a hostile rail makes of thirty, repairs, stops, holds."""
    told = given(
        account("alice", balance=1_000_000), account("shop"), account("ticker"), rails(), repairers()
    )
    when(*(pay(f"p{number}", 100 + number) for number in range(30)))
    rail = SimulatedRail("sepa", "sepa-gate", HOSTILE, seed=5)
    when(recall("p3"), recall("p4"))
    for event in told.events():
        rail.react(event)
    while (due := rail.next_ms) is not None:
        told.now = max(told.now, due)
        for command in rail.due(due):
            told.send(encode(command))
    when(later(ms=HOUR_MS), TICK)
    for name, one in list(told.book.payments.by_id.items()):
        if one.repair is not None and one.status in {"dispatched", "accepted"}:
            when(repair(name, "ask"), repair(name, "resend"), repair(name, "settle", "rolf"))
    when(pay("late", 5), report("late", "failed"), report("late", "settled"))
    when(repair("late", "charge"), repair("late", "charge", "rolf"))
    when(stop("old"), pay("o", 1), resume("old"), stop("old", "rail", "sepa"), TICK)
    when(pay("w1", 10), pay("w2", 11), cancel("w2"), screened("payment", "w1", "hit"))
    when(pay("future", 12, execution_date=TODAY.replace(day=20)), screened("party", "p-alice", "pending"))
    when(hold("alice", 100), raised(20), capture(30), hold("alice", 5, "h2"), release("h2"))
    when(hold("alice", 6, "h2"), capture(6, hold_id="h2"), hold("alice", 7, "h3", expires_after_s=1))
    when(hold("alice", 8, "h2"), later(ms=2_000), TICK)


@contextlib.contextmanager
def shown(dsn: str, limit: int) -> Iterator[Session]:
    with contextlib.closing(Projector(dsn, story().log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(dsn)) as session:
        yield session


def rows(session: Session, query: str) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, limit: int) -> None:
    a_life_of_payments()
    book = story().book
    with shown(postgres_dsn, limit) as session:
        payments = {one["payment"]: one for one in rows(session, "SELECT * FROM daybook.payments")}
        assert payments.keys() == book.payments.by_id.keys()
        for name, one in book.payments.by_id.items():
            row = payments[name]
            for field in (
                *("account", "amount", "currency", "rail", "purpose", "reference", "end_to_end"),
                *("execution_date", "screening", "status", "returned", "attempt", "asked", "recall"),
            ):
                assert row[field] == getattr(one, field), (name, field)
            waits_for = f"{row['waits_for']}\n{row['waits_by']}" if row["waits_for"] else ""
            assert waits_for == one.waits_for
            assert row["fees"] == sum(fee.amount for fee in one.fees)
            assert row["repair"] == (one.repair.reason if one.repair else "")
            assert row["repair_since"] == (utc(one.repair.since_ms) if one.repair else None)
            proposal = one.repair.proposal if one.repair else None
            assert row["proposal"] == (proposal.action if proposal else "")
            assert row["proposed_by"] == (proposal.person if proposal else "")
            timers = [f"payment_due\n{name}", f"payment_silence\n{name}"]
            due = [book.timers.due[timer] for timer in timers if timer in book.timers.due]
            assert row["due_at"] == (utc(due[0]) if due else None), name
        held = {one["hold"]: one for one in rows(session, "SELECT * FROM daybook.holds")}
        assert (
            {name for name, one in held.items() if one["status"] == "open"} == set(book.holds) == {"h", "h2"}
        )
        for name, hold_ in book.holds.items():
            assert (held[name]["amount"], held[name]["captured"]) == (hold_.amount, hold_.captured)
            assert held[name]["expires_at"] == utc(hold_.expires_at_ms)
        assert held["h3"]["status"] == "expired"
        accounts = {one["account"]: one["held"] for one in rows(session, "SELECT * FROM daybook.accounts")}
        assert accounts == {name: one.held for name, one in book.accounts.items()}
        on = rows(session, "SELECT * FROM daybook.stops WHERE lifted_at IS NULL")
        assert {one["stop"]: (one["scope"], one["value"]) for one in on} == {
            name: (one.scope, one.value) for name, one in book.payments.stops.items()
        }
        expected = {one["entry"]: one for one in rows(session, "SELECT * FROM daybook.expected_entries")}
        sent = {name: one for name, one in book.payments.by_id.items() if one.attempt}
        assert {name for name in expected if " " not in name} == set(sent)
        for name, one in sent.items():
            state = "booked" if one.settled else "expected"
            failed = one.status in {"failed", "recalled"} and not one.settled
            assert expected[name]["state"] == ("withdrawn" if failed else state), name
        booked = sum(one["amount"] for one in expected.values() if one["state"] == "booked")
        assert booked == sum(one.amount - one.returned for one in sent.values() if one.settled)
    assert is_right(postgres_dsn, story().log.reader())


def test_what_the_command_line_asks(postgres_dsn: str) -> None:
    a_life_of_payments()
    book = story().book
    with shown(postgres_dsn, 10_000) as session:
        assert [one.payment for one in repairs(session, "main")] == [
            name
            for name, one in sorted(
                book.payments.by_id.items(),
                key=lambda item: (item[1].repair.since_ms if item[1].repair else 0, item[0]),
            )
            if one.repair
        ]
        (stopped,) = stops(session, "main")
        assert (stopped.stop, stopped.scope, stopped.waiting) == ("old", "rail", 1)
        assert timeline(session, "main", "nobody") is None
        life = timeline(session, "main", "late")
        assert life is not None
        assert [one.type for one in life.events] == [
            "PaymentSubmitted",
            "PaymentDispatched",
            PaymentFailed.__name__,
            "PaymentSettled",
            "RepairNeeded",
            "RepairProposed",
            "PaymentCharged",
            "RepairClosed",
        ]
        assert life.approval is None
        conflicts = [one for one in book.payments.by_id if one.startswith("p")]
        refused = [
            one
            for name in conflicts
            for one in (timeline(session, "main", name) or life).events
            if one.type == "CommandRejected"
        ]
        assert refused, "what was refused about a payment stands in its life"


def test_a_payments_life_tells_the_approval_that_it_needed(postgres_dsn: str) -> None:
    given(
        account("alice", balance=1_000),
        rails(),
        staff(),
        role("payer", "SubmitPayment"),
        grant("mia", "payer"),
        policy(line("SubmitPayment")),
    )
    when(pay("p1", 60).by("mia"))
    assert (the_account("alice").held, story().book.payments.by_id) == (60, {})
    asked = newest()
    when(approve("cora"))
    assert (the_account("alice").held, the_payment("p1").status) == (0, "dispatched")
    when(report("p1", "settled"))
    with shown(postgres_dsn, 10_000) as session:
        life = timeline(session, "main", "p1")
    assert life is not None
    assert life.approval is not None
    assert (life.approval.approval, life.approval.maker, life.approval.policy) == (asked, "mia", "payments")
    assert [(one.answer, one.actor) for one in life.answers] == [("yes", "cora")]


def test_a_payment_that_waits_for_approval_counts_and_is_decided_again() -> None:
    given(
        account("alice", balance=100),
        account("ticker"),
        rails(),
        staff(),
        role("payer", "SubmitPayment"),
        grant("mia", "payer"),
        policy(line("SubmitPayment")),
        stop("night"),
    )
    when(pay("p1", 60).by("mia"), transfer("alice", "ticker", 41))
    then(rejected("insufficient_funds", available=40, needed=41))
    when(resume("night"), approve("cora"))
    then(happened(ApprovalGiven), happened(TermsChanged))  # it would go now, with a value date
    assert the_account("alice").held == 60
    when(approve("cora"))
    assert (the_account("alice").held, the_payment("p1").status) == (0, "dispatched")
