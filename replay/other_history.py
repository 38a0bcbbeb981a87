"""How commands of a recorded history are said in another one, where the same things have other numbers.

An event is named by its seq. Once the other history has an event more or less, its numbers differ, and what
refers to one by its number has to say another; what is not there at all cannot be referred to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_type_hints

import msgspec
from msgspec.structs import replace

from book.state import Book
from commands.decision import Steps, decide
from commands.reach import asked_of
from commands.reserves import given_back, reserving
from engine.admission import Admission
from engine.log.partitioning import ONLY, Place
from engine.log.records import BEFORE_FIRST, Record
from engine.pipeline import in_steps
from replay.effects import Seen
from schemas.approvals import ApprovalFailed, ApprovalGiven, Approve
from schemas.catalogue import COMMANDS
from schemas.fields import Seq
from schemas.message import Command
from schemas.rejections import Rejection

ASSUMED = "~what-if"
"""Who says yes, where a history has nobody to ask."""
_OF_ANOTHER = frozenset({"number", "sent_seq", "answer_seq"})
"""Fields of type `Seq` that count something else than this book's events."""
REFERS: dict[type[Command], tuple[str, ...]] = {
    kind: fields
    for kind in COMMANDS
    if (
        fields := tuple(
            name
            for name, hint in get_type_hints(kind, include_extras=True).items()
            if hint == Seq and name not in _OF_ANOTHER
        )
    )
}
"""The fields by which a command names an event of its book."""


class Names:
    """What the events of the recorded history are called in the other one."""

    def __init__(self, book: Callable[[], Book]) -> None:
        self.book = book
        self.there: dict[int, int] = {}
        self.absent: set[int] = set()

    def pair(self, before: Sequence[Seen], after: Sequence[Seen]) -> None:
        """Each recorded event is called like the event of its type in the same place, if there is one."""
        if [(one.type, one.seq) for one in before] == [(one.type, one.seq) for one in after]:
            return
        left: dict[str, list[int]] = {}
        for one in after:
            left.setdefault(one.type, []).append(one.seq)
        for one in before:
            same = left.get(one.type)
            if not same:
                self.absent.add(one.seq)
            elif (seq := same.pop(0)) != one.seq:
                self.there[one.seq] = seq

    def knows(self, command: Command) -> bool:
        """Whether everything that the command names is there."""
        return self.absent.isdisjoint(getattr(command, name) for name in REFERS[type(command)])

    def translated(self, command: Command) -> Command:
        """The command as it would have been sent."""
        fields = REFERS[type(command)]
        named = {name: self.there.get(seq, seq) for name in fields for seq in (getattr(command, name),)}
        if type(command) is Approve:
            waiting = self.book().approvals.waiting.get(named["approval"])
            if waiting is not None:
                return replace(command, approval=named["approval"], shown=waiting.shown)
        return replace(command, **named)


class Held(msgspec.Struct):
    """The record that was admitted last, and what it says in the other history.

    comparable: whether everything that it names is there.
    """

    offset: int = BEFORE_FIRST
    said: Command | Rejection | None = None
    comparable: bool = True


class Renaming(Admission, frozen=True, kw_only=True):
    """Admits what stands in the log, with the names that events have in the other history."""

    names: Names
    held: Held

    def admit(self, record: Record, place: Place = ONLY) -> Command | Rejection:
        """The command as it would have been sent; the same object until another record comes."""
        held = self.held
        if held.offset != record.offset or held.said is None:
            said = super().admit(record, place)
            held.comparable = True
            if not isinstance(said, Rejection) and type(said) in REFERS:
                held.comparable = self.names.knows(said)
                said = self.names.translated(said)
            held.offset, held.said = record.offset, said
        return held.said


def everybody_says_yes(book: Book, approval: int, at_ms: int) -> Steps:
    """What waits gets its quorum from nobody in particular, and is decided on the book as it is."""
    waiting = book.approvals.waiting[approval]
    yield ApprovalGiven(
        approval=approval,
        user=ASSUMED,
        person=ASSUMED,
        roles=(),
        on_behalf_of="",
        delegation="",
        override=False,
        shown=waiting.shown,
        lapsed=(),
        missing=0,
        roles_left=(),
        persons_left=(),
        reserves=tuple(reserving(book, one.account, -one.amount) for one in waiting.reserves),
        uses=given_back(book, waiting.uses),
    )
    decided = decide(book, asked_of(waiting), at_ms)
    if isinstance(decided, Rejection):
        yield ApprovalFailed(
            approval=approval,
            reason=decided.reason,
            figures=decided.figures,
            restricted=decided.restricted,
            counts=(),
        )
    else:
        yield from in_steps(decided)
