"""`commands`: the outcome of every record that was answered, found by the command's id.

A row belongs to a record (its epoch and offset), not to an id: whoever sends somebody else's id, or bytes
that only claim one, gets a row of their own and can overwrite nobody's. Restricted details are not here, and
events for staff only are not counted in `last_seq`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from projections.batches import is_system_book
from projections.copying import NULL, cell, escape_for, instant, json_cell, rows_of
from projections.tables import Batch, Change, Index, Insert, Table
from schemas.approvals import ApprovalRequested
from schemas.message import Event
from schemas.outcomes import FOR_STAFF
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.transfers import TransferPosted

COMMANDS = Table(
    "commands",
    (
        ("partition", "integer NOT NULL"),
        ("epoch", "integer NOT NULL"),
        ("cause", "bigint NOT NULL"),
        ("book", "text NOT NULL"),
        ("actor", "text NOT NULL"),
        ("command", "text NOT NULL"),
        # The id that an undecodable or unproven record claims; nobody vouches for it.
        ("claimed", "text NOT NULL"),
        ("outcome", "text NOT NULL"),
        ("reason", "text NOT NULL"),
        ("figures", "jsonb"),
        ("seq", "bigint NOT NULL"),
        ("last_seq", "bigint NOT NULL"),
        ("first_outcome_seq", "bigint"),
        ("at", "timestamptz NOT NULL"),
        ("issued_at", "timestamptz"),
    ),
    key=("partition", "epoch", "cause"),
    indexes=(
        Index("commands_command", "(command, book)"),
        Index("commands_claimed", "(claimed) WHERE claimed <> ''"),
    ),
    bulk=True,
    version=3,
)
TABLES = (COMMANDS,)


def changes(batch: Batch) -> Iterator[Change]:
    """A row for each record that the batch's events answer."""
    partition = batch.partition
    lines: list[str] = []
    rest: list[Event] = []
    alone = _alone(batch.events)
    for record, event, at, single in zip(batch.records, batch.events, batch.times, alone, strict=True):
        if not single:
            rest.append(event)
            continue
        # Nearly all of them: one event, and money has moved.
        text = escape_for(record.value)
        issued = at if event.issued_at_ms == event.at else instant(event.issued_at_ms)
        lines.append(
            f"{partition}\t{event.epoch}\t{event.cause}\t{text(event.book)}\t{text(event.actor)}\t"
            f"{text(event.command)}\t\taccepted\t\t\\N\t{event.seq}\t{event.seq}\t\\N\t{at}\t{issued}\n"
        )
    lines.extend(_row(partition, outcome) for outcome in _outcomes(rest))
    if lines:
        yield Insert(COMMANDS, rows_of(lines))


def _alone(events: Sequence[Event]) -> list[bool]:
    """Of each event, whether it is a transfer that is a whole outcome."""
    causes = [-1, *(event.cause for event in events), -1]
    return [
        type(event) is TransferPosted and before != event.cause != after
        for event, before, after in zip(events, causes, causes[2:], strict=False)
    ]


def _outcomes(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Consecutive events with the same cause; without those that answer nobody, such as timers'."""
    for cause, outcome in groupby(events, key=attrgetter("cause")):
        if cause >= 0:
            yield list(outcome)


def _row(partition: int, events: Sequence[Event]) -> str:
    # The first event of a new book has the system book's record of it beside it.
    own = [event for event in events if not is_system_book(event.book)] or events
    first = own[0]
    verdict, reason, figures, original, claimed = "accepted", "", NULL, NULL, ""
    if type(first) is CommandRejected:
        verdict, reason, figures = "rejected", first.reason, json_cell(first.figures)
        if not first.command:
            claimed = str(first.figures.get("id", ""))
    elif type(first) is ApprovalRequested:
        verdict = "waiting"
    elif type(first) is CommandRepeated:
        verdict, reason, original = "repeated", first.reason, str(first.first_seq)
    last = next((event for event in reversed(own) if type(event) not in FOR_STAFF), first)
    issued = instant(first.issued_at_ms) if first.command else NULL
    return (
        f"{partition}\t{first.epoch}\t{first.cause}\t{cell(first.book)}\t{cell(first.actor)}\t"
        f"{cell(first.command)}\t{cell(claimed)}\t{verdict}\t{reason}\t{figures}\t{first.seq}\t{last.seq}\t"
        f"{original}\t{instant(first.at)}\t{issued}\n"
    )
