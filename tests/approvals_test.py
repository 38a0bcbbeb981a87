"""Approvals: what waits, who may decide on it, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from book.state import Book
from commands import approvals, transfers
from commands.decision import HANDLERS
from schemas.access import RevokeRole
from schemas.approvals import (
    ApprovalDeclined,
    ApprovalExpired,
    ApprovalFailed,
    ApprovalGiven,
    ApprovalRequested,
    ApprovalWithdrawn,
    Approve,
    Decline,
    Delegate,
    DelegationGiven,
    Moved,
    RevokeDelegation,
    TermsChanged,
    Withdraw,
)
from schemas.message import Command, Event
from schemas.payments import PaymentSubmitted, SubmitPayment
from schemas.rejections import Reason
from schemas.transfers import PostEntries, Transfer, TransferPosted
from tests.approvals_words import (
    approve,
    decline,
    held,
    line,
    newest,
    policy,
    second_user,
    staff,
    waiting,
    withdraw,
)
from tests.payment_words import pay as payment
from tests.payment_words import rails
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Known,
    Said,
    Word,
    account,
    advance,
    balance,
    entries,
    given,
    grant,
    happened,
    internal,
    later,
    rejected,
    repeated,
    role,
    say,
    story,
    system,
    then,
    transfer,
    when,
)
from tests.terms_words import fee, limit, limits, product, tariff

BIG = 10_000_00


def bank(*words: Word) -> None:
    """Payments of 10,000.00 and more wait for a checker."""
    given(
        staff(),
        account("alice", balance=15_000_00),
        account("bob"),
        policy(line("Transfer", when={"amounts": {"EUR": BIG}})),
        *words,
    )


def pay(amount: int = 12_000_00, to: str = "bob", **fields: Any) -> Said:
    return transfer("alice", to, amount, **fields).by("mia")


# --- waiting ----------------------------------------------------------------------------------------------


def test_a_payment_below_the_line_is_done_at_once() -> None:
    bank()
    when(pay(BIG - 1))
    then(happened(TransferPosted))


def test_a_payment_at_the_line_waits_and_its_funds_are_reserved() -> None:
    bank()
    when(pay(BIG))
    (asked,) = then(happened(ApprovalRequested, maker="mia", person="person-mia"))
    assert isinstance(asked, ApprovalRequested)
    assert (asked.asked["type"], asked.asked["amount"]) == ("Transfer", BIG)
    assert asked.terms.moved == (Moved("alice", -BIG, "EUR"), Moved("bob", BIG, "EUR"))
    assert [(one.account, one.amount) for one in asked.reserves] == [("alice", BIG)]
    assert (balance("alice"), held("alice"), balance("bob")) == (15_000_00, BIG, 0)


def test_what_would_be_refused_is_refused_at_once() -> None:
    bank()
    when(pay(15_000_01))
    then(rejected("insufficient_funds"))
    assert not story().book.approvals.waiting


def test_two_waiting_payments_never_both_pass_where_there_is_room_for_one() -> None:
    bank()
    when(pay(BIG))
    when(pay(BIG))
    then(rejected("insufficient_funds", available=5_000_00))
    when(pay(5_000_01))  # below the line, and what waits counts all the same
    then(rejected("insufficient_funds"))


def test_the_second_person_says_yes_and_it_is_done_in_that_outcome() -> None:
    bank()
    when(pay())
    when(approve("cora"))
    then(
        happened(ApprovalGiven, person="person-cora", missing=0, override=False),
        happened(TransferPosted, amount=12_000_00, actor="cora"),
    )
    assert (balance("alice"), held("alice"), balance("bob")) == (3_000_00, 0, 12_000_00)


def test_repeating_the_makers_id_points_to_what_waits() -> None:
    bank()
    said = pay().with_id("once").issued_at(story().now)
    when(said)
    number = newest()
    when(approve("cora"))
    when(said)
    then(repeated(number))
    assert balance("bob") == 12_000_00


def test_nobody_approves_what_another_was_shown() -> None:
    bank()
    when(pay())
    when(approve("cora", shown="0" * 64))
    then(rejected("shown_changed", shown=waiting().shown))


# --- who may ----------------------------------------------------------------------------------------------


def test_the_maker_cannot_check_nor_can_the_same_person_behind_another_user() -> None:
    bank(grant("mia", "checker"), second_user("mia-2", "mia", "checker"))
    when(pay())
    for name in ("mia", "mia-2"):
        when(approve(name))
        then(rejected("maker_cannot_check", person="person-mia"))
        when(decline(name))
        then(rejected("maker_cannot_check", person="person-mia"))


def test_two_persons_are_two_persons_however_many_users_they_have() -> None:
    given(
        staff(),
        second_user("cora-2", "cora", "checker"),
        account("alice", balance=15_000_00),
        account("bob"),
        policy(line("Transfer", count=2)),
    )
    when(pay())
    when(approve("cora"))
    then(happened(ApprovalGiven, missing=1))
    for name in ("cora", "cora-2"):
        when(approve(name))
        then(rejected("already_approved_by_person", person="person-cora"))
    when(approve("carl"))
    then(happened(ApprovalGiven, missing=0), happened(TransferPosted))


def test_groups_each_ask_for_their_own() -> None:
    given(
        staff(),
        account("alice", balance=15_000_00),
        account("bob"),
        policy(line("Transfer", needs=[{"roles": ["checker"], "count": 1}, {"roles": ["risk"]}])),
    )
    when(pay())
    when(approve("cora"))
    when(approve("carl"))
    then(rejected("role_not_asked"))  # one checker is enough, and risk is still missing
    when(approve("max"))
    then(happened(ApprovalGiven, missing=0, roles=("risk",)), happened(TransferPosted))


def test_a_role_that_was_revoked_while_it_waited_no_longer_counts() -> None:
    given(
        staff(),
        account("alice", balance=15_000_00),
        account("bob"),
        policy(line("Transfer", count=2)),
    )
    when(pay())
    when(approve("cora"))
    when(say_revoke("cora", "checker"))
    when(approve("carl"))
    then(happened(ApprovalGiven, missing=1, lapsed=("person-cora",)))
    when(approve("cleo"))
    then(happened(ApprovalGiven, missing=0), happened(TransferPosted))


def test_a_maker_who_may_no_more_makes_nothing() -> None:
    bank()
    when(pay())
    when(say_revoke("mia", "maker"))
    when(approve("cora"))
    then(happened(ApprovalGiven, missing=0), happened(ApprovalFailed, reason="not_permitted"))
    assert (held("alice"), balance("bob")) == (0, 0)


def say_revoke(user: str, role: str) -> Said:
    return say(RevokeRole, subject=user, role=role)


# --- the end ----------------------------------------------------------------------------------------------


def test_declined_withdrawn_or_expired_it_gives_everything_back() -> None:
    bank()
    when(pay())
    when(decline("cora"))
    then(happened(ApprovalDeclined, person="person-cora"))
    assert held("alice") == 0
    when(pay())
    when(withdraw("mia"))
    then(happened(ApprovalWithdrawn))
    assert held("alice") == 0
    when(pay())
    when(later(days=3), advance(story().now + 3 * DAY_MS + 2))
    assert isinstance(story().events()[-2], ApprovalExpired)
    assert held("alice") == 0
    assert not story().book.approvals.waiting


def test_terms_that_changed_are_approved_anew() -> None:
    """The value date is the business date, and midnight has passed."""
    bank()
    when(pay())
    when(later(days=1))
    when(approve("cora"))
    then(
        happened(ApprovalGiven, missing=0),
        happened(TermsChanged),
    )
    assert held("alice") == 12_000_00
    assert waiting().approvals == []
    when(approve("cora"))
    then(happened(ApprovalGiven, missing=0), happened(TransferPosted))


# --- what is decided in steps -----------------------------------------------------------------------------


def test_what_is_decided_in_steps_is_tried_on_an_overlay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leg of this posting is a transfer of its own; the second is decided on what the first one left."""

    def in_steps(book: Book, command: PostEntries, at_ms: int) -> Iterator[Event]:
        for one in command.legs:
            step = Transfer(
                id="x",
                book="main",
                actor="mia",
                issued_at_ms=1,
                debit="alice",
                credit=one.account,
                amount=one.amount,
                currency="EUR",
            )
            found = transfers.transfer(book, step, at_ms)
            assert isinstance(found, Event)
            yield found

    monkeypatch.setitem(HANDLERS, PostEntries, in_steps)
    bank(account("carla"))
    when(policy(line("PostEntries"), version=2))
    when(entries(("bob", 9_000_00), ("carla", 1_000_00)).by("mia"))
    (asked,) = then(happened(ApprovalRequested))
    assert isinstance(asked, ApprovalRequested)
    assert [(one.account, one.amount) for one in asked.reserves] == [("alice", 10_000_00)]
    assert (balance("alice"), balance("bob"), held("alice")) == (15_000_00, 0, 10_000_00)
    when(approve("cora"))
    then(
        happened(ApprovalGiven, missing=0),
        happened(TransferPosted, amount=9_000_00),
        happened(TransferPosted, amount=1_000_00),
    )
    assert (balance("alice"), held("alice")) == (5_000_00, 0)


