"""The general ledger's read models: rows as the fold says, any day's balances, trees that sum to zero."""

from __future__ import annotations

import contextlib
import datetime
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from projections.database import Session, connect
from projections.ledger_queries import (
    balance_on,
    daily_balances,
    general_ledger,
    interest,
    period_statement,
    trial_balance_on,
)
from projections.projector import Projector
from projections.queries import digits
from schemas.books import ClosePeriod
from schemas.closing import PeriodBalances
from schemas.interest import UNITS, InterestCapitalised
from schemas.publishing import PublishDocument
from tests import interest_words as words
from tests.interest_words import BANK, bearing, on, pass_days, product
from tests.payment_words import pay, rails, report
from tests.projecting import books_of, events_of, is_right, projected
from tests.random_bank import Bank
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    account,
    advance,
    given,
    internal,
    later,
    reversal,
    say,
    story,
    transfer,
    when,
)
from tests.terms_words import fee, tariff, waived
from tests.terms_words import product as terms_product

A_DAY = datetime.timedelta(days=1)


@contextlib.contextmanager
def shown(dsn: str, limit: int = 10_000) -> Iterator[Session]:
    """A session after the story was projected, and found to be what the log says."""
    reader = story().log.reader()
    with contextlib.closing(Projector(dsn, reader)) as projector:
        projector.catch_up(limit)
    assert is_right(dsn, reader)
    with contextlib.closing(connect(dsn)) as session:
        yield session


@pytest.mark.parametrize(("seed", "limit"), [(1, 7), (2, 10_000), (3, 50)])
def test_any_days_balance_is_the_sum_of_what_was_booked_by_then(
    postgres_dsn: str, seed: int, limit: int
) -> None:
    bank = Bank(seed)
    bank.run(300)
    postings: list[tuple[str, datetime.date, datetime.date, int]] = [
        (posting.account, event.booking_date, event.value_date, posting.amount)  # type: ignore[attr-defined]
        for event in events_of(bank)
        if event.book == "main"
        for posting in getattr(event, "postings", ())
    ]
    book = books_of(bank)["main"]
    days = sorted({booked for _, booked, _, _ in postings})
    assert len(days) > 2
    with projected(postgres_dsn, bank, limit) as session:
        for account_id in book.accounts:
            own = [one for one in postings if one[0] == account_id]
            rows = daily_balances(session, "main", account_id)
            assert [row.business_date for row in rows] == sorted({booked for _, booked, _, _ in own})
            for row in rows:
                amounts = [amount for _, booked, _, amount in own if booked == row.business_date]
                assert row.credit == sum(one for one in amounts if one > 0)
                assert row.debit == -sum(one for one in amounts if one < 0)
                assert row.opening == sum(
                    amount for _, booked, _, amount in own if booked < row.business_date
                )
                assert row.closing == row.opening + row.credit - row.debit
            for day in (days[0] - A_DAY, *days, days[-1] + A_DAY):
                booked_by = sum(amount for _, booked, _, amount in own if booked <= day)
                assert balance_on(session, "main", account_id, day) == booked_by
        for day in days:
            for by, column in (("booking-date", 1), ("value-date", 2)):
                sums: dict[tuple[str, str], int] = defaultdict(int)
                for one in postings:
                    if one[column] <= day:  # type: ignore[operator]
                        holder = book.accounts[one[0]]
                        sums[holder.ledger, holder.currency] += one[3]
                tree = trial_balance_on(session, "main", day, by)  # type: ignore[arg-type]
                assert {(row.ledger, row.currency): row.balance for row in tree} == sums
                assert_zero(row.balance for row in tree if row.currency == "EUR")


def assert_zero(balances: Any) -> None:
    found = list(balances)
    assert found
    assert sum(found) == 0


