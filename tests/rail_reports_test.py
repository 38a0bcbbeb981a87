"""What rails answer: every answer in every state has its meaning, and none moves money twice."""

from __future__ import annotations

import itertools

import pytest

from schemas.accounts import AccountClosed
from schemas.fees import Fee
from schemas.fields import INT64_MAX
from schemas.rail_reports import (
    PaymentAccepted,
    PaymentFailed,
    PaymentReturned,
    PaymentSettled,
    RecallRefused,
    RepairNeeded,
    ReportPayment,
    ReportStatus,
)
from schemas.rejections import CommandRejected, Reason
from tests.payment_words import (
    HOUR_MS,
    cancel,
    pay,
    rail,
    rail_of,
    rails,
    recall,
    repair,
    repairers,
    report,
    stop,
    the_payment,
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
    happened,
    internal,
    later,
    rejected,
    say,
    story,
    system,
    then,
    transfer,
    when,
)
from tests.terms_words import fee, limit, limits, product, tariff, waived

TICK = transfer("nostro", "ticker", 1)


def world(balance: int = 100) -> Word:
    return [account("alice", balance), account("ticker"), rails(), repairers()]


def money() -> tuple[int, int, int, int]:
    """Alice's, in transit, suspense, and at the nostro since the story began."""
    return (
        balance("alice"),
        balance("sepa-transit"),
        balance("sepa-suspense"),
        balance("nostro") + 100 + balance("ticker"),
    )


# --- the usual ways ---------------------------------------------------------------------------------------


def test_a_rail_accepts_and_settles() -> None:
    given(world(), pay("p1", 60))
    when(report("p1", "accepted", ref="x9"))
    then(happened(PaymentAccepted, rail_reference="x9", answer_by_ms=story().now + HOUR_MS))
    assert money() == (40, 60, 0, 0)
    when(report("p1", "settled", 60, ref="x9"))
    (event,) = then(happened(PaymentSettled, late=False, amount=60, rail_reference="x9"))
    assert isinstance(event, PaymentSettled)
    assert [(one.entry, one.amount, one.state) for one in event.expected] == [("p1", 60, "booked")]
    assert money() == (40, 0, 0, 60)


def test_what_fails_is_given_back_with_its_fee_and_its_limit() -> None:
    given(
        account("ticker"),
        internal("fees", "income"),
        limits("tight", limit("daily", 60)),
        tariff("prices", fee("sepa", flat=5)),
        product("giro", limits=["tight"], tariff="prices"),
        account("alice", 100, product="giro"),
        rails(),
        pay("p1", 60),
    )
    when(report("p1", "failed", reason="no such account"))
    (event,) = then(happened(PaymentFailed, amount=60, credited="alice", reason="no such account"))
    assert isinstance(event, PaymentFailed)
    assert event.fees == (Fee("prices", 1, "sepa", "alice", "fees", 5, "EUR"),)
    assert [(one.entry, one.state) for one in event.expected] == [("p1", "withdrawn")]
    assert (balance("alice"), balance("fees"), balance("sepa-transit")) == (100, 0, 0)
    when(pay("p2", 60), report("p2", "settled"))
    then(happened(PaymentSettled))


def test_what_comes_back_comes_in_parts_and_never_exceeds_the_payment() -> None:
    given(world(), pay("p1", 60), report("p1", "settled"))
    when(report("p1", "returned", 20, "r1", reason="account closed"))
    then(happened(PaymentReturned, amount=20, returned_after=20, credited="alice", recalled=False))
    when(report("p1", "returned", 41, "r2"))
    then(rejected("return_exceeds_payment", left=40, wanted=41))
    assert the_payment("p1").status == "settled"
    when(report("p1", "returned", ref="r3"))
    (event,) = then(happened(PaymentReturned, amount=40, returned_after=60))
    assert isinstance(event, PaymentReturned)
    assert [(one.entry, one.amount, one.state) for one in event.expected] == [("p1 return-2", -40, "booked")]
    assert (the_payment("p1").status, money()) == ("returned", (100, 0, 0, 0))
    when(report("p1", "returned", 1, "r4"))
    then(rejected("return_exceeds_payment", left=0, wanted=1))


