"""Figures about how cases are worked and what they find: who has how much, how old it is, what is late, and
how often each rule and typology was right. They count cases that are kept to some people too, and name none.

All ages are by book time, so the same history always gives the same figures.
"""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.case_parts import BAD, GOOD
from projections.case_queries import POLICY
from projections.database import Session
from projections.layout import LIVE

AGES_DAYS = (1, 3, 7, 30)
"""Where the buckets of ages end."""


class Workload(msgspec.Struct, frozen=True):
    """What somebody has. working: in progress.   second: proposed, and waits for another person.

    late: of all that.   most: at once, by policy; None where it does not say.   oldest_at: opened first.
    closed_7_days: that this user proposed and that were closed in the last seven days.
    """

    user: str
    team: str
    working: int
    waiting: int
    second: int
    late: int
    most: int | None
    oldest_at: datetime.datetime | None
    closed_7_days: int


class Ageing(msgspec.Struct, frozen=True):
    """Cases of one kind and state that are not closed, by age in days since they were opened or reopened.

    counts: under 1, 3, 7 and 30 days, and above.
    """

    kind: str
    status: str
    counts: list[int]
    oldest_at: datetime.datetime


class Sla(msgspec.Struct, frozen=True):
    """The clocks of one kind. running, late: of what is not closed.   due_1_day: will be late within a day.

    closed, closed_late: of all that was ever closed, and of those, how many after they were due.
    """

    kind: str
    running: int
    due_1_day: int
    late_first_touch: int
    late: int
    closed: int
    closed_late: int


class OutcomeOfKind(msgspec.Struct, frozen=True):
    """What became of the alerts of one rule or typology. hits: alerts in cases.   parties: distinct.

    share_per_mille: of all hits.   bad: in cases closed as confirmed_fraud or suspicious.   good: as
    false_positive or legitimate.   open: nothing is found out yet, or nothing could be.
    false_positive_per_mille: good of good and bad; None where there is neither, and precision likewise.
    repeated: alerts beyond the first of the same party.   amount: at stake in what was bad, by currency.
    """

    source: str
    kind: str
    version: int
    hits: int
    share_per_mille: int
    parties: int
    repeated: int
    bad: int
    good: int
    open: int
    precision_per_mille: int | None
    false_positive_per_mille: int | None
    amounts: dict[str, int]


class Quality(msgspec.Struct, frozen=True):
    """What second looks have found of what somebody proposed, by kind of case."""

    kind: str
    proposer: str
    upheld: int
    remarks: int
    overturned: int


class LabelRow(msgspec.Struct, frozen=True):
    """What was found of an alert or payment: the worst that any closed case says of it. case_id: empty where
    it was said in review, and no case about it was closed since.
    """

    what: str
    id: str
    label: str
    case_id: str
    labelled_at: datetime.datetime


_NOW = f"(SELECT b.at FROM {LIVE}.books AS b WHERE b.book = %(book)s)"
_LATE = "(c.touch_late OR c.close_late)"


