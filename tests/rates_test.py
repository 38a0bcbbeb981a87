"""Tables of rates: what is wrong with one, and what it says about two currencies, worked out by hand."""

from __future__ import annotations

import decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from book import rates as tables
from book.rates import RatesInForce
from commands.rates import exact, lines_of, mid_of, priced
from schemas.books import RegisterAsset
from schemas.documents.kinds import known, read
from schemas.exchange import Line
from tests import story as told
from tests.currencies_words import (
    BANK,
    EURJPY,
    EURKWD,
    EURUSD,
    REVALUATION,
    USUAL,
    exchange,
    pair,
    rates,
    table,
)
from tests.story import account, happened, internal, rejected, say, then, when

# --- documents --------------------------------------------------------------------------------------------


def changed(**fields: Any) -> dict[str, Any]:
    return {**USUAL, **fields}


def with_pair(**fields: Any) -> dict[str, Any]:
    return changed(pairs=[{**EURUSD, **fields}, EURJPY, EURKWD])


PROBLEMS = [
    (with_pair(mid=1.08), "pairs[0].mid: write a rate as text"),
    (with_pair(mid="1e3"), "pairs[0].mid: must be a decimal number"),
    (with_pair(mid="0"), "pairs[0].mid: 0 is not above zero"),
    (with_pair(mid="-1.08"), "pairs[0].mid: -1.08 is not above zero"),
    (with_pair(quote="EUR"), "pairs[0]: EUR is not exchanged for itself"),
    (changed(pairs=[EURUSD, EURJPY, EURKWD, EURUSD]), "pairs[3]: EUR and USD are a pair already: pairs[0]"),
    (
        changed(pairs=[EURUSD, EURJPY, EURKWD, pair("USD/EUR", "0.9")]),
        "pairs[3]: USD and EUR are a pair already: pairs[0]",
    ),
    (
        with_pair(margin={"buy": "-0.02", "sell": "0.01"}),
        "pairs[0].margin: crossed: the bank would buy at 1.101600 and sell for less, at 1.090800",
    ),
    (
        with_pair(margin={"buy": "-0.01", "sell": "0.02"}),
        "pairs[0].margin.buy: -0.01 is not from 0 to below 1",
    ),
    (with_pair(margin={"buy": "1", "sell": "0"}), "pairs[0].margin.buy: 1 is not from 0 to below 1"),
    (
        with_pair(segments={"vip": {"buy": "0", "sell": "-0.1"}}),
        "pairs[0].segments.vip: crossed: the bank would buy at 1.0800 and sell for less, at 0.97200",
    ),
    (with_pair(minimum={"JPY": 1}), "pairs[0].minimum.JPY: a minimum is in EUR or USD"),
    (with_pair(minimum={"EUR": 0}), "pairs[0].minimum.EUR"),
    (table(EURUSD, pair("EUR/XXX", "2")), "pairs[1].quote: there is no currency XXX"),
    (changed(positions={"EUR": "position-eur"}), "positions: USD has no position account"),
    (
        changed(positions={**USUAL["positions"], "CHF": "nostro"}),
        "positions.CHF: CHF stands in no pair",
    ),
    (
        changed(positions={**USUAL["positions"], "USD": "nobody"}),
        "positions.USD: there is no open account nobody",
    ),
    (
        changed(positions={**USUAL["positions"], "USD": "nostro-usd"}),
        "positions.USD: nostro-usd is of kind nostro, not fx_position",
    ),
    (
        changed(positions={**USUAL["positions"], "USD": "position-jpy"}),
        "positions.USD: position-jpy is kept in JPY, not in USD",
    ),
    (changed(through="CHF"), "through: CHF stands in no pair"),
    (
        table(EURUSD, pair("USD/JPY", "155"), through=None),
        "pairs: JPY has no rate to EUR, in which positions are kept",
    ),
    (changed(scale=13), "scale: must be 12 or less, and is 13"),
    (changed(quote_valid_s=0), "quote_valid_s: must be 1 or more, and is 0"),
    (changed(pairs=[]), "pairs: "),
    (
        changed(revaluation={**REVALUATION, "income": "fx-losses"}),
        "revaluation.income: fx-losses is of kind expense, not income",
    ),
    (
        changed(revaluation={**REVALUATION, "contra": "position-eur"}),
        "revaluation.contra: position-eur is a position",
    ),
    (changed(colour="red"), "colour: "),
]


