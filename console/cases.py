"""Cases on the terminal, to be read: the queue, one of them with its history, and the figures about them.

Whoever reads is a user of the book and proves it as for a command; a case that is kept to others is not there
for them. The first letters of a case's id are enough wherever no other begins so.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from console.identity import acting_user, identity_of
from console.output import Output
from console.read_models import book_session
from engine.credentials import CredentialRefused
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from projections import case_queries
from projections.case_rows import AlertRow, CaseFile, CaseRow, HistoryRow, ReportRow
from projections.database import Session
from projections.queries import book_now, digits
from schemas.money import format_minor

SHORT = 13
"""How much of an id is shown at least: `case-` and eight digits."""
STATES = {"awaiting_second_person": "second", "in_progress": "working", "payment_review": "review"}


class Desk(msgspec.Struct, frozen=True):
    """Where somebody reads cases. now: of the book."""

    session: Session
    book: str
    viewer: str
    now: datetime.datetime


@contextmanager
def at_desk(
    output: Output, home: Home, settings: Settings, book: str | None, named: str | None
) -> Iterator[Desk]:
    """Raises CredentialRefused where the user cannot prove who they are, WrongUse where they work on none."""
    viewer = acting_user(home, settings, named)
    if identity_of(home, viewer) is None and viewer != home.read().user:
        raise CredentialRefused(
            f"Nothing proves that this is {viewer}.", f"Make a credential: daybook access credential {viewer}"
        )
    with book_session(output, home, settings, book) as (session, name):
        if not case_queries.may(session, name, viewer, *case_queries.WORK):
            raise WrongUse(f"{viewer} has no role by which cases are worked.", "Name who acts with --as.")
        yield Desk(session, name, viewer, book_now(session, name))


def found_case(desk: Desk, case: str) -> CaseRow:
    """The case with this id, or the only one whose id begins so. Raises WrongUse."""
    row = case_queries.case(desk.session, desk.book, desk.viewer, case)
    if row is not None:
        return row
    alike = case_queries.named_like(desk.session, desk.book, desk.viewer, case)
    if len(alike) > 1:
        raise WrongUse(f"{case} may be {', '.join(alike[:5])}.", "Give more of it.")
    row = case_queries.case(desk.session, desk.book, desk.viewer, alike[0]) if alike else None
    if row is None:
        raise WrongUse(f"There is no case {case} in the book {desk.book}.", "See `daybook cases queue`.")
    return row


def queue(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    named: str | None,
    mine: bool,
    everything: bool,
    kinds: Sequence[str],
    limit: int,
) -> None:
    """Show the queue as it is taken, and what is being worked."""
    with at_desk(output, home, settings, book, named) as desk:
        rows = case_queries.queue(
            desk.session,
            desk.book,
            desk.viewer,
            kinds=tuple(kinds),
            assignee=desk.viewer if mine else None,
            over=everything,
            limit=limit,
        )
        stakes = [_stake(desk, one) for one in rows]
    short = shortened([one.case_id for one in rows])
    output.table(
        "",
        [">#", "case", "kind", "state", "due", "has it", ">at stake", "found"],
        [
            (
                one.rank,
                name,
                STATES.get(one.kind, one.kind),
                STATES.get(one.status, one.status),
                due(one, desk.now),
                one.assignee,
                stake,
                one.label if one.status == "closed" else "",
            )
            for one, name, stake in zip(rows, short, stakes, strict=True)
        ],
    )
    if not rows:
        output.say("No case is open." if not everything else "There is no case.")
    emit(output, rows)


def show(
    output: Output, home: Home, settings: Settings, book: str | None, case: str, named: str | None
) -> None:
    """Show a case with its alerts, checklist and history."""
    with at_desk(output, home, settings, book, named) as desk:
        name = found_case(desk, case).case_id
        file = case_queries.case_file(desk.session, desk.book, desk.viewer, name)
        assert file is not None, "it was found just now"
        describe(output, desk, file)
    output.emit(**msgspec.to_builtins(file))


def describe(output: Output, desk: Desk, file: CaseFile) -> None:
    """A case for people."""
    output.table("", ["", ""], list(_described(desk, file.case)))
    if file.alerts:
        output.head("alerts")
        for one in file.alerts:
            output.say(_alert(desk, one))
            if one.words:
                output.say(f"    {one.words}")
    if file.checks:
        output.head("checklist")
        for check in file.checks:
            done = f"{check.done_by}, {time_of(check.done_at)}" if check.done_at else ""
            must = "" if check.required else " (may be left out)"
            output.say(
                f"  [{'x' if check.done_at else ' '}] {check.item}: {check.what}{must}  {done}".rstrip()
            )
    if file.papers:
        output.head("papers")
        output.table(
            "",
            ["digest", "what", ">bytes", "by", "at"],
            [
                (
                    one.digest[:16],
                    f"{one.name} ({one.media_type})",
                    one.size,
                    one.attached_by,
                    time_of(one.attached_at),
                )
                for one in file.papers
            ],
        )
    for report in file.reports:
        output.head(f"report {report.report}".rstrip())
        output.table("", ["", ""], list(_report(report)))
    if file.reviews:
        output.head("second looks")
        for look in file.reviews:
            output.say(f"{time_of(look.at)}  {look.found}, by {look.reviewed_by}: {look.finding}")
    output.head("history")
    for event in file.history:
        output.say(f"{time_of(event.at)}  {event.seq:>6}  {event.actor or 'timer':<10}  {_happened(event)}")
        for line in written(event):
            output.say(f"    {line}")


def emit(output: Output, rows: Sequence[msgspec.Struct]) -> None:
    """A line for each."""
    for one in rows:
        output.emit(**msgspec.to_builtins(one))


def counted(number: int, what: str) -> str:
    """`1 alert`, `2 alerts`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def shortened(ids: Sequence[str]) -> list[str]:
    """The first letters of each, as many as tell them apart."""
    length = SHORT
    while length < 64 and len({one[:length] for one in ids}) < len(set(ids)):
        length += 1
    return [one[:length] for one in ids]