def workload(session: Session, book: str) -> list[Workload]:
    """Everybody who has a case or could have one by policy."""
    query = f"""
WITH policy AS (SELECT {POLICY} AS body),
members AS (
  SELECT m ->> 'user' AS actor, t ->> 'id' AS team, coalesce((m ->> 'most_cases')::bigint, 20) AS most
  FROM policy AS p, jsonb_array_elements(coalesce(p.body -> 'teams', '[]')) AS t,
    jsonb_array_elements(t -> 'members') AS m
),
has AS (
  SELECT c.assignee AS actor, count(*) FILTER (WHERE c.status = 'in_progress') AS working,
    count(*) FILTER (WHERE c.status = 'waiting') AS waiting,
    count(*) FILTER (WHERE c.status = 'awaiting_second_person') AS second,
    count(*) FILTER (WHERE {_LATE}) AS late, min(c.opened_at) AS oldest_at
  FROM {LIVE}.cases AS c WHERE c.book = %(book)s AND c.assignee <> '' GROUP BY c.assignee
),
ended AS (
  SELECT h.actor, count(*) AS closed
  FROM {LIVE}.case_history AS h
  JOIN {LIVE}.cases AS c ON c.book = h.book AND c.case_id = h.case_id
  WHERE h.book = %(book)s AND h.type = 'DecisionProposed' AND h.seq = (
    SELECT max(p.seq) FROM {LIVE}.case_history AS p WHERE p.book = c.book AND p.case_id = c.case_id
    AND p.type = 'DecisionProposed')
  AND c.status = 'closed' AND c.closed_at > {_NOW} - interval '7 days'
  GROUP BY h.actor
)
SELECT coalesce(m.actor, h.actor, e.actor) AS "user", coalesce(m.team, '') AS team,
  coalesce(h.working, 0) AS working, coalesce(h.waiting, 0) AS waiting, coalesce(h.second, 0) AS second,
  coalesce(h.late, 0) AS late, m.most, h.oldest_at, coalesce(e.closed, 0) AS closed_7_days
FROM members AS m FULL JOIN has AS h USING (actor) FULL JOIN ended AS e USING (actor)
ORDER BY team, "user"
"""
    return msgspec.convert(_rows(session, query, {"book": book}), list[Workload])


def ageing(session: Session, book: str) -> list[Ageing]:
    """What is not closed, by kind and state."""
    edges = [0, *AGES_DAYS]
    buckets = ", ".join(
        f"count(*) FILTER (WHERE age >= interval '{low} days'"
        + (f" AND age < interval '{high} days')" if high else ")")
        for low, high in zip(edges, [*AGES_DAYS, None], strict=True)
    )
    query = (
        f"SELECT kind, status, ARRAY[{buckets}] AS counts, min(started_at) AS oldest_at "
        f"FROM (SELECT c.*, {_NOW} - c.started_at AS age FROM {LIVE}.cases AS c "
        "WHERE c.book = %(book)s AND c.status <> 'closed') AS c GROUP BY kind, status ORDER BY kind, status"
    )
    return msgspec.convert(_rows(session, query, {"book": book}), list[Ageing])


def sla(session: Session, book: str) -> list[Sla]:
    """The clocks, by kind of case."""
    query = f"""
SELECT c.kind, count(*) FILTER (WHERE c.close_by IS NOT NULL) AS running,
  count(*) FILTER (WHERE NOT c.close_late AND c.close_by < {_NOW} + interval '1 day') AS due_1_day,
  count(*) FILTER (WHERE c.touch_late AND c.status <> 'closed') AS late_first_touch,
  count(*) FILTER (WHERE c.close_late AND c.status <> 'closed') AS late,
  count(*) FILTER (WHERE c.status = 'closed') AS closed,
  count(*) FILTER (WHERE c.close_late AND c.status = 'closed') AS closed_late
FROM {LIVE}.cases AS c WHERE c.book = %(book)s GROUP BY c.kind ORDER BY c.kind
"""
    return msgspec.convert(_rows(session, query, {"book": book}), list[Sla])


