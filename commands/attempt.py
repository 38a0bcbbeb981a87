"""Deciding a command without anything coming of it: what would happen, on a book as it is now."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import force_setattr

from book.evolve import evolve
from book.overlay import overlay
from book.state import Book, Partition
from commands.decision import Steps, decide
from schemas.message import Command, Event
from schemas.rejections import Rejection


def attempt(book: Book, command: Command, at_ms: int) -> tuple[list[Event], Rejection | None]:
    """The events that would be its outcome, or why it would be refused. The book is not changed.

    Events that are decided in steps are applied to an overlay, each before the next.
    """
    on = overlay(book)
    decision = decide(on, command, at_ms)
    if isinstance(decision, Rejection):
        return [], decision
    if isinstance(decision, Event):
        return [decision], None
    if isinstance(decision, tuple):
        return list(decision), None
    return list(applied(on, command, decision, at_ms)), None


def applied(on: Book, command: Command, steps: Steps | Iterable[Event], at_ms: int) -> Iterable[Event]:
    """The events, each applied to the overlay `on` before the next one is asked for."""
    partition = Partition(books={on.id: on})
    for event in steps:
        if event.book:  # the one event that is another book's: its first
            force_setattr(event, "seq", 1)
        else:
            force_setattr(event, "book", on.id)
            force_setattr(event, "seq", on.seq + 1)
            force_setattr(event, "at", at_ms)
        force_setattr(event, "command", command.id)
        force_setattr(event, "actor", command.actor)
        evolve(partition, event)
        yield event
