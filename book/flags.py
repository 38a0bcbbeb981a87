"""What raises flags and takes them away, and the look-up that rules make. One that is over is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.flag import Cleared, Flag, subject_key
from book.state import Book
from schemas.flags import FlagCleared, FlagExpired, FlagRaised

MOST_CLEARED = 100_000
"""Of these a book remembers when they were cleared, some 200 bytes each; the oldest are forgotten first."""


def flag_timer(subject: str, of: str, flag: str) -> str:
    """The id of the timer that ends a flag. Only `of`, which comes last, may hold a line feed."""
    return f"flag\n{subject}\n{flag}\n{of}"


def flags_of(book: Book, subject: str, of: str, at_ms: int = 0) -> tuple[Flag, ...]:
    """The flags that stand on a subject, oldest first, without those whose time is over at `at_ms`."""
    found = book.flags.of.get(subject_key(subject, of), ())
    if not found or all(one.expires_at_ms > at_ms for one in found):
        return found
    return tuple(one for one in found if one.expires_at_ms > at_ms)


def flag_raised(book: Book, event: FlagRaised) -> None:
    """The flag stands until its time; one that stood keeps its place."""
    flags = book.flags
    key = subject_key(event.subject, event.of)
    standing = flags.of.get(key, ())
    had = next((one for one in standing if one.flag == event.flag), None)
    assert event.again == (had is not None), "what is raised again stood"
    since_ms, issued_ms = event.at, event.issued_at_ms
    if had is not None:
        since_ms, issued_ms = had.since_ms, max(had.issued_ms, issued_ms)
    raised = Flag(event.flag, event.score, since_ms, event.expires_at_ms, issued_ms)
    if had is None:
        flags.of[key] = (*standing, raised)
        flags.standing += 1
    else:
        flags.of[key] = tuple(raised if one is had else one for one in standing)
    book.timers.set(flag_timer(event.subject, event.of, event.flag), event.expires_at_ms)


def flag_ended(book: Book, event: FlagCleared | FlagExpired) -> None:
    """The flag stands no more."""
    flags = book.flags
    key = subject_key(event.subject, event.of)
    left = tuple(one for one in flags.of[key] if one.flag != event.flag)
    assert len(left) == len(flags.of[key]) - 1, "a flag ends that stood, once"
    if left:
        flags.of[key] = left
    else:
        del flags.of[key]
    flags.standing -= 1
    book.timers.remove(flag_timer(event.subject, event.of, event.flag))


def flag_cleared(book: Book, event: FlagCleared) -> None:
    """As it ends, and it is remembered until its time; what is remembered of others ends with theirs."""
    cleared = book.flags.cleared
    timer = flag_timer(event.subject, event.of, event.flag)
    until_ms = book.timers.due[timer]
    flag_ended(book, event)
    for one in [one for one, was in cleared.items() if was.until_ms <= event.at]:
        del cleared[one]
    cleared.pop(timer, None)
    if len(cleared) >= MOST_CLEARED:
        del cleared[next(iter(cleared))]
    cleared[timer] = Cleared(event.at, until_ms)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    FlagRaised: flag_raised,
    FlagCleared: flag_cleared,
    FlagExpired: flag_ended,
}