@pytest.mark.parametrize(("body", "problem"), PROBLEMS)
def test_what_is_wrong_with_a_table_is_refused_with_its_path(body: dict[str, Any], problem: str) -> None:
    told.given(BANK)
    when(rates(body))
    (refused,) = then(rejected("document_invalid"))
    assert problem in refused.figures["detail"]  # type: ignore[attr-defined]


def test_one_table_of_a_book_revalues() -> None:
    told.given(BANK, rates())
    when(rates(of="corporate"))
    (refused,) = then(rejected("document_invalid"))
    assert refused.figures["detail"] == "revaluation: rates/retail revalues already"  # type: ignore[attr-defined]


def test_a_currency_with_a_position_keeps_its_account() -> None:
    told.given(
        BANK,
        internal("other-usd", "fx_position", currency="USD"),
        rates(),
        account("ann", 100_000),
        account("ann-usd", currency="USD", party_id="p-ann"),
        exchange("ann", "ann-usd", 10_000),
    )
    when(rates(changed(positions={**USUAL["positions"], "USD": "other-usd"}), 2))
    (refused,) = then(rejected("document_invalid"))
    assert "positions.USD: position-usd still holds -10692" in refused.figures["detail"]  # type: ignore[attr-defined]
    when(exchange("ann-usd", "ann", 10_692))
    when(rates(changed(positions={**USUAL["positions"], "USD": "other-usd"}), 2))
    then(happened(told_published()))


def told_published() -> type[Any]:
    from schemas.publishing import DocumentPublished

    return DocumentPublished


def test_decoded_the_stored_way_a_table_is_the_one_that_was_checked() -> None:
    checked = read("rates", USUAL)
    assert checked == known("rates", USUAL)


# --- worked examples --------------------------------------------------------------------------------------

GOLD = pair("XGOLD/EUR", "60000", sell="0.01")
HALF = pair("EUR/CHF", "1", buy="0.5")
EXAMPLES = [
    # (what is sold, what is bought, amount, is it what is bought, rate, other amount, rounding)
    # The bank buys EUR at 1.08 x 0.99 = 1.0692: 100.00 x 1.0692 = 106.92.
    ("EUR", "USD", 100_00, False, "1.0692", 106_92, "half-even"),
    # It sells EUR at 1.08 x 1.01 = 1.0908: 100.00 / 1.0908 = 91.6758.
    ("USD", "EUR", 100_00, False, "1.0908", 91_68, "half-even"),
    # To get 100.00 USD: 100.00 / 1.0692 = 93.5278.
    ("EUR", "USD", 100_00, True, "1.0692", 93_53, "half-even"),
    # JPY has no places. 168 x 0.99 = 166.32: 1.00 EUR is 166.32 JPY.
    ("EUR", "JPY", 1_00, False, "166.3200", 166, "half-even"),
    # 0.01 EUR is 1.6632 JPY, half-even 2; at mid it is worth 1.68, so no more than 1.
    ("EUR", "JPY", 1, False, "166.3200", 1, "down"),
    # 2 JPY cost 0.012025 EUR, half-even 0.01; at mid they are worth 0.0119, so no less than 0.02.
    ("EUR", "JPY", 2, True, "166.3200", 2, "up"),
    # It sells EUR at 168 x 1.02 = 171.36: 1000 / 171.36 = 5.8357.
    ("JPY", "EUR", 1_000, False, "171.3600", 5_84, "half-even"),
    # KWD has three places: 12.34 x 0.3325 = 4.10305, and no margin: half-even 4.103.
    ("EUR", "KWD", 12_34, False, "0.3325", 4_103, "half-even"),
    # 0.02 EUR = 0.00665 KWD, half-even 0.007, which is more than mid: 0.006.
    ("EUR", "KWD", 2, False, "0.3325", 6, "down"),
    # A half goes to the even one: 0.03 x 0.5 = 0.015 is 0.02, 0.05 x 0.5 = 0.025 is 0.02.
    ("EUR", "CHF", 3, False, "0.5000", 2, "half-even"),
    ("EUR", "CHF", 5, False, "0.5000", 2, "half-even"),
    ("EUR", "CHF", 7, False, "0.5000", 4, "half-even"),
    # Nine places: 60000 x 1.01 = 60600; 0.01 / 60600 = 0.000000165016.
    ("EUR", "XGOLD", 1, False, "60600.0000", 165, "half-even"),
    # 0.000000001 is 0.006 cents, half-even 0, which is for the caller to refuse.
    ("XGOLD", "EUR", 1, False, "60000.0000", 0, "half-even"),
    # 0.000000167 is 1.002 cents.
    ("XGOLD", "EUR", 167, False, "60000.0000", 1, "half-even"),
    # All that 64 bits hold of JPY: 9223372036854775807 / 171.36 = 53824533361664191.2173...
    ("JPY", "EUR", 2**63 - 1, False, "171.3600", 53_824_533_361_664_191_22, "half-even"),
    # And of KWD, which is beyond 64 bits in XGOLD: 9223372036854775.807 / 0.3325 / 60600.
    ("KWD", "XGOLD", 2**63 - 1, False, "0.0000", None, ""),
    # Across EUR: 166.32 / 1.0908 = 152.47524..., rounded once: 100.00 x 152.4752 = 15247.52.
    ("USD", "JPY", 100_00, False, "152.4752", 15_248, "half-even"),
    # The other way: 1.0692 / 171.36 = 0.0062394..., at four places 0.0062: 10000 x 0.0062 = 62.00.
    ("JPY", "USD", 10_000, False, "0.0062", 62_00, "half-even"),
]


