"""The read models of cases say what the fold says, whatever people and alerts do to them."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from psycopg.rows import dict_row

from book.case import Case
from book.state import Book
from projections import case_figures, case_queries
from projections.case_changes import CHANGED
from projections.database import Session, connect
from projections.projector import Projector
from replay.labels import labels_of
from schemas.cases import Act, CaseKind, CaseLabel
from tests.case_words import (
    act,
    alert,
    approve,
    assign,
    attach,
    confirm,
    draft,
    file,
    hand_over,
    link,
    look_again,
    member,
    merge,
    note,
    open_case,
    pause,
    policy,
    prioritise,
    propose,
    refuse,
    reopen,
    report,
    restrict,
    resume,
    send_back,
    take,
    team,
    tick,
    workers,
)
from tests.projecting import is_right, utc
from tests.story import Said, Word, account, given, later, story, when

PEOPLE = ("ann", "ben", "cid", "dora")
PARTIES = ("alice", "bob", "carol")
POLICY = policy(
    teams=[team(*(member(one, most_cases=4) for one in PEOPLE))],
    kinds=[
        {
            "kind": kind,
            "checklist": [{"id": "known", "text": "Do we know the customer?", "required": False}],
            "clocks": [
                {"from_priority": 500, "first_touch_m": 30, "resolution_m": 60},
                {"first_touch_m": 60, "resolution_m": 600},
            ],
            "late": [{"after_m": 30, "priority": 100}, {"after_m": 90, "priority": 100}],
            "second_person": [{"labels": ["confirmed_fraud", "suspicious"]}],
            "quality_per_mille": 300,
        }
        for kind in ("aml", "fraud", "other")
    ],
    report_within_days=1,
)
LABELS: tuple[CaseLabel, ...] = ("confirmed_fraud", "suspicious", "false_positive", "legitimate")
KINDS: tuple[CaseKind, ...] = ("aml", "fraud", "other")


SEEDS = (1, 2)
STEPS = 250


class Office:
    """People and alerts that do anything, in an order that a seed gives."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.alerts = 0
        self.opened = 0

    def something(self) -> Word:
        dice, cases = self.dice, story().book.cases
        who = dice.choice(PEOPLE)
        known = sorted(cases.by_id) or ["none"]
        one = dice.choice(known)
        has = cases.by_id[one].assignee if one in cases.by_id else ""
        doing: list[tuple[int, Any]] = [
            (6, self._reported),
            (1, self._opened),
            (8, lambda: take().by(who)),
            (3, lambda: assign(one, dice.choice(("", *PEOPLE))).by(who)),
            (3, lambda: hand_over(one, dice.choice(("", "", *PEOPLE))).by(has or who)),
            (6, lambda: propose(one, dice.choice(LABELS), *self._acts()).by(has or who)),
            (3, lambda: self._answer(confirm, who)),
            (1, lambda: self._answer(refuse, who)),
            (1, lambda: reopen(one).by(who)),
            (1, lambda: merge(one, dice.choice(known)).by(who)),
            (1, lambda: later(days=1)),
            (2, lambda: later(ms=dice.randrange(60_000, 3_600_000))),
            (2, lambda: pause(one, story().now + dice.choice((600_000, 9_000_000))).by(has or who)),
            (1, lambda: resume(one).by(has or who)),
            (2, lambda: tick(one, "known", done=dice.random() < 0.7).by(has or who)),
            (2, lambda: note(one).by(who)),
            (2, lambda: attach(one, dice.choice("abc") * 64).by(who)),
            (2, lambda: link(one, cases=(dice.choice(known),), accounts=(dice.choice(PARTIES),)).by(who)),
            (1, lambda: restrict(one, *dice.sample(PEOPLE, dice.randrange(3))).by(who)),
            (1, lambda: prioritise(one, dice.randrange(1_000)).by(who)),
            (2, lambda: self._second_look(who)),
            (3, lambda: draft(self._report_of() or one, f"r{dice.randrange(30)}").by(who)),
            (4, lambda: self._answer_report(who)),
        ]
        made: Word = dice.choices([do for _, do in doing], [weight for weight, _ in doing])[0]()
        return made

    def _acts(self) -> list[Act]:
        return [act("file_report")] if self.dice.random() < 0.3 else []

    def _reported(self) -> Said:
        dice = self.dice
        name = dice.choice(PARTIES)
        made = []
        for _ in range(dice.randrange(1, 4)):
            self.alerts += dice.random() < 0.9
            source, kind = dice.choice(
                (("typology", "structuring"), ("rule", "core/night"), ("stream", "mule"))
            )
            made.append(
                alert(
                    self.alerts,
                    f"p-{name}",
                    source=source,
                    kind=kind,
                    currency=dice.choice(("EUR", "USD")),
                    amount=dice.randrange(100_000),
                )
            )
        priority = dice.randrange(1_000)
        return report(f"day-{dice.randrange(12)}", *made, party=f"p-{name}", priority=priority)

    def _opened(self) -> Said:
        dice = self.dice
        self.opened += 1
        people = tuple(dice.sample(PEOPLE, 2)) if dice.random() < 0.4 else ()
        fields = {"kind": dice.choice(KINDS), "priority": dice.randrange(1_000), "people": people}
        return open_case(f"hand-{self.opened}", party="p-bob", accounts=("alice",), **fields)

    def _some(self, fits: Any) -> str:
        """Some case for which that is true; one that is not there where it is of none."""
        found = [name for name, one in sorted(story().book.cases.by_id.items()) if fits(one)]
        return self.dice.choice(found) if found else "none"

    def _second_look(self, who: str) -> Said:
        case = self._some(lambda one: one.sampled)
        return look_again(case, self.dice.choice(("upheld", "remarks", "overturned"))).by(who)

    def _report_of(self) -> str | None:
        found = self._some(lambda one: one.report is not None and one.report.status == "required")
        return None if found == "none" else found

    def _answer_report(self, who: str) -> Said:
        filing = self._some(lambda one: one.report is not None and one.report.status == "approved")
        if filing != "none" and self.dice.random() < 0.6:
            return file(filing).by(who)
        drafted = self._some(lambda one: one.report is not None and one.report.status == "drafted")
        word = self.dice.choice((approve, approve, send_back))
        return (word(drafted) if drafted != "none" else word("none", 1)).by(who)

    def _answer(self, word: Any, who: str) -> Said:
        waiting = [
            name
            for name, one in sorted(story().book.cases.by_id.items())
            if one.status == "awaiting_second_person"
        ]
        said: Said = word(self.dice.choice(waiting)) if waiting else word("none", 1)
        return said.by(who)