def test_a_bug_in_what_was_approved_does_not_stop_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    bank()
    when(pay())

    def broken(book: Book, command: Transfer, at_ms: int) -> Event:
        raise ZeroDivisionError("of ours")

    monkeypatch.setitem(HANDLERS, Transfer, broken)
    when(pay())
    then(rejected("internal_error"))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(ApprovalFailed, reason="internal_error"))
    assert held("alice") == 0


# --- limits and fees --------------------------------------------------------------------------------------


def priced_bank(*words: Word) -> None:
    """A day's limit of 100.00, a fee of 1.00 a transfer, and everything waits."""
    given(
        staff(),
        internal("fees", "income"),
        limits("retail", limit("day", 100_00)),
        tariff("prices", fee("transfer", flat=1_00)),
        product("giro", limits=["retail"], tariff="prices"),
        account("alice", balance=1_000_00, product="giro"),
        account("bob"),
        policy(line("Transfer", when={"amounts": {"EUR": 50_00}})),
        *words,
    )


def used() -> int:
    """What is used of alice's day."""
    usage = story().book.accounts["alice"].usage
    assert usage is not None
    (one,) = usage.values()
    return one.total


def test_what_waits_counts_in_its_limits_and_is_charged_for() -> None:
    priced_bank()
    when(pay(60_00))
    (asked,) = then(happened(ApprovalRequested))
    assert isinstance(asked, ApprovalRequested)
    assert [(one.line, one.amount) for one in asked.terms.fees] == [("transfer", 1_00)]
    assert (held("alice"), used()) == (61_00, 60_00)
    when(pay(41_00))  # 60 + 41 are above 100, also for what waits for nobody
    then(rejected("limit_exceeded"))
    when(decline("cora"))
    assert (held("alice"), used()) == (0, 0)
    when(pay(60_00))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(TransferPosted, amount=60_00))
    assert (balance("alice"), held("alice"), used()) == (939_00, 0, 60_00)