def the_table(*pairs: dict[str, Any], **fields: Any) -> RatesInForce:
    body: Any = known("rates", table(*pairs, **fields))
    return tables.in_force("t", 1, body)


@pytest.mark.parametrize(("sell", "buy", "amount", "bought", "rate", "other", "rounding"), EXAMPLES)
def test_worked_examples(
    sell: str, buy: str, amount: int, bought: bool, rate: str, other: int | None, rounding: str
) -> None:
    told.given(say(RegisterAsset, asset="XGOLD", scale=9, name="Gold"))
    book = told.story().book
    at = priced(the_table(EURUSD, EURJPY, EURKWD, GOLD, HALF), sell, buy, "")
    if other is None:
        assert at is None, "at this scale the rate is zero"
        return
    assert at is not None
    assert at.rate == rate
    lines = lines_of(book, at, sell, buy, None if bought else amount, amount if bought else None)
    of = 0 if bought else 1
    assert lines[of].amount == other
    assert lines[of].rounding == rounding
    assert lines[1 - of] == Line((sell, buy)[1 - of], amount, "given")
    if rounding == "half-even":
        # The same by `decimal`, with as many digits as it takes.
        with decimal.localcontext(decimal.Context(prec=80, rounding=decimal.ROUND_HALF_EVEN)) as context:
            sold_places, bought_places = (places(one) for one in (sell, buy))
            value = context.divide(decimal.Decimal(amount), 10 ** (bought_places if bought else sold_places))
            times = (at.base == sell) != bought
            value = value * decimal.Decimal(at.rate) if times else value / decimal.Decimal(at.rate)
            unit = decimal.Decimal(1).scaleb(-(sold_places if bought else bought_places))
            assert value.quantize(unit) / unit == other


def places(currency: str) -> int:
    return {"JPY": 0, "KWD": 3, "XGOLD": 9}.get(currency, 2)


def test_the_margin_of_a_cross_rate_is_what_both_keep_together() -> None:
    """1 - 0.99 / 1.01 = 0.0198019..."""
    at = priced(the_table(EURUSD, EURJPY), "USD", "JPY", "")
    assert at is not None
    assert (at.base, at.counter, at.margin) == ("USD", "JPY", "0.019801980198")
    assert at.mid == "155.555555555556"


def test_a_segment_has_margins_of_its_own() -> None:
    vip = pair("EUR/USD", "1.08", buy="0.01", sell="0.01", segments={"vip": {"buy": "0.001", "sell": "0"}})
    found = [priced(the_table(vip), "EUR", "USD", segment) for segment in ("vip", "others")]
    assert [one.rate for one in found if one] == ["1.0789", "1.0692"]
    back = priced(the_table(vip), "USD", "EUR", "vip")
    assert back is not None
    assert (back.rate, back.margin) == ("1.0800", "0")


# --- whatever the rates -----------------------------------------------------------------------------------