def work(seed: int, steps: int) -> None:
    given(*(account(one) for one in PARTIES), workers(*PEOPLE), POLICY)
    office = Office(seed)
    for _ in range(steps):
        when(office.something())


def rows(session: Session, query: str) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def check_case(row: dict[str, Any], one: Case) -> None:
    for name in ("kind", "status", "subject", "priority", "skill", "assignee", "team", "amounts"):
        assert row[name] == getattr(one, name), name
    for name in ("people", "parties", "accounts", "payments"):
        assert row[name] == list(getattr(one, name)), name
    for name in ("touch_late", "close_late", "closing", "sampled", "merged_into"):
        assert row[name] == getattr(one, name), name
    assert row["label"] == (one.label or "")
    assert row["alerts"] == len(one.alerts)
    assert (row["opened_at"], row["started_at"]) == (utc(one.opened_ms), utc(one.started_ms))
    for name, due_ms in (("touch_by", one.due.touch_by_ms), ("close_by", one.due.close_by_ms)):
        assert row[name] == (None if due_ms is None else utc(due_ms)), name
    assert (row["left_ms"], row["band"]) == (one.due.left_ms, one.due.band)
    assert row["linked"] == list(one.cases)
    assert (row["waits_for"] != "") == (one.status == "waiting")
    assert row["closers"] == list(one.closers)
    proposed = one.proposed
    assert (row["proposal"], row["proposed"], row["proposer"]) == (
        (None, "", "") if proposed is None else (proposed.seq, proposed.label, proposed.proposer)
    )
    assert (row["closed_at"] is None) == (one.status != "closed")