def test_another_fee_than_was_shown_is_approved_anew() -> None:
    priced_bank()
    when(pay(60_00))
    when(tariff("prices", fee("transfer", flat=2_00), version=2))
    when(approve("cora"))
    (_, changed) = then(happened(ApprovalGiven, missing=0), happened(TermsChanged))
    assert isinstance(changed, TermsChanged)
    assert [one.amount for one in changed.terms.fees] == [2_00]
    assert (held("alice"), used()) == (62_00, 60_00)
    when(approve("cora", shown=changed.shown))
    then(happened(ApprovalGiven), happened(TransferPosted))
    assert balance("alice") == 938_00


def test_a_limit_that_was_lowered_meanwhile_stops_it() -> None:
    priced_bank()
    when(pay(60_00))
    when(limits("retail", limit("day", 50_00), version=2))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(ApprovalFailed, reason="limit_exceeded"))
    assert (held("alice"), balance("alice")) == (0, 1_000_00)


# --- payments out -----------------------------------------------------------------------------------------


def test_a_payment_out_of_the_bank_waits_before_it_is_sent() -> None:
    given(
        staff(),
        role("payer", SubmitPayment),
        grant("mia", "payer"),
        rails(),
        account("alice", balance=1_000_00),
        policy(line("SubmitPayment", when={"amounts": {"EUR": 500_00}})),
    )
    when(payment("small", 499_99).by("mia"))
    assert isinstance(story().last[0], PaymentSubmitted)
    when(payment("large", 500_00).by("mia"))
    (asked,) = then(happened(ApprovalRequested))
    assert isinstance(asked, ApprovalRequested)
    assert asked.terms.documents.keys() == {"rail/sepa"}
    assert (balance("alice") - held("alice"), held("alice")) == (1, 500_00)
    assert "large" not in story().book.payments.by_id
    when(approve("cora"))
    first, second, *_ = story().last
    assert isinstance(first, ApprovalGiven)
    assert isinstance(second, PaymentSubmitted)
    assert balance("alice") - held("alice") == 1  # taken once, now by the payment itself
    assert "large" in story().book.payments.by_id