MIDS = st.decimals("0.00001", "99999", places=5).map(str)
MARGINS = st.decimals("0", "0.2", places=4).map(str)
AMOUNTS = st.integers(1, 10**6) | st.integers(1, 2**62)
PAIRS = [("EUR", "USD"), ("EUR", "JPY"), ("JPY", "KWD"), ("KWD", "EUR"), ("XGOLD", "EUR"), ("JPY", "XGOLD")]


@pytest.fixture(scope="module")
def any_book() -> Any:
    """Any book knows the decimal places of currencies, and this one an asset with nine."""
    from book.books import book_opened  # noqa: F401 - the state is built by hand, as no story is needed
    from book.repeats import Repeats
    from book.state import Book
    from schemas.message import Date

    day = Date(2024, 5, 15)
    return Book(
        id="b", name="B", currency="EUR", time_zone="UTC", clock="commanded", repeats=Repeats(1, 1, 0),
        business_date=day, open_from=day, reversible_days=1, assets={"XGOLD": 9},
    )  # fmt: skip


@settings(max_examples=400)
@given(
    of=st.sampled_from(PAIRS), mid=MIDS, buy=MARGINS, sell=MARGINS, scale=st.integers(0, 12), amount=AMOUNTS,
    bought=st.booleans(), turned=st.booleans(), back_bought=st.booleans(),
)  # fmt: skip
@example(
    of=("EUR", "JPY"), mid="161.29", buy="0", sell="0", scale=2, amount=1, bought=False, turned=True,
    back_bought=False,
)  # fmt: skip
def test_there_and_back_never_makes_money(
    any_book: Any, of: tuple[str, str], mid: str, buy: str, sell: str, scale: int, amount: int, bought: bool,
    turned: bool, back_bought: bool,
) -> None:  # fmt: skip
    """Half-even alone would: 1 JPY is 0.0062 EUR, which is 0.01, which is 1.6 JPY, which is 2."""
    at = the_table(pair("/".join(of), mid, buy=buy, sell=sell), scale=scale, through=None)
    here, there = of[::-1] if turned else of
    out, back = priced(at, here, there, ""), priced(at, there, here, "")
    if out is None or back is None:
        return
    paid, got = lines_of(any_book, out, here, there, None if bought else amount, amount if bought else None)
    if got.amount == 0:
        return
    if back_bought:
        # Whoever would have back what was paid has to give at least what was got.
        given_up, _ = lines_of(any_book, back, there, here, None, paid.amount)
        assert given_up.amount >= got.amount or paid.amount == 0
    else:
        _, returned = lines_of(any_book, back, there, here, got.amount, None)
        assert returned.amount <= paid.amount


@settings(max_examples=300)
@given(
    mids=st.tuples(MIDS, MIDS, MIDS), margins=st.tuples(MARGINS, MARGINS), scale=st.integers(2, 12),
    amount=AMOUNTS, way=st.permutations(["USD", "JPY", "KWD", "EUR"]),
)  # fmt: skip
def test_no_round_trip_across_the_base_makes_money(
    any_book: Any, mids: tuple[str, str, str], margins: tuple[str, str], scale: int, amount: int,
    way: list[str],
) -> None:  # fmt: skip
    pairs = [
        pair(f"EUR/{one}", mid, buy=margins[0], sell=margins[1])
        for one, mid in zip(("USD", "JPY", "KWD"), mids, strict=True)
    ]
    at, held = the_table(*pairs, scale=scale), amount
    for here, there in zip(way, [*way[1:], way[0]], strict=True):
        rate = priced(at, here, there, "")
        if rate is None or not held:
            return
        _, got = lines_of(any_book, rate, here, there, held, None)
        held = got.amount
    assert held <= amount


@settings(max_examples=300)
@given(mids=st.tuples(MIDS, MIDS), scale=st.integers(0, 12))
def test_a_cross_rate_is_exact_and_rounded_once(mids: tuple[str, str], scale: int) -> None:
    at = the_table(pair("EUR/USD", mids[0]), pair("JPY/EUR", mids[1]), scale=scale)
    mid = mid_of(at, "JPY", "USD")
    assert mid == Fraction(mids[1]) * Fraction(mids[0])
    found = priced(at, "JPY", "USD", "")
    if found is None:
        assert round(mid * 10**scale) == 0
    else:
        assert abs(exact(found.rate) - mid) <= Fraction(1, 2 * 10**scale)
        assert exact(found.rate) * 10**scale == round(mid * 10**scale)
