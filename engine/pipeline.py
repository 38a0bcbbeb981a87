"""The pipeline, on one page: what happens to a command between the log and the log.

admission -> book time and timers -> may this actor do this, to this -> repeat -> does policy ask for approval
-> decide -> evolve -> encode

Nothing here may read a clock: time comes with the record (wall books) or with the command (commanded books).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import force_setattr

from book.books import BUSINESS_DATE_TIMER
from book.end_of_day import END_OF_DAY
from book.evolve import evolve
from book.repeats import key_of
from book.state import SYSTEM_BOOK, Book, Partition
from commands.approvals import under_policy
from commands.books import CLOCK_JUMP_MS, clock_jump_ms
from commands.decide import fire
from commands.decision import Decision, Steps, decide
from commands.permission import may, permits
from commands.repeatable import REPEATABLE
from commands.urgent import URGENT
from engine.admission import Admission
from engine.log.partitioning import ONLY, Place
from engine.log.records import Headers, Out, Record
from schemas.books import AdvanceTime, ConfirmClock, OpenBook, SetRepeatWindow
from schemas.catalogue import digest, encode, fingerprint
from schemas.message import Command, Event
from schemas.rejections import UNREMEMBERED, WAITED_MS, CommandRejected, CommandRepeated, Rejection, reject
from schemas.tracing import carried

AHEAD_MS = 60_000
"""How far a command's issue time may be ahead of a wall clock."""
FARTHEST_MS = 366 * 86_400_000
"""How far one command may move a commanded book's time."""
UNASKED_MS = 8 * 86_400_000
"""How far it may without leave to send AdvanceTime: over a week of holidays."""
TIMERS_AT_ONCE = 256
"""How many timers fire before the worker commits what they did."""

REPEATED = "repeated"
PROOF_HEADERS = 2
"""Nearly every command has these, `key` and `mac`, and no trace to be looked for."""

Answer = tuple[bytes, ...]
"""The events, as stored, that are the outcome of one command."""