def test_a_recall_that_is_accepted_brings_everything_back() -> None:
    given(world(), pay("p1", 60), report("p1", "settled"), recall("p1"))
    when(report("p1", "recall_accepted", ref="r1"))
    then(happened(PaymentReturned, amount=60, recalled=True))
    assert (the_payment("p1").status, money()) == ("recalled", (100, 0, 0, 0))


def test_a_recall_before_it_was_settled_gives_back_what_is_in_transit() -> None:
    given(world(), pay("p1", 60), recall("p1"))
    when(report("p1", "recall_accepted", 59))
    then(happened(RepairNeeded, reason="amount_mismatch"))
    when(report("p1", "recall_accepted"))
    (event,) = then(happened(PaymentReturned, amount=60, recalled=True))
    assert isinstance(event, PaymentReturned)
    assert [(one.entry, one.state) for one in event.expected] == [("p1", "withdrawn")]
    assert (the_payment("p1").status, money()) == ("recalled", (100, 0, 0, 0))
    assert the_payment("p1").repair is None


def test_a_recall_that_is_refused_changes_nothing() -> None:
    given(world(), pay("p1", 60), report("p1", "settled"), recall("p1"))
    when(report("p1", "recall_refused", reason="spent"))
    then(happened(RecallRefused, reason="spent"))
    assert (the_payment("p1").status, money()) == ("settled", (40, 0, 0, 60))


# --- silence, and what contradicts itself -----------------------------------------------------------------


def test_silence_sends_a_payment_to_repair_to_the_millisecond() -> None:
    given(world(), pay("p1", 60))
    sent_ms = story().now
    when(later(ms=HOUR_MS - 2), TICK)
    assert the_payment("p1").repair is None
    when(TICK)
    (needed,) = [one for one in story().events() if isinstance(one, RepairNeeded)]
    assert (needed.reason, needed.at, needed.timer) == ("no_answer", sent_ms + HOUR_MS, "payment_silence\np1")


def test_what_was_accepted_may_be_silent_again_for_as_long() -> None:
    given(world(), pay("p1", 60), later(ms=HOUR_MS - 10), report("p1", "accepted"))
    when(later(ms=HOUR_MS - 10), TICK)
    assert the_payment("p1").repair is None
    when(later(ms=10), TICK)
    assert the_payment("p1").repair is not None


@pytest.mark.parametrize("status", ["settled", "failed", "accepted"])
def test_an_answer_takes_a_payment_out_of_repair(status: ReportStatus) -> None:
    given(world(), pay("p1", 60), report("p1", "unknown"))
    assert the_payment("p1").repair is not None
    when(report("p1", status))
    assert the_payment("p1").repair is None


def test_what_settles_after_it_failed_is_borne_by_suspense_and_goes_to_repair() -> None:
    given(world(), pay("p1", 60), report("p1", "failed"))
    when(report("p1", "settled"))
    then(happened(PaymentSettled, late=True), happened(RepairNeeded, reason="settled_after_failed"))
    assert (the_payment("p1").status, money()) == ("disputed", (100, 0, -60, 60))
    when(report("p1", "returned", 20, "r1"))
    then(happened(PaymentReturned, credited="sepa-suspense", returned_after=20))
    when(report("p1", "returned", ref="r2"))
    then(happened(PaymentReturned, credited="sepa-suspense", returned_after=60))
    assert (the_payment("p1").status, the_payment("p1").repair, money()) == ("returned", None, (100, 0, 0, 0))


def test_what_is_returned_has_left_before_though_nobody_said_so() -> None:
    given(world(), pay("p1", 60))
    when(report("p1", "returned", 20, "r1"))
    then(happened(PaymentSettled, late=False), happened(PaymentReturned, amount=20))
    assert (the_payment("p1").status, money()) == ("settled", (60, 0, 0, 40))
    when(report("p1", "settled"))
    then(rejected("already_reported"))


