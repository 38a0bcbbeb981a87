"""Foreign exchange: what a table of rates says, quotes that hold for a while, four postings, positions."""

from __future__ import annotations

import pytest

from book import fx
from schemas.access import Scope
from schemas.approvals import ApprovalFailed, ApprovalGiven, ApprovalRequested, TermsChanged
from schemas.exchange import Exchange, Exchanged, Line, QuoteExpired, QuoteGiven, RequestQuote
from schemas.positions import PositionMoved
from schemas.postings import Posting
from schemas.rejections import Reason
from tests.approvals_words import approve, line, policy, staff
from tests.currencies_words import (
    BANK,
    EURJPY,
    EURKWD,
    REVALUATION,
    exchange,
    pair,
    position,
    quote,
    rates,
    table,
)
from tests.story import (
    BEGAN_MS,
    TODAY,
    Said,
    Word,
    account,
    balance,
    block,
    closed,
    given,
    grant,
    happened,
    internal,
    later,
    party_becomes,
    rejected,
    role,
    story,
    then,
    user,
    when,
)
from tests.terms_words import fee, limit, limits, product, tariff

ANN = [account("ann", 100_000, party_id=""), account("ann-usd", currency="USD", party_id="p-ann")]


def test_an_exchange_is_four_postings_that_sum_to_zero_in_each_currency() -> None:
    """Bid for EUR: 1.0800 x (1 - 0.01) = 1.0692. 100.00 EUR x 1.0692 = 106.92 USD."""
    given(BANK, rates(), ANN)
    when(exchange("ann", "ann-usd", 10_000, reference="holiday"))
    then(
        happened(
            Exchanged,
            quote="",
            lines=(Line("EUR", 10_000, "given"), Line("USD", 10_692, "half-even")),
            base="EUR",
            counter="USD",
            rate="1.0692",
            mid="1.080000000000",
            margin="0.01",
            worth=10_000,
            documents=("rates/retail@1",),
            booking_date=TODAY,
            value_date=TODAY,
            reference="holiday",
            postings=(
                Posting("ann", -10_000, "EUR", 90_000),
                Posting("position-eur", 10_000, "EUR", 10_000),
                Posting("position-usd", -10_692, "USD", -10_692),
                Posting("ann-usd", 10_692, "USD", 10_692),
            ),
            positions=(PositionMoved("position-usd", -10_692, -10_000, 0),),
        )
    )
    assert balance("position-usd") == position("position-usd").amount == -10_692


def test_a_quote_holds_until_it_expires_and_is_used_once() -> None:
    given(BANK, rates(), ANN, quote("q1", "EUR", "USD", 10_000, debit="ann"), rates(version=2))
    when(exchange("ann", "ann-usd", quote="q1"))
    then(happened(Exchanged, quote="q1", rate="1.0692", documents=("rates/retail@1",)))
    when(exchange("ann", "ann-usd", quote="q1"))
    then(rejected("quote_used", quote="q1"))
    when(quote("q2", "EUR", "USD", 10_000, debit="ann"), later(ms=60_000))
    when(exchange("ann", "ann-usd", quote="q2"))
    then(rejected("quote_expired", quote="q2"))
    assert QuoteExpired in [type(one) for one in story().events()]


def test_a_quote_may_fix_what_is_bought_and_is_given_before_the_accounts_are_known() -> None:
    """To get 100.00 USD: 100.00 / 1.0692 = 93.5278 EUR."""
    given(BANK, rates(), ANN)
    when(quote("q", "EUR", "USD", buy_amount=10_000, party="p-ann"))
    then(
        happened(
            QuoteGiven,
            party="p-ann",
            lines=(Line("EUR", 9_353, "half-even"), Line("USD", 10_000, "given")),
            rate="1.0692",
            margin="0.01",
            documents=("rates/retail@1",),
            expires_at_ms=story().now + 60_000,
        )
    )
    when(exchange("ann", "ann-usd", quote="q"))
    then(happened(Exchanged, lines=(Line("EUR", 9_353, "half-even"), Line("USD", 10_000, "given"))))


