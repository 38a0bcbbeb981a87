"""The questions to the read models are answered rightly, and by an index."""

from __future__ import annotations

import datetime
from operator import itemgetter
from typing import Any, ClassVar, get_args

import msgspec
import psycopg
import pytest

from projections.answers import By
from projections.queries import account, audit, business_days, outcomes, statement, trial_balance
from schemas.rejections import CommandRejected
from tests.projecting import (
    events_of,
    projected,
    utc,
)
from tests.random_bank import BEGAN_MS, Bank

SEEDS = (1, 2, 3)


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