def detection_outcomes(session: Session, book: str) -> list[OutcomeOfKind]:
    """Each rule and typology, by version; the most wrong first."""
    query = f"""
SELECT source, kind, version, hits, round(hits * 1000 / sum(hits) OVER ())::bigint AS share_per_mille,
  parties, repeated, bad, good, hits - bad - good AS open,
  CASE WHEN bad + good > 0 THEN round(bad * 1000.0 / (bad + good))::bigint END AS precision_per_mille,
  CASE WHEN bad + good > 0 THEN round(good * 1000.0 / (bad + good))::bigint END AS false_positive_per_mille,
  amounts
FROM (
  SELECT a.source, a.kind, a.version, count(*) AS hits, count(DISTINCT nullif(a.party, '')) AS parties,
    count(nullif(a.party, '')) - count(DISTINCT nullif(a.party, '')) AS repeated,
    count(*) FILTER (WHERE a.label IN {BAD}) AS bad, count(*) FILTER (WHERE a.label IN {GOOD}) AS good,
    coalesce((SELECT jsonb_object_agg(s.currency, s.amount) FROM (
      SELECT b.currency, sum(b.amount)::bigint AS amount FROM {LIVE}.case_alerts AS b
      WHERE b.book = %(book)s AND (b.source, b.kind, b.version) = (a.source, a.kind, a.version)
      AND b.label IN {BAD} AND b.currency <> '' GROUP BY b.currency) AS s), '{{}}') AS amounts
  FROM {LIVE}.case_alerts AS a WHERE a.book = %(book)s GROUP BY a.source, a.kind, a.version
) AS counted ORDER BY false_positive_per_mille DESC NULLS LAST, hits DESC, kind, version
"""
    return msgspec.convert(_rows(session, query, {"book": book}), list[OutcomeOfKind])


def quality(session: Session, book: str) -> list[Quality]:
    """What second looks have found, by who proposed what they looked at."""
    query = f"""
SELECT c.kind, h.actor AS proposer, count(*) FILTER (WHERE r.found = 'upheld') AS upheld,
  count(*) FILTER (WHERE r.found = 'remarks') AS remarks,
  count(*) FILTER (WHERE r.found = 'overturned') AS overturned
FROM {LIVE}.case_reviews AS r JOIN {LIVE}.cases AS c USING (book, case_id)
CROSS JOIN LATERAL (
  SELECT p.actor FROM {LIVE}.case_history AS p WHERE p.book = r.book AND p.case_id = r.case_id
  AND p.type = 'DecisionProposed' AND p.seq < r.seq ORDER BY p.seq DESC LIMIT 1) AS h
WHERE r.book = %(book)s GROUP BY c.kind, h.actor ORDER BY c.kind, h.actor
"""
    return msgspec.convert(_rows(session, query, {"book": book}), list[Quality])


_WORST = (
    "array_position(ARRAY['confirmed_fraud', 'suspicious', 'inconclusive', 'legitimate', 'false_positive', "
    "'duplicate'], label)"
)


def labels(session: Session, book: str) -> list[LabelRow]:
    """Of alerts, then of payments; the same that `replay/labels.py` reads from the log."""
    query = f"""
SELECT DISTINCT ON (what, id) what, id, label, case_id, labelled_at FROM (
  SELECT 'alert' AS what, alert AS id, label, case_id, labelled_at FROM {LIVE}.case_alerts
  WHERE book = %(book)s AND label <> ''
  UNION ALL
  SELECT 'payment', movement, label, case_id, labelled_at FROM {LIVE}.case_alerts
  WHERE book = %(book)s AND label <> '' AND movement <> ''
  UNION ALL
  SELECT 'payment', payment, label, case_id, labelled_at FROM {LIVE}.case_payments
  WHERE book = %(book)s AND label <> ''
  UNION ALL
  SELECT 'payment', r.payment, r.label, '', r.ended_at FROM {LIVE}.reviews AS r
  WHERE r.book = %(book)s AND r.label <> '' AND NOT EXISTS (
    SELECT FROM {LIVE}.case_history AS h WHERE h.book = r.book AND h.type = 'CaseClosed' AND h.seq > r.seq
    AND (h.said -> 'payments' ? r.payment OR EXISTS (
      SELECT FROM jsonb_array_elements(h.said -> 'alerts') AS a WHERE a ->> 4 = r.payment)))
) AS found ORDER BY what, id, {_WORST}, labelled_at, case_id
"""
    return msgspec.convert(_rows(session, query, {"book": book}), list[LabelRow])


def _rows(session: Session, query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), given).fetchall()