# --- rejections -------------------------------------------------------------------------------------------


def test_there_is_a_most_of_what_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approvals, "MOST_WAITING", 2)
    bank()
    when(policy(line("Transfer"), version=2), pay(1), pay(1), pay(1))
    then(rejected("too_many_waiting", waiting=2))


def delegation(name: str, to: str, *, days: int = 1, roles: tuple[str, ...] = ("checker",)) -> Said:
    return say(
        Delegate,
        delegation=name,
        to=to,
        roles=roles,
        from_ms=BEGAN_MS,
        until_ms=BEGAN_MS + days * DAY_MS,
        reason="away",
    )


def that(reference: str) -> Known:
    """The approval of the payment with this reference."""
    return Known(
        lambda: next(
            one.seq
            for one in story().events()
            if isinstance(one, ApprovalRequested) and one.asked["reference"] == reference
        )
    )


def of(kind: type[Command], reference: str, by: str, **fields: object) -> Said:
    more = {"shown": "0" * 64} if kind is Approve else {"reason": "so"}
    return say(kind, approval=that(reference), **{**more, **fields}).by(by)


SHOWN = Known(lambda: waiting(that("waits").find()).shown)
REJECTIONS: list[tuple[Reason, Said]] = [
    ("approval_not_found", say(Approve, approval=999, shown="0" * 64)),
    ("approval_expired", of(Approve, "expired", "mia")),
    ("approval_withdrawn", of(Approve, "withdrawn", "mia")),
    ("approval_decided", of(Approve, "declined", "mia")),
    ("approval_decided", of(Approve, "done", "mia")),
    ("shown_changed", of(Approve, "waits", "mia")),
    ("maker_cannot_check", of(Approve, "waits", "mia", shown=SHOWN)),
    ("already_approved_by_person", of(Approve, "waits", "cora", shown=SHOWN)),
    ("role_not_asked", of(Approve, "waits", "max", shown=SHOWN)),
    ("approval_not_found", say(Decline, approval=999, reason="no")),
    ("approval_expired", of(Decline, "expired", "mia")),
    ("approval_withdrawn", of(Decline, "withdrawn", "mia")),
    ("approval_decided", of(Decline, "done", "mia")),
    ("maker_cannot_check", of(Decline, "waits", "mia")),
    ("already_approved_by_person", of(Decline, "waits", "cora")),
    ("role_not_asked", of(Decline, "waits", "max")),
    ("approval_not_found", say(Withdraw, approval=999, reason="no")),
    ("approval_expired", of(Withdraw, "expired", "max")),
    ("approval_withdrawn", of(Withdraw, "withdrawn", "max")),
    ("approval_decided", of(Withdraw, "declined", "max")),
    ("not_maker", of(Withdraw, "waits", "max")),
    ("delegation_exists", delegation("away", "nobody").by("cora")),
    ("actor_not_found", delegation("d", "nobody", roles=("risk",)).by("cora")),
    ("not_for_systems", delegation("d", "gate", roles=("risk",)).by("cora")),
    ("delegation_to_self", delegation("d", "cora", roles=("risk",)).by("cora")),
    ("role_not_granted", delegation("d", "carl", days=0, roles=("risk",)).by("cora")),
    ("delegation_period", delegation("d", "carl", days=0).by("cora")),
    ("delegation_period", delegation("d", "carl", days=400).by("cora")),
    ("delegation_not_found", say(RevokeDelegation, delegation="never").by("max")),
    ("not_delegator", say(RevokeDelegation, delegation="away").by("max")),
]


def test_each_is_refused_for_the_first_thing_that_is_wrong() -> None:
    given(
        staff(),
        system("gate"),
        role("absent", Delegate, RevokeDelegation),
        *(grant(name, "absent") for name in ("cora", "max")),
        grant("mia", "checker"),
        account("alice", balance=15_000_00),
        account("bob"),
        policy(line("Transfer", count=2, expires_after_s=60)),
        pay(1, reference="expired"),
        later(ms=60_000),
        pay(1, reference="withdrawn"),
    )
    when(withdraw("mia"), pay(1, reference="declined"))
    when(decline("cora"), pay(1, reference="done"))
    when(approve("cora"))
    when(approve("carl"), pay(1, reference="waits"))
    when(approve("cora"), delegation("away", "carl").by("cora"))
    then(happened(DelegationGiven))
    for reason, said in REJECTIONS:
        when(said)
        then(rejected(reason))