def test_what_is_returned_after_it_failed_goes_through_suspense() -> None:
    given(world(), pay("p1", 60), report("p1", "failed"))
    when(report("p1", "returned", 20, "r1"))
    then(
        happened(PaymentSettled, late=True),
        happened(PaymentReturned, amount=20, credited="sepa-suspense"),
        happened(RepairNeeded, reason="settled_after_failed"),
    )
    assert (the_payment("p1").status, money()) == ("disputed", (100, 0, -40, 40))


def test_what_is_returned_whole_after_it_failed_needs_no_repair() -> None:
    given(world(), pay("p1", 60), report("p1", "failed"))
    when(report("p1", "returned", ref="r1"))
    then(happened(PaymentSettled, late=True), happened(PaymentReturned, amount=60))
    assert (the_payment("p1").status, the_payment("p1").repair, money()) == ("returned", None, (100, 0, 0, 0))


def test_what_settles_after_it_was_recalled_from_transit_is_disputed_too() -> None:
    given(world(), pay("p1", 60), recall("p1"), report("p1", "recall_accepted", ref="r0"))
    when(report("p1", "settled"))
    then(happened(PaymentSettled, late=True), happened(RepairNeeded))
    assert (the_payment("p1").status, the_payment("p1").returned) == ("disputed", 0)
    when(report("p1", "returned", ref="r1"))
    then(happened(PaymentReturned, amount=60, returned_after=60, credited="sepa-suspense"))
    assert money() == (100, 0, 0, 0)


def test_what_fails_after_it_settled_goes_to_repair_and_moves_nothing() -> None:
    given(world(), pay("p1", 60), report("p1", "settled"))
    when(report("p1", "failed"))
    then(happened(RepairNeeded, reason="failed_after_settled"))
    when(report("p1", "failed"))
    then(rejected("already_reported"))
    assert (the_payment("p1").status, money()) == ("settled", (40, 0, 0, 60))


def test_a_settlement_of_another_amount_goes_to_repair_and_moves_nothing() -> None:
    given(world(), pay("p1", 60))
    when(report("p1", "settled", 59))
    then(happened(RepairNeeded, reason="amount_mismatch", detail="settled with 59 of 60"))
    when(report("p1", "settled", 59))
    then(rejected("already_reported"))
    assert money() == (40, 60, 0, 0)


@pytest.mark.parametrize("how", ["closed", "blocked"])
def test_what_the_payer_cannot_be_given_back_goes_to_suspense_and_to_repair(how: str) -> None:
    given(world(), pay("p1", 100))
    when(closed("alice") if how == "closed" else block("alice", "court", "credits"))
    when(report("p1", "failed"))
    then(
        happened(PaymentFailed, account="alice", credited="sepa-suspense"),
        happened(
            RepairNeeded,
            reason="not_credited",
            detail="alice takes no credit, so 100 EUR is in sepa-suspense",
        ),
    )
    assert money() == (0, 0, 100, 0)


def test_what_comes_back_for_a_closed_account_goes_to_suspense() -> None:
    given(world(), pay("p1", 100), report("p1", "settled"), closed("alice"))
    when(report("p1", "returned", 30, "r1"))
    then(happened(PaymentReturned, credited="sepa-suspense"), happened(RepairNeeded, reason="not_credited"))
    assert money() == (0, 0, 30, 70)


# --- the table --------------------------------------------------------------------------------------------