def test_a_quote_holds_no_longer_than_the_table_allows_and_may_hold_for_less() -> None:
    given(BANK, rates(), ANN)
    for asked_ms, until_ms in ((1_000, 1_000), (3_600_000, 60_000)):
        at_ms = story().now + 1
        when(quote(f"for-{asked_ms}", "EUR", "USD", 10_000, expires_at_ms=at_ms + asked_ms))
        then(happened(QuoteGiven, expires_at_ms=at_ms + until_ms))


def test_a_quote_that_nobody_uses_is_forgotten_but_for_why_it_is_gone() -> None:
    given(BANK, rates(), ANN, quote("q", "EUR", "USD", 10_000), later(ms=60_000))
    when(exchange("ann", "ann-usd", 1_000))
    assert not story().book.fx.quotes
    assert story().book.fx.ended == {"q": "expired"}


@pytest.mark.by_hand
def test_of_quotes_that_are_gone_the_newest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fx, "REMEMBERED_QUOTES", 2)
    given(BANK, rates(), ANN)
    for name in ("one", "two", "three"):
        when(quote(name, "EUR", "USD", 1_000, party="p-ann"), exchange("ann", "ann-usd", quote=name))
    assert list(story().book.fx.ended) == ["two", "three"]
    when(exchange("ann", "ann-usd", quote="one"))
    then(rejected("quote_not_found"))


def test_fees_are_postings_of_their_own_and_limits_count_what_is_sold() -> None:
    given(
        BANK,
        internal("fees", "income"),
        rates(),
        limits("most", limit("day", 15_000)),
        tariff("prices", fee("fx", rate="0.002", only={"movements": ["exchange"]})),
        product("giro", limits=["most"], tariff="prices"),
        account("ann", 50_000, product="giro"),
        account("ann-usd", currency="USD", party_id="p-ann"),
    )
    when(exchange("ann", "ann-usd", 10_000))
    (event,) = then(happened(Exchanged))
    assert isinstance(event, Exchanged)
    assert [(one.account, one.amount) for one in event.postings[4:]] == [("ann", -20), ("fees", 20)]
    assert [(one.tariff, one.line, one.amount) for one in event.fees] == [("prices", "fx", 20)]
    assert [one.amount for one in event.uses] == [10_000]
    when(exchange("ann", "ann-usd", 5_001))
    then(rejected("limit_exceeded"))


def test_the_banks_own_accounts_exchange_at_a_table_of_their_own() -> None:
    given(
        BANK,
        rates(),
        rates(table(pair("EUR/USD", "1.10")), of="market"),
        ANN,
        exchange("ann", "ann-usd", 10_000, table="retail"),
    )
    assert position("position-usd").amount == -10_692
    when(exchange("nostro-usd", "nostro", 10_692, table="market"))
    (event,) = then(happened(Exchanged, rate="1.1000", documents=("rates/market@1",)))
    assert isinstance(event, Exchanged)
    # What was sold for 100.00 EUR was bought for 97.20: 2.80 gained, and no position is left.
    assert event.positions == (PositionMoved("position-usd", 0, 0, -(9_720 - 10_000)),)


def test_who_has_a_scope_exchanges_within_it() -> None:
    given(
        BANK,
        rates(),
        ANN,
        account("bob", 9_000),
        account("bob-usd", currency="USD", party_id="p-bob"),
        role("owner", Exchange, RequestQuote, scope=Scope(own_party=True)),
        role("small", Exchange, RequestQuote, scope=Scope(amounts={"EUR": 1_000})),
        user("anna", of_party="p-ann", roles=["owner"]),
        user("tina", roles=["small"]),
    )
    when(
        exchange("ann", "ann-usd", 2_000).by("anna"), quote("q1", "EUR", "USD", 2_000, debit="ann").by("anna")
    )
    then(happened(QuoteGiven))
    when(exchange("bob", "bob-usd", 2_000).by("anna"))
    then(rejected("not_permitted"))
    when(quote("q2", "EUR", "USD", 2_000, party="p-bob").by("anna"))
    then(rejected("not_permitted"))
    when(exchange("bob", "bob-usd", 1_000).by("tina"))
    then(happened(Exchanged))
    for too_much in (
        exchange("bob", "bob-usd", 1_001),
        exchange("ann", "ann-usd", quote="q1"),
        exchange("bob", "bob-usd", buy_amount=1),
        quote("q3", "EUR", "USD", 1_001),
    ):
        when(too_much.by("tina"))
        then(rejected("not_permitted"))


