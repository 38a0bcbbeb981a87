"""What staff read about rules: every assessment and every hit, however the movement ended."""

from __future__ import annotations

import contextlib

import pytest

from projections.database import connect
from projections.projector import Projector
from projections.risk_queries import assessments, rule_stats
from schemas.instructions import ToAccount
from schemas.orders import CreateStandingOrder
from tests.approvals_words import approve, line, policy, staff
from tests.bulk_test import bulk
from tests.crossbook_words import agreed, send
from tests.payment_words import pay, rails
from tests.projecting import is_right
from tests.risk_words import over, rule, rules
from tests.story import DAY_MS, MAIN, TODAY, account, advance, given, say, story, transfer, when


@pytest.mark.parametrize("limit", [1, 10_000])
def test_every_movement_that_a_rule_applied_to_is_there(postgres_dsn: str, limit: int) -> None:
    given(account("alice", 100_000), account("bob"), rails(), agreed(), staff())
    when(
        rules(
            rule("small", over(5), 10),
            rule("large", over(50), 60),
            rule("stop", over(500), stop=True),
            thresholds={"review": 70},
        ),
        rules(rule("other", over(50), stop=True), name="challenger", stage="shadow"),
    )
    when(
        transfer("alice", "bob", 1),
        transfer("alice", "bob", 5),
        transfer("alice", "bob", 500).with_id("d1"),
        pay("p1", 50),
        pay("p2", 600),
        send("x1", "alice", 7),
        bulk(("alice", "bob", 6), ("alice", "bob", 501), bulk_id="b1"),
        bulk(("alice", "bob", 6), ("alice", "bob", 502), mode="all_or_nothing", bulk_id="b2"),
        say(
            CreateStandingOrder,
            order="rent",
            account="alice",
            amount=503,
            currency="EUR",
            to=ToAccount(account="bob"),
            every="month",
            first=TODAY,
            retries=0,
        ),
        advance(story().now + DAY_MS),
        policy(line("Transfer"), document="four-eyes"),
        transfer("alice", "bob", 8).by("mia"),
        rules(rule("all", over(1), stop=True), name="late"),
    )
    when(approve("cora"))
    with contextlib.closing(Projector(postgres_dsn, story().log.reader())) as projector:
        while projector.step(limit):
            pass
    with contextlib.closing(connect(postgres_dsn)) as session:
        rows = assessments(session, MAIN, limit=1_000)
        stats = {one.rule: one for one in rule_stats(session, MAIN)}
        declined = assessments(session, MAIN, rule="payments/stop", done="decline")
        nothing = assessments(session, MAIN, party="p-bob")
    assert [(one.amount, one.rules, one.done) for one in reversed(rows)] == [
        (5, "payments", "approve"),
        *((500, name, "decline") for name in ("payments", "challenger")),
        *((50, name, "review") for name in ("payments", "challenger")),
        *((600, name, "decline") for name in ("payments", "challenger")),
        (7, "payments", "approve"),
        *((501, name, "decline") for name in ("payments", "challenger")),
        (6, "payments", "approve"),
        *((502, name, "decline") for name in ("payments", "challenger")),
        *((503, name, "decline") for name in ("payments", "challenger")),
        (8, "payments", "decline"),
        (8, "late", "decline"),
    ]
    assert {one.amount for one in declined} == {500, 600, 501, 502, 503}
    assert nothing == []
    assert rows[-1].applied == ["payments/small"]
    assert (rows[-1].stage, rows[-1].score, rows[-1].verdict) == ("live", 10, "approve")
    small, other = stats["payments/small"], stats["challenger/other"]
    assert (small.hits, small.counted, small.share, small.parties, small.points) == (10, 10, 1_000, 1, 100)
    assert (small.declined, small.reviewed) == (6, 1)
    assert (other.hits, other.counted) == (6, 0)
    assert stats["late/all"].share == 100
    assert is_right(postgres_dsn, story().log)
