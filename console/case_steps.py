"""What is done about a case while somebody has it, from the terminal; the second look when it is closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.case_work import about
from console.choices import instant_of
from console.output import Output
from engine.home import Home
from engine.settings import Settings
from schemas.case_work import (
    AddCaseNote,
    LinkToCase,
    PauseCase,
    PrioritiseCase,
    RestrictCase,
    ResumeCase,
    ReviewQuality,
    TickItem,
)


def note(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    text: str,
) -> bool:
    """Write something down."""
    return about(output, home, settings, book, named, AddCaseNote, case, text=text)


def check(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    item: str,
    note: str,
    done: bool,
) -> bool:
    """Tick something off, or on again."""
    return about(output, home, settings, book, named, TickItem, case, item=item, note=note, done=done)


def link(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    to: Mapping[str, Sequence[str]],
) -> bool:
    """Say what else it concerns. to: parties, accounts, payments, cases."""
    return about(output, home, settings, book, named, LinkToCase, case, **to)


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


def resume(
    output: Output, home: Home, settings: Settings, book: str | None, case: str, *, named: str | None
) -> bool:
    """Go on with it."""
    return about(output, home, settings, book, named, ResumeCase, case)


def escalate(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    priority: int,
    reason: str,
) -> bool:
    """Say how urgent it is."""
    fields = {"priority": priority, "reason": reason}
    return about(output, home, settings, book, named, PrioritiseCase, case, **fields)


def keep(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    people: Sequence[str],
) -> bool:
    """Keep it to some people, or to nobody."""
    return about(output, home, settings, book, named, RestrictCase, case, people=tuple(people))


def second_look(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    case: str,
    *,
    named: str | None,
    found: str,
    finding: str,
) -> bool:
    """Say what a second look has found."""
    return about(output, home, settings, book, named, ReviewQuality, case, found=found, finding=finding)
