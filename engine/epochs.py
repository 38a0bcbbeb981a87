"""Epochs of a log: where it is kept, and how it goes on when that changes.

`cause` is an offset, and offsets belong to a place: a topic that is mirrored to another cluster, or made
anew, counts otherwise. So a log's epoch is bound to its place (on Kafka to the ids of its two topics), a
writer refuses a place that is another than the epoch's, and `adopt` begins a new epoch by an event. Behind
it, causes count in the commands as they are now; outcomes are named by epoch and offset.

History is not changed by that: the links go on, so what was signed before still fits. Nothing here may take
a log for another's that lacks what was vouched for, unless somebody says that the loss is known.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Final, Literal, Protocol, runtime_checkable

import msgspec
from msgspec.structs import force_setattr

from book.state import SYSTEM_BOOK, Partition
from engine.errors import DaybookError, LogCorrupt, NotInitialised, WrongUse
from engine.links import FIRST_LINK, link_of, linked, next_link
from engine.log.records import BEFORE_FIRST, BookLog, Out, Record
from engine.receipts import Receipt
from schemas.books import EpochBegun
from schemas.catalogue import digest, encode

AT_ONCE: Final = 32_000
_SYSTEM: Final = SYSTEM_BOOK.encode()


class OtherEpoch(DaybookError):
    """The log is not where its last event says that it is kept."""

    advice = (
        "If it was mirrored, restored or made anew on purpose, run `daybook adopt` first "
        "(docs/operations.md, Disaster recovery); else check DAYBOOK_KAFKA_BOOTSTRAP and "
        "DAYBOOK_TOPIC_PREFIX."
    )
    status = 2


class HistoryLost(DaybookError):
    """The log lacks events that receipts vouch for."""

    advice = "Restore more of it, or say that the loss is known with --accept-loss; verify says what is left."


class NotACopy(DaybookError):
    """What is to be adopted is not a whole copy of a log."""

    advice = "Copy it again, in order and with headers; docs/operations.md says how."


@runtime_checkable
class Placed(Protocol):
    """A log whose place has a name of its own, which changes when it is made anew."""

    def epoch_id(self) -> str:
        """The name of the place, empty where it has none."""
        ...


Commands = Literal["mirrored", "anew"]
"""A log's commands when it is adopted: copied in their order, or none that were answered before."""


class Adopted(msgspec.Struct, frozen=True):
    """events: of history so far.   epoch, epoch_id: what begins.

    carried: commands of earlier epochs that are stored here.   waiting: those behind, which get their
    outcomes from the next engine.   lost: receipts that fit no longer.
    """

    events: int
    epoch: int
    epoch_id: str
    carried: int
    waiting: int
    lost: tuple[Receipt, ...]


def epoch_id_of(log: object) -> str:
    """The name of the log's place; empty where it has none, as a file has not."""
    return log.epoch_id() if isinstance(log, Placed) else ""


def check_epoch(log: object, partition: Partition) -> None:
    """Refuse to go on in another place than the epoch's. Raises OtherEpoch, LogUnavailable."""
    found = epoch_id_of(log)
    if found and found != partition.epoch_id:
        raise OtherEpoch(
            f"This log's epoch {partition.epoch} is bound to {partition.epoch_id}, and it is kept in "
            f"{found}: it is a copy, or a topic was made anew."
        )


def is_where_it_began(log: BookLog) -> bool:
    """Whether it was never moved, so that there is nothing to adopt. For a reader, which fences nobody."""
    place = epoch_id_of(log)
    try:
        first = next(iter(log.events(BEFORE_FIRST)), None) if place else None
    except LogCorrupt:  # its beginning is not there, which adopting will say
        return False
    return first is not None and _see(first.value).epoch_id == place


class _Seen(msgspec.Struct, gc=False):
    """What is read of an event here."""

    type: str
    seq: int = 0
    at: int = 0
    cause: int = -1
    epoch: int = 0
    command: str = ""
    actor: str = ""
    record: str = ""
    epoch_id: str = ""
    position: int = -1


class _Said(msgspec.Struct, gc=False):
    id: str = ""
    actor: str = ""


_see = msgspec.json.Decoder(_Seen).decode
_said = msgspec.json.Decoder(_Said).decode


