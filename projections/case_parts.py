"""What belongs to cases: the alerts and payments behind them with what was found, what is to be done about
them, their papers and their history. A label stands here while its case is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from projections.case_changes import CHANGED
from projections.cases import insert
from projections.copying import instant, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from schemas.alerts import Alert
from schemas.case_work import CaseAttached, CaseLinked, ItemTicked
from schemas.cases import AlertsJoined, CaseClosed, CaseMerged, CaseOpened, CaseReopened
from schemas.message import ENVELOPE, Event

BAD = "('confirmed_fraud', 'suspicious')"
GOOD = "('false_positive', 'legitimate')"
"""The labels of what was rightly noticed, and of what was noticed for nothing; others count for neither."""
ALERTS = Table(
    "case_alerts",
    (
        ("book", "text NOT NULL"),
        ("alert", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        ("source", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("version", "bigint NOT NULL"),
        # Whose events it is about: an alert of a stream may be about those of several books.
        ("of_book", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("payee", "text NOT NULL"),
        ("device", "text NOT NULL"),
        ("movement", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("confidence", "integer NOT NULL"),
        ("figures", "jsonb NOT NULL"),
        ("words", "text NOT NULL"),
        ("evidence", "jsonb NOT NULL"),
        ("first_at", "timestamptz NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("joined_at", "timestamptz NOT NULL"),
        ("joined_seq", "bigint NOT NULL"),
        ("label", "text NOT NULL"),
        ("labelled_at", "timestamptz"),
    ),
    key=("book", "alert"),
    indexes=(
        Index("case_alerts_case", "(book, case_id)"),
        Index("case_alerts_kind", "(book, kind)"),
        Index("case_alerts_movement", "(book, movement) WHERE movement <> ''"),
    ),
)
PAYMENTS = Table(
    "case_payments",
    (
        ("book", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        ("payment", "text NOT NULL"),
        ("label", "text NOT NULL"),
        ("labelled_at", "timestamptz"),
    ),
    key=("book", "case_id", "payment"),
    indexes=(Index("case_payments_payment", "(book, payment)"),),
)
CHECKS = Table(
    "case_checks",
    (
        ("book", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        ("number", "integer NOT NULL"),
        ("item", "text NOT NULL"),
        ("what", "text NOT NULL"),
        ("required", "boolean NOT NULL"),
        ("done_at", "timestamptz"),
        ("done_by", "text NOT NULL"),
    ),
    key=("book", "case_id", "item"),
)
HISTORY = Table(
    "case_history",
    (
        ("book", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("actor", "text NOT NULL"),
        ("type", "text NOT NULL"),
        # The event without its envelope and without the bodies of alerts.
        ("said", "jsonb NOT NULL"),
    ),
    key=("book", "case_id", "seq"),
    indexes=(Index("case_history_seq", "(book, seq)"),),
    personal=("said",),
)
PAPERS = Table(
    "case_papers",
    (
        ("book", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        ("digest", "text NOT NULL"),
        ("name", "text NOT NULL"),
        ("media_type", "text NOT NULL"),
        ("size", "bigint NOT NULL"),
        ("attached_at", "timestamptz NOT NULL"),
        ("attached_by", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "case_id", "digest"),
    personal=("name",),
)
TABLES = (ALERTS, PAYMENTS, CHECKS, HISTORY, PAPERS)

_ALERT, _PAYMENT, _CHECK, _HISTORY, _PAPER = map(insert, TABLES)
_TICK = (
    "UPDATE {schema}.case_checks SET done_at = %s, done_by = %s "
    "WHERE book = %s AND case_id = %s AND item = %s"
)
_LABEL_ALERTS = (
    "UPDATE {schema}.case_alerts SET label = %s, labelled_at = %s WHERE book = %s AND case_id = %s"
)
_LABEL_PAYMENTS = (
    "UPDATE {schema}.case_payments SET label = %s, labelled_at = %s WHERE book = %s AND case_id = %s"
)
_MOVE = "UPDATE {schema}.case_alerts SET case_id = %s WHERE book = %s AND case_id = %s"


def changes(batch: Batch) -> Iterator[Change]:
    """What an event adds to its case, and what it says of what the case has."""
    for event in batch.others:
        if type(event) is CaseOpened or type(event) in CHANGED:
            yield from _history(event)
        match event:
            case CaseOpened():
                yield from _checklist(event)
                yield from _payments(event, event.case, event.payments)
            case AlertsJoined():
                yield Execute(_ALERT, [_alert(event, one) for one in event.alerts])
                yield from _payments(event, event.case, event.payments)
            case CaseClosed():
                yield from _labelled(event, event.label, instant(event.at))
            case CaseReopened():
                yield from _labelled(event, "", None)
            case CaseMerged():
                yield Execute(_MOVE, [(event.into, event.book, event.case)])
                yield from _payments(event, event.into, event.payments)
            case CaseLinked():
                yield from _payments(event, event.case, event.payments)
            case ItemTicked():
                done = (instant(event.at), event.actor) if event.done else (None, "")
                yield Execute(_TICK, [(*done, event.book, event.case, event.item)])
            case CaseAttached():
                paper = (event.digest, event.name, event.media_type, event.size)
                by = (instant(event.at), event.actor, event.seq)
                yield Execute(_PAPER, [(event.book, event.case, *paper, *by)])
            case _:
                pass


def _history(event: Any) -> Iterator[Change]:
    said = msgspec.to_builtins(event)
    for name in (*ENVELOPE, "type", "case"):
        del said[name]
    if type(event) is AlertsJoined:
        said["alerts"] = [one.id for one in event.alerts]
    row = (event.seq, instant(event.at), event.actor, type(event).__name__, json_text(said))
    others = (event.into,) if type(event) is CaseMerged else getattr(event, "cases", ())
    yield Execute(_HISTORY, [(event.book, case, *row) for case in (event.case, *others)])


def _checklist(event: CaseOpened) -> Iterator[Change]:
    if event.checklist:
        of = (event.book, event.case)
        rows = [
            (*of, number, one.id, one.text, one.required, None, "")
            for number, one in enumerate(event.checklist, 1)
        ]
        yield Execute(_CHECK, rows)


def _payments(event: Event, case: str, payments: tuple[str, ...]) -> Iterator[Change]:
    if payments:
        yield Execute(_PAYMENT, [(event.book, case, one, "", None) for one in payments])


def _alert(event: AlertsJoined, one: Alert) -> tuple[Any, ...]:
    return (
        *(event.book, one.id, event.case, one.source, one.kind, one.version, one.book, one.party),
        *(one.account, one.payee, one.device, one.movement, one.currency, one.amount, one.confidence),
        *(json_text(one.figures), one.words, json_text(msgspec.to_builtins(one.evidence))),
        *(instant(one.first_at), instant(one.at), instant(event.at), event.seq, "", None),
    )


def _labelled(event: CaseClosed | CaseReopened, label: str, at: str | None) -> Iterator[Change]:
    for statement in (_LABEL_ALERTS, _LABEL_PAYMENTS):
        yield Execute(statement, [(label, at, event.book, event.case)])
