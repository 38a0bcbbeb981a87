"""`redecide`: run the stored commands again, from the beginning, and compare the events byte for byte.

Four things are taken from the log, since no one can decide them again: when a timer fired (an idle book's
clock is not stored), which release was in force, that nothing proved an actor (keys are not in the log), and
that too much waited to be decided (how much did, and the engine's clock, are not stored).
What another release decided is applied as it stands. It writes nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.structs import force_setattr

from book.digest import book_digest, joint_digest
from book.end_of_day import END_OF_DAY
from book.evolve import evolve
from book.state import Book, Partition
from commands.decide import RELEASE, fire
from engine.admission import Admission
from engine.log.records import BEFORE_FIRST, Record
from engine.pipeline import Pipeline, in_steps
from replay.answers import History, following, stored_commands
from replay.carried import Carried
from schemas.catalogue import decode_event, encode
from schemas.message import Command, Event
from schemas.rejections import WAITED_MS

MOST_DIFFERENCES = 10
Progress = Callable[[int], None]


class Difference(msgspec.Struct, frozen=True):
    """Where deciding again gave something else. recorded, decided: the events, as JSON.

    offset: of the first event of the recorded outcome, -1 where there is none.
    command: offset of the command, -1 where a timer fired.
    """

    what: str
    book: str
    seq: int
    offset: int
    command: int
    recorded: list[str]
    decided: list[str]


class Redecided(msgspec.Struct, frozen=True):
    """compared: events that were decided again.   as_recorded: events that were taken from the log.

    digest: of the state that was reached; `books` has that of each book.
    differences: the first of them; deciding stops at the last one that is shown.
    """

    ok: bool
    commands: int
    compared: int
    as_recorded: int
    digest: str
    books: dict[str, str]
    differences: list[Difference]


class _Seen(msgspec.Struct):
    """What redecide reads of a recorded event without decoding all of it."""

    type: str
    seq: int = 0
    book: str = ""
    at: int = 0
    cause: int = -1
    timer: str = ""
    reason: str = ""
    epoch: int = 0
    figures: msgspec.Raw = msgspec.Raw(b"")

    @property
    def is_of_the_moment(self) -> bool:
        """Whether what it was decided by is not in the log."""
        if self.type != "CommandRejected":
            return False
        return self.reason == "actor_unproven" or (self.reason == "busy" and _WAITED in bytes(self.figures))


class _Jump(msgspec.Struct):
    """By how much the clock had jumped where it was refused as unconfirmed."""

    jump_ms: int


_WAITED = f'"{WAITED_MS}":'.encode()
_see = msgspec.json.Decoder(_Seen).decode


def redecide(
    log: History,
    *,
    most: int = MOST_DIFFERENCES,
    commands_may_wait: bool = False,
    progress: Progress | None = None,
) -> Redecided:
    """Decide all of the log's commands again. The log must be open as a reader; verify says if it is whole.

    most: how many differences are looked for; each costs a fold of the log up to it.
    commands_may_wait: for logs that store commands before they are decided (Kafka).
    """
    again = _Redecision(log, most, commands_may_wait)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        again.run(progress or (lambda events: None), commands_may_wait)
    except _Enough:
        pass
    finally:
        if was_enabled:
            gc.enable()
    books = {name: book_digest(book) for name, book in again.pipeline.partition.books.items()}
    return Redecided(
        ok=not again.differences,
        commands=again.commands,
        compared=again.compared,
        as_recorded=again.as_recorded,
        digest=joint_digest(books),
        books=books,
        differences=again.differences,
    )


def together(parts: Sequence[Redecided]) -> Redecided:
    """What was found in all partitions of a log."""
    books = {name: digest for part in parts for name, digest in part.books.items()}
    return Redecided(
        ok=all(part.ok for part in parts),
        commands=sum(part.commands for part in parts),
        compared=sum(part.compared for part in parts),
        as_recorded=sum(part.as_recorded for part in parts),
        digest=joint_digest(books),
        books=books,
        differences=[one for part in parts for one in part.differences],
    )


class _Enough(Exception):
    """As many differences as are asked for, or one behind which nothing can be decided."""


class _Pipeline(Pipeline):
    """The pipeline, but timers fire where the log says so. missed: the timer that was due and did not."""

    missed: str = ""

    def fire_due(self, book: Book, until_ms: int) -> bool:
        due = book.timers.next()
        assert due is not None, "a timer is due"
        self.missed = due[1]
        return True

    def work_before(self, book: Book, command: Command, at: int) -> bool:
        return False


class _Redecision:
    def __init__(self, log: History, most: int, may_wait: bool) -> None:
        self.log = log
        self.most = most
        self.carried = Carried(log)
        self.stored: Iterator[Record] = (
            following(log) if may_wait else stored_commands(log, log.last_command_offset())
        )
        self.ahead: Record | None = None
        self.pipeline = _Pipeline(Partition(), Admission(), log.place)
        self.commands = self.compared = self.as_recorded = 0
        self.differences: list[Difference] = []
        self.firing: Iterator[Event] = iter(())
        """What the timer that fired last has still to say."""
        self.fired, self.fired_at = "", 0

    def run(self, progress: Progress, commands_may_wait: bool) -> None:
        """Outcome by outcome, in the order of the log."""
        for seen, records in _outcomes(self.log.events(BEFORE_FIRST)):
            try:
                if seen.cause < 0:
                    self._timer(seen, records[0])
                else:
                    self._outcome(seen, records)
            except (AssertionError, LookupError, ValueError) as error:
                # The log is broken here or before: verify says where, and nothing can be decided behind it.
                what = f"deciding cannot go on ({type(error).__name__}: {error})"
                self._differ(what, seen, records, [])
                raise _Enough from None
            if self.commands % 10_000 == 0:
                progress(self.compared + self.as_recorded)
        if not commands_may_wait and (left := self._next()) is not None:
            self._differ("the command has no outcome in the log", None, [], [], left.offset)

    def _outcome(self, seen: _Seen, records: list[Record]) -> None:
        place = self.carried.place(seen.epoch, seen.cause)
        command = self._command(seen) if place == "offset" else self._next() if place == "next" else None
        self.commands += 1
        if (unsaid := next(self.firing, None)) is not None:
            self._differ(f"the timer {self.fired!r} did not finish", seen, records, [encode(unsaid)])
            return
        release = self.pipeline.partition.release
        if release != RELEASE or seen.is_of_the_moment or place == "gone":
            self._apply(records)
            return
        if place == "next" and command is not None:
            command = self._as_it_was(command, seen)
        if command is None:
            self._differ("the command is not stored", seen, records, [])
            return
        pipeline = self.pipeline
        pipeline.missed = ""
        pipeline.run(command)
        outs, _ = pipeline.take()
        self.compared += len(records)
        if len(outs) == len(records) and all(
            out.value == record.value and out.key == record.key
            for out, record in zip(outs, records, strict=True)
        ):
            if pipeline.missed:
                what = f"the timer {pipeline.missed!r} was due before this command and did not fire"
                self._differ(what, seen, records, [])
            return
        self._differ("the command is decided differently", seen, records, [out.value for out in outs])

    def _timer(self, seen: _Seen, record: Record) -> None:
        """An event that answers no command: of a timer, or of the engine itself."""
        partition = self.pipeline.partition
        book = partition.books.get(seen.book)
        if not seen.timer or book is None or partition.release != RELEASE:
            self._apply([record])
            return
        self.compared += 1
        event = next(self.firing, None)
        if event is None:  # the one before has done all that it does
            due = _due(book, seen)
            if due is None or due[1] != seen.timer:
                what = f"the timer {seen.timer!r} fired, and next is {due[1] if due else 'none'!r}"
                self._differ(what, seen, [record], [])
                return
            self.fired, self.fired_at = due[1], max(due[0], book.at)
            self.firing = iter(in_steps(fire(book, due[1], self.fired_at)))
            event = next(self.firing)
        stamp = {"seq": book.seq + 1, "book": book.id, "at": self.fired_at, "timer": self.fired}
        for name, part in stamp.items():
            force_setattr(event, name, part)
        evolve(partition, event)
        value = encode(event)
        if value != record.value:
            self._differ("the timer's event is another", seen, [record], [value])

    def _apply(self, records: list[Record]) -> None:
        self.as_recorded += len(records)
        for record in records:
            evolve(self.pipeline.partition, decode_event(record.value))

    def _as_it_was(self, command: Record, seen: _Seen) -> Record:
        """A copied command with the offset and the time that it had: the copy's are those of its copying."""
        time_ms = seen.at
        book = self.pipeline.partition.books.get(seen.book)
        if seen.reason == "clock_unconfirmed" and book is not None:
            jump_ms = msgspec.json.decode(seen.figures, type=_Jump).jump_ms
            time_ms = max(book.at, book.clock_confirmed_ms) + jump_ms
        return msgspec.structs.replace(command, offset=seen.cause, time_ms=time_ms)

    def _command(self, seen: _Seen) -> Record | None:
        while (record := self._next()) is not None:
            if record.offset == seen.cause:
                return record
            if record.offset > seen.cause:
                self.ahead = record
                return None
            self._differ("the command has no outcome in the log", None, [], [], record.offset)
        return None

    def _next(self) -> Record | None:
        ahead, self.ahead = self.ahead, None
        return ahead or next(self.stored, None)

    def _differ(
        self,
        what: str,
        seen: _Seen | None,
        records: list[Record],
        decided: list[bytes],
        command: int = BEFORE_FIRST,
    ) -> None:
        """Note a difference, and take the state up again behind what was recorded."""
        self.differences.append(
            Difference(
                what=what,
                book=seen.book if seen else "",
                seq=seen.seq if seen else 0,
                offset=records[0].offset if records else BEFORE_FIRST,
                command=seen.cause if seen else command,
                recorded=[record.value.decode("utf-8", "replace") for record in records],
                decided=[value.decode() for value in decided],
            )
        )
        if len(self.differences) >= self.most:
            raise _Enough
        self.firing = iter(())
        if records:
            self.pipeline.partition = self._folded(records[-1].offset)

    def _folded(self, through: int) -> Partition:
        partition = Partition()
        for record in self.log.events(BEFORE_FIRST):
            if record.offset > through:
                break
            try:
                evolve(partition, decode_event(record.value))
            except (AssertionError, LookupError, ValueError):
                raise _Enough from None
        return partition


def _due(book: Book, seen: _Seen) -> tuple[int, str] | None:
    """What fires next. End-of-day work holds up nothing and may come after its time, when the log says so."""
    due_ms = book.end_of_day.due_ms
    if seen.timer == END_OF_DAY and due_ms is not None and due_ms <= seen.at:
        return seen.at, END_OF_DAY
    return book.timers.next()


def _outcomes(events: Iterator[Record]) -> Iterator[tuple[_Seen, list[Record]]]:
    """The recorded events, those of one command together."""
    group: list[Record] = []
    first: _Seen | None = None
    for record in events:
        try:
            seen = _see(record.value)
        except ValueError as error:
            seen = _Seen(f"(undecodable: {error})")
        if first is not None and seen.cause >= 0 and seen.cause == first.cause:
            group.append(record)
            continue
        if first is not None:
            yield first, group
        first, group = seen, [record]
    if first is not None:
        yield first, group