def check(session: Session, book: Book) -> None:
    cases = book.cases
    shown = {one["case_id"]: one for one in rows(session, "SELECT * FROM daybook.cases")}
    assert shown.keys() == cases.by_id.keys()
    for case_id, one in cases.by_id.items():
        check_case(shown[case_id], one)
    alerts = {one["alert"]: one for one in rows(session, "SELECT * FROM daybook.case_alerts")}
    assert {name: one["case_id"] for name, one in alerts.items()} == cases.alerts
    for case_id, one in cases.by_id.items():
        for kept in one.alerts:
            row = alerts[kept.id]
            assert (row["case_id"], row["source"], row["kind"]) == (case_id, kept.source, kept.kind)
            assert (row["label"] != "") == (one.status == "closed")
        papers = rows(
            session, f"SELECT digest FROM daybook.case_papers WHERE case_id = '{case_id}' ORDER BY seq"
        )
        assert tuple(row["digest"] for row in papers) == one.attached
        reports = rows(
            session, f"SELECT * FROM daybook.case_reports WHERE case_id = '{case_id}' ORDER BY began"
        )
        assert bool(reports) == (one.report is not None)
        if one.report is not None:
            last, known = reports[-1], one.report
            assert (last["status"], last["report"], last["late"]) == (known.status, known.id, known.late)
            assert (last["persons"], last["draft"] or 0) == (list(known.persons), known.draft)
            assert last["file_by"] == utc(known.by_ms)
            assert all(before["status"] == "filed" for before in reports[:-1])
    checks = rows(session, "SELECT * FROM daybook.case_checks ORDER BY case_id, number")
    for check in checks:
        ticked = cases.by_id[check["case_id"]].ticked
        assert (check["done_at"] is not None) == (check["item"] in ticked) == (check["done_by"] != "")
    assert [(one["case_id"], one["item"]) for one in checks] == [
        (case_id, item.id) for case_id in sorted(cases.by_id) for item in cases.by_id[case_id].checklist
    ]


@contextlib.contextmanager
def projected(dsn: str, limit: int) -> Any:
    log = story().log.reader()
    with contextlib.closing(Projector(dsn, log)) as projector:
        projector.catch_up(limit)
    assert is_right(dsn, log)
    with contextlib.closing(connect(dsn)) as session:
        yield session


@pytest.mark.parametrize(("seed", "limit"), [(1, 10_000), (2, 1)])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, seed: int, limit: int) -> None:
    work(seed, STEPS)
    with projected(postgres_dsn, limit) as session:
        check(session, story().book)
        check_labels(session)
        check_queue(session, story().book)


def test_the_histories_hold_every_event_of_cases() -> None:
    """Or the other test compares nothing that matters."""
    seen = set()
    for seed in SEEDS:
        work(seed, STEPS)
        seen |= {type(one) for one in story().events()}
    assert {one for one in CHANGED if one not in seen} == set()


def check_labels(session: Session) -> None:
    """Two ways to the same labels: SQL over rows, and a fold over events."""
    found = labels_of(one for one in story().events() if one.book == "main")
    shown = case_figures.labels(session, "main")
    assert {one.id: (one.label, one.case_id) for one in shown if one.what == "alert"} == {
        name: (one.label, one.case) for name, one in found.alerts().items()
    }
    assert {one.id: one.label for one in shown if one.what == "payment"} == {
        name: one.label for name, one in found.payments().items()
    }
    assert found.alerts(), "something was found"


def check_queue(session: Session, book: Book) -> None:
    """Whoever takes next gets what stands first in their queue."""
    ranked = case_queries.queue(session, "main", "root")
    expected = sorted(place for name, place in book.cases.queue.items() if not book.cases.by_id[name].people)
    assert [one.case_id for one in ranked if one.rank is not None] == [place[-1] for place in expected]


def test_the_queue_is_shown_as_it_is_taken_after_another_policy_too(postgres_dsn: str) -> None:
    clocks = [
        {"from_priority": 500, "first_touch_m": 60, "resolution_m": 600},
        {"first_touch_m": 30, "resolution_m": 60},
    ]
    work(1, 0)
    when(open_case("slow", priority=600), open_case("fast"), later(ms=60_000))
    when(policy(2, kinds=[{"kind": "other", "clocks": [{**clocks[0], "from_priority": 700}, clocks[1]]}]))
    when(open_case("later", priority=600))
    with projected(postgres_dsn, 10_000) as session:
        check_queue(session, story().book)
        shown = [one.case_id for one in case_queries.queue(session, "main", "root")]
    assert shown == ["slow", "later", "fast"]
