"""The read models of limits and fees: rows are what the fold says, whatever batches they came in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from book.fees import fees_left
from book.state import Book
from console.limits import limits_of
from projections.database import Session, connect
from projections.projector import Projector
from projections.queries import account as find_account
from projections.terms_queries import fees
from schemas.fees import WaiveFee
from schemas.payments import PaymentDispatched
from schemas.rail_reports import PaymentFailed
from tests.payment_words import pay, rails, report
from tests.projecting import is_right
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    MAIN,
    account,
    advance,
    given,
    internal,
    later,
    refund,
    reversal,
    say,
    story,
    transfer,
    when,
)
from tests.terms_words import charged, fee, limit, limits, product, raised, tariff, waived

LINES = (
    limit("daily", 500),
    limit("few", 9, measure="count", currency=None),
    limit("rolling", 1_300, "rolling", span_ms=3 * DAY_MS, buckets=3),
    limit("ours", 5_000, by="party"),
    limit("theirs", 5_000, by="counterparty"),
    limit("each", 400, "transaction"),
)


def tell() -> None:
    """A few days with everything that limits and fees know."""
    given(
        internal("fees", "income"),
        limits("retail", *LINES),
        tariff(
            "prices",
            fee("each", flat=5, package="free"),
            fee("part", rate="0.01"),
            packages=[{"id": "free", "units": 1, "every": "day"}],
        ),
        product("giro", limits=["retail"], tariff="prices"),
        account("alice", 100_000, product="giro"),
        account("carl", 100_000, product="giro"),
        account("bob", 500),
    )
    for day in range(6):
        when(
            transfer("alice", "bob", 100 + day, reference=f"a{day}"),
            transfer("alice", "bob", 200, reference=f"b{day}"),
            transfer("carl", "bob", 150, reference=f"c{day}"),
        )
        if day % 2:
            when(reversal(f"a{day}"), refund(f"b{day}", 50), waived(f"c{day}", "carl", "part"))
        when(later(days=1))
    when(
        transfer("alice", "bob", 100),
        raised("daily", 800, BEGAN_MS + 30 * DAY_MS, account="alice"),
        raised("daily", 700, BEGAN_MS + 7 * DAY_MS, account="carl"),
        advance(BEGAN_MS + 7 * DAY_MS),
        transfer("alice", "bob", 30),
    )


@contextlib.contextmanager
def projected(dsn: str, limit: int) -> Iterator[Session]:
    log = story().log
    with contextlib.closing(Projector(dsn, log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(dsn)) as session:
        yield session


def slices(book: Book) -> set[tuple[str, str, str, int, int, int]]:
    """What the fold says of every count: limit, by, holder, bucket, total, reserved."""
    usages = [("account", name, one.usage) for name, one in book.accounts.items()]
    usages += [("party", name, one.usage) for name, one in book.parties.items()]
    found = set()
    for by, name, counts in usages:
        for key, usage in (counts or {}).items():
            for bucket in {*usage.buckets(), usage.bucket}:
                total, reserved = usage.slice_of(bucket) or (0, 0)
                found.add((key, by, name, bucket, total, reserved))
    for key, tally in book.usage.items():
        for one in tally.slices:
            found |= {(key, "counterparty", name, one.bucket, *count) for name, count in one.counts.items()}
    return found


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_every_row_is_what_the_fold_says(postgres_dsn: str, limit: int) -> None:
    tell()
    book = story().book
    with projected(postgres_dsn, limit) as session:
        shown = session.execute(
            "SELECT limit_key, counted_by, holder, bucket, total, reserved FROM daybook.limit_usage"
        ).fetchall()
        # What was given back whole counts nothing, and the state need not keep it.
        assert {row for row in shown if row[4]} == {row for row in slices(book) if row[4]}
        assert session.execute("SELECT holder, most FROM daybook.limit_raises").fetchall() == [("alice", 800)]
        rows = session.execute(
            "SELECT seq, account, tariff, version, line, amount, income, status FROM daybook.fees "
            "ORDER BY seq, number"
        ).fetchall()
        expected = [
            (event.seq, one.account, one.tariff, one.version, one.line, one.amount, one.income)
            for event in story().events()
            for one in getattr(event, "fees", ())
        ]
        assert [row[:7] for row in rows] == expected
        assert {row[0] for row in rows if row[7] == "reversed"} == {
            story().seq_of(f"a{day}") for day in (1, 3, 5)
        }
        assert {row[0] for row in rows if row[7] == "waived"} == {
            story().seq_of(f"c{day}") for day in (1, 3, 5)
        }
        # Fees that were not returned are what the income account holds.
        assert sum(row[5] for row in rows if row[7] == "charged") == book.accounts["fees"].booked
        of_carl = fees(session, MAIN, "carl")
        assert [one.status for one in of_carl if one.line == "part"] == ["charged", "waived"] * 3
    assert is_right(postgres_dsn, story().log.reader())


@pytest.mark.parametrize("limit", [1, 10_000])
def test_fees_of_a_payment_that_failed_are_shown_as_given_back(postgres_dsn: str, limit: int) -> None:
    """Of p1 all stay, of p2 both go back, of p3 one was waived before and the other goes back."""
    given(
        charged(fee("each", flat=3), fee("part", rate="0.01")),
        rails(),
        account("alice", 10_000, product="giro"),
        *(pay(name, 1_000) for name in ("p1", "p2", "p3")),
    )
    sent = [one.seq for one in story().events() if type(one) is PaymentDispatched]
    when(say(WaiveFee, charged=sent[2], account="alice", line="part", reason="goodwill"))
    when(report("p2", "failed"), report("p3", "failed"))
    failed = [one.seq for one in story().events() if type(one) is PaymentFailed]
    with projected(postgres_dsn, limit) as session:
        rows = session.execute(
            "SELECT seq, line, status, returned_seq FROM daybook.fees ORDER BY seq, number"
        ).fetchall()
    assert rows[:4] == [
        (sent[0], "each", "charged", None),
        (sent[0], "part", "charged", None),
        (sent[1], "each", "reversed", failed[0]),
        (sent[1], "part", "reversed", failed[0]),
    ]
    assert [row[:3] for row in rows[4:]] == [(sent[2], "each", "reversed"), (sent[2], "part", "waived")]
    left = {seq: fees_left(story().book, seq) for seq in sent}
    assert {(seq, one.line) for seq, those in left.items() for one in those} == {
        row[:2] for row in rows if row[2] == "charged"
    }
    assert is_right(postgres_dsn, story().log.reader())


def test_what_is_shown_of_an_account_is_what_a_refusal_would_say(postgres_dsn: str) -> None:
    tell()
    when(transfer("alice", "bob", 400))
    with projected(postgres_dsn, 100) as session:
        found = find_account(session, MAIN, "alice")
        assert found is not None
        shown = {row.limit.removeprefix("retail/"): row for row in limits_of(session, MAIN, found)}
        assert list(shown) == ["daily", "few", "rolling", "ours", "theirs", "each"]
    daily, rolling, each = shown["daily"], shown["rolling"], shown["each"]
    # Day 7 since it began: 30 and 400 so far, and the raise to 800 stands.
    assert (daily.most, daily.used, daily.reserved, daily.left) == (800, 430, 0, 370)
    assert (daily.raised_until_ms, shown["few"].used) == (BEGAN_MS + 30 * DAY_MS, 2)
    # Days 4 to 7 count: 104 + 200, then 105 - 105 + 200 - 50, then 100, then 430.
    assert (rolling.used, rolling.left) == (984, 316)
    assert (each.most, each.used, each.left, each.resets_at_ms) == (400, 0, 400, None)
    assert (shown["ours"].by, shown["ours"].holder, shown["ours"].used) == ("party", "p-alice", 430)
    when(transfer("alice", "bob", 317))
    (event,) = story().last
    figures = event.figures  # type: ignore[attr-defined]
    assert figures["limit"] == "retail/rolling"
    assert (figures["used"], figures["left"]) == (rolling.used, rolling.left)
    assert figures["resets_at_ms"] == rolling.resets_at_ms


def test_what_a_limit_counted_when_it_meant_something_else_is_not_shown(postgres_dsn: str) -> None:
    """500 of 1,000 a day; then the line is wider, and goes on; then it counts payments, and begins anew."""
    given(
        limits("retail", limit("daily", 1_000)),
        product("giro", limits=["retail"]),
        account("alice", 5_000, product="giro"),
        account("bob"),
        transfer("alice", "bob", 500),
    )
    shown = []
    for version, line in enumerate((limit("daily", 2_000), limit("daily", 3, measure="count")), 2):
        when(limits("retail", line, version=version))
        with projected(postgres_dsn, 100) as session:
            found = find_account(session, MAIN, "alice")
            assert found is not None
            shown += [(row.used, row.left) for row in limits_of(session, MAIN, found)]
    assert shown == [(500, 1_500), (0, 3)]
