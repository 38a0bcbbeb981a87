"""The read models of approvals say what the fold says, and what became of everything that waited."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from psycopg.rows import dict_row

from book.state import Book
from engine.log.records import BEFORE_FIRST
from projections.database import Session, connect
from projections.projector import Projector
from schemas.access import ReinstateActor, SuspendActor
from schemas.approvals import ApprovalGiven, Delegate, RevokeDelegation
from schemas.catalogue import decode_event
from schemas.parties import RatePartyRisk
from tests.approvals_words import approve, decline, line, newest, policy, roles, staff, withdraw
from tests.projecting import is_right, utc
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    account,
    given,
    grant,
    later,
    role,
    say,
    story,
    transfer,
    when,
)


def rows(session: Session, query: str) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def pay(amount: int = 100) -> Any:
    return transfer("alice", "bob", amount).by("mia")


def a_week() -> dict[str, int]:
    """Something of everything; the approvals by what became of them."""
    given(
        staff(),
        roles({"id": "night", "permits": [{"command": "Approve"}], "emergency": True}),
        role("absent", Delegate, RevokeDelegation),
        *(grant(name, "absent") for name in ("cora", "cleo")),
        grant("max", "night"),
        account("alice", balance=1_000),
        account("bob"),
        policy(line("Transfer", count=2, expires_after_s=3_600)),
    )
    found: dict[str, int] = {}
    when(say(RatePartyRisk, party="p-alice", risk="medium", reason="reviewed"))

    def asked(name: str, amount: int = 100) -> None:
        when(pay(amount))
        found[name] = newest()

    asked("expired")
    when(later(ms=3_600_000))
    asked("withdrawn")
    when(withdraw("mia"))
    asked("declined")
    when(decline("cora"))
    asked("approved")
    when(approve("cora"), approve("max"))
    asked("failed", 500)
    when(approve("cora"))
    when(say_suspended("mia"))
    when(approve("carl"))
    when(say_reinstated("mia"))
    asked("changed", 200)
    when(approve("cora"), approve("carl"))
    when(later(days=1))
    asked("waiting", 50)
    away = {"to": "cleo", "roles": ("checker",), "from_ms": BEGAN_MS, "until_ms": BEGAN_MS + 9 * DAY_MS}
    when(say(Delegate, delegation="away", reason="ill", **away).by("cora"))
    when(approve("cleo"))
    when(say(RevokeDelegation, delegation="away").by("cleo"))
    when(say(Delegate, delegation="away", reason="ill again", **away).by("cora"))
    return found


def say_suspended(user: str) -> Any:

    return say(SuspendActor, subject=user, reason="leave")


def say_reinstated(user: str) -> Any:

    return say(ReinstateActor, subject=user, reason="back")


def check(session: Session, book: Book) -> None:
    shown = {one["approval"]: one for one in rows(session, "SELECT * FROM daybook.approvals")}
    assert {number for number, one in shown.items() if one["status"] == "waiting"} == set(
        book.approvals.waiting
    )
    for number, waiting in book.approvals.waiting.items():
        row = shown[number]
        assert (row["maker"], row["person"], row["shown"]) == (waiting.maker, waiting.person, waiting.shown)
        assert (row["requested_at"], row["expires_at"]) == (
            utc(waiting.requested_ms), utc(waiting.expires_at_ms),
        )  # fmt: skip
        assert (row["policy"], row["line"]) == (waiting.by.policy, waiting.by.line)
        assert row["asked"] == waiting.asked
        said = rows(
            session,
            f"SELECT actor, person, on_behalf_of, override FROM daybook.approval_answers "
            f"WHERE approval = {number} AND counts ORDER BY seq",
        )
        assert [tuple(one.values()) for one in said] == [
            (one.user, one.person, one.on_behalf_of, one.override) for one in waiting.approvals
        ]
    for number, decided in book.approvals.decided.items():
        assert (shown[number]["status"], shown[number]["missing"] == 0) == (
            decided.status,
            decided.status in {"approved", "failed"},
        )
    open_ones = rows(session, "SELECT * FROM daybook.delegations WHERE ended_at IS NULL")
    assert {one["delegation"]: (one["delegator"], one["delegate"]) for one in open_ones} == {
        name: (one.delegator, one.to) for name, one in book.approvals.delegations.items()
    }


@pytest.mark.parametrize("limit", [1, 10_000])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, limit: int) -> None:
    found = a_week()
    log = story().log.reader()
    with contextlib.closing(Projector(postgres_dsn, log)) as projector:
        projector.catch_up(limit)
    assert is_right(postgres_dsn, log)
    with contextlib.closing(connect(postgres_dsn)) as session:
        check(session, story().book)
        shown = {one["approval"]: one for one in rows(session, "SELECT * FROM reporting.approvals")}
        for status in ("expired", "withdrawn", "declined", "approved", "failed", "waiting"):
            assert shown[found[status]]["status"] == status
        assert shown[found["failed"]]["amount_minor"] == 500
        assert shown[found["waiting"]]["roles_left"] == ["checker"]
        assert [one["actor"] for one in rows(session, "SELECT * FROM reporting.overrides")] == ["max"]
        assert len(rows(session, "SELECT * FROM reporting.delegations")) == 2
        parties = rows(session, "SELECT party, risk FROM reporting.standings ORDER BY party")
        assert [tuple(one.values()) for one in parties] == [("p-alice", "medium"), ("p-bob", "unrated")]
        (row,) = rows(
            session,
            "SELECT o.type FROM daybook.audit AS o JOIN daybook.approvals AS a "
            f"ON o.book = a.book AND o.seq = a.outcome_seq + 1 WHERE a.approval = {found['approved']}",
        )
        assert row["type"] == "TransferPosted"
        waited = rows(session, "SELECT count(*) FROM daybook.commands WHERE outcome = 'waiting'")
        assert waited[0]["count"] == len(found)


def test_who_is_still_asked_is_said_with_every_yes() -> None:
    a_week()
    given_ = [
        one
        for record in story().log.events(BEFORE_FIRST)
        if isinstance(one := decode_event(record.value), ApprovalGiven)
    ]
    assert {(one.missing, one.roles_left) for one in given_} == {(1, ("checker",)), (0, ())}