def due(row: CaseRow, now: datetime.datetime) -> str:
    """What is due next, and in how long."""
    if row.status == "closed":
        return ""
    if row.touch_late or row.close_late:
        since = row.close_by if row.close_late else row.touch_by
        return f"late {span(now - since)}" if since else "late"
    coming = min((one for one in (row.touch_by, row.close_by) if one is not None), default=None)
    if coming is None:
        return "" if row.left_ms is None else f"stands, {span(datetime.timedelta(milliseconds=row.left_ms))}"
    return f"in {span(coming - now)}"


def span(time: datetime.timedelta) -> str:
    """A span of time in its largest unit."""
    minutes = max(0, int(time.total_seconds()) // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2 * 1_440 else f"{minutes // 1_440} d"


def _stake(desk: Desk, row: CaseRow) -> str:
    """The most that is at stake in one currency; `+` where there are others."""
    if not row.amounts:
        return ""
    currency, amount = max(sorted(row.amounts.items()), key=lambda one: one[1])
    more = "+" if len(row.amounts) > 1 else ""
    return f"{money(desk, amount, currency)}{more}"


def money(desk: Desk, amount: int, currency: str) -> str:
    return f"{format_minor(amount, digits(desk.session, desk.book, currency))} {currency}"


def _described(desk: Desk, row: CaseRow) -> Iterator[tuple[str, str]]:
    yield "case", f"{row.case_id} ({row.kind}, {row.status.replace('_', ' ')})"
    if row.title:
        yield "title", row.title
    for name in ("subject", "assignee", "skill", "team", "merged_into", "waits_for"):
        if value := getattr(row, name):
            yield name.replace("_", " "), value
    for name in ("parties", "accounts", "payments", "linked"):
        if values := getattr(row, name):
            yield name, ", ".join(values)
    if row.people:
        yield "kept to", ", ".join(row.people)
    yield "priority", str(row.priority) + (f", number {row.rank} of the queue" if row.rank else "")
    if row.amounts:
        yield "at stake", ", ".join(money(desk, amount, one) for one, amount in sorted(row.amounts.items()))
    yield "opened", f"{time_of(row.opened_at)} UTC"
    if said := due(row, desk.now):
        yield "due", said
    if row.proposal is not None:
        yield "proposed", f"{row.proposed}, by {row.proposer} (seq {row.proposal})"
    if row.label:
        yield "found", f"{row.label}, by {', '.join(row.closers)}" if row.closers else row.label


def _alert(desk: Desk, one: AlertRow) -> str:
    stake = f"  {money(desk, one.amount, one.currency)}" if one.amount and one.currency else ""
    behind = ", ".join(str(seen["seq"]) for seen in one.evidence[:8])
    more = ", ..." if len(one.evidence) > 8 else ""
    return f"{time_of(one.at)}  {one.kind} v{one.version}{stake}" + (
        f"  events {behind}{more}" if behind else ""
    )


def _report(row: ReportRow) -> Iterator[tuple[str, str]]:
    yield "status", row.status + (f", event {row.draft} by {row.drafter}" if row.status == "drafted" else "")
    yield "file by", f"{time_of(row.file_by)} UTC" + (" (late)" if row.late else "")
    if row.filed_at is not None:
        yield "filed", f"{time_of(row.filed_at)} UTC, reference {row.reference}"
        yield "evidence", row.evidence


def _happened(row: HistoryRow) -> str:
    """What happened, in few words."""
    said = row.said
    shown = ("to", "how", "label", "step", "clock", "item", "found", "reference")
    parts = [row.type, *(str(said[name]).replace("_", " ") for name in shown if said.get(name))]
    if row.type == "AlertsJoined":
        parts.append(counted(len(said["alerts"]), "alert"))
    if acts := said.get("acts"):
        done = (" ".join(filter(None, (one["action"].replace("_", " "), one["of"]))) for one in acts)
        parts.append(f"and {', '.join(done)}")
    return " ".join(parts)


def written(row: HistoryRow) -> Iterator[str]:
    """What somebody wrote."""
    for name in ("title", "note", "reason", "text", "finding", "narrative"):
        value: Any = row.said.get(name)
        if isinstance(value, str) and value:
            yield from value.splitlines()


def time_of(at: datetime.datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