STATES: dict[str, list[Said]] = {
    "waiting": [],
    "cancelled": [cancel("p")],
    "dispatched": [],
    "accepted": [report("p", "accepted")],
    "settled": [report("p", "settled")],
    "failed": [report("p", "failed")],
    "recalled": [recall("p"), report("p", "recall_accepted", ref="r0")],
    "disputed": [report("p", "failed"), report("p", "settled")],
    "returned": [report("p", "settled"), report("p", "returned", ref="r0")],
}
CONFLICT, ALREADY = "payment_state_conflict", "already_reported"
REPAIR = ["RepairNeeded"]
LATE = ["PaymentSettled", "RepairNeeded"]
TABLE: dict[str, dict[ReportStatus, str | list[str]]] = {
    "waiting": {},
    "cancelled": {},
    "dispatched": {
        "accepted": ["PaymentAccepted"],
        "settled": ["PaymentSettled"],
        "failed": ["PaymentFailed"],
        "returned": ["PaymentSettled", "PaymentReturned"],
        "unknown": REPAIR,
    },
    "accepted": {
        "accepted": ALREADY,
        "settled": ["PaymentSettled"],
        "failed": ["PaymentFailed"],
        "returned": ["PaymentSettled", "PaymentReturned"],
        "unknown": REPAIR,
    },
    "settled": {
        "accepted": ALREADY,
        "settled": ALREADY,
        "failed": REPAIR,
        "returned": ["PaymentReturned"],
        "unknown": ALREADY,
    },
    "failed": {
        "accepted": ALREADY,
        "settled": LATE,
        "failed": ALREADY,
        "returned": ["PaymentSettled", "PaymentReturned"],
        "unknown": ALREADY,
    },
    "recalled": {
        "accepted": ALREADY,
        "settled": LATE,
        "failed": ALREADY,
        "returned": ["PaymentSettled", "PaymentReturned"],
        "unknown": ALREADY,
    },
    "disputed": {
        "accepted": ALREADY,
        "settled": ALREADY,
        "returned": ["PaymentReturned"],
        "unknown": ALREADY,
    },
    "returned": {
        "accepted": ALREADY,
        "settled": ALREADY,
        "returned": "return_exceeds_payment",
        "unknown": ALREADY,
    },
}
"""What is not there is a conflict, a recall among it, since none was asked for."""
STATUSES: tuple[ReportStatus, ...] = (
    "accepted", "settled", "failed", "returned", "recall_accepted", "recall_refused", "unknown",
)  # fmt: skip


@pytest.mark.parametrize(("state", "status"), [*itertools.product(STATES, STATUSES)])
def test_each_answer_in_each_state_is_what_the_table_says(state: str, status: ReportStatus) -> None:
    waits = {"waiting", "cancelled"}
    given(world(), [stop("night")] if state in waits else [], pay("p", 60), *STATES[state])
    assert the_payment("p").status == state
    before = money()
    when(report("p", status, ref="new"))
    expected = TABLE[state].get(status, CONFLICT)
    outcome = story().last
    if isinstance(expected, str):
        assert isinstance(outcome[0], CommandRejected)
        assert outcome[0].reason == expected
        assert (the_payment("p").status, money()) == (state, before)
    else:
        assert [type(one).__name__ for one in outcome] == expected
    # Sent once more, under another id, it is harmless.
    after, status_after = money(), the_payment("p").status
    when(report("p", status, ref="new"))
    assert (money(), the_payment("p").status) == (after, status_after)
    assert isinstance(story().last[0], CommandRejected)


@pytest.mark.parametrize("state", ["dispatched", "accepted", "settled"])
def test_a_recall_is_answered_once(state: str) -> None:
    given(world(), pay("p", 60), *STATES[state], recall("p"))
    when(report("p", "recall_refused"), report("p", "recall_refused"))
    then(rejected("already_reported"))
    when(report("p", "recall_accepted"))
    then(rejected("payment_state_conflict"))
    when(recall("p"), report("p", "recall_accepted", ref="r"))
    then(happened(PaymentReturned, recalled=True))
    when(report("p", "recall_accepted", ref="r"))
    then(rejected("payment_state_conflict"))
    assert money() == (100, 0, 0, 0)


@pytest.mark.parametrize("orders", [*itertools.permutations(["accepted", "settled", "returned"])])
def test_answers_in_any_order_end_the_same(orders: tuple[ReportStatus, ...]) -> None:
    given(world(), pay("p", 60))
    when(*(report("p", one, 60 if one == "returned" else None, "r") for one in orders))
    assert (the_payment("p").status, money()) == ("returned", (100, 0, 0, 0))


# --- who, and rejections ----------------------------------------------------------------------------------


def test_only_the_rails_adapter_is_heard() -> None:
    given(world(), system("swift-gate", roles=["rail-adapter"]), pay("p1", 60))
    settled = say(ReportPayment, payment="p1", status="settled")
    for actor in ("swift-gate", "root"):
        when(settled.by(actor))
        then(rejected("reporter_not_adapter", actor=actor, rail="sepa"))
    when(rail(2, adapter="swift-gate"), settled.by("swift-gate"))
    then(happened(PaymentSettled))


