"""`parties`: the persons and businesses as they are now."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import cell, instant, rows_of
from projections.tables import Batch, Change, Execute, Insert, Table
from schemas.parties import PartyProfileChanged, PartyRegistered, PartyRiskRated, PartyStatusChanged

PARTIES = Table(
    "parties",
    (
        ("book", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("name", "text NOT NULL"),
        ("country", "text NOT NULL"),
        ("born_on", "date"),
        ("number", "text NOT NULL"),
        ("segment", "text NOT NULL"),
        ("branch", "text NOT NULL"),
        ("registered_at", "timestamptz NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("risk", "text NOT NULL"),
    ),
    key=("book", "party"),
    personal=("name", "born_on", "number"),
)
TABLES = (PARTIES,)

_PROFILE = (
    "UPDATE {schema}.parties SET name = %s, country = %s, born_on = %s::date, number = %s, segment = %s, "
    "branch = %s, seq = %s WHERE book = %s AND party = %s"
)
_RISK = "UPDATE {schema}.parties SET risk = %s, seq = %s WHERE book = %s AND party = %s"
_STATUS = "UPDATE {schema}.parties SET status = %s, seq = %s WHERE book = %s AND party = %s"


def changes(batch: Batch) -> Iterator[Change]:
    """New parties, then what changed about parties."""
    registered = [_registered(event) for event in batch.others if type(event) is PartyRegistered]
    if registered:
        yield Insert(PARTIES, rows_of(registered))
    for event in batch.others:
        match event:
            case PartyProfileChanged():
                born_on = None if event.born_on is None else str(event.born_on)
                yield Execute(
                    _PROFILE,
                    [
                        (
                            event.name,
                            event.country,
                            born_on,
                            event.number,
                            event.segment,
                            event.branch,
                            event.seq,
                            event.book,
                            event.party,
                        )
                    ],
                )
            case PartyStatusChanged():
                yield Execute(_STATUS, [(event.status, event.seq, event.book, event.party)])
            case PartyRiskRated():
                yield Execute(_RISK, [(event.risk, event.seq, event.book, event.party)])
            case _:
                pass


def _registered(event: PartyRegistered) -> str:
    born_on = None if event.born_on is None else str(event.born_on)
    return (
        f"{cell(event.book)}\t{cell(event.party)}\t{event.kind}\t{event.status}\t{cell(event.name)}\t"
        f"{cell(event.country)}\t{cell(born_on)}\t{cell(event.number)}\t{cell(event.segment)}\t"
        f"{cell(event.branch)}\t{instant(event.at)}\t{event.seq}\tunrated\n"
    )
