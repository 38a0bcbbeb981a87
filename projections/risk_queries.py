"""What risk staff ask about rules: how often each applies, and on what."""

from __future__ import annotations

import datetime

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE


class RuleStats(msgspec.Struct, frozen=True):
    """How often a rule applied. movements: on how many, each once, whatever else applied.

    share: per mille of the movements on which any rule applied.   counted: how often it had a say.
    declined, reviewed: what was done with those movements, whichever rule it was that did it.
    """

    rule: str
    versions: list[int]
    hits: int
    counted: int
    share: int
    parties: int
    declined: int
    reviewed: int
    points: int
    first: datetime.datetime
    last: datetime.datetime


class AssessmentRow(msgspec.Struct, frozen=True):
    """What a document made of a movement. applied: the rules, with their points.   of_seq: its event's."""

    rules: str
    version: int
    stage: str
    score: int
    verdict: str
    done: str
    of_seq: int
    movement: str
    account: str
    party: str
    amount: int
    currency: str
    command: str
    at: datetime.datetime
    applied: list[str]


_STATS = f"""
WITH chosen AS (
    SELECT * FROM {LIVE}.rule_hits WHERE book = %(book)s
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
), movements AS (SELECT count(DISTINCT seq) AS n FROM chosen)
SELECT rule, array_agg(DISTINCT version ORDER BY version) AS versions, count(*) AS hits,
    count(*) FILTER (WHERE counted AND stage = 'live') AS counted,
    (1000 * count(*) / (SELECT n FROM movements))::int AS share,
    count(DISTINCT nullif(party, '')) AS parties,
    count(*) FILTER (WHERE done = 'decline') AS declined,
    count(*) FILTER (WHERE done = 'review') AS reviewed,
    coalesce(sum(points), 0)::bigint AS points, min(at) AS first, max(at) AS last
FROM chosen GROUP BY rule ORDER BY count(*) DESC, rule
"""
_HITS = f"""
SELECT a.rules, a.version, a.stage, a.score, a.verdict, a.done, a.of_seq, a.movement, a.account, a.party,
    a.amount, a.currency, a.command, a.at,
    array(SELECT h.rule FROM {LIVE}.rule_hits h WHERE h.book = a.book AND h.seq = a.seq AND h.rules = a.rules
          ORDER BY h.points DESC, h.rule) AS applied
FROM {LIVE}.assessments a WHERE a.book = %(book)s
    AND (%(rule)s::text IS NULL OR EXISTS (SELECT FROM {LIVE}.rule_hits h
         WHERE h.book = a.book AND h.seq = a.seq AND h.rule = %(rule)s AND h.rules = a.rules))
    AND (%(party)s::text IS NULL OR a.party = %(party)s)
    AND (%(done)s::text IS NULL OR a.done = %(done)s)
ORDER BY a.seq DESC, a.rules LIMIT %(limit)s
"""


def rule_stats(
    session: Session,
    book: str,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> list[RuleStats]:
    """Every rule that applied between two times, the most frequent first."""
    with session.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_STATS.encode(), {"book": book, "since": since, "until": until}).fetchall()
    return msgspec.convert(found, list[RuleStats])


def assessments(
    session: Session,
    book: str,
    *,
    rule: str | None = None,
    party: str | None = None,
    done: str | None = None,
    limit: int = 50,
) -> list[AssessmentRow]:
    """What was assessed last, the newest first. rule: `document/rule`."""
    asked = {"book": book, "rule": rule, "party": party, "done": done, "limit": limit}
    with session.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_HITS.encode(), asked).fetchall()
    return msgspec.convert(found, list[AssessmentRow])
