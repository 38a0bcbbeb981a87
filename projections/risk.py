"""`assessments` and `rule_hits`: what rules made of movements, a row a document, and one a rule that applied.

For risk staff only: no view shows any of it, and none may, since whoever is looked at must not learn of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from projections.copying import cell, instant, rows_of
from projections.tables import Batch, Change, Index, Insert, Table
from schemas.approvals import ApprovalFailed
from schemas.bulk import InstructionRefused
from schemas.message import Event
from schemas.orders import StandingOrderMissed, StandingOrderSkipped
from schemas.rejections import CommandRejected
from schemas.risk import Declined, RiskAssessed

ASSESSMENTS = Table(
    "assessments",
    (
        ("book", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("rules", "text NOT NULL"),
        ("version", "integer NOT NULL"),
        ("stage", "text NOT NULL"),
        ("score", "integer NOT NULL"),
        ("verdict", "text NOT NULL"),
        ("done", "text NOT NULL"),
        ("of_seq", "bigint NOT NULL"),
        ("movement", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("command", "text NOT NULL"),
        ("at", "timestamptz NOT NULL"),
    ),
    key=("book", "seq", "rules"),
    indexes=(
        Index("assessments_of_party", "(book, party, seq)"),
        Index("assessments_of_movement", "(book, movement) WHERE movement <> ''"),
        Index("assessments_at", "(book, at)"),
    ),
    bulk=True,
)
"""seq: of the event that notes it: behind the movement's event, `of_seq`, or where it was declined.
verdict: of the document.   done: with the movement, by the strictest of those that are live.
"""
HITS = Table(
    "rule_hits",
    (
        ("book", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("rule", "text NOT NULL"),
        ("rules", "text NOT NULL"),
        ("version", "integer NOT NULL"),
        ("stage", "text NOT NULL"),
        ("points", "integer NOT NULL"),
        ("stop", "boolean NOT NULL"),
        ("counted", "boolean NOT NULL"),
        ("done", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("at", "timestamptz NOT NULL"),
    ),
    key=("book", "seq", "rule"),
    indexes=(Index("rule_hits_of_rule", "(book, rule, seq)"), Index("rule_hits_at", "(book, at)")),
    bulk=True,
)
"""stage: of the document; a rule counts where `counted` and its document is live."""
TABLES = (ASSESSMENTS, HITS)

REFUSING = (CommandRejected, InstructionRefused, ApprovalFailed, StandingOrderMissed, StandingOrderSkipped)
DECLINED = "declined"


def changes(batch: Batch) -> Iterator[Change]:
    """Rows are only ever added."""
    assessed: list[str] = []
    hits: list[str] = []
    for event in batch.others:
        if isinstance(event, RiskAssessed):
            _rows(event, event, event.verdict, event.of, assessed, hits)
        elif (told := declined_by(event)) is not None:
            _rows(event, told, "decline", event.seq, assessed, hits)
    if assessed:
        yield Insert(ASSESSMENTS, rows_of(assessed))
    if hits:
        yield Insert(HITS, rows_of(hits))


def declined_by(event: Event) -> Declined | None:
    """What the rules made of a movement that this event says was declined."""
    if not isinstance(event, REFUSING) or not event.restricted:
        return None
    if event.reason != DECLINED and event.figures.get("refused") != DECLINED:
        return None
    return msgspec.json.decode(event.restricted, type=Declined)


def _rows(
    event: Event, told: RiskAssessed | Declined, done: str, of: int, assessed: list[str], hits: list[str]
) -> None:
    at = instant(event.at)
    book, party = cell(event.book), cell(told.party)
    for one in told.assessments:
        rules = cell(one.rules)
        assessed.append(
            f"{book}\t{event.seq}\t{rules}\t{one.version}\t{one.stage}\t{one.score}\t{one.verdict}\t{done}\t"
            f"{of}\t{cell(told.movement)}\t{cell(told.account)}\t{party}\t{told.amount}\t"
            f"{cell(told.currency)}\t{cell(event.command)}\t{at}\n"
        )
        hits += (
            f"{book}\t{event.seq}\t{cell(hit.rule)}\t{rules}\t{one.version}\t{one.stage}\t{hit.points}\t"
            f"{hit.stop}\t{hit.counted}\t{done}\t{party}\t{at}\n"
            for hit in one.hits
        )
