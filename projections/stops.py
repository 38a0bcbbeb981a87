"""`stops`: the stop switches, those that are on and those that were."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import cell, instant, rows_of
from projections.tables import Batch, Change, Execute, Index, Insert, Table
from schemas.stops import PaymentsResumed, PaymentsStopped

STOPS = Table(
    "stops",
    (
        ("book", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("stop", "text NOT NULL"),
        ("scope", "text NOT NULL"),
        ("value", "text NOT NULL"),
        ("reason", "text NOT NULL"),
        ("author", "text NOT NULL"),
        ("since", "timestamptz NOT NULL"),
        ("lifted_at", "timestamptz"),
        ("lifted_by", "text"),
    ),
    key=("book", "seq"),
    indexes=(Index("stops_on", "(book, stop) WHERE lifted_at IS NULL"),),
)
TABLES = (STOPS,)
_LIFT = (
    "UPDATE {schema}.stops SET lifted_at = %s::timestamptz, lifted_by = %s "
    "WHERE book = %s AND stop = %s AND lifted_at IS NULL AND seq < %s"
)


def changes(batch: Batch) -> Iterator[Change]:
    """New stops, then what lifts them; a stop of the same name that is younger than that stays."""
    stopped = [_stopped(event) for event in batch.others if type(event) is PaymentsStopped]
    if stopped:
        yield Insert(STOPS, rows_of(stopped))
    lifted = [
        (instant(event.at), event.actor, event.book, event.stop, event.seq)
        for event in batch.others
        if type(event) is PaymentsResumed
    ]
    if lifted:
        yield Execute(_LIFT, lifted)


def _stopped(event: PaymentsStopped) -> str:
    return (
        f"{cell(event.book)}\t{event.seq}\t{cell(event.stop)}\t{event.scope}\t{cell(event.value)}\t"
        f"{cell(event.reason)}\t{cell(event.actor)}\t{instant(event.at)}\t\\N\t\\N\n"
    )
