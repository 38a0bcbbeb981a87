"""Payments in: credited, or in suspense with a reason, an owner and an age; nothing is dropped."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from book.receipt import Parked
from engine.log.faults import Crash, Fault
from schemas.fields import NEW_ID
from schemas.payments_in import (
    AssignSuspense,
    Payer,
    ReceiptCredited,
    ReceiptParked,
    ReceiptRefunded,
    ReceiptReturned,
    ReceivePayment,
    RefundReceipt,
    ResolveSuspense,
    ReturnReceipt,
    SuspenseAged,
    SuspenseAssigned,
    SuspenseResolved,
)
from schemas.rejections import CommandRejected, CommandRepeated, Reason
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    TODAY,
    Said,
    account,
    advance,
    balance,
    block,
    closed,
    given,
    happened,
    internal,
    later,
    party_becomes,
    rejected,
    role,
    say,
    story,
    system,
    then,
    transfer,
    when,
)
from tests.terms_words import document, fee, limit, limits, product, tariff

PAYER = Payer(name="Otto Other", account="FR7630006000011234567890189", country="FR")


def suspense(*, version: int = 1, **body: Any) -> Said:
    """Receipts in EUR wait on `waiting`; ops looks after them."""
    return document("suspense", "rules", {"accounts": {"EUR": "waiting"}, "owner": "ops", **body}, version)


def received(receipt: str, to: str, amount: int = 100, **fields: Any) -> Said:
    return say(
        ReceivePayment,
        **{
            "receipt": receipt,
            "rail": "sepa",
            "nostro": "nostro",
            "amount": amount,
            "currency": "EUR",
            "payer": PAYER,
            "account": to,
            **fields,
        },
    )


def resolved(receipt: str, to: str) -> Said:
    return say(ResolveSuspense, receipt=receipt, account=to, note="found by name")


def assigned(receipt: str, owner: str) -> Said:
    return say(AssignSuspense, receipt=receipt, owner=owner, note="knows the customer")


def sent_back(receipt: str) -> Said:
    return say(ReturnReceipt, receipt=receipt, reason="AC01")


def refunded(receipt: str, amount: int) -> Said:
    return say(RefundReceipt, receipt=receipt, amount=amount, reason="paid twice")


def parked(receipt: str) -> Parked:
    return story().book.receipts.parked[receipt]


TOP = 2**63 - 1
BANK = [internal("waiting", "suspense"), suspense()]
WORLD = [
    *BANK,
    internal("fees", "income"),
    internal("gone", "nostro"),
    closed("gone"),
    internal("shut", "nostro"),
    block("shut", "b"),
    internal("full", "nostro"),
    internal("hole", "nostro"),
    transfer("full", "hole", TOP - 160),
    tariff("prices", fee("in", flat=3)),
    limits("retail", limit("daily", 1_000)),
    product("giro", tariff="prices", limits=["retail"]),
    product("deposit", receives=["transfer"]),
    account("alice"),
    account("usd", currency="USD"),
    account("limited", product="giro"),
    account("deposit", product="deposit"),
    account("blocked"),
    block("blocked", "b", "credits"),
    account("asleep"),
    party_becomes("p-asleep", "blocked"),
    account("closed"),
    closed("closed"),
    received("known", "alice", 50),
    received("spent", "alice", 50),
    received("there", "nobody", 2),
    received("large", "nobody", 2_000),
]
UNHAPPY: list[tuple[str, Reason, dict[str, Any]]] = [
    ("nobody", "account_not_found", {}),
    ("DE00 not an account of ours at all", "account_not_found", {}),
    ("", "account_not_found", {}),
    ("closed", "account_not_open", {}),
    ("usd", "currency_mismatch", {}),
    ("nostro", "account_kind_mismatch", {}),
    ("asleep", "party_not_active", {}),
    ("blocked", "account_blocked", {}),
    ("deposit", "movement_not_allowed", {}),
    ("limited", "limit_exceeded", {"amount": 1_001}),
    ("limited", "insufficient_funds", {"amount": 2}),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("receipt_exists", received("known", "nobody", nostro="none")),
    ("account_not_found", received("r", "nobody", nostro="none")),
    ("account_kind_mismatch", received("r", "nobody", nostro="alice", currency="USD")),
    ("account_not_open", received("r", "nobody", nostro="gone", currency="USD")),
    ("currency_mismatch", received("r", "nobody", currency="USD")),
    ("suspense_account_missing", received("r", "nobody", TOP, nostro="nostro-usd", currency="USD")),
    ("account_blocked", received("r", "nobody", TOP, nostro="shut")),
    ("overflow", received("r", "nobody", TOP, nostro="full")),
    ("receipt_not_found", resolved("never", "nobody")),
    ("receipt_not_in_suspense", resolved("known", "nobody")),
    ("account_not_found", resolved("there", "nobody")),
    ("account_not_open", resolved("there", "closed")),
    ("currency_mismatch", resolved("there", "usd")),
    ("account_kind_mismatch", resolved("there", "nostro")),
    ("party_not_active", resolved("there", "asleep")),
    ("account_blocked", resolved("there", "blocked")),
    ("movement_not_allowed", resolved("there", "deposit")),
    ("limit_exceeded", resolved("large", "limited")),
    ("insufficient_funds", resolved("there", "limited")),
    ("overflow", resolved("there", "rich")),
    ("receipt_not_found", assigned("never", "ops")),
    ("receipt_not_in_suspense", assigned("known", "ops")),
    ("nothing_to_change", assigned("there", "ops")),
    ("receipt_not_found", sent_back("never")),
    ("receipt_not_in_suspense", sent_back("known")),
    ("account_not_open", sent_back("gone-2")),
    ("account_blocked", sent_back("shut-2")),
    ("overflow", sent_back("hole-2")),
    ("receipt_not_found", refunded("never", 1)),
    ("receipt_not_credited", refunded("there", 1)),
    ("refund_exceeds_original", refunded("left", 101)),
    ("account_not_open", refunded("left", 100)),
    ("party_not_active", refunded("sleepy", 100)),
    ("account_blocked", refunded("seized", 100)),
    ("insufficient_funds", refunded("poor", 100)),
    ("overflow", refunded("hole-1", 100)),
]
TURNED = [
    account("rich"),
    internal("mint"),
    transfer("mint", "rich", TOP),
    transfer("alice", "limited", 100),
    transfer("limited", "alice", 97),  # what is left covers no fee
    account("left"),
    received("left", "left"),
    transfer("left", "nostro", 100),
    closed("left"),
    account("sleepy"),
    received("sleepy", "sleepy"),
    party_becomes("p-sleepy", "blocked"),
    account("seized"),
    received("seized", "seized"),
    block("seized", "b", "debits"),
    account("poor"),
    received("poor", "poor"),
    transfer("poor", "nostro", 1),
    account("hole-pays"),
    received("hole-1", "hole-pays", 100, nostro="hole"),
    received("hole-2", "nobody", 50, nostro="hole"),
    internal("mint-2"),
    transfer("mint-2", "hole", 309),
    internal("gone-2"),
    received("gone-2", "nobody", 50, nostro="gone-2"),
    transfer("nostro", "gone-2", 50),
    closed("gone-2"),
    internal("shut-2"),
    received("shut-2", "nobody", 50, nostro="shut-2"),
    block("shut-2", "b"),
]
"""What was in good order when it was received, and is not any more."""


def test_what_is_wrong_is_refused_in_order() -> None:
    given(*WORLD, *TURNED)
    for reason, said in REJECTIONS:
        when(said)
        then(rejected(reason))


def test_money_that_has_come_is_credited_with_its_value_date_and_less_its_fee() -> None:
    """9.00 of yesterday, and a fee of 0.03: the customer has 8.97."""
    given(*WORLD)
    yesterday = TODAY.fromordinal(TODAY.toordinal() - 1)
    before = balance("nostro")
    when(received("r1", "limited", 900, value_date=yesterday, end_to_end="INV-7"))
    (event,) = then(
        happened(
            ReceiptCredited, receipt="r1", account="limited", amount=900, value_date=TODAY.replace(day=14)
        )
    )
    assert isinstance(event, ReceiptCredited)
    assert (balance("limited"), balance("fees"), balance("nostro")) == (897, 3, before - 900)
    (entry,) = event.expected
    assert (entry.entry, entry.account, entry.amount, entry.state) == ("receipt r1", "nostro", -900, "booked")


@pytest.mark.parametrize(("to", "reason", "fields"), UNHAPPY)
def test_whatever_is_wrong_it_waits_in_suspense_with_the_reason(
    to: str, reason: Reason, fields: dict[str, Any]
) -> None:
    given(*WORLD)
    waiting = balance("waiting")
    when(received("r1", to, **fields))
    amount = fields.get("amount", 100)
    then(happened(ReceiptParked, receipt="r1", account=to, reason=reason, amount=amount, owner="ops"))
    assert balance("waiting") == waiting + amount
    assert parked("r1").amount == amount


def test_a_value_date_outside_the_open_period_counts_from_its_nearest_day() -> None:
    given(*WORLD)
    for receipt, day, counts in (
        ("r1", TODAY.replace(year=2010), story().book.open_from),
        ("r2", TODAY.replace(year=2030), TODAY),
    ):
        when(received(receipt, "alice", value_date=day))
        then(happened(ReceiptCredited, value_date=counts))


def test_what_waits_is_credited_when_it_is_known_to_whom() -> None:
    given(*BANK, account("alice"), received("r1", "nobody", 70))
    when(resolved("r1", "alice"))
    then(happened(SuspenseResolved, receipt="r1", suspense="waiting", account="alice", amount=70))
    assert (balance("alice"), balance("waiting")) == (70, 0)
    when(resolved("r1", "alice"))
    then(rejected("receipt_not_in_suspense", receipt="r1"))
    when(refunded("r1", 70))
    then(happened(ReceiptRefunded, refunded_after=70, part=1))


def test_what_waits_goes_back_to_who_has_paid_it() -> None:
    given(*BANK, received("r1", "nobody", 70, end_to_end="E1"))
    when(sent_back("r1"))
    (event,) = then(happened(ReceiptReturned, receipt="r1", nostro="nostro", payer=PAYER, amount=70))
    assert isinstance(event, ReceiptReturned)
    (entry,) = event.expected
    assert (entry.entry, entry.amount, entry.reference) == ("receipt r1 return", 70, "E1")
    assert (balance("waiting"), balance("nostro")) == (0, 0)
    when(received("r1", "nobody", 70))
    then(rejected("receipt_exists"))


def test_it_is_said_at_each_age_to_whom_it_belongs() -> None:
    given(*BANK, suspense(version=2, ages_days=[1, 5]), received("r1", "nobody"))
    since = parked("r1").parked_ms
    when(advance(since + DAY_MS - 1))
    assert SuspenseAged not in [type(one) for one in story().events()]
    when(advance(since + DAY_MS), assigned("r1", "anna"))
    then(happened(SuspenseAssigned, before="ops", owner="anna"))
    when(later(days=4), advance(since + 5 * DAY_MS))
    aged = [one for one in story().events() if isinstance(one, SuspenseAged)]
    assert [(one.days, one.owner, one.step) for one in aged] == [(1, "ops", 1), (5, "anna", 2)]
    assert [one.at for one in aged] == [since + DAY_MS, since + 5 * DAY_MS]
    when(advance(since + 60 * DAY_MS))
    assert not [one for one in story().book.timers.due if one.startswith("suspense")]
    story().check()


def test_what_is_gone_from_suspense_gets_no_older() -> None:
    given(*BANK, account("alice"), received("r1", "nobody"), received("r2", "nobody"))
    when(resolved("r1", "alice"), sent_back("r2"), advance(BEGAN_MS + 40 * DAY_MS))
    assert SuspenseAged not in [type(one) for one in story().events()]


def test_refunds_never_exceed_what_was_received_and_need_the_money() -> None:
    given(*BANK, account("alice"), account("bob"), received("r1", "alice", 100))
    when(refunded("r1", 60), transfer("alice", "bob", 30), refunded("r1", 20))
    then(rejected("insufficient_funds", available=10, needed=20))
    when(refunded("r1", 10))
    then(happened(ReceiptRefunded, refunded_after=70, part=2))
    when(transfer("bob", "alice", 30), refunded("r1", 31))
    then(rejected("refund_exceeds_original", left=30, wanted=31))
    when(refunded("r1", 30))
    then(happened(ReceiptRefunded, refunded_after=100, part=3))


def test_a_receipt_that_the_rail_sends_twice_is_received_once() -> None:
    given(*BANK, account("alice"), received("r1", "alice", 100))
    when(received("r1", "alice", 100))
    then(rejected("receipt_exists", receipt="r1"))
    assert balance("alice") == 100


def test_a_rails_system_receives_and_people_decide_what_becomes_of_suspense() -> None:
    given(*BANK, account("alice"), role("rail", ReceivePayment), system("sepa-in", roles=["rail"]))
    when(received("r1", "nobody").by("sepa-in"))
    then(happened(ReceiptParked))
    when(resolved("r1", "alice").by("sepa-in"))
    then(rejected("not_permitted"))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"ages_days": [5, 5]}, "ages_days[1]: 5 is not after 5"),
        (
            {"accounts": {"EUR": "waiting", "USD": "waiting"}},
            "accounts.USD: waiting stands here for another currency too",
        ),
        ({"accounts": {"EUR": "nostro"}}, "accounts.EUR: there is no open suspense account nostro"),
        ({"accounts": {"EUR": "none"}}, "accounts.EUR: there is no open suspense account none"),
        ({"accounts": {"USD": "waiting"}}, "accounts.USD: waiting is kept in EUR"),
        ({"accounts": {"ABC": "waiting"}}, "accounts.ABC: there is no currency ABC"),
    ],
)
def test_rules_that_make_no_sense_are_refused(body: dict[str, Any], detail: str) -> None:
    given(internal("waiting", "suspense"))
    when(suspense(**body))
    then(rejected("document_invalid", detail=detail))


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_receipt_is_there_once_whenever_the_engine_dies(fault: Fault) -> None:
    told = given(*BANK)
    told.log.faults.next_commit(fault)
    said = received("r1", "nobody").with_id("x1").issued_at(told.now + 1)
    with pytest.raises(Crash):
        when(said)
    told.recover()
    ((event,),) = when(said)
    assert isinstance(event, CommandRepeated if fault is Fault.CRASH_AFTER else ReceiptParked)
    assert balance("waiting") == 100
    told.check()


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "receive", "resolve", "return", "refund", "assign", "later"]),
        st.sampled_from([f"r{number}" for number in range(6)]),
        st.sampled_from(["alice", "nobody", "blocked", "limited"]),
        st.integers(1, 40),
    ),
    max_size=25,
)


@settings(max_examples=40)
@drawn(_STEPS)
def test_suspense_holds_what_waits_and_nothing_is_lost(steps: list[tuple[str, str, str, int]]) -> None:
    """What came is with customers, in suspense, charged as a fee, or went back, at every step."""
    given(
        *BANK,
        internal("fees", "income"),
        tariff("prices", fee("in", flat=3)),
        limits("retail", limit("daily", 60)),
        product("giro", tariff="prices", limits=["retail"]),
        account("alice"),
        account("limited", product="giro"),
        account("blocked"),
        block("blocked", "b", "credits"),
    )
    came = went = 0
    for what, receipt, to, amount in steps:
        match what:
            case "receive":
                ((event, *_),) = when(received(receipt, to, amount))
                came += 0 if isinstance(event, CommandRejected) else amount
            case "resolve":
                ((event, *_),) = when(resolved(receipt, to))
            case "return":
                ((event, *_),) = when(sent_back(receipt))
                went += event.amount if isinstance(event, ReceiptReturned) else 0
            case "refund":
                ((event, *_),) = when(refunded(receipt, amount))
                went += event.amount if isinstance(event, ReceiptRefunded) else 0
            case "assign":
                when(assigned(receipt, to))
            case _:
                when(later(days=1), advance(story().now + DAY_MS))
        open_items = story().book.receipts.parked.values()
        assert balance("waiting") == sum(one.amount for one in open_items)
        assert -balance("nostro") == came - went
        for one in story().book.receipts.credited.values():
            assert 0 <= one.refunded <= one.amount


def test_what_waits_in_suspense_keeps_its_id_however_long_it_waits() -> None:
    """Ids are known for 400 days; what nobody resolves waits longer, and is never overwritten."""
    given(BANK, account("alice"), received("lost", "nobody", 70))
    for _ in range(5):
        story().now += 100 * DAY_MS
        when(advance(story().now + 1))
    when(received("new", "alice"))
    assert "lost" not in story().book.receipts.known.ids
    when(received("lost", "nobody", 30))
    then(rejected("receipt_exists", receipt="lost"))
    assert parked("lost").amount == 70 == balance("waiting")
    when(resolved("lost", "alice"))
    assert balance("waiting") == 0


def test_a_payment_may_be_called_what_a_receipts_entry_was() -> None:
    """Entries are told apart by blanks, which no payment's or receipt's id can hold."""
    assert re.fullmatch(NEW_ID, "receipt/r1")
    assert not re.fullmatch(NEW_ID, "receipt r1")
    assert not re.fullmatch(NEW_ID, "p1 return-1")
