"""Working cases from the terminal: each is one command of a person's, and then the case as it is."""

from __future__ import annotations

from collections.abc import Sequence

from console.cases import at_desk, describe, found_case
from console.choices import instant_of
from console.output import Output
from console.sending import send
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from projections import case_queries
from projections.case_rows import CaseRow
from schemas.case_commands import (
    ConfirmDecision,
    MergeCases,
    OpenCase,
    ProposeDecision,
    RefuseDecision,
    TakeNextCase,
)
from schemas.case_work import PauseCase
from schemas.cases import Act, ActionName
from schemas.message import Command


def take(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    named: str | None,
    kinds: Sequence[str],
) -> bool:
    """Take what is next, and show it."""
    book = _book(output, home, settings, book, named)
    outcome = send(output, home, settings, TakeNextCase, named, book, kinds=tuple(kinds))
    if outcome.rejected:
        return False
    with at_desk(output, home, settings, book, named) as desk:
        case = case_queries.case_of(desk.session, book, outcome.seq)
        file = case and case_queries.case_file(desk.session, book, desk.viewer, case)
        if file:
            describe(output, desk, file)
            output.emit(case_id=file.case.case_id)
    return True


def open_case(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    fields: dict[str, object],
) -> bool:
    """Open one by hand."""
    book = _book(output, home, settings, book, named)
    return not send(output, home, settings, OpenCase, named, book, case=case, **fields).rejected


def pause(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    reason: str,
    until: str | None,
) -> bool:
    """Wait for something. until: when it goes on by itself. Raises WrongUse where that is no time."""
    until_ms = None if until is None else instant_of(until)
    return about(output, home, settings, book, named, PauseCase, case, reason=reason, until_ms=until_ms)


def propose(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    label: str,
    reason: str,
    acts: Sequence[tuple[ActionName, str]],
) -> bool:
    """Say what was found. It closes the case, or waits for another person."""
    name, row = find(output, home, settings, book, named, case)
    outcome = send(
        output,
        home,
        settings,
        ProposeDecision,
        named,
        name,
        case=row.case_id,
        label=label,
        reason=reason,
        acts=tuple(Act(action=action, of=of) for action, of in acts),
    )
    if outcome.verdict == "accepted":
        closed = "CaseClosed" in outcome.events
        output.say(
            "The case is closed." if closed else "It waits for a second person: daybook cases confirm."
        )
    return not outcome.rejected


def confirm(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    shown: int | None,
) -> bool:
    """Show what is proposed and agree to exactly that. Raises WrongUse where it is not what was seen."""
    name, row = _proposed(output, home, settings, book, named, case, shown)
    fields = {"case": row.case_id, "proposal": row.proposal}
    return not send(output, home, settings, ConfirmDecision, named, name, **fields).rejected


def refuse(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    reason: str,
) -> bool:
    """Disagree with what is proposed, or take back one's own."""
    name, row = _proposed(output, home, settings, book, named, case, None)
    fields = {"case": row.case_id, "proposal": row.proposal, "reason": reason}
    return not send(output, home, settings, RefuseDecision, named, name, **fields).rejected


def _proposed(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    named: str | None,
    case: str,
    shown: int | None,
) -> tuple[str, CaseRow]:
    with at_desk(output, home, settings, book, named) as desk:
        row = found_case(desk, case)
        if row.proposal is None:
            raise WrongUse(f"Nothing is proposed in the case {row.case_id}.", "See `daybook cases show`.")
        if shown not in (None, row.proposal):
            raise WrongUse(f"What is proposed now is event {row.proposal}.", "Look at it again.")
        file = case_queries.case_file(desk.session, desk.book, desk.viewer, row.case_id)
        assert file is not None, "it was found just now"
        describe(output, desk, file)
        return desk.book, row


def merge(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    into: str,
    reason: str,
) -> bool:
    """Close it as a duplicate of another."""
    name, other = find(output, home, settings, book, named, into)
    return about(output, home, settings, name, named, MergeCases, case, into=other.case_id, reason=reason)


def find(
    output: Output, home: Home, settings: Settings, book: str | None, named: str | None, case: str
) -> tuple[str, CaseRow]:
    """The book, and the case that is meant. Raises WrongUse."""
    with at_desk(output, home, settings, book, named) as desk:
        return desk.book, found_case(desk, case)


def about(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    named: str | None,
    kind: type[Command],
    case: str,
    /,
    **fields: object,
) -> bool:
    """Send a command about a case; whether it was accepted, or waits."""
    name, row = find(output, home, settings, book, named, case)
    return not send(output, home, settings, kind, named, name, case=row.case_id, **fields).rejected


def _book(output: Output, home: Home, settings: Settings, book: str | None, named: str | None) -> str:
    with at_desk(output, home, settings, book, named) as desk:
        return desk.book