GIVEN: list[Word] = [
    world(1_000),
    pay("waits", 1, execution_date=TODAY.replace(day=16)),
    pay("settled", 1),
    report("settled", "settled"),
    pay("sent", 10),
    [[rail_of(name), pay(f"by-{name}", 1, rail=name)] for name in ("held", "full")],
    [internal("fees", "income"), tariff("prices", fee("out", flat=1)), product("giro", tariff="prices")],
    [account("payer", 9, product="giro"), pay("by-shut", 1, "payer")],
    [transfer("fees", "nostro", 1), closed("fees")],
    block("held-nostro", "audit"),
    internal("lowest"),
    transfer("lowest", "full-nostro", INT64_MAX),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("payment_not_found", report("none", "settled").by("root")),
    ("reporter_not_adapter", report("waits", "settled").by("root")),
    ("payment_state_conflict", report("waits", "settled")),
    ("already_reported", report("settled", "settled")),
    ("return_exceeds_payment", report("sent", "returned", 11)),
    ("account_not_open", report("by-shut", "settled")),
    ("account_blocked", report("by-held", "settled")),
    ("overflow", report("by-full", "settled")),
    ("account_serves", closed("sepa-suspense")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))


def test_an_account_that_a_rail_goes_by_is_not_closed() -> None:
    """Whatever the rail answers could never be booked, and no account is opened again."""
    given(world(), pay("p1", 60))
    when(closed("sepa-suspense"))
    then(rejected("account_serves", kind="rail", id="sepa"))
    others = {"nostro": "other-nostro", "in_transit": "other-transit", "suspense": "other-suspense"}
    when(
        internal("other-nostro"),
        internal("other-transit", "suspense"),
        internal("other-suspense", "suspense"),
        rail(2, currencies=[{"currency": "EUR", **others}]),
        closed("sepa-suspense"),
    )
    then(rejected("account_serves", kind="payment", id="p1"))
    when(report("p1", "failed"))
    then(happened(PaymentFailed, credited="alice"))
    when(closed("sepa-suspense"))
    then(happened(AccountClosed))
    when(closed("other-suspense"))
    then(rejected("account_serves", kind="rail", id="sepa"))


def test_a_report_that_could_not_be_booked_is_taken_when_it_can() -> None:
    given(world(), pay("p1", 60), block("nostro", "audit", expires_at_ms=BEGAN_MS + 60_000))
    when(report("p1", "settled"))
    then(rejected("account_blocked", account="nostro"))
    when(later(ms=60_000), report("p1", "settled"))
    then(happened(PaymentSettled))


def test_repair_words_are_for_people() -> None:
    given(world(), pay("p1", 60), report("p1", "unknown"))
    when(repair("p1", "settle", by="sepa-gate"))
    then(rejected("not_permitted"))


# --- fees that go back --------------------------------------------------------------------------------------


def charged_world() -> Word:
    """Alice's product charges 5 for a payment; `p1` over 60 is sent."""
    return [
        internal("fees", "income"),
        tariff("prices", fee("each", flat=5, only={"movements": ["payment_out"]})),
        product("giro", tariff="prices"),
        account("alice", 100, product="giro"),
        rails(),
        pay("p1", 60),
    ]


def test_a_fee_that_was_waived_does_not_go_back_again_when_the_payment_fails() -> None:
    given(charged_world())
    dispatched = story().last[1].seq
    when(waived(dispatched, "alice", "each"))
    assert (balance("alice"), balance("fees")) == (40, 0)
    when(report("p1", "failed"))
    then(happened(PaymentFailed, fees=()))
    assert (balance("alice"), balance("fees")) == (100, 0)


def test_a_fee_that_went_back_when_the_payment_failed_cannot_be_waived() -> None:
    given(charged_world())
    dispatched = story().last[1].seq
    when(report("p1", "failed"))
    failed = story().last[0].seq
    assert (balance("alice"), balance("fees")) == (100, 0)
    for seq in (dispatched, failed):
        when(waived(seq, "alice", "each"))
        then(rejected("fee_not_found", charged=seq))
