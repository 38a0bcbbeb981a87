"""Typologies of amounts and of flow: what each tells, once, at its edges, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detection.flows import Flow
from detection.table import TYPOLOGIES
from detection.typologies.pass_through import PassThroughFold
from detection.typologies.spike import SpikeFold
from schemas.alerts import decode_alert, encode_alert
from schemas.documents.typologies import Typologies
from schemas.documents.typologies_of_amounts import Spike
from schemas.documents.typologies_of_flow import FanIn, PassThrough
from schemas.documents.typology import HOUR_MS
from schemas.rail_reports import ReportStatus
from tests.detection_words import kinds, noticed, watched
from tests.flows_made import BEGAN_MS as FLOWS_BEGAN_MS
from tests.flows_made import SOURCE, Names, flow, run
from tests.payment_words import pay, rails, report
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Word,
    account,
    given,
    later,
    party,
    refund,
    rejected,
    reversal,
    story,
    then,
    transfer,
    when,
)

LEAST = {"least": {"EUR": 100_000}}
HOUR = 1 / 24


def move(*legs: tuple[str, str, int], apart_days: float = HOUR) -> list[Word]:
    """Transfers, one after another; the first is named r0."""
    found: list[Word] = []
    for number, (debit, credit, amount) in enumerate(legs):
        found += [transfer(debit, credit, amount, reference=f"r{number}"), later(days=apart_days)]
    return found


def seqs(*numbers: int) -> list[int]:
    return [story().seq_of(f"r{number}") for number in numbers]


def evidence(number: int = 0) -> list[int]:
    return [seen.seq for seen in noticed()[number].evidence]


def test_every_typology_of_a_document_has_a_fold_of_its_name() -> None:
    assert set(TYPOLOGIES) == set(Typologies.__struct_fields__)
    for name, made in TYPOLOGIES.items():
        assert getattr(made, "name", None) == name


# --- aggregation ----------------------------------------------------------------------------------------

THRESHOLD = {"threshold": {"EUR": 1_000_000}}


def test_small_amounts_of_a_party_add_up_over_its_accounts() -> None:
    given(
        party("p"),
        account("one", party_id="p"),
        account("two", party_id="p"),
        watched(aggregation=THRESHOLD),
        move(("nostro", "one", 600_000), ("nostro", "two", 399_999), ("nostro", "two", 1)),
    )
    (alert,) = noticed()
    assert (alert.kind, alert.party, alert.amount) == ("aggregation", "p", 1_000_000)
    assert evidence() == seqs(0, 1, 2)


def test_one_amount_over_the_threshold_is_no_aggregation_and_old_ones_do_not_count() -> None:
    given(account("one"), watched(aggregation=THRESHOLD), move(("nostro", "one", 1_000_000)))
    assert kinds() == []
    given(
        account("one"),
        watched(aggregation=THRESHOLD),
        move(("nostro", "one", 600_000), ("nostro", "one", 600_000), apart_days=1.01),
    )
    assert kinds() == []


def test_a_party_is_told_of_once_within_the_window() -> None:
    given(
        account("one"),
        watched(aggregation=THRESHOLD),
        move(*[("nostro", "one", 600_000)] * 12, apart_days=1 / 12),
    )
    assert kinds() == [("aggregation", "one")]


# --- pass-through ---------------------------------------------------------------------------------------


def test_what_leaves_within_a_day_has_passed_through() -> None:
    given(
        account("payer", balance=500_000),
        account("mule"),
        account("next"),
        watched(pass_through=LEAST),
        move(("payer", "mule", 200_000), ("mule", "next", 100_000), ("mule", "next", 80_000)),
    )
    (alert,) = noticed()
    assert (alert.kind, alert.account, alert.amount) == ("pass_through", "mule", 200_000)
    assert (alert.figures["share_per_mille"], alert.figures["balance_after"]) == (900, 20_000)
    assert evidence() == seqs(0, 1, 2)


def test_a_unit_less_or_a_day_later_is_no_pass_through() -> None:
    for legs, apart in (
        ([("payer", "mule", 200_000), ("mule", "next", 179_999)], HOUR),
        ([("payer", "mule", 200_000), ("mule", "next", 200_000)], 1.01),
        ([("payer", "mule", 99_999), ("mule", "next", 99_999)], HOUR),
    ):
        given(
            account("payer", balance=500_000),
            account("mule"),
            account("next"),
            watched(pass_through=LEAST),
            move(*legs, apart_days=apart),
        )
        assert kinds() == [], legs


def test_who_keeps_a_balance_may_be_left_alone() -> None:
    for left, told in ((1_000, []), (None, [("pass_through", "shop")])):
        given(
            account("payer", balance=500_000),
            account("shop", balance=900_000),
            account("next"),
            later(days=2),
            watched(pass_through={**LEAST, "left": left}),
            move(("payer", "shop", 200_000), ("shop", "next", 200_000)),
        )
        assert kinds() == told


def test_money_that_is_sent_out_has_passed_through_and_what_fails_has_not() -> None:
    cases: tuple[tuple[ReportStatus, list[tuple[str, str]]], ...] = (
        ("settled", [("pass_through", "alice")]),
        ("failed", []),
    )
    for status, told in cases:
        given(
            rails(),
            account("payer", balance=500_000),
            account("alice"),
            watched(pass_through={**LEAST, "share": 950}),
            move(("payer", "alice", 200_000)),
            pay("p1", 100_000),
            report("p1", status),
            later(days=HOUR),
            pay("p2", 100_000),
        )
        assert kinds() == told, status


# --- fans -----------------------------------------------------------------------------------------------


def people(*names: str, balance: int = 300_000) -> list[Word]:
    return [account(name, balance=balance) for name in names]


def test_distinct_payers_are_counted_once_each() -> None:
    given(
        people("a", "b", "c"),
        account("mule"),
        watched(fan_in={**LEAST, "count": 3}),
        move(*[("a", "mule", 40_000)] * 4, ("b", "mule", 40_000), ("c", "mule", 40_000)),
    )
    (alert,) = noticed()
    assert (alert.kind, alert.account, alert.figures["others"]) == ("fan_in", "mule", 3)
    assert alert.amount == 120_000
    assert evidence() == seqs(3, 4, 5)


def test_payers_who_are_too_far_apart_or_pay_too_little_are_no_fan() -> None:
    for amount, apart in ((40_000, 4), (33_333, HOUR)):
        given(
            people("a", "b", "c"),
            account("mule"),
            watched(fan_in={**LEAST, "count": 3}),
            move(("a", "mule", amount), ("b", "mule", amount), ("c", "mule", amount), apart_days=apart),
        )
        assert kinds() == []


def test_distinct_payees_are_counted() -> None:
    given(
        people("source"),
        account("a"),
        account("b"),
        account("c"),
        watched(fan_out={**LEAST, "count": 3}),
        move(*[("source", one, 40_000) for one in ("a", "b", "c")]),
    )
    assert kinds() == [("fan_out", "source")]
    assert evidence() == seqs(0, 1, 2)


def test_a_payer_whose_payment_was_taken_back_does_not_count() -> None:
    given(
        people("a", "b", "c"),
        account("mule"),
        watched(fan_in={**LEAST, "count": 3}),
        move(("a", "mule", 40_000), ("b", "mule", 40_000)),
        reversal("r0"),
        move(("c", "mule", 40_000)),
    )
    assert kinds() == []


def test_an_account_of_another_product_is_left_alone() -> None:
    for setting, told in (
        ({"products": ["current"]}, []),
        ({"but_products": ["merchant"]}, []),
        ({"products": ["merchant"]}, ["fan_in"]),
        ({"but_products": ["current"]}, ["fan_in"]),
    ):
        given(
            people("a", "b"),
            account("shop", product="merchant"),
            watched(fan_in={**LEAST, "count": 2, **setting}),
            move(("a", "shop", 60_000), ("b", "shop", 60_000)),
        )
        assert [kind for kind, _ in kinds()] == told


def test_transfers_between_accounts_of_one_party_are_no_flow() -> None:
    given(
        party("p"),
        account("one", party_id="p"),
        account("two", party_id="p"),
        transfer("nostro", "one", 900_000),
        later(days=2),
        watched(pass_through=LEAST),
        move(("one", "two", 900_000), ("two", "one", 900_000), ("one", "two", 900_000)),
    )
    assert kinds() == []


# --- dormant, then active -------------------------------------------------------------------------------


def test_an_account_that_was_quiet_and_moves_again_is_told_once() -> None:
    given(
        account("old", balance=300_000),
        account("shop"),
        watched(dormant_active={**LEAST, "quiet_days": 30}),
        later(days=30),
        move(("old", "shop", 60_000), ("old", "shop", 60_000), ("old", "shop", 60_000)),
    )
    told = [alert for alert in noticed() if alert.account == "old"]
    assert [(one.kind, one.amount, one.figures["quiet_days"]) for one in told] == [
        ("dormant_active", 120_000, 30)
    ]


def test_an_account_in_use_is_not_dormant() -> None:
    given(
        account("old", balance=300_000),
        account("shop"),
        watched(dormant_active={**LEAST, "quiet_days": 30}),
        move(*[("old", "shop", 60_000)] * 4, apart_days=29.9),
    )
    assert kinds() == []


def test_what_a_woken_account_moves_late_does_not_count() -> None:
    given(
        account("old", balance=300_000),
        watched(dormant_active={**LEAST, "quiet_days": 30, "within_days": 2}),
        later(days=31),
        move(("old", "nostro", 60_000), ("old", "nostro", 60_000), apart_days=2.1),
    )
    assert kinds() == []


# --- spike ----------------------------------------------------------------------------------------------


def test_an_amount_far_above_the_mean_is_a_spike() -> None:
    usual = [10_000, 11_000, 9_000, 10_500, 9_500, 10_000, 11_000, 9_000, 10_500, 9_500]
    for amount, told in ((400_000, [("spike", "alice")]), (12_000, [])):
        given(
            account("alice", balance=900_000),
            watched(spike={"least": {"EUR": 10_000}}),
            move(*[("alice", "nostro", one) for one in (*usual, amount)], apart_days=1),
        )
        assert kinds() == told


def test_the_deviation_is_exact() -> None:
    """Ten amounts of 900 and 1,100 have a mean of 1,000 and a deviation of 100: three of them are 1,300."""
    for amount, told in ((1_300, [("spike", "alice")]), (1_299, [])):
        given(
            account("alice", balance=900_000),
            watched(spike={"least": {"EUR": 1}}),
            move(*[("alice", "nostro", one) for one in (*[900, 1_100] * 5, amount)]),
        )
        assert kinds() == told


def test_who_always_pays_the_same_is_not_told_of_a_cent() -> None:
    for amount, told in ((1_001, []), (1_299, []), (1_300, [("spike", "alice")])):
        given(
            account("alice", balance=900_000),
            watched(spike={"least": {"EUR": 1}}),
            move(*[("alice", "nostro", one) for one in (*[1_000] * 10, amount)]),
        )
        assert kinds() == told


def test_a_short_history_and_small_amounts_are_no_spike() -> None:
    for count, least in ((9, 1), (10, 400_001)):
        given(
            account("alice", balance=900_000),
            watched(spike={"least": {"EUR": least}}),
            move(*[("alice", "nostro", 1_000)] * count, ("alice", "nostro", 400_000)),
        )
        assert kinds() == []


SPIKE = Spike(source=SOURCE, stage="live", least={"EUR": 1}, history_days=10)


def spiked(fold: SpikeFold, *back: Flow) -> tuple[int, int, int, int, int, int]:
    for one in back:
        fold.taken_back(one)
    kept = fold.state.peek("a1")
    assert kept is not None
    return (
        kept.count,
        kept.total,
        kept.squares,
        kept.count_before,
        kept.total_before,
        kept.squares_before,
    )


def test_what_comes_back_leaves_the_period_that_it_was_part_of() -> None:
    at = FLOWS_BEGAN_MS
    old = [flow(seq, at + seq, "a1", "x1", 500) for seq in (1, 2)]
    new = [flow(seq, at + 10 * DAY_MS + seq, "a1", "x1", 300) for seq in (3, 4)]
    fold = SpikeFold(SPIKE, 1)
    for one in (*old, *new):
        assert fold.flow(one, Names()) == ()
    assert spiked(fold) == (2, 600, 180_000, 2, 1_000, 500_000)
    assert spiked(fold, old[0]) == (2, 600, 180_000, 1, 500, 250_000)
    assert spiked(fold, new[1]) == (1, 300, 90_000, 1, 500, 250_000)
    unknown = msgspec.structs.replace(old[0], seq=0)
    assert spiked(fold, unknown) == (1, 300, 90_000, 1, 500, 250_000), "nobody knows which it was"
    fold.flow(flow(5, at + 20 * DAY_MS + 5, "a1", "x1", 700), Names())
    assert spiked(fold, old[1]) == (1, 700, 490_000, 1, 300, 90_000), "it is part of neither any more"


def test_a_transfer_between_accounts_of_one_party_is_no_more_taken_back_than_it_was_counted() -> None:
    given(
        party("p"),
        account("one", balance=900, party_id="p"),
        account("two", party_id="p"),
        account("bob"),
        watched(spike={"least": {"EUR": 1}, "earlier": 5}),
        move(*[("one", "bob", 10)] * 5),
        transfer("one", "two", 20, reference="own"),
        reversal("own"),
        transfer("one", "bob", 13),
    )
    (alert,) = noticed()
    assert (alert.figures["earlier"], alert.figures["mean"]) == (5, 10)


def test_an_alert_says_no_number_that_its_readers_refuse() -> None:
    most = 2**63 - 1
    fold = PassThroughFold(PassThrough(source=SOURCE, stage="live", least={"EUR": 1}), 1)
    made = fold.alert(
        flow(1, FLOWS_BEGAN_MS, "a1", "x1", most),
        party="p1",
        account="a1",
        what=1,
        first_at=FLOWS_BEGAN_MS,
        seqs=[1],
        amount=2 * most,
        confidence=500,
        figures={"sum": 3 * most, "less": -3 * most, "word": "x"},
        words="",
    )
    assert (made.amount, made.figures) == (most, {"sum": most, "less": -most, "word": "x"})
    assert decode_alert(encode_alert(made)) == made


# --- repeated amounts -----------------------------------------------------------------------------------


def repeated(*amounts: int, to: tuple[str, ...] = ("a", "b"), **setting: Any) -> list[tuple[str, str]]:
    given(
        account("alice", balance=900_000),
        account("a"),
        account("b"),
        watched(repeated_amounts={"least": {"EUR": 1_000}, "count": 4, **setting}),
        move(*[("alice", to[number % len(to)], one) for number, one in enumerate(amounts)]),
    )
    return kinds()


def test_nearly_the_same_amounts_are_told_with_others_between_them() -> None:
    assert repeated(10_000, 10_050, 50_000, 9_950, 10_049) == [("repeated_amounts", "alice")]
    assert evidence() == seqs(0, 1, 3, 4)


@pytest.mark.parametrize(
    ("amounts", "to"),
    [
        ((10_000, 10_050, 9_800, 10_049), ("a", "b")),
        ((10_000, 10_000, 10_000), ("a", "b")),
        ((10_000, 10_000, 10_000, 10_000), ("a",)),
        ((999, 999, 999, 999), ("a", "b")),
    ],
)
def test_amounts_that_differ_are_few_small_or_go_to_one_are_not(
    amounts: tuple[int, ...], to: tuple[str, ...]
) -> None:
    assert repeated(*amounts, to=to) == []


# --- what is kept ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pass_through", "fan_in"])
def test_who_is_seen_all_the_time_is_not_forgotten_when_somebody_new_comes(kind: str) -> None:
    """One account for longer than two windows, and then another for the first time."""
    hours = 2 * 24 if kind == "pass_through" else 14 * 24
    flows = [
        flow(seq, FLOWS_BEGAN_MS + seq * HOUR_MS, f"x{seq % 3}", "a1", 10) for seq in range(1, hours + 1)
    ]
    at = FLOWS_BEGAN_MS + (hours + 1) * HOUR_MS
    flows.append(flow(hours + 1, at - 1_000, "x4", "a1", 150_000))
    flows.append(flow(hours + 2, at + 1_000, "x5", "a2", 10))
    if kind == "pass_through":
        flows.append(flow(hours + 3, at + 2_000, "a1", "x6", 150_200))
        typology = TYPOLOGIES[kind](PassThrough(source=SOURCE, least=LEAST["least"]), 1)
    else:
        flows.append(flow(hours + 3, at + 2_000, "x6", "a1", 10))
        typology = TYPOLOGIES[kind](FanIn(source=SOURCE, count=5, least=LEAST["least"]), 1)
    assert [one.account for one in run(typology, flows)] == ["a1"]


# --- documents ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sets", "path"),
    [
        ({}, "give at least one typology"),
        ({"fan_in": {**LEAST, "source": "short"}}, "fan_in.source"),
        ({"fan_in": {"least": {"XXY": 1}}}, "fan_in.least.XXY: there is no currency XXY"),
        ({"fan_in": {"least": {}}}, "fan_in.least"),
        ({"fan_in": {**LEAST, "count": 1}}, "fan_in.count"),
        ({"fan_in": {**LEAST, "channels": ["a", "a"]}}, "fan_in.channels[1]"),
        ({"fan_in": {**LEAST, "products": ["a"], "but_products": ["b"]}}, "fan_in.but_products"),
        ({"fan_inn": LEAST}, "fan_inn"),
        ({"structuring": {"threshold": {"EUR": -1}}}, "structuring.threshold.EUR"),
        ({"pass_through": {**LEAST, "share": 1_001}}, "pass_through.share"),
    ],
)
def test_what_is_wrong_with_a_document_is_said_with_its_path(sets: dict[str, Any], path: str) -> None:
    given()
    when(watched(**sets))
    (event,) = then(rejected("document_invalid"))
    assert path in str(event)


def test_a_typology_stands_in_one_document() -> None:
    given(watched(fan_in=LEAST))
    when(watched(fan_in=LEAST, name="other"))
    (event,) = then(rejected("document_invalid"))
    assert "fan_in: stands in typologies/watch already" in str(event)
    given(watched(fan_in={**LEAST, "stage": "off"}), watched(fan_in=LEAST, name="other"))
    given(watched(fan_in=LEAST), watched(fan_in=LEAST, version=2))


def test_a_document_is_in_force_from_its_time_on() -> None:
    given(
        people("a", "b"),
        account("mule"),
        watched(fan_in={**LEAST, "count": 2}, at=story_time(1)),
        move(("a", "mule", 60_000), ("b", "mule", 60_000)),
        later(days=1),
        move(("a", "mule", 60_000), ("b", "mule", 60_000)),
    )
    assert kinds() == [("fan_in", "mule")]


def story_time(days: int) -> int:
    return BEGAN_MS + days * DAY_MS


def test_a_part_that_is_given_back_changes_nothing() -> None:
    given(
        people("a", "b"),
        account("mule"),
        watched(fan_in={**LEAST, "count": 2}),
        move(("a", "mule", 60_000)),
        refund("r0", 10_000),
        move(("b", "mule", 60_000)),
    )
    assert [kind for kind, _ in kinds()] == ["fan_in"]
