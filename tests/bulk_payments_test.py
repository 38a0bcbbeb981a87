"""Bulks that pay out of the bank, and bulks that wait for a second person."""

from __future__ import annotations

from typing import Any

from engine.admission import MOST_BYTES
from schemas.approvals import ApprovalDeclined, ApprovalFailed, ApprovalGiven, ApprovalRequested, TermsChanged
from schemas.bulk import MOST_INSTRUCTIONS, BulkAccepted, InstructionRefused
from schemas.catalogue import encode
from schemas.instructions import Instruction, ToPayee
from schemas.payments import Payee, PaymentDispatched, PaymentSubmitted, PaymentWaiting
from schemas.transfers import TransferPosted
from tests.approvals_words import approve, decline, held, line, newest, policy, staff, waiting
from tests.bulk_test import bulk
from tests.payment_words import PAYEE, rails, report, stop, the_payment
from tests.story import (
    Word,
    account,
    balance,
    closed,
    given,
    grant,
    happened,
    internal,
    rejected,
    role,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import fee, limit, limits, product, tariff


def out(amount: int, **fields: Any) -> Instruction:
    """Pay somebody outside the bank from alice."""
    to = ToPayee(**{"rail": "sepa", "payee": PAYEE, **fields})
    return Instruction(account="alice", amount=amount, currency="EUR", to=to)


# --- payments in a bulk -----------------------------------------------------------------------------------


def test_payments_in_a_bulk_are_payments_with_ids_of_their_own() -> None:
    """Of 100: 60 go out, 50 can't, 10 go by no rail, 40 go out."""
    given(account("alice", 100), rails())
    when(bulk(out(60, end_to_end="mine"), out(50), out(10, rail="none"), out(40)))
    then(
        happened(BulkAccepted, instructions=4),
        happened(PaymentSubmitted, payment="salaries/0", amount=60, end_to_end="mine"),
        happened(PaymentDispatched, payment="salaries/0"),
        happened(InstructionRefused, index=1, reason="insufficient_funds"),
        happened(InstructionRefused, index=2, reason="rail_not_found"),
        happened(PaymentSubmitted, payment="salaries/3", amount=40, end_to_end="salaries/3"),
        happened(PaymentDispatched, payment="salaries/3"),
    )
    assert (balance("alice"), balance("sepa-transit")) == (0, 100)
    when(report("salaries/0", "settled"), report("salaries/3", "failed"))
    assert (the_payment("salaries/0").status, the_payment("salaries/3").status) == ("settled", "failed")
    assert (balance("alice"), balance("nostro")) == (40, -100 + 60)


def test_payments_of_a_bulk_wait_as_any_payment_does() -> None:
    given(account("alice", 100), rails())
    when(stop("night", "rail", "sepa"), bulk(out(60), out(30), mode="all_or_nothing"))
    then(
        happened(BulkAccepted),
        happened(PaymentSubmitted, payment="salaries/0"),
        happened(PaymentWaiting, payment="salaries/0", reason="stopped"),
        happened(PaymentSubmitted, payment="salaries/1"),
        happened(PaymentWaiting, payment="salaries/1", reason="stopped"),
    )
    assert (balance("alice"), the_account("alice").held) == (100, 90)


def test_all_or_nothing_holds_for_payments_too() -> None:
    given(account("alice", 100), rails())
    when(bulk(out(60), out(50), mode="all_or_nothing"))
    then(rejected("instruction_refused", index=1, refused="insufficient_funds", available=40))
    assert (balance("alice"), story().book.payments.by_id) == (100, {})


def test_as_many_payments_as_a_bulk_may_have_fit_into_a_command() -> None:
    """Of salaries as they come, 305 bytes each; with every text at its longest fewer do, which is told."""

    def size(reference: str, name: str) -> int:
        payee = Payee(name=name, account="DE02120300000000202051", agent="BYLADEM1001", country="DE")
        to = ToPayee(rail="sepa", payee=payee, purpose="SALA", end_to_end="e2e-00000001")
        one = Instruction(
            account="alice-account-01", amount=1_234_56, currency="EUR", to=to, reference=reference
        )
        given(account("alice"))
        return len(encode(story().command(bulk(*[one] * MOST_INSTRUCTIONS))))

    assert size("Salary May 2024 no 12345", "Petra Mustermann") < 0.75 * MOST_BYTES
    assert size("x" * 140, "N" * 70) > MOST_BYTES


# --- a bulk that waits ------------------------------------------------------------------------------------


def bank(*words: Word) -> None:
    """alice has 1,000 and may spend 500 a day. mia sends bulks; those of 100 and more wait."""
    given(
        staff(),
        role("bulks", "SubmitBulk"),
        grant("mia", "bulks"),
        internal("fees", "income"),
        limits("retail", limit("daily", 500)),
        product("giro", limits=["retail"]),
        account("alice", 1_000, product="giro"),
        account("bob"),
        account("carl"),
        rails(),
        policy(line("Transfer", "SubmitPayment", "SubmitBulk", id="large", when={"amounts": {"EUR": 100}})),
        *words,
    )


PAID = (("alice", "bob", 60), ("alice", "carl", 30), out(40))


def used() -> tuple[int, int]:
    """Of alice's daily limit: all that counts, and what of it is not final."""
    usage = (the_account("alice").usage or {})["retail/daily@1"]
    return usage.total, usage.reserved


def test_a_bulk_that_waits_reserves_for_all_its_instructions_and_then_does_each() -> None:
    """60 + 30 + 40 = 130, of the balance and of the limit."""
    bank()
    when(bulk(*PAID).by("mia"))
    then(happened(ApprovalRequested, maker="mia"))
    assert (waiting().by.line, held("alice"), used()) == ("large", 130, (130, 130))
    assert [one.amount for one in story().last[0].terms.moved] == [-130, 60, 30, 40]  # type: ignore[attr-defined]
    when(transfer("alice", "bob", 99), transfer("alice", "bob", 99), transfer("alice", "bob", 99))
    when(transfer("alice", "bob", 99))  # 4 x 99 = 396, and 130 wait: 526
    then(rejected("limit_exceeded"))
    when(approve("mia"))
    then(rejected("not_permitted"))
    when(approve("cora"))
    then(
        happened(ApprovalGiven, missing=0),
        happened(BulkAccepted, bulk="salaries", instructions=3),
        happened(TransferPosted, credit="bob", amount=60),
        happened(TransferPosted, credit="carl", amount=30),
        happened(PaymentSubmitted, payment="salaries/2", amount=40),
        happened(PaymentDispatched, payment="salaries/2"),
    )
    assert (held("alice"), balance("alice"), used()) == (0, 1_000 - 297 - 130, (427, 0))


def test_declined_it_frees_all_of_it_and_its_id() -> None:
    bank()
    when(bulk(*PAID).by("mia"))
    when(decline("cora"))
    then(happened(ApprovalDeclined))
    assert (held("alice"), balance("alice"), used()) == (0, 1_000, (0, 0))
    when(bulk(*PAID).by("mia"))
    then(happened(ApprovalRequested))


def test_what_became_impossible_meanwhile_is_refused_alone_once_it_was_shown_so() -> None:
    """carl's account is closed: that is other than what was shown, and is approved anew."""
    bank()
    when(bulk(*PAID).by("mia"))
    number = newest()
    when(closed("carl"), approve("cora", number))
    then(happened(ApprovalGiven, missing=0), happened(TermsChanged, approval=number))
    assert (held("alice"), used()) == (100, (100, 100))
    when(approve("cora", number))
    then(
        happened(ApprovalGiven, missing=0),
        happened(BulkAccepted),
        happened(TransferPosted, credit="bob"),
        happened(InstructionRefused, index=1, reason="account_not_open"),
        happened(PaymentSubmitted, payment="salaries/2"),
        happened(PaymentDispatched, payment="salaries/2"),
    )
    assert (held("alice"), balance("alice"), used()) == (0, 900, (100, 0))


def test_a_new_fee_is_approved_anew() -> None:
    bank()
    when(bulk(*PAID).by("mia"))
    number = newest()
    when(
        tariff("prices", fee("each", flat=5)),
        product("giro", version=2, limits=["retail"], tariff="prices"),
        approve("cora", number),
    )
    then(happened(ApprovalGiven, missing=0), happened(TermsChanged, approval=number))
    assert held("alice") == 130 + 3 * 5
    when(approve("carl", number))
    assert (held("alice"), balance("alice"), balance("fees")) == (0, 1_000 - 145, 15)


def test_all_or_nothing_that_became_impossible_fails_as_a_whole() -> None:
    bank()
    when(bulk(*PAID, mode="all_or_nothing").by("mia"))
    when(closed("carl"), approve("cora"))
    then(
        happened(ApprovalGiven, missing=0),
        happened(ApprovalFailed, reason="instruction_refused"),
    )
    assert (held("alice"), balance("alice"), used()) == (0, 1_000, (0, 0))
