"""Was every stored command answered exactly once, in order, and is it still the command that was decided?

The links cover events. Commands are covered through them: an outcome carries the command's
fingerprint, or the record's digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from book.repeats import Seen, key_of
from book.state import Book
from engine.errors import LogCorrupt
from engine.log.partitioning import Place
from engine.log.records import BEFORE_FIRST, Record
from replay.carried import Carried
from replay.problems import Problem, Problems
from schemas.books import EpochBegun, ReleaseActivated, SystemBookOpened
from schemas.catalogue import Undecodable, decode_command, digest, fingerprint
from schemas.message import Event
from schemas.rejections import UNREMEMBERED, CommandRejected, CommandRepeated

AT_ONCE = 32_000
NAMELESS = frozenset({"undecodable", "too_large", "wrong_partition", "actor_unproven", "unknown_book"})
"""Reasons for which nothing in the record is taken as said: the outcome names no command and no actor."""
OF_THE_ENGINE = (SystemBookOpened, ReleaseActivated, EpochBegun)
"""Events that answer no command and are no timer's."""


class History(Protocol):
    """What replay reads: a log, opened as a reader."""

    @property
    def place(self) -> Place: ...

    def events(self, after: int) -> Iterator[Record]: ...
    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]: ...
    def last_command_offset(self) -> int: ...


_GONE = Record(b"", b"", BEFORE_FIRST, 0)
"""Stands for a command that the log was moved without."""


class _Said(msgspec.Struct):
    id: str
    actor: str


_said = msgspec.json.Decoder(_Said).decode


def stored_commands(log: History, through: int, after: int = BEFORE_FIRST) -> Iterator[Record]:
    """The commands that are stored in the log, in order, behind `after` and up to the offset `through`."""
    while after < through and (records := log.commands(after, AT_ONCE, 0.0)):
        after = records[-1].offset
        yield from records if after <= through else [one for one in records if one.offset <= through]


class following(Iterator[Record]):  # noqa: N801 - an iterator that reads like a function
    """The stored commands, in order, for a log that grows: it ends, and goes on when there are more."""

    def __init__(self, log: History) -> None:
        self._log = log
        self._after = BEFORE_FIRST
        self._read: Iterator[Record] = iter(())

    def __next__(self) -> Record:
        record = next(self._read, None)
        if record is None:
            self._read = iter(self._log.commands(self._after, AT_ONCE, 0.0))
            record = next(self._read)
        self._after = record.offset
        return record


class Answers:
    """Follows the commands beside the events. count: commands answered so far.

    gone: those of them that are not stored here any more: the log was moved without them.

    Make it before the events are read: a log in use may grow between the two.
    may_wait: whether the log stores commands before they are decided. Then it may hold more than are
    answered, and those that are answered meanwhile are found when they are asked for.
    """

    def __init__(self, log: History, problems: Problems, *, may_wait: bool = False) -> None:
        self._may_wait = may_wait
        self._carried = Carried(log)
        self._commands = following(log) if may_wait else stored_commands(log, log.last_command_offset())
        self._problems = problems
        self._here = problems.here
        self._ahead: Record | None = None
        self._cause = BEFORE_FIRST
        self._alone = False
        self.count = 0
        self.gone = 0

    def check(self, book: Book | None, event: Event) -> None:
        """Take the next event, before it is applied to its book."""
        cause = event.cause
        if cause < 0:
            if event.command or event.fingerprint or not (event.timer or type(event) in OF_THE_ENGINE):
                self._here("the event answers no command and is no timer's")
            if type(event) is EpochBegun:
                self._cause, self._alone = event.position, False
        elif cause == self._cause:
            if self._alone or event.fingerprint or type(event) in (CommandRejected, CommandRepeated):
                self._here(f"command {cause} is answered a second time")
        elif cause < self._cause:
            self._here(f"command {cause} is answered after command {self._cause}")
        else:
            self._cause = cause
            self._alone = type(event) in (CommandRejected, CommandRepeated)
            self._first_of_outcome(book, event)

    def finish(self) -> None:
        """After the last event: no command is left over, unless the log keeps commands that still wait."""
        left = [] if self._may_wait else [record.offset for record in self._rest()]
        if left:
            shown = f"command {left[0]}" if len(left) == 1 else f"commands {left[0]} to {left[-1]}"
            self._problems.add(Problem(f"no outcome is stored for {shown}, {len(left)} in all"))

    def _first_of_outcome(self, book: Book | None, event: Event) -> None:
        command = self._command_of(event)
        if command is _GONE:
            self.count += 1
            self.gone += 1
            return
        if command is None:
            self._here(f"the event answers command {event.cause}, which is not stored")
            return
        self.count += 1
        mark = event.fingerprint
        if type(event) is CommandRejected and event.record and digest(command.value) != event.record:
            self._here(f"command {event.cause} as stored is not the one that was refused")
        if not event.command:
            if type(event) is not CommandRejected or event.reason not in NAMELESS:
                self._here(f"the outcome of command {event.cause} does not name it")
            return
        try:
            said = _said(command.value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            self._here(f"command {event.cause} was decided but cannot be decoded ({error})")
            return
        if said.id != event.command or said.actor != event.actor:
            self._here(
                f"command {event.cause} is {said.id} of {said.actor}, but its outcome names "
                f"{event.command} of {event.actor}"
            )
        known = book.repeats.seen if book is not None else {}
        key = key_of(event.actor, event.command)
        if mark:
            if key in known:
                self._here(f"{event.command} of {event.actor} was decided before, at seq {known[key].seq}")
        else:
            mark = self._first_mark(event, known.get(key))
        # Nearly always the bytes are the canonical ones already, and then they need not be decoded.
        if mark and digest(command.value) != mark and not _is(command.value, mark):
            self._here(f"command {event.cause} as stored is not the one that was decided")

    def _first_mark(self, event: Event, seen: Seen | None) -> str:
        """The fingerprint that an outcome without one goes by: a repeat's is that of the first outcome."""
        if type(event) is CommandRepeated:
            if seen is not None and (seen.seq, seen.reason) == (event.first_seq, event.reason):
                return seen.fingerprint
            self._here(f"{event.command} is answered as a repeat, but not with its first outcome")
        elif type(event) is not CommandRejected or event.reason not in UNREMEMBERED:
            self._here(f"the outcome of {event.command} has no fingerprint")
        return ""

    def _command_of(self, event: Event) -> Record | None:
        """The command that the outcome answers; None where it is missing, `_GONE` if it was left behind."""
        place = self._carried.place(event.epoch, event.cause)
        if place == "gone":
            return _GONE
        command = self._ahead or self._next()
        if place == "next" or (command is not None and command.offset == event.cause):
            self._ahead = None
            return command
        return self._search(command, event.cause)

    def _search(self, record: Record | None, cause: int) -> Record | None:
        """The command that is answered, where it is not the next one: what stands before it was left out."""
        while record is not None and record.offset < cause:
            self._here(f"command {record.offset} has no outcome before this event")
            record = self._next()
        if record is not None and record.offset == cause:
            self._ahead = None
            return record
        self._ahead = record
        return None

    def _next(self) -> Record | None:
        try:
            return next(self._commands, None)
        except LogCorrupt as error:
            self._problems.add(Problem(f"the commands cannot be read on: {error.what}"))
            return None

    def _rest(self) -> Iterator[Record]:
        while (record := self._ahead or self._next()) is not None:
            self._ahead = None
            yield record


def _is(value: bytes, mark: str) -> bool:
    try:
        return fingerprint(decode_command(value)) == mark
    except Undecodable:
        return False
