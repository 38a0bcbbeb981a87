"""Tariffs: tables of fees worked by hand with the working shown, and a naive twin in fractions.

Amounts are cents.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from book.planning import fee_plan
from commands.pricing import price
from schemas.documents.kinds import read
from schemas.documents.tariffs import Tariff
from schemas.transfers import TransferPosted
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Word,
    account,
    advance,
    given,
    happened,
    party,
    refund,
    reversal,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import charged, fee, product, tariff


def giro(account_id: str, balance: int = 100_000_000, **fields: Any) -> Word:
    return account(account_id, balance, product="giro", **fields)


def costs(*amounts: int, debit: str = "alice", credit: str = "bob", **fields: Any) -> list[int]:
    """What these transfers cost, all lines together."""
    found = []
    for ((event,),) in (when(transfer(debit, credit, amount, **fields)) for amount in amounts):
        assert isinstance(event, TransferPosted), event
        found.append(sum(one.amount for one in event.fees))
    return found


THREE = [
    {"above": 0, "up_to": 1_000, "flat": 100},
    {"above": 1_000, "up_to": 10_000, "rate": "0.02"},
    {"above": 10_000, "flat": 50, "rate": "0.005"},
]
WORKED: list[tuple[str, dict[str, Any], list[tuple[int, int]]]] = [
    ("flat", {"flat": 35}, [(1, 35), (1_000_000, 35)]),
    (
        "1.5 % with at least 50 and at most 2,000",
        {"rate": "0.015", "least": 50, "most": 2_000},
        [
            (100, 50),  # 1.5 -> the least
            (3_333, 50),  # 49.995 -> the least
            (3_400, 51),  # 51
            (133_333, 2_000),  # 1,999.995 -> 2,000
            (133_400, 2_000),  # 2,001 -> the most
        ],
    ),
    (
        "half to the even cent",
        {"rate": "0.05"},
        [(10, 0), (30, 2), (50, 2), (70, 4), (31, 2)],  # 0.5 -> 0; 1.5 -> 2; 2.5 -> 2; 3.5 -> 4; 1.55 -> 2
    ),
    ("half up", {"rate": "0.05", "rounding": "half_up"}, [(10, 1), (30, 2), (50, 3), (9, 0)]),
    ("up", {"rate": "0.05", "rounding": "up"}, [(1, 1), (20, 1), (21, 2)]),
    ("down", {"rate": "0.05", "rounding": "down"}, [(19, 0), (20, 1), (39, 1)]),
    ("flat and rate: 30 + 1.4 %", {"flat": 30, "rate": "0.014"}, [(1_000, 44), (12_345, 203)]),  # 30 + 172.83
    (
        "whole: the slab of the amount prices all of it",
        {"slabs": {"steps": THREE}},
        [
            (1, 100),
            (1_000, 100),
            (1_001, 20),  # 1,001 x 0.02 = 20.02
            (10_000, 200),  # x 0.02
            (10_001, 100),  # 50 + 10,001 x 0.005 = 100.005
            (20_000, 150),  # 50 + 100
        ],
    ),
    (
        "marginal: each slab prices the part that lies in it",
        {"slabs": {"take": "marginal", "steps": THREE}},
        [
            (1_000, 100),
            (1_100, 102),  # 100 + 100 x 0.02
            (10_000, 280),  # 100 + 9,000 x 0.02
            (20_000, 380),  # 280 + 50 + 10,000 x 0.005
        ],
    ),
]


@pytest.mark.parametrize(("line", "rows"), [one[1:] for one in WORKED], ids=[one[0] for one in WORKED])
def test_prices_worked_by_hand(line: dict[str, Any], rows: list[tuple[int, int]]) -> None:
    given(charged(fee("each", **line)), giro("alice"), account("bob"))
    assert costs(*(amount for amount, _ in rows)) == [expected for _, expected in rows]


def test_prices_by_volume() -> None:
    """Up to 1,000 a month 10 %, then 1 %: whole by where the volume arrives, marginal by its parts."""
    steps = [{"above": 0, "up_to": 1_000, "rate": "0.1"}, {"above": 1_000, "rate": "0.01"}]
    # 600: 60.   600 more arrive at 1,200: whole 600 x 0.01 = 6; marginal 400 x 0.1 + 200 x 0.01 = 42.
    # 100 more: 100 x 0.01 = 1.
    for take, expected in (("whole", [60, 6, 1]), ("marginal", [60, 42, 1])):
        given(
            charged(fee("each", slabs={"of": "month_volume", "take": take, "steps": steps})),
            giro("alice"),
            account("bob"),
        )
        assert costs(600, 600, 100) == expected
        when(advance(BEGAN_MS + 17 * DAY_MS))  # 1 June
        assert costs(1_000) == [100]


def test_a_package_is_free_until_it_is_used_up_in_each_month() -> None:
    given(
        charged(
            fee("in", flat=10, package="basic", only={"channels": ["branch"]}),
            fee("out", flat=20, package="basic", only={"channels": ["online"]}),
            packages=[{"id": "basic", "units": 3, "every": "month"}],
        ),
        giro("alice"),
        account("bob", 100),
    )
    assert costs(1, channel="branch") + costs(1, channel="online") == [0, 0]
    when(transfer("alice", "bob", 5, channel="online", reference="third"))
    assert costs(1, channel="online") + costs(1, channel="branch") == [20, 10]
    when(reversal("third"))  # its unit comes back
    assert costs(1, 1, channel="online") == [0, 20]
    when(advance(BEGAN_MS + 17 * DAY_MS))
    assert costs(1, 1, 1, 1, channel="online") == [0, 0, 0, 20]


def test_a_volume_stays_within_64_bits_however_often_money_goes_round() -> None:
    """6 + 6 quintillions are more than 9.2; read models and snapshots hold no more than that."""
    steps = [{"above": 0, "flat": 1}]
    most = 2**63 - 1
    given(
        charged(fee("each", slabs={"of": "month_volume", "steps": steps})),
        account("alice", 6 * 10**18 + 10, product="giro"),
        account("bob"),
    )
    for _ in range(2):
        when(transfer("alice", "bob", 6 * 10**18))
        then(happened(TransferPosted))
        when(transfer("bob", "alice", 6 * 10**18, reference="back"))
    (usage,) = (the_account("alice").usage or {}).values()
    assert usage.total == most


def test_a_refund_takes_the_volume_down_but_not_the_fee() -> None:
    steps = [{"above": 0, "up_to": 1_000, "rate": "0.1"}, {"above": 1_000, "rate": "0.01"}]
    given(
        charged(fee("each", slabs={"of": "month_volume", "steps": steps})),
        giro("alice"),
        account("bob", 1_000),
    )
    when(transfer("alice", "bob", 900, reference="one"), refund("one", 800))
    assert costs(900) == [90]  # 100 + 900 = 1,000, still in the first slab


def test_lines_by_channel_corridor_amount_and_time_and_the_first_of_a_group() -> None:
    given(
        charged(
            fee("night", group="price", flat=9, only={"from_time": "22:00", "to_time": "06:00"}),
            fee("abroad", group="price", flat=7, only={"corridors": ["DE-US"]}),
            fee("young", group="price", flat=5, waived_for={"segments": ["young"]}, only={"least": 100}),
            fee("rest", group="price", flat=3),
            fee("paper", flat=100, only={"channels": ["branch"]}),
            fee("other", flat=1_000, only={"movements": ["payment_out"]}),
        ),
        giro("alice"),
        party("p-carl", segment="young"),
        giro("carl", party_id="p-carl"),
        account("bob"),
    )
    assert costs(99, 100) == [3, 5]
    assert costs(100, corridor="DE-US", channel="branch") == [107]
    assert costs(99, 100, debit="carl") == [3, 0]  # the line that waives it has decided for the group
    when(advance(BEGAN_MS + 12 * 3_600_000))  # 22:00 UTC
    assert costs(100, channel="branch", debit="carl") == [109]


def test_a_party_may_be_waived_by_name() -> None:
    given(
        charged(fee("each", flat=9, waived_for={"parties": ["p-alice"]})),
        giro("alice"),
        giro("carl"),
        account("bob"),
    )
    assert costs(5) + costs(5, debit="carl") == [0, 9]


def test_a_new_version_charges_from_its_time_on_and_says_so() -> None:
    given(charged(fee("each", flat=9)), giro("alice"), account("bob"))
    when(tariff("prices", fee("each", flat=4), version=3, effective_from_ms=BEGAN_MS + DAY_MS))
    assert costs(5) == [9]
    when(advance(BEGAN_MS + DAY_MS))
    ((event,),) = when(transfer("alice", "bob", 5))
    assert isinstance(event, TransferPosted)
    assert [(one.version, one.amount) for one in event.fees] == [(3, 4)]


def test_a_product_in_another_currency_has_lines_of_its_own() -> None:
    given(charged(fee("each", flat=9)), account("alice", 500, currency="USD", product="giro"))
    ((event,),) = when(transfer("alice", "nostro-usd", 5, currency="USD"))
    assert isinstance(event, TransferPosted)
    assert event.fees == ()


# --- a naive twin -----------------------------------------------------------------------------------------

RATES = st.tuples(st.integers(0, 2), st.integers(1, 12), st.integers(0, 10**12)).map(
    lambda one: f"{one[0]}.{one[2] % 10 ** one[1]:0{one[1]}d}"
)
FLATS = st.integers(0, 500)


@st.composite
def priced(draw: st.DrawFn) -> dict[str, Any]:
    """A line of any price."""
    line: dict[str, Any] = fee("each", flat=draw(FLATS), rate=draw(RATES))
    line["rounding"] = draw(st.sampled_from(["half_even", "half_up", "up", "down"]))
    line["least"] = draw(st.sampled_from([0, 1, 77]))
    line["most"] = draw(st.sampled_from([None, 100, 5_000]))
    edges = sorted(draw(st.sets(st.integers(1, 3_000), max_size=3)))
    steps = [
        {"above": above, "up_to": up_to, "flat": draw(FLATS), "rate": draw(RATES)}
        for above, up_to in zip([0, *edges], [*edges, None], strict=True)
    ]
    of = draw(st.sampled_from(["amount", "month_volume", None]))
    if of is not None:
        line["slabs"] = {"of": of, "take": draw(st.sampled_from(["whole", "marginal"])), "steps": steps}
    return line


def naive(line: dict[str, Any], amount: int, before: int) -> int:
    """The price by its definition, in fractions. before: what was moved in the period before."""
    exact = Fraction(line["flat"]) + Fraction(line["rate"]) * amount
    if slabs := line.get("slabs"):
        begin = before if slabs["of"] != "amount" else 0
        for step in slabs["steps"]:
            top = step["up_to"] or 10**30
            cents = [max(begin, step["above"]), min(begin + amount, top)]
            inside = max(0, cents[1] - cents[0])
            if slabs["take"] == "marginal" and inside:
                exact += step["flat"] + Fraction(step["rate"]) * inside
            if slabs["take"] == "whole" and step["above"] < begin + amount <= top:
                exact += step["flat"] + Fraction(step["rate"]) * amount
    exact = max(exact, Fraction(line["least"]))
    exact = exact if line["most"] is None else min(exact, Fraction(line["most"]))
    floor = exact.numerator // exact.denominator
    match line["rounding"]:
        case "half_even":
            return round(exact)  # Fraction rounds half to even
        case "half_up":
            return floor + (exact - floor >= Fraction(1, 2))
        case "up":
            return floor + (exact > floor)
        case _:
            return floor


@settings(max_examples=500, deadline=None)
@given_any(priced(), st.integers(1, 10**6) | st.integers(1, 5_000), st.integers(0, 4_000))
def test_the_price_is_what_fractions_say(line: dict[str, Any], amount: int, before: int) -> None:
    body = read("tariff", {"lines": [line]})
    if isinstance(body, list):  # such as nothing to pay at all
        return
    assert isinstance(body, Tariff)
    plan = fee_plan("prices", 1, body.lines[0], body)
    moved = before + amount if plan.volume_key else 0
    assert price(plan, amount, moved) == naive(line, amount, before)


@settings(max_examples=60, deadline=None)
@given_any(priced(), st.lists(st.tuples(st.integers(1, 2_000), st.booleans()), min_size=1, max_size=8))
def test_the_income_account_has_what_the_twin_adds_up(
    line: dict[str, Any], moves: list[tuple[int, bool]]
) -> None:
    if isinstance(read("tariff", {"lines": [line]}), list):
        return
    given(charged(line), giro("alice"), giro("carl"), account("bob"))
    total, moved = 0, {"alice": 0, "carl": 0}
    for amount, alices in moves:
        debit = "alice" if alices else "carl"
        expected = naive(line, amount, moved[debit])
        moved[debit] += amount
        assert costs(amount, debit=debit) == [expected]
        total += expected
    assert story().book.accounts["fees"].booked == total
    assert story().book.accounts["bob"].booked == sum(amount for amount, _ in moves)
    story().check()


# --- what is refused before it is stored ------------------------------------------------------------------

LINE = fee("each", flat=5)
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("unknown field", {**LINE, "percent": "1"}, "lines[0].percent: there is no such field"),
    ("a float", {**LINE, "rate": 0.01}, "lines[0].rate: write a rate as text"),
    ("negative", {**LINE, "rate": "-0.01"}, "lines[0].rate: must not be negative"),
    ("no price", fee("each"), "lines[0]: give it a price: flat, rate, slabs or least"),
    ("most below least", {**LINE, "least": 9, "most": 8}, "lines[0].most: must be 9 or more"),
    (
        "overlapping slabs",
        fee("each", slabs={"steps": [{"up_to": 10, "flat": 1}, {"above": 9, "flat": 2}]}),
        "lines[0].slabs.steps[1].above: overlaps the slab before it: must be 10",
    ),
    (
        "a gap between slabs",
        fee("each", slabs={"steps": [{"up_to": 10, "flat": 1}, {"above": 11, "flat": 2}]}),
        "lines[0].slabs.steps[1].above: leaves a gap after the slab before it: must be 10",
    ),
    (
        "slabs that end",
        fee("each", slabs={"steps": [{"up_to": 10, "flat": 1}]}),
        "lines[0].slabs.steps[0].up_to: leave it out in the last slab",
    ),
    ("no such package", {**LINE, "package": "none"}, "lines[0].package: there is no package none"),
    (
        "no such income",
        {**LINE, "income": "alice"},
        "lines[0].income: there is no open account alice of kind",
    ),
    ("another currency", {**LINE, "currency": "USD"}, "lines[0].income: fees is kept in EUR"),
    ("no such currency", {**LINE, "currency": "XXX"}, "lines[0].currency: there is no currency XXX"),
]


@pytest.mark.parametrize(("line", "said"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_a_wrong_tariff_is_refused_with_the_path_and_the_reason(line: dict[str, Any], said: str) -> None:
    given(charged(LINE), account("alice"))
    ((event,),) = when(tariff("prices", line, version=2))
    assert event.reason == "document_invalid"  # type: ignore[attr-defined]
    assert said in event.figures["detail"]  # type: ignore[attr-defined]


def test_a_tariff_in_a_currency_that_its_product_cannot_have_is_refused_from_both_sides() -> None:
    given(charged(LINE, currencies=["EUR"]))
    when(product("dollars", currencies=["USD"], tariff="prices"))
    assert "tariff: prices: lines[0] is in EUR" in story().last[0].figures["detail"]  # type: ignore[attr-defined]
