"""`documents`: every version that was published, what became of it, and what differs from the one before."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import instant, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from projections.view import AT, BOOK, Column, View, one_of, shown
from schemas.approvals import ApprovalGiven
from schemas.message import Event
from schemas.publishing import DocumentPublished, DocumentTookEffect
from schemas.withheld import KINDS_WITHHELD

DOCUMENTS = Table(
    "documents",
    (
        ("book", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("document", "text NOT NULL"),
        ("version", "bigint NOT NULL"),
        ("status", "text NOT NULL"),
        ("published_at", "timestamptz NOT NULL"),
        ("effective_from", "timestamptz NOT NULL"),
        ("in_force_at", "timestamptz"),
        ("ended_at", "timestamptz"),
        # Who sent it; where it waited, the approval knows, and who said yes.
        ("actor", "text NOT NULL"),
        ("approval", "bigint"),
        ("digest", "text NOT NULL"),
        ("body", "jsonb NOT NULL"),
        ("changes", "jsonb NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "kind", "document", "version"),
    indexes=(Index("documents_in_force", "(book, kind, document) WHERE status = 'in force'"),),
)
TABLES = (DOCUMENTS,)

_OF = "book = %(book)s AND kind = %(kind)s AND document = %(document)s"
_REPLACED = (
    "UPDATE {schema}.documents SET status = 'replaced', ended_at = %(at)s::timestamptz "
    f"WHERE {_OF} AND status = 'pending' AND effective_from >= %(effective_from)s::timestamptz"
)
_SUPERSEDED = (
    "UPDATE {schema}.documents SET status = 'superseded', ended_at = %(at)s::timestamptz "
    f"WHERE {_OF} AND status = 'in force'"
)
_IN_FORCE = (
    "UPDATE {schema}.documents SET status = 'in force', in_force_at = %(at)s::timestamptz "
    f"WHERE {_OF} AND version = %(version)s"
)
# The values of a document with their paths, as schemas/documents/difference.py has them.
_VALUES = """values_in (which, path, value) AS (
  SELECT * FROM bodies
  UNION ALL
  SELECT v.which, part.path, part.value FROM values_in AS v CROSS JOIN LATERAL (
    SELECT CASE WHEN v.path = '' THEN key ELSE v.path || '.' || key END AS path, value
      FROM jsonb_each(CASE WHEN jsonb_typeof(v.value) = 'object' THEN v.value ELSE '{{}}' END)
    UNION ALL
    SELECT v.path || '[' || CASE WHEN ids.by_id THEN value ->> 'id' ELSE (place - 1)::text END || ']', value
      FROM jsonb_array_elements(CASE WHEN jsonb_typeof(v.value) = 'array' THEN v.value ELSE '[]' END)
        WITH ORDINALITY AS entry (value, place)
      CROSS JOIN LATERAL (
        SELECT bool_and(jsonb_typeof(e -> 'id') IS NOT DISTINCT FROM 'string')
          AND count(DISTINCT e ->> 'id') = count(*) AS by_id
        FROM jsonb_array_elements(CASE WHEN jsonb_typeof(v.value) = 'array' THEN v.value ELSE '[]' END) AS e
      ) AS ids
  ) AS part
)"""
_LEAF = "value NOT IN ('{{}}', '[]') AND jsonb_typeof(value) IN ('object', 'array')"
_CHANGES = (
    "WITH RECURSIVE bodies (which, path, value) AS ("
    "  SELECT 'now', '', %(body)s::jsonb UNION ALL ("
    f"  SELECT 'was', '', body FROM {{schema}}.documents WHERE {_OF} AND version < %(version)s "
    "  ORDER BY version DESC LIMIT 1)"
    f"), {_VALUES}, leaves AS (SELECT * FROM values_in WHERE NOT ({_LEAF})), "
    "was AS (SELECT * FROM leaves WHERE which = 'was' AND path <> ''), "
    "now AS (SELECT * FROM leaves WHERE which = 'now' AND path <> '') "
    "SELECT coalesce(jsonb_agg(jsonb_build_object('path', path, 'was', was.value, 'now', now.value) "
    "ORDER BY path COLLATE \"C\"), '[]') "
    "FROM was FULL JOIN now USING (path) WHERE was.value IS DISTINCT FROM now.value"
)
_PUBLISHED = (
    "INSERT INTO {schema}.documents SELECT %(book)s, %(kind)s, %(document)s, %(version)s, %(status)s, "
    "%(at)s::timestamptz, %(effective_from)s::timestamptz, %(in_force_at)s::timestamptz, NULL, %(actor)s, "
    f"%(approval)s, %(digest)s, %(body)s::jsonb, ({_CHANGES}), %(seq)s"
)


def changes(batch: Batch) -> Iterator[Change]:
    """One event at a time, since each may end what the one before began; there are few of them."""
    given: ApprovalGiven | None = None
    for event in batch.others:
        match event:
            case ApprovalGiven():
                given = event
            case DocumentPublished():
                yield from _published(event, given)
            case DocumentTookEffect():
                of = {**_name(event), "version": event.version, "at": instant(event.at)}
                yield Execute(_SUPERSEDED, [of])
                yield Execute(_IN_FORCE, [of])
            case _:
                pass


def _published(event: DocumentPublished, given: ApprovalGiven | None) -> Iterator[Change]:
    at_once = event.effective_from_ms <= event.at
    approved = (
        given is not None and (given.book, given.cause) == (event.book, event.cause) and event.cause >= 0
    )
    of = {
        **_name(event),
        "version": event.version,
        "status": "in force" if at_once else "pending",
        "at": instant(event.at),
        "effective_from": instant(event.effective_from_ms),
        "in_force_at": instant(event.at) if at_once else None,
        "actor": event.actor,
        "approval": given.approval if approved and given is not None else None,
        "digest": event.digest,
        "body": json_text(event.body),
        "seq": event.seq,
    }
    yield Execute(_REPLACED, [of])
    if at_once:
        yield Execute(_SUPERSEDED, [of])
    yield Execute(_PUBLISHED, [of])


def _name(event: DocumentPublished | DocumentTookEffect) -> dict[str, str]:
    assert isinstance(event, Event), "a document's event"
    return {"book": event.book, "kind": event.kind, "document": event.document}


SOURCE = (
    "{schema}.documents AS t "
    "LEFT JOIN {schema}.approvals AS a ON a.book = t.book AND a.approval = t.approval "
    "CROSS JOIN LATERAL (SELECT coalesce(array_agg(b.actor ORDER BY b.seq), '{{}}') AS actors "
    "FROM {schema}.approval_answers AS b WHERE b.book = t.book AND b.approval = t.approval "
    "AND b.answer = 'yes' AND b.counts) AS yes"
)
"""A version with its approval, `a`, and who said yes, `yes.actors`."""
VIEWS = (
    View(
        "documents",
        "Every version of every document, what became of it, and what it changed. What risk staff looks for "
        "is not here.",
        f"{SOURCE} WHERE t.kind NOT IN ({one_of(KINDS_WITHHELD)})",
        (
            *shown(
                {
                    "book": BOOK,
                    "kind": "product, tariff, limits, approval_policy...",
                    "document": "Its id, unique among documents of the kind.",
                    "version": "Versions only grow.",
                    "status": "pending, in force, superseded, or replaced before it took effect.",
                    "published_at": AT,
                    "effective_from": "Book time from when it was to be in force.",
                    "in_force_at": "When it came into force; null where it has not.",
                    "ended_at": "When another version took its place; null where none has.",
                }
            ),
            Column("published_by", "coalesce(a.maker, t.actor)", "Who published it."),
            Column("approved_by", "yes.actors", "Who approved it; empty where nobody was asked."),
            *shown(
                {
                    "digest": "SHA-256 over the body.",
                    "body": "The document, whole.",
                    "changes": "What differs from the version before: path, what it was, what it is now.",
                    "seq": "Number of the event that published it.",
                }
            ),
        ),
    ),
)