CHART: list[dict[str, Any]] = [
    {"code": "A", "name": "Assets", "side": "debit"},
    {"code": "A1", "name": "At banks", "side": "debit", "parent": "A"},
    {"code": "1000", "name": "Nostro", "side": "debit", "kind": "nostro", "parent": "A1"},
    {"code": "1100", "name": "Other books", "side": "debit", "kind": "inter_book", "parent": "A"},
    {"code": "1200", "name": "Positions", "side": "debit", "kind": "fx_position", "parent": "A"},
    {"code": "L", "name": "Liabilities", "side": "credit"},
    {"code": "1300", "name": "Interest", "side": "credit", "kind": "accrued", "parent": "L"},
    {"code": "2000", "name": "Deposits", "side": "credit", "kind": "customer", "parent": "L"},
    {"code": "2900", "name": "Suspense", "side": "credit", "kind": "suspense", "parent": "L"},
    {"code": "R", "name": "Result", "side": "credit"},
    {"code": "4000", "name": "Income", "side": "credit", "kind": "income", "parent": "R"},
    {"code": "5000", "name": "Expense", "side": "debit", "kind": "expense", "parent": "R"},
]


@pytest.mark.parametrize("limit", [1, 10_000])
def test_the_trial_balance_is_a_tree_by_the_chart_in_force(postgres_dsn: str, limit: int) -> None:
    given(
        BANK,
        product(words.interest("0.0365")),
        account("alice", 1_000_000, product="savings"),
        account("bob", 500, currency="USD"),
        say(
            PublishDocument,
            kind="chart",
            document="main",
            version=1,
            body={"lines": CHART},
            effective_from_ms=BEGAN_MS + DAY_MS,
        ),
    )
    pass_days(2)
    with shown(postgres_dsn, limit) as session:
        tree = trial_balance_on(session, "main")
        assert [(row.ledger, row.level, row.balance) for row in tree if row.currency == "EUR"] == [
            *(("A", 0, -1_000_000), ("A1", 1, -1_000_000), ("1000", 2, -1_000_000)),
            *(("L", 0, 1_000_200), ("1300", 1, 200), ("2000", 1, 1_000_000)),
            *(("R", 0, -200), ("5000", 1, -200)),
        ]
        for currency in ("EUR", "USD"):
            assert_zero(row.balance for row in tree if row.level == 0 and row.currency == currency)
        # By value date the interest of a day belongs to it, though it is booked on the next.
        by_value = trial_balance_on(session, "main", on("2024-05-15"), "value-date")
        assert [row.balance for row in by_value if row.ledger == "R"] == [-100]
        assert "R" not in {row.ledger for row in trial_balance_on(session, "main", on("2024-05-15"))}
        ledger = general_ledger(session, "main", "A", on("2024-05-15"), on("2024-05-15"))
        assert ledger is not None
        assert (ledger.opening, ledger.closing) == ({}, {"EUR": -1_000_000, "USD": -500})
        assert [(one.account, one.amount) for one in ledger.entries] == [
            ("nostro", -1_000_000),
            ("nostro-usd", -500),
        ]
        later_ = general_ledger(session, "main", "1300", on("2024-05-17"))
        assert later_ is not None
        assert later_.opening == {"EUR": 100}
        assert [(one.type, one.amount) for one in later_.entries] == [("InterestAccrued", 100)]
        assert general_ledger(session, "main", "nowhere") is None