# --- under approval ---------------------------------------------------------------------------------------

CHECKED: Word = [
    staff(),
    role("dealer", Exchange),
    grant("mia", "dealer"),
    policy(line("Exchange")),
    BANK,
]


def test_an_exchange_that_waits_shows_its_rate_and_table_and_reserves_what_is_sold() -> None:
    given(CHECKED, rates(), ANN)
    when(exchange("ann", "ann-usd", 10_000).by("mia"))
    (asked,) = then(happened(ApprovalRequested))
    assert isinstance(asked, ApprovalRequested)
    assert asked.terms.rates[:1] == ("1.0692",)
    assert asked.terms.documents == {"rates/retail": "1"}
    assert [(one.account, one.amount) for one in asked.reserves] == [("ann", 10_000)]
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(Exchanged, rate="1.0692"))


def test_another_rate_than_was_shown_is_approved_anew() -> None:
    given(CHECKED, rates(), ANN)
    when(exchange("ann", "ann-usd", 10_000).by("mia"))
    when(rates(table(pair("EUR/USD", "1.09"), EURJPY, EURKWD, revaluation=REVALUATION), 2))
    when(approve("cora"))
    (_, changed) = then(happened(ApprovalGiven), happened(TermsChanged))
    assert isinstance(changed, TermsChanged)
    assert (changed.terms.rates[0], changed.terms.documents) == ("1.0900", {"rates/retail": "2"})
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(Exchanged, rate="1.0900"))


def test_a_quote_keeps_its_rate_while_it_waits_and_not_beyond_its_time() -> None:
    given(CHECKED, rates(), ANN, quote("q", "EUR", "USD", 10_000, debit="ann"))
    when(exchange("ann", "ann-usd", quote="q").by("mia"))
    when(rates(table(pair("EUR/USD", "1.09"), EURJPY, EURKWD, revaluation=REVALUATION), 2))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(Exchanged, rate="1.0692"))
    when(quote("late", "EUR", "USD", 10_000, debit="ann"))
    when(exchange("ann", "ann-usd", quote="late").by("mia"), later(ms=60_000))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(ApprovalFailed, reason="quote_expired"))


# --- rejections -------------------------------------------------------------------------------------------

