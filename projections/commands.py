"""`commands`: the outcome of every record that was answered, found by the command's id.

A row belongs to a record (its epoch and offset), not to an id: whoever sends somebody else's id, or bytes
that only claim one, gets a row of their own and can overwrite nobody's. Restricted details are not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from book.state import SYSTEM_BOOK
from projections.copying import NULL, cell, instant, json_cell, rows_of
from projections.tables import Batch, Change, Index, Insert, Table
from schemas.message import Event
from schemas.rejections import CommandRejected, CommandRepeated

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
)
TABLES = (COMMANDS,)


def changes(batch: Batch) -> Iterator[Change]:
    """A row for each record that the batch's events answer."""
    lines: list[str] = []
    outcome: list[Event] = []
    for event in batch.events:
        if outcome and event.cause != outcome[0].cause:
            lines.append(_row(batch.partition, outcome))
            outcome = []
        if event.cause >= 0:  # otherwise nobody asked: a timer, or the engine itself
            outcome.append(event)
    if outcome:
        lines.append(_row(batch.partition, outcome))
    if lines:
        yield Insert(COMMANDS, rows_of(lines))


def _row(partition: int, events: Sequence[Event]) -> str:
    # The first event of a new book has the system book's record of it beside it.
    own = [event for event in events if event.book != SYSTEM_BOOK] or events
    first = own[0]
    verdict, reason, figures, original, claimed = "accepted", "", NULL, NULL, ""
    if type(first) is CommandRejected:
        verdict, reason, figures = "rejected", first.reason, json_cell(first.figures)
        if not first.command:
            claimed = str(first.figures.get("id", ""))
    elif type(first) is CommandRepeated:
        verdict, reason, original = "repeated", first.reason, str(first.first_seq)
    issued = instant(first.issued_at_ms) if first.command else NULL
    return (
        f"{partition}\t{first.epoch}\t{first.cause}\t{cell(first.book)}\t{cell(first.actor)}\t"
        f"{cell(first.command)}\t{cell(claimed)}\t{verdict}\t{reason}\t{figures}\t{first.seq}\t{own[-1].seq}\t"
        f"{original}\t{instant(first.at)}\t{issued}\n"
    )