@pytest.mark.parametrize("limit", [1, 20, 10_000])
def test_interest_accrued_and_booked_is_shown_by_account(postgres_dsn: str, limit: int) -> None:
    given(
        BANK,
        product(words.interest("0.03", "0.12")),
        account("alice", 1_234_567, product="savings"),
        account("bob", product="savings", overdraft=100_000),
        transfer("bob", "nostro", 90_000),
        account("idle", product="savings"),
        product(words.interest("0.04"), version=2, effective_from_ms=BEGAN_MS + 400 * DAY_MS),
    )
    pass_days(20)
    when(say(ClosePeriod, through=on("2024-05-31")))
    with shown(postgres_dsn, limit) as session:
        for name in ("alice", "bob"):
            row, state = interest(session, "main", name), bearing(name)
            assert row is not None
            paid = [
                one
                for event in story().events()
                if isinstance(event, InterestCapitalised)
                for one in event.capitalised
                if one.account == name
            ]
            assert (row.credit, row.debit) == (state.credit, state.debit)
            assert (row.paid, row.charged) == (sum(p.credit for p in paid), sum(p.debit for p in paid))
            assert row.paid + row.charged > 0
            assert (row.since, row.capitalised_through) == (on("2024-05-15"), on("2024-05-31"))
            assert row.opened_on == on("2024-05-15")
            assert row.terms is not None
            assert row.terms["credit"]["tiers"][0]["rate"] == "0.03"
            rests = session.execute(
                b"SELECT credit_rest, debit_rest FROM daybook.interest WHERE account = %s", (name,)
            ).fetchone()
            assert rests == (state.credit_rest, state.debit_rest)
            assert all(0 <= one < UNITS for one in rests)
        idle = interest(session, "main", "idle")
        assert idle is not None
        assert (idle.since, idle.credit) == (None, 0)
        assert idle.terms is not None
        nostro = interest(session, "main", "nostro")
        assert nostro is not None
        assert nostro.terms is None
        assert interest(session, "main", "nobody") is None
        (closed,) = (event for event in story().events() if isinstance(event, PeriodBalances))
        found = session.execute(
            b"SELECT ledger, currency, balance::bigint FROM daybook.month_ends ORDER BY 1, 2"
        ).fetchall()
        assert found == [(one.ledger, one.currency, one.balance) for one in closed.lines]
        june = period_statement(session, "main", "alice", on("2024-06-01"), on("2024-06-30"))
        assert june is not None
        assert june.opening == 1_234_567
        assert (june.interest, june.fees) == (june.credit, 0)
        assert june.closing == 1_234_567 + june.interest
        assert digits(session, "main", "EUR") == 2
        assert period_statement(session, "main", "nobody", on("2024-06-01"), on("2024-06-30")) is None


def test_what_a_later_version_replaces_is_not_shown(postgres_dsn: str) -> None:
    given(
        BANK,
        product(words.interest("0.01")),
        product(words.interest("0.02"), version=2, effective_from_ms=BEGAN_MS + 2 * DAY_MS),
        product(words.interest("0.03"), version=3, effective_from_ms=BEGAN_MS + DAY_MS),
        account("alice", 100, product="savings"),
        later(days=3),
        advance(BEGAN_MS + 3 * DAY_MS),
    )
    with shown(postgres_dsn) as session:
        row = interest(session, "main", "alice")
        assert row is not None
        assert row.terms is not None
        assert row.terms["credit"]["tiers"][0]["rate"] == "0.03"


@pytest.mark.parametrize("limit", [1, 10_000])
def test_a_statement_has_the_fees_of_its_period_whatever_they_were_for(postgres_dsn: str, limit: int) -> None:
    """Worked: 4 fees of 10 are charged in May, those of a reversed transfer and of a payment that failed are
    given back in it, and one is waived in June: May 40 - 20, June 10 back and a new one of 10.
    """
    given(
        internal("fees", "income"),
        tariff("prices", fee("each", flat=10)),
        terms_product("current", tariff="prices"),
        account("alice", 10_000, product="current"),
        account("bob"),
        rails(),
    )
    when(
        transfer("alice", "bob", 100, reference="kept"),
        transfer("alice", "bob", 100, reference="reversed"),
        pay("settled", 300),
        pay("failed", 400),
        reversal("reversed"),
        report("failed", "failed"),
    )
    when(later(days=20), advance(BEGAN_MS + 20 * DAY_MS))
    when(waived("kept", "alice", "each"), transfer("alice", "bob", 1))
    with shown(postgres_dsn, limit) as session:
        may = period_statement(session, "main", "alice", on("2024-05-01"), on("2024-05-31"))
        june = period_statement(session, "main", "alice", on("2024-06-01"), on("2024-06-30"))
        assert may is not None
        assert june is not None
        assert (may.fees, june.fees) == (-20, 0)
        assert (may.closing, june.closing) == (10_000 - 100 - 300 - 20, 10_000 - 100 - 300 - 20 - 1)
        statuses = session.execute(
            b"SELECT status FROM daybook.fees WHERE account = 'alice' ORDER BY seq"
        ).fetchall()
        assert statuses == [
            ("waived",),
            ("reversed",),
            ("charged",),  # of the payment that settled
            ("reversed",),  # of the one that failed
            ("charged",),
        ]
