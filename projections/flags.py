"""`flags`: what somebody has noticed about a party, account, payee or device, and until when. For staff only:
no view shows it.

A flag that is raised again after it ended has its newest time here; the one before stands in the audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from projections.copying import instant
from projections.folding import Folding
from projections.tables import Batch, Change, Index, Table
from schemas.flags import FlagCleared, FlagExpired, FlagRaised

FLAGS = Table(
    "flags",
    (
        ("book", "text NOT NULL"),
        ("subject", "text NOT NULL"),
        ("subject_id", "text NOT NULL"),
        ("flag", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("score", "integer NOT NULL"),
        ("model", "text NOT NULL"),
        ("reason", "text NOT NULL"),
        ("evidence", "jsonb NOT NULL"),
        ("raised_by", "text NOT NULL"),
        ("raised_at", "timestamptz NOT NULL"),
        ("expires_at", "timestamptz NOT NULL"),
        ("ended_at", "timestamptz"),
        ("ended_by", "text NOT NULL"),
        ("ended_reason", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "subject", "subject_id", "flag"),
    indexes=(Index("flags_standing", "(book, subject, subject_id) WHERE status = 'standing'"),),
)
TABLES = (FLAGS,)
_FOLDING = Folding(FLAGS)


def changes(batch: Batch) -> Iterator[Change]:
    """A statement for all flags that changed in the same way."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in batch.others:
        match event:
            case FlagRaised():
                said = _said(event)
                if not event.again:
                    said |= {
                        "status": "standing",
                        "raised_at": instant(event.at),
                        "ended_at": None,
                        "ended_by": "",
                        "ended_reason": "",
                    }
                rows.setdefault((event.book, event.subject, event.of, event.flag), {}).update(said)
            case FlagCleared():
                rows.setdefault((event.book, event.subject, event.of, event.flag), {}).update(
                    status="cleared",
                    ended_at=instant(event.at),
                    ended_by=event.actor,
                    ended_reason=event.reason,
                    seq=event.seq,
                )
            case FlagExpired():
                rows.setdefault((event.book, event.subject, event.of, event.flag), {}).update(
                    status="expired", ended_at=instant(event.at), seq=event.seq
                )
            case _:
                pass
    yield from _FOLDING.changes(rows)


def _said(event: FlagRaised) -> dict[str, Any]:
    return {
        "score": event.score,
        "model": "" if event.model is None else f"{event.model.model}@{event.model.version}",
        "reason": event.reason,
        "evidence": msgspec.json.encode(event.evidence).decode(),
        "raised_by": event.actor,
        "expires_at": instant(event.expires_at_ms),
        "seq": event.seq,
    }
