"""Two persons who run a book of the demo, command by command, each answered before the next is said.

Neither can do alone what matters. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from engine.log.records import Out
from engine.pipeline import Answer
from gateway.demo_told import Line, told
from schemas.approvals import ApprovalRequested, Approve
from schemas.books import Administrator, OpenBook
from schemas.catalogue import decode_event, encode
from schemas.message import Command, Event
from schemas.rejections import CommandRejected

ANNA, BRUNO = "anna", "bruno"
STEP_MS: Final = 60_000
Submit = Callable[[Sequence[Out]], Sequence[Answer]]


class TwoPersons:
    """submit: decides commands and gives their outcomes.   at_ms: book time; each line is a minute later.

    events: of the newest line.
    """

    def __init__(self, submit: Submit, book: str, at_ms: int) -> None:
        self.book = book
        self.at_ms = at_ms
        self.events: Sequence[Event] = ()
        self._submit = submit
        self._count = 0
        self._waiting: ApprovalRequested | None = None

    def opens_book(self, admin: str, name: str, why: str, time_zone: str) -> Line:
        """The two of them administer it. admin: may open books."""
        return self.do(
            admin,
            "opens the book",
            OpenBook,
            why,
            name=name,
            currency="EUR",
            time_zone=time_zone,
            clock="commanded",
            administrators=(
                Administrator(person="anna-adler", user=ANNA, name="Anna Adler"),
                Administrator(person="bruno-berg", user=BRUNO, name="Bruno Berg"),
            ),
            four_eyes=True,
        )

    def by_two(
        self, said: str, message: Callable[..., Command], why: str = "", /, **fields: Any
    ) -> Iterator[Line]:
        """Anna says it, and Bruno approves."""
        yield self.do(ANNA, said, message, why, **fields)
        yield self.approve()

    def approve(self, why: str = "") -> Line:
        """Bruno approves what Anna has just said."""
        asked = self._waiting
        assert asked is not None, "there is something to approve"
        return self.do(BRUNO, "approves it", Approve, why, approval=asked.seq, shown=asked.shown)

    def do(
        self,
        actor: str,
        said: str,
        message: Callable[..., Command],
        why: str = "",
        expected: str = "",
        /,
        *,
        at_ms: int | None = None,
        **fields: Any,
    ) -> Line:
        """Send a command, a minute after the one before, and tell what came of it.

        expected: the reason with which it is meant to be refused.
        """
        self._count += 1
        self.at_ms += STEP_MS
        command = message(
            id=f"{self.book}-{self._count}",
            book=self.book,
            actor=actor,
            issued_at_ms=self.at_ms if at_ms is None else at_ms,
            **fields,
        )
        return self.tell(said, command, why, expected)

    def tell(self, said: str, command: Command, why: str = "", expected: str = "") -> Line:
        """Send a command at its own time, and tell what came of it."""
        self.events = self.answered([command])[0]
        first = self.events[0]
        self._waiting = first if isinstance(first, ApprovalRequested) else None
        reason = first.reason if isinstance(first, CommandRejected) else ""
        return Line(command.issued_at_ms, command.actor, said, told(self.events), why, reason == expected)

    def answered(self, commands: Sequence[Command]) -> list[list[Event]]:
        """The events of each command."""
        answers = self._submit([Out(self.book.encode(), encode(one)) for one in commands])
        return [[decode_event(value) for value in answer] for answer in answers]
