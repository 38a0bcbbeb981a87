"""`audit`: every event as it stands in the log, with who, what and whom it concerned, by month.

The events here are whole, restricted details and personal data among them; `reporting` shows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from projections.copying import NULL, array_cell, escape_for, rows_of
from projections.tables import Batch, Change, Index, Insert, Table
from schemas import flags
from schemas.approvals import ApprovalRequested
from schemas.catalogue import EVENTS
from schemas.message import Event
from schemas.rejections import CommandRejected

AUDIT = Table(
    "audit",
    (
        ("book", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("type", "text NOT NULL"),
        ("actor", "text NOT NULL"),
        ("command", "text NOT NULL"),
        ("timer", "text NOT NULL"),
        # The accounts of a posting are found through `entries`, which has an index for them anyway.
        ("entities", "text[]"),
        ("event_offset", "bigint NOT NULL"),
        ("event", "jsonb NOT NULL"),
    ),
    key=("book", "at", "seq"),  # within a book, time never goes back
    indexes=(
        Index("audit_actor", "(book, actor, at, seq)"),
        Index("audit_command", "(command)"),
        Index("audit_entities", "USING gin (entities) WHERE entities IS NOT NULL"),
    ),
    bulk=True,
    by_month="at",
    personal=("event",),
)
TABLES = (AUDIT,)

_ENTITY = frozenset(
    {"account", "party", "block", "person", "user", "system", "subject", "role", "asset", "opened"}
    | {"hold", "payment", "stop"}
)
_ASKED = _ENTITY | {"debit", "credit", "document", "payment"}


def _named(kind: type[Event]) -> tuple[str, ...]:
    """A case is found by its own name alone: whom it is about is for those who may see it."""
    fields = {field.name for field in msgspec.structs.fields(kind)}
    return (
        ("case",) if "case" in fields else tuple(name for name in kind.__struct_fields__ if name in _ENTITY)
    )


ENTITIES: dict[type[Event], tuple[str, ...]] = {kind: _named(kind) for kind in EVENTS}
ENTITIES.update(dict.fromkeys(flags.EVENTS, ("of",)))
"""The fields of each type of event that name what it concerned."""


def changes(batch: Batch) -> Iterator[Change]:
    """A row for each event."""
    months: dict[str, list[str]] = {}
    month = ""
    add: Callable[[str], None]
    for record, event, at in zip(batch.records, batch.events, batch.times, strict=True):
        value = record.value
        text = escape_for(value)
        if not at.startswith(month) or not month:
            month = at[:7]
            add = months.setdefault(month, []).append
        named = ENTITIES[type(event)]
        if type(event) is ApprovalRequested:
            entities = _waiting(event)
        elif named:
            entities = array_cell(one for name in named if (one := getattr(event, name)))
        elif type(event) is CommandRejected:
            entities = _refused(event)
        else:
            entities = NULL
        add(
            f"{text(event.book)}\t{event.seq}\t{at}\t{type(event).__name__}\t{text(event.actor)}\t"
            f"{text(event.command)}\t{text(event.timer)}\t{entities}\t{record.offset}\t"
            f"{text(value.decode())}\n"
        )
    for first, lines in months.items():
        yield Insert(AUDIT, rows_of(lines), month=f"{first}-01")


def _waiting(event: ApprovalRequested) -> str:
    """Whom the command that waits concerns, and who sent it."""
    found = [str(one) for name, one in event.asked.items() if name in _ASKED and isinstance(one, str) and one]
    return array_cell(dict.fromkeys([event.person, *found] if event.person else found))


def _refused(event: CommandRejected) -> str:
    found = [str(one) for name, one in event.figures.items() if name in _ENTITY and isinstance(one, str)]
    return array_cell(found) if found else NULL