def adopt(
    log: BookLog,
    at_ms: int,
    reason: str,
    *,
    commands: Commands,
    receipts: Sequence[Receipt] = (),
    accept_loss: bool = False,
) -> Adopted:
    """Begin a new epoch in a log that was restored, mirrored or made anew, which must be open for writing.

    receipts: all that were given for this partition.   reason: for whoever reads the log later.
    Raises WrongUse where the log is in its place, NotACopy, HistoryLost, LogCorrupt.
    """
    place = epoch_id_of(log)
    history = _History(log, receipts, _Carried(log) if place and commands == "mirrored" else None)
    history.read()
    if place and place == history.epoch_id:
        raise WrongUse("This log is kept where its epoch says; there is nothing to adopt.")
    lost = tuple(one for one in receipts if one.link not in history.found)
    if lost and not accept_loss:
        newest = max(lost, key=lambda one: one.signed_at_ms)
        raise HistoryLost(
            f"{len(lost)} receipts vouch for events that this log lacks, the newest for those up to offset "
            f"{newest.offset} of epoch {newest.epoch_id}; it has {history.events:,} events."
        )
    if place:
        carried = history.carried or _Carried(log)
        count, position, first = carried.finish()
    else:  # its offsets are what they were
        count, position, first = 0, history.last_cause, (0, BEFORE_FIRST)
    event = EpochBegun(
        epoch_id=place or secrets.token_hex(8),
        position=position,
        carried=count,
        carried_epoch=first[0],
        carried_cause=first[1],
        reason=reason,
    )
    force_setattr(event, "seq", history.seq + 1)
    force_setattr(event, "book", SYSTEM_BOOK)
    force_setattr(event, "at", max(history.at, at_ms))
    outs = [Out(_SYSTEM, encode(event))]
    linked(history.link, outs)
    waiting = 0 if not place else sum(1 for _ in stored(log, position))
    log.commit(outs, position, at_ms)
    return Adopted(history.events, history.epoch + 1, event.epoch_id, count, waiting, lost)


def stored(log: BookLog, after: int) -> Iterator[Record]:
    """The commands behind `after` that are stored by now."""
    while records := log.commands(after, AT_ONCE, 0.0):
        after = records[-1].offset
        yield from records


class _History:
    """One reading of all events: are they whole, and what is known at their end?"""

    def __init__(self, log: BookLog, receipts: Sequence[Receipt], carried: _Carried | None) -> None:
        self._log = log
        self._wanted = {one.link for one in receipts}
        self.carried = carried
        self.found: set[str] = set()
        self.events = self.epoch = self.seq = self.at = 0
        self.epoch_id = ""
        self.link = FIRST_LINK
        self.last_cause = BEFORE_FIRST

    def read(self) -> None:
        values: list[bytes] = []
        whole = BEFORE_FIRST
        outcome = (0, BEFORE_FIRST)
        for record in self._log.events(BEFORE_FIRST):
            values.append(record.value)
            self.events += 1
            seen = _see(record.value)
            if record.key == _SYSTEM:
                self.seq, self.at = seen.seq, seen.at
                self._epoch(seen)
            if seen.cause >= 0 and (seen.epoch, seen.cause) != outcome:
                outcome = seen.epoch, seen.cause
                self.last_cause = seen.cause
                if self.carried is not None:
                    self.carried.outcome(seen)
            link = link_of(record.headers) if record.headers else None
            if link is None:
                continue
            if next_link(self.link, values) != link:
                raise LogCorrupt(
                    f"The events behind offset {whole} up to {record.offset} are not those that were "
                    "written: their link does not fit.",
                    NotACopy.advice,
                )
            self.link, whole = link, record.offset
            if link.hex() in self._wanted:
                self.found.add(link.hex())
            values.clear()
        if not self.events:
            raise NotInitialised("The log holds no events.", "Copy them first, or run `daybook init`.")
        if values:
            raise NotACopy(
                f"The last {len(values)} events, behind offset {whole}, are no whole page: the copy ended in "
                "the middle of a commit.",
                "Let the mirror go on to the end of that commit, or copy anew up to the event before them.",
            )

    def _epoch(self, seen: _Seen) -> None:
        if seen.type == "EpochBegun":
            self.epoch += 1
            self.epoch_id = seen.epoch_id
            self.last_cause = seen.position
        elif seen.type == "SystemBookOpened":
            self.epoch_id = seen.epoch_id


class _Carried:
    """Finds which stored commands the outcomes so far have answered: the same ones, in the same order."""

    def __init__(self, log: BookLog) -> None:
        self._commands = stored(log, BEFORE_FIRST)
        self._next = next(self._commands, None)
        self._first = 0, BEFORE_FIRST
        self.count = 0
        self._position = BEFORE_FIRST

    def outcome(self, seen: _Seen) -> None:
        """The next outcome. Those before the first stored command are passed over: it was removed."""
        command = self._next
        if command is None:
            return
        if _answers(seen, command.value):
            if self.count == 0:
                self._first = seen.epoch, seen.cause
            self.count += 1
            self._position = command.offset
            self._next = next(self._commands, None)
        elif self.count:
            raise NotACopy(
                f"The commands are not those that the events answer: what stands at offset {command.offset} "
                f"is not command {seen.cause} of epoch {seen.epoch}."
            )

    def finish(self) -> tuple[int, int, tuple[int, int]]:
        """How many they are, the offset of the last one, epoch and cause of the first one."""
        return self.count, self._position, self._first


def _answers(seen: _Seen, value: bytes) -> bool:
    """Whether this can be the command that was answered so."""
    if seen.record:
        return digest(value) == seen.record
    try:
        said = _said(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return (said.id, said.actor) == (seen.command, seen.actor)
