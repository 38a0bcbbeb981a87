"""The figures of cases on the terminal: who has how much, how old it is, what is late, what was right."""

from __future__ import annotations

import msgspec

from console.cases import STATES, at_desk, emit, shortened, time_of
from console.output import Output
from console.read_models import book_session
from engine.home import Home
from engine.settings import Settings
from projections import case_figures, case_queries


def workload(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """Who has how much."""
    with book_session(output, home, settings, book) as (session, name):
        rows = case_figures.workload(session, name)
    output.table(
        "",
        ["user", "team", ">working", ">waiting", ">second", ">late", ">most", "oldest", ">closed 7 d"],
        [
            (
                one.user,
                one.team,
                one.working,
                one.waiting,
                one.second,
                one.late,
                one.most,
                f"{one.oldest_at:%Y-%m-%d}" if one.oldest_at else "",
                one.closed_7_days,
            )
            for one in rows
        ],
    )
    if not rows:
        output.say("Nobody has a case, and no policy says who could.")
    emit(output, rows)


def ageing(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """How old what is not closed is, and what is late."""
    with book_session(output, home, settings, book) as (session, name):
        ages, clocks = case_figures.ageing(session, name), case_figures.sla(session, name)
    days = case_figures.AGES_DAYS
    output.table(
        "",
        ["kind", "state", *(f">< {one} d" for one in days), f">{days[-1]} d +", "oldest"],
        [(one.kind, STATES.get(one.status, one.status), *one.counts, f"{one.oldest_at:%F}") for one in ages],
    )
    output.head("clocks")
    output.table(
        "",
        ["kind", ">running", ">due in 1 d", ">untouched", ">late", ">closed", ">closed late"],
        [
            (
                one.kind,
                one.running,
                one.due_1_day,
                one.late_first_touch,
                one.late,
                one.closed,
                one.closed_late,
            )
            for one in clocks
        ],
    )
    output.emit(ageing=msgspec.to_builtins(ages), clocks=msgspec.to_builtins(clocks))


def outcomes(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """How often each rule and typology was right."""
    with book_session(output, home, settings, book) as (session, name):
        rows = case_figures.detection_outcomes(session, name)
    output.table(
        "",
        ["rule or typology", ">hits", ">share", ">parties", ">bad", ">good", ">open", ">precision", ">false"],
        [
            (
                f"{one.kind} v{one.version}",
                one.hits,
                _percent(one.share_per_mille),
                one.parties,
                one.bad,
                one.good,
                one.open,
                _percent(one.precision_per_mille),
                _percent(one.false_positive_per_mille),
            )
            for one in rows
        ],
    )
    if not rows:
        output.say("No alert has come to a case yet.")
    emit(output, rows)


def labels(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """What was found of each alert and payment."""
    with book_session(output, home, settings, book) as (session, name):
        rows = case_figures.labels(session, name)
    output.table(
        "",
        ["what", "id", "label", "since"],
        [(one.what, one.id, one.label, time_of(one.labelled_at)) for one in rows],
    )
    if not rows:
        output.say("No case is closed.")
    emit(output, rows)


def _percent(per_mille: int | None) -> str:
    return "" if per_mille is None else f"{per_mille // 10}.{per_mille % 10} %"


def sample(output: Output, home: Home, settings: Settings, book: str | None, named: str | None) -> None:
    """What waits for a second look."""
    with at_desk(output, home, settings, book, named) as desk:
        rows = case_queries.to_sample(desk.session, desk.book, desk.viewer)
        looks = case_figures.quality(desk.session, desk.book)
    short = shortened([one.case_id for one in rows])
    output.table(
        "",
        ["case", "kind", "found", "closed", "by"],
        [
            (name, STATES.get(one.kind, one.kind), one.label, time_of(one.closed_at), ", ".join(one.closers))
            for one, name in zip(rows, short, strict=True)
        ],
    )
    if not rows:
        output.say("No closed case waits for a second look.")
    if looks:
        output.head("second looks so far")
        output.table(
            "",
            ["kind", "who proposed", ">upheld", ">remarks", ">overturned"],
            [(one.kind, one.proposer, one.upheld, one.remarks, one.overturned) for one in looks],
        )
    output.emit(cases=msgspec.to_builtins(rows), looks=msgspec.to_builtins(looks))


def reports(output: Output, home: Home, settings: Settings, book: str | None, named: str | None) -> None:
    """The reports that are to be filed."""
    with at_desk(output, home, settings, book, named) as desk:
        rows = case_queries.reports_due(desk.session, desk.book, desk.viewer)
    short = shortened([case for case, _ in rows])
    output.table(
        "",
        ["case", "report", "status", "drafted by", "file by (UTC)", ""],
        [
            (name, one.report, one.status, one.drafter, time_of(one.file_by), "late" if one.late else "")
            for name, (_, one) in zip(short, rows, strict=True)
        ],
    )
    if not rows:
        output.say("No report is to be filed.")
    for case, one in rows:
        output.emit(case_id=case, **msgspec.to_builtins(one))