SMALLEST = {"EUR": 100, "USD": 500}
FAULTS: list[Word] = [
    BANK,
    rates(table(pair("EUR/USD", "1.08", minimum=SMALLEST), pair("EUR/JPY", "168"))),
    rates(table(pair("EUR/USD", "0.4", minimum=SMALLEST), scale=0), of="coarse"),
    limits("most", limit("day", 5_000)),
    product("limited", limits=["most"]),
    product("savings", pays=["transfer"], receives=["transfer"]),
    ANN,
    account("ann-usd-savings", currency="USD", party_id="p-ann", product="savings"),
    account("ann-limited", 9_000, party_id="p-ann", product="limited"),
    account("ann-closed", party_id="p-ann"),
    closed("ann-closed"),
    account("ann-barred", 9_000, party_id="p-ann"),
    account("ann-usd-barred", currency="USD", party_id="p-ann"),
    block("ann-barred", "b"),
    block("ann-usd-barred", "b"),
    account("bob", 1),
    account("carl", 9_000),
    account("carl-usd", currency="USD", party_id="p-carl"),
    party_becomes("p-carl", "blocked"),
    account("ann-usd-full", 2**63 - 1, currency="USD", party_id="p-ann"),
    quote("live", "EUR", "USD", 1_000, debit="ann", table="retail"),
    quote("used", "EUR", "USD", 1_000, debit="ann", credit="ann-usd", table="retail"),
    exchange("ann", "ann-usd", quote="used"),
    quote("old", "EUR", "USD", 1_000, debit="ann", table="retail", expires_at_ms=BEGAN_MS + 30_000),
    later(ms=30_000),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("quote_exists", quote("live", "EUR", "EUR", party="nobody", debit="nobody")),
    ("quote_exists", quote("old", "EUR", "EUR", party="nobody", debit="nobody")),
    ("party_not_found", quote("q", "EUR", "EUR", party="nobody", debit="nobody")),
    ("account_not_found", quote("q", "EUR", "EUR", party="p-bob", debit="nobody", credit="ann-closed")),
    ("account_not_open", quote("q", "USD", "USD", party="p-bob", debit="ann-closed", credit="ann")),
    ("account_kind_mismatch", quote("q", "USD", "USD", party="p-bob", debit="position-eur")),
    ("currency_mismatch", quote("q", "USD", "USD", party="p-bob", debit="ann")),
    ("not_of_party", quote("q", "EUR", "EUR", party="p-bob", debit="ann")),
    ("not_of_party", quote("q", "EUR", "EUR", debit="ann", credit="bob")),
    ("not_of_party", quote("q", "EUR", "EUR", debit="nostro", credit="bob")),
    ("same_currency", quote("q", "EUR", "EUR", expires_at_ms=1)),
    ("amount_unclear", quote("q", "EUR", "USD", expires_at_ms=1)),
    ("amount_unclear", quote("q", "EUR", "USD", 1, buy_amount=1, expires_at_ms=1)),
    ("expiry_in_past", quote("q", "EUR", "USD", 1, expires_at_ms=1)),
    ("below_minimum", quote("q", "EUR", "USD", 99, table="coarse")),
    ("below_minimum", quote("q", "EUR", "USD", buy_amount=499, table="coarse")),
    ("rate_unavailable", quote("q", "EUR", "USD", 100, table="coarse")),
    ("rate_unavailable", quote("q", "EUR", "USD", 100)),
    ("rate_unavailable", quote("q", "EUR", "KWD", 100, table="retail")),
    ("below_minimum", quote("q", "EUR", "USD", 462, table="retail")),
    ("below_minimum", quote("q", "USD", "EUR", buy_amount=100, table="retail")),
    ("overflow", quote("q", "EUR", "USD", 2**63 - 1, table="retail")),
    # accounts
    ("named_in_rates", closed("position-jpy")),
    # exchanges
    ("quote_expired", exchange("nobody", "ann-closed", quote="old")),
    ("quote_used", exchange("nobody", "ann-closed", quote="used")),
    ("quote_not_found", exchange("nobody", "ann-closed", quote="none")),
    ("account_not_found", exchange("nobody", "ann-closed", quote="live")),
    ("account_not_found", exchange("ann-closed", "nobody", quote="live")),
    ("account_not_open", exchange("ann-closed", "position-eur", quote="live")),
    ("account_not_open", exchange("position-eur", "ann-closed", quote="live")),
    ("account_kind_mismatch", exchange("bob", "position-eur", quote="live")),
    ("account_kind_mismatch", exchange("position-eur", "bob", quote="live")),
    ("not_of_party", exchange("bob", "ann", quote="live")),
    ("same_currency", exchange("ann", "ann-limited", quote="live")),
    ("quote_differs", exchange("ann-limited", "ann-usd", quote="live")),
    ("quote_differs", exchange("ann", "ann-usd", 999, quote="live")),
    ("quote_differs", exchange("ann", "ann-usd", buy_amount=1, quote="live")),
    ("quote_differs", exchange("carl", "carl-usd", quote="live")),
    ("amount_unclear", exchange("ann", "ann-usd")),
    ("below_minimum", exchange("carl", "carl-usd", 99, table="coarse")),
    ("rate_unavailable", exchange("carl", "carl-usd", 100, table="coarse")),
    ("below_minimum", exchange("carl", "carl-usd", 462, table="retail")),
    ("overflow", exchange("carl", "carl-usd", 2**63 - 1, table="retail")),
    ("party_not_active", exchange("carl", "carl-usd", 9_001, table="retail")),
    ("account_blocked", exchange("ann-barred", "ann-usd-savings", 9_001, table="retail")),
    ("account_blocked", exchange("ann-limited", "ann-usd-barred", 9_001, table="retail")),
    ("movement_not_allowed", exchange("ann-limited", "ann-usd-savings", 9_001, table="retail")),
    ("movement_not_allowed", exchange("ann-usd-savings", "ann", 9_001, table="retail")),
    ("limit_exceeded", exchange("ann-limited", "ann-usd-full", 9_001, table="retail")),
    ("insufficient_funds", exchange("ann", "ann-usd-full", 100_000, table="retail")),
    ("overflow", exchange("ann", "ann-usd-full", 1_000, table="retail")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*FAULTS)
    when(said)
    then(rejected(reason))