class Pipeline:
    """Decides records against a partition's state and collects what is to be committed.

    outs: events since the last `take`, in order.   answers: the outcome of each record since then.
    said: how often each reason, or `repeated`, was the outcome since its reader made it empty.
    refusing: books whose backlog is too long, so that they take urgent commands only.   now_ms: the time by
        which it is.
    """

    def __init__(self, partition: Partition, admission: Admission, place: Place = ONLY) -> None:
        self.partition = partition
        self.admission = admission
        self.place = place
        self.outs: list[Out] = []
        self.answers: list[Answer] = []
        self.said: dict[str, int] = {}
        self.refusing: frozenset[bytes] = frozenset()
        self.now_ms = 0

    def take(self) -> tuple[list[Out], list[Answer]]:
        """What has come together since the last call; the caller commits it."""
        taken = self.outs, self.answers
        self.outs, self.answers = [], []
        return taken

    def run(self, record: Record) -> bool:
        """Decide one record. False: many timers were due, or a slice of end-of-day work; the caller commits
        first, then calls again.
        """
        partition = self.partition
        command = self.admission.admit(record, self.place)
        if isinstance(command, Rejection):
            self._refuse(partition.system, record, command, None)
            return True
        kind = type(command)
        book = partition.system if kind is OpenBook else partition.books.get(command.book)
        if book is None or (command.book == SYSTEM_BOOK and kind is not ConfirmClock):
            self._refuse(
                partition.system, record, reject("unknown_book", book=command.book, id=command.id), None
            )
            return True

        # Book time. What may not move it is refused at the time that it is.
        at = book.at
        asked_already = False
        if book.clock == "wall":
            if record.time_ms > at:
                if record.time_ms - at > CLOCK_JUMP_MS and (jump := clock_jump_ms(book, record.time_ms)):
                    return self._while_unconfirmed(book, record, command, jump)
                at = record.time_ms
        else:
            asked = command.to_ms if isinstance(command, AdvanceTime) else command.issued_at_ms
            if asked > at:
                if not may(book, command):
                    self._refuse(book, record, reject("not_permitted", actor=command.actor), command)
                    return True
                if asked - at > UNASKED_MS and (
                    asked - at > FARTHEST_MS or not permits(book, command.actor, AdvanceTime)
                ):
                    self._refuse(book, record, reject("issued_in_future", ahead_ms=asked - at), command)
                    return True
                at = asked
                asked_already = True

        # Timers: what is due by then happens first.
        queue = book.timers.queue
        if queue and queue[0][0] <= at:
            if not self.fire_due(book, at):
                return False
            asked_already = False
        due_ms = book.end_of_day.due_ms
        if due_ms is not None and due_ms <= at and self.work_before(book, command, at):
            return False
        self._answer(book, record, command, at, permitted=asked_already)
        return True

    def announce(self, event: Event, at: int) -> None:
        """Add an event of the engine's own to the system book; it answers no command."""
        system = self.partition.system
        _stamp(event, system, max(system.at, at))
        evolve(self.partition, event)
        self.outs.append(Out(SYSTEM_BOOK.encode(), encode(event)))

    def fire_due(self, book: Book, until_ms: int) -> bool:
        """Fire what is due at or before `until_ms`, by time and id. False: a slice of it, and more is due."""
        timers = book.timers
        for _ in range(TIMERS_AT_ONCE):
            due = timers.next()
            if due is None or due[0] > until_ms:
                return True
            if due[1] == BUSINESS_DATE_TIMER and book.clock == "commanded" and self.work(book, due[0]):
                return False
            self._fire(book, *due)
            assert timers.next() != due, "every firing removes or reschedules its timer"
        due = timers.next()
        return due is None or due[0] > until_ms

    def work_before(self, book: Book, command: Command, at: int) -> bool:
        """Do a slice of end-of-day work before this command: one, since the next is due after it. Only where
        time itself is moved on, all that falls due on the way is done first.
        """
        return self.work(book, at, None if type(command) is AdvanceTime else at)

    def work(self, book: Book, until_ms: int, at_ms: int | None = None) -> bool:
        """Do a slice of the end-of-day work that is due by then, if there is any. The caller commits it.

        at_ms: the time that it is, from which the next slice is paced; when this one was due, if not given.
        """
        due_ms = book.end_of_day.due_ms
        if due_ms is None or due_ms > until_ms:
            return False
        self._fire(book, due_ms if at_ms is None else at_ms, END_OF_DAY)
        return True

    def _fire(self, book: Book, at_ms: int, timer: str) -> None:
        at = max(at_ms, book.at)
        key = book.id.encode()
        for event in in_steps(fire(book, timer, at)):
            _stamp(event, book, at)
            force_setattr(event, "timer", timer)
            evolve(self.partition, event)
            self.keep(key, event)

    def _while_unconfirmed(self, book: Book, record: Record, command: Command, jump_ms: int) -> bool:
        """The wall clock has jumped: only its confirmation is decided; all else is to be sent again."""
        repeats = book.repeats
        decision: Decision = reject("clock_unconfirmed", jump_ms=jump_ms)
        mark = ""
        if (
            isinstance(command, ConfirmClock)
            and may(book, command)
            and key_of(command.actor, command.id) not in repeats.seen
            and repeats.floor_ms < command.issued_at_ms <= record.time_ms + AHEAD_MS
        ):  # also at the cap: a book that stands still forgets nothing
            decision = decide(book, command, record.time_ms)
            mark = fingerprint(command)
        if isinstance(decision, Rejection):  # at the book's own time: no refusal moves it past the jump
            self._refuse(book, record, decision, command, None, mark)
        else:
            self._accept(book, record, command, record.time_ms, mark, decision)
        return True

    def _answer(self, book: Book, record: Record, command: Command, at: int, *, permitted: bool) -> None:
        """Permission, repeat, policy, decision. permitted: it was asked, and nothing has changed since."""
        if not permitted and not may(book, command):
            self._refuse(book, record, reject("not_permitted", actor=command.actor), command, at)
            return
        if command.issued_at_ms > at + AHEAD_MS:  # on a commanded book, only AdvanceTime can be
            self._refuse(
                book, record, reject("issued_in_future", ahead_ms=command.issued_at_ms - at), command, at
            )
            return
        repeats = book.repeats
        mark = fingerprint(command)
        seen = repeats.seen.get(key_of(command.actor, command.id))
        if seen is not None:
            if seen.fingerprint == mark:
                repeated = CommandRepeated(first_seq=seen.seq, reason=seen.reason)
                self.said[REPEATED] = self.said.get(REPEATED, 0) + 1
                self.answers.append((self._append(book, record, command, at, "", repeated),))
            else:
                self._refuse(book, record, reject("id_reused", first_seq=seen.seq), command, at)
            return
        if (
            command.issued_at_ms <= repeats.floor_ms
            and type(command) not in REPEATABLE
            and not _opens_at_its_own_time(command)
        ):
            self._refuse(
                book,
                record,
                reject("too_old", issued_at_ms=command.issued_at_ms, floor_ms=repeats.floor_ms),
                command,
                at,
            )
            return
        if len(repeats.seen) >= repeats.cap and type(command) is not SetRepeatWindow:  # which gives more room
            self._refuse(book, record, reject("busy", remembered=len(repeats.seen)), command, at)
            return
        if self.refusing and record.key in self.refusing and type(command) not in URGENT:
            waited_ms = max(0, self.now_ms - record.time_ms)
            self._refuse(book, record, Rejection("busy", {WAITED_MS: waited_ms}), command, at)
            return
        policy = book.in_force.policies.get(type(command).__name__)
        decision = decide(book, command, at) if policy is None else under_policy(book, policy, command, at)
        if isinstance(decision, Rejection):
            self._refuse(book, record, decision, command, at, mark)
        else:
            self._accept(book, record, command, at, mark, decision)

    def _accept(
        self,
        book: Book,
        record: Record,
        command: Command,
        at: int,
        mark: str,
        decision: Event | tuple[Event, ...] | Steps,
    ) -> None:
        if isinstance(decision, Event):
            self.answers.append((self._append(book, record, command, at, mark, decision),))
        else:
            values = []
            for event in decision:
                values.append(self._append(book, record, command, at, mark, event))
                mark = ""  # only the first one says what to remember for repeats
            self.answers.append(tuple(values))

    def _refuse(
        self,
        book: Book,
        record: Record,
        rejection: Rejection,
        command: Command | None,
        at: int | None = None,
        mark: str = "",
    ) -> None:
        if at is None:
            at = book.at
            if book.id == SYSTEM_BOOK and not clock_jump_ms(book, record.time_ms):
                at = max(at, record.time_ms)
        said, reason = self.said, rejection.reason
        said[reason] = said.get(reason, 0) + 1
        mark = "" if reason in UNREMEMBERED else mark
        event = CommandRejected(
            reason,
            rejection.figures,
            rejection.restricted,
            "" if mark else digest(record.value),  # so that what was refused cannot be told otherwise later
        )
        self.answers.append((self._append(book, record, command, at, mark, event),))

    def _append(
        self, book: Book, record: Record, command: Command | None, at: int, mark: str, event: Event
    ) -> bytes:
        """Stamp an event of an outcome, apply it to the state and keep its bytes, which are returned."""
        put = force_setattr
        if event.book:  # the one event that is another book's: its first
            put(event, "seq", 1)
            key = event.book.encode()
        else:
            put(event, "seq", book.seq + 1)
            put(event, "book", book.id)
            put(event, "at", at)
            key = record.key if command is not None and book.id == command.book else book.id.encode()
        put(event, "cause", record.offset)
        if self.partition.epoch:
            put(event, "epoch", self.partition.epoch)
        if command is not None:
            put(event, "command", command.id)
            put(event, "actor", command.actor)
            put(event, "issued_at_ms", command.issued_at_ms)
            if mark:
                put(event, "fingerprint", mark)
        evolve(self.partition, event)
        more = len(record.headers)
        if more and more != PROOF_HEADERS:
            return self.keep(key, event, carried(record.headers))
        return self.keep(key, event)

    def keep(self, key: bytes, event: Event, headers: Headers = ()) -> bytes:
        """Keep the event to be committed; returns its bytes."""
        value = encode(event)
        self.outs.append(Out(key, value, headers))
        return value


def in_steps(decided: Event | tuple[Event, ...] | Steps) -> Iterable[Event]:
    """The events of a decision; each is to be applied before the next one is asked for."""
    return (decided,) if isinstance(decided, Event) else decided


def _opens_at_its_own_time(command: Command) -> bool:
    """A commanded book begins when its OpenBook was issued, years back for an import. It is safe to send
    again when its id is forgotten: the book exists by then.
    """
    return type(command) is OpenBook and command.clock == "commanded"


def _stamp(event: Event, book: Book, at: int) -> None:
    """The part of the envelope that every event has. The event is nobody else's yet, so it may change."""
    force_setattr(event, "seq", book.seq + 1)
    force_setattr(event, "book", book.id)
    force_setattr(event, "at", at)
