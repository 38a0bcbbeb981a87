"""What raises flags and takes them away, and the look-up that rules make. One that is over is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.flag import Flag, subject_key
from book.state import Book
from schemas.flags import FlagCleared, FlagExpired, FlagRaised


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
    raised = Flag(event.flag, event.score, event.at if had is None else had.since_ms, event.expires_at_ms)
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


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    FlagRaised: flag_raised,
    FlagCleared: flag_ended,
    FlagExpired: flag_ended,
}
