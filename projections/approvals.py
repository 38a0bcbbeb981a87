"""`approvals`, `approval_answers` and `delegations`: what waits or waited, who said what, who stands in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from projections.copying import instant, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from schemas.approvals import (
    ApprovalDeclined,
    ApprovalExpired,
    ApprovalFailed,
    ApprovalGiven,
    ApprovalRequested,
    ApprovalWithdrawn,
    Asked,
    DelegationEnded,
    DelegationGiven,
    TermsChanged,
)

APPROVALS = Table(
    "approvals",
    (
        ("book", "text NOT NULL"),
        ("approval", "bigint NOT NULL"),
        ("status", "text NOT NULL"),
        ("command_type", "text NOT NULL"),
        ("command", "text NOT NULL"),
        ("maker", "text NOT NULL"),
        ("person", "text NOT NULL"),
        ("asked", "jsonb NOT NULL"),
        ("amount", "bigint"),
        ("currency", "text"),
        ("policy", "text NOT NULL"),
        ("version", "bigint NOT NULL"),
        ("line", "text NOT NULL"),
        ("needs", "jsonb NOT NULL"),
        ("missing", "integer NOT NULL"),
        ("roles_left", "text[] NOT NULL"),
        ("persons_left", "text[] NOT NULL"),
        ("shown", "text NOT NULL"),
        ("terms", "jsonb NOT NULL"),
        ("requested_at", "timestamptz NOT NULL"),
        ("expires_at", "timestamptz NOT NULL"),
        ("decided_at", "timestamptz"),
        ("decided_by", "text NOT NULL"),
        ("reason", "text NOT NULL"),
        # Of the event that ended it: with the quorum, the outcome of the command begins there.
        ("outcome_seq", "bigint"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "approval"),
    indexes=(
        Index("approvals_waiting", "(book, approval) WHERE status = 'waiting'"),
        Index("approvals_maker", "(book, maker, approval)"),
    ),
    personal=("asked",),
)
ANSWERS = Table(
    "approval_answers",
    (
        ("book", "text NOT NULL"),
        ("approval", "bigint NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("answer", "text NOT NULL"),
        ("actor", "text NOT NULL"),
        ("person", "text NOT NULL"),
        ("roles", "text[] NOT NULL"),
        ("on_behalf_of", "text NOT NULL"),
        ("delegation", "text NOT NULL"),
        ("override", "boolean NOT NULL"),
        ("counts", "boolean NOT NULL"),
        ("shown", "text NOT NULL"),
        ("at", "timestamptz NOT NULL"),
    ),
    key=("book", "approval", "seq"),
    indexes=(Index("approval_answers_override", "(book, seq) WHERE override"),),
)
DELEGATIONS = Table(
    "delegations",
    (
        ("book", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
        ("delegation", "text NOT NULL"),
        ("delegator", "text NOT NULL"),
        ("delegate", "text NOT NULL"),
        ("roles", "text[] NOT NULL"),
        ("from_at", "timestamptz NOT NULL"),
        ("until_at", "timestamptz NOT NULL"),
        ("reason", "text NOT NULL"),
        ("ended_at", "timestamptz"),
    ),
    key=("book", "seq"),
    indexes=(Index("delegations_open", "(book, delegation) WHERE ended_at IS NULL"),),
)
TABLES = (APPROVALS, ANSWERS, DELEGATIONS)

_REQUEST = (
    "INSERT INTO {schema}.approvals VALUES ("
    + ", ".join("%s::jsonb" if kind.startswith("jsonb") else "%s" for _, kind in APPROVALS.columns)
    + ")"
)
_GIVEN = (
    "UPDATE {schema}.approvals SET missing = %s, roles_left = %s, persons_left = %s, seq = %s "
    "WHERE book = %s AND approval = %s"
)
_DECIDED = (
    "UPDATE {schema}.approvals SET status = %s, decided_at = %s, decided_by = %s, reason = %s, "
    "outcome_seq = %s, seq = %s WHERE book = %s AND approval = %s"
)
_FAILED = (
    "UPDATE {schema}.approvals SET status = 'failed', reason = %s, seq = %s WHERE book = %s AND approval = %s"
)
_REOPENED = (
    "UPDATE {schema}.approvals SET status = 'waiting', decided_at = NULL, decided_by = '', "
    "outcome_seq = NULL, policy = %s, version = %s, line = %s, needs = %s::jsonb, missing = %s, "
    "roles_left = %s, persons_left = %s, shown = %s, terms = %s::jsonb, seq = %s "
    "WHERE book = %s AND approval = %s"
)
_ANSWER = "INSERT INTO {schema}.approval_answers VALUES (" + ", ".join(["%s"] * len(ANSWERS.columns)) + ")"
_LAPSE = (
    "UPDATE {schema}.approval_answers SET counts = FALSE WHERE book = %s AND approval = %s AND counts "
    "AND person = ANY(%s)"
)
_LAPSE_ALL = "UPDATE {schema}.approval_answers SET counts = FALSE WHERE book = %s AND approval = %s"
_DELEGATE = "INSERT INTO {schema}.delegations VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, NULL)"
_END = (
    "UPDATE {schema}.delegations SET ended_at = %s WHERE book = %s AND delegation = %s AND ended_at IS NULL"
)


def changes(batch: Batch) -> Iterator[Change]:
    """One statement an event or two; a person stands behind nearly each of them."""
    for event in batch.others:
        match event:
            case ApprovalRequested():
                yield Execute(_REQUEST, [_row(event)])
            case ApprovalGiven():
                yield from _given(event)
            case ApprovalFailed():
                yield Execute(_FAILED, [(event.reason, event.seq, event.book, event.approval)])
            case TermsChanged():
                yield from _reopened(event)
            case ApprovalDeclined():
                yield Execute(_ANSWER, [_no(event)])
                yield _over(event, "declined", event.reason)
            case ApprovalWithdrawn():
                yield _over(event, "withdrawn", event.reason)
            case ApprovalExpired():
                yield _over(event, "expired", "")
            case DelegationGiven():
                until = (instant(event.from_ms), instant(event.until_ms), event.reason)
                who = (event.delegation, event.delegator, event.to, list(event.roles))
                yield Execute(_DELEGATE, [(event.book, event.seq, *who, *until)])
            case DelegationEnded():
                yield Execute(_END, [(instant(event.at), event.book, event.delegation)])
            case _:
                pass


def _row(event: ApprovalRequested) -> Sequence[Any]:
    asked, by = event.asked, event.by
    amount, currency = asked.get("amount"), asked.get("currency")
    single = isinstance(amount, int) and isinstance(currency, str)
    return (
        event.book,
        event.seq,
        "waiting",
        asked["type"],
        event.command,
        event.maker,
        event.person,
        json_text(asked),
        amount if single else None,
        currency if single else None,
        *_by(by),
        event.shown,
        json_text(msgspec.to_builtins(event.terms)),
        instant(event.at),
        instant(event.expires_at_ms),
        None,
        "",
        "",
        None,
        event.seq,
    )


def _by(by: Asked) -> Sequence[Any]:
    """policy, version, line, needs, missing, roles_left, persons_left of what nobody has said yes to yet."""
    roles = dict.fromkeys(role for group in by.needs if not group.persons for role in group.roles)
    persons = dict.fromkeys(person for group in by.needs for person in group.persons)
    return (
        by.policy,
        by.version,
        by.line,
        json_text(msgspec.to_builtins(by.needs)),
        sum(group.count for group in by.needs),
        list(roles),
        list(persons),
    )


def _given(event: ApprovalGiven) -> Iterator[Change]:
    book, approval = event.book, event.approval
    if event.lapsed:
        yield Execute(_LAPSE, [(book, approval, list(event.lapsed))])
    by = (list(event.roles), event.on_behalf_of, event.delegation, event.override, True, event.shown)
    who = (event.user, event.person)
    yield Execute(_ANSWER, [(book, approval, event.seq, "yes", *who, *by, instant(event.at))])
    left = (list(event.roles_left), list(event.persons_left))
    yield Execute(_GIVEN, [(event.missing, *left, event.seq, book, approval)])
    if event.missing == 0:
        yield _over(event, "approved", "")


def _no(event: ApprovalDeclined) -> Sequence[Any]:
    who = (event.book, event.approval, event.seq, "no", event.user, event.person)
    return (*who, [], "", "", event.override, False, "", instant(event.at))


def _reopened(event: TermsChanged) -> Iterator[Change]:
    yield Execute(_LAPSE_ALL, [(event.book, event.approval)])
    terms = (event.shown, json_text(msgspec.to_builtins(event.terms)), event.seq)
    yield Execute(_REOPENED, [(*_by(event.by), *terms, event.book, event.approval)])


def _over(
    event: ApprovalGiven | ApprovalDeclined | ApprovalWithdrawn | ApprovalExpired, status: str, reason: str
) -> Execute:
    how = (status, instant(event.at), event.actor, reason, event.seq, event.seq)
    return Execute(_DECIDED, [(*how, event.book, event.approval)])
