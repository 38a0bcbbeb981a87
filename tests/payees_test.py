"""Whom each command pays: no way of paying somebody goes around what policy adds up."""

from __future__ import annotations

import pytest

from commands.payees import PAYEE, SHARES, WITHOUT_PAYEE, paid
from schemas.approvals import ApprovalRequested
from schemas.catalogue import COMMANDS
from schemas.documents.roles import TOXIC
from schemas.instructions import ToAccount
from schemas.message import Command, Event
from schemas.payments_in import RefundReceipt, ReturnReceipt
from schemas.rejections import CommandRejected
from tests.approvals_words import line, policy, staff
from tests.currencies_words import BANK, back_valued, exchange, rates
from tests.orders_test import changed, order
from tests.payment_words import capture, hold, rails, raised
from tests.payments_in_test import PAYER, received, suspense
from tests.random_business import Business
from tests.story import (
    TODAY,
    Said,
    account,
    entries,
    given,
    grant,
    internal,
    refund,
    reversal,
    role,
    say,
    story,
    transfer,
    when,
)

MOVING = {*PAYEE, *SHARES, *WITHOUT_PAYEE}


def moves(event: Event) -> bool:
    """Whether an event moves or reserves money of a customer, or frees it."""
    return bool(getattr(event, "postings", ()) or getattr(event, "reserves", ()))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_command_that_moves_money_has_a_payee_or_a_reason_for_none(seed: int) -> None:
    """Found in a random history: which commands have moved any."""
    business = Business(seed)
    kinds: dict[str, type[Command]] = {}
    send = business.submit

    def noted(*commands: Command) -> list[Event]:
        kinds.update({one.id: type(one) for one in commands})
        return send(*commands)

    business.submit = noted  # type: ignore[method-assign]
    business.run(1_500)
    found = {kinds[one.command] for one in business.events() if one.command in kinds and moves(one)}
    assert len(found) > 12
    assert found <= MOVING


def test_a_command_stands_in_one_table() -> None:
    assert len(MOVING) == len(PAYEE) + len(SHARES) + len(WITHOUT_PAYEE)
    assert set(COMMANDS) >= MOVING
    assert all(WITHOUT_PAYEE.values())
    # Whatever has an amount and a currency of its own pays somebody.
    assert {one for one in COMMANDS if {"amount", "currency"} <= set(one.__struct_fields__)} <= MOVING


def test_who_pays_somebody_must_not_approve_by_the_same_role() -> None:
    toxic = {one.one for one in TOXIC if one.other == "Approve"}
    assert {one.__name__ for one in (*PAYEE, *SHARES)} <= toxic


EVERYTHING = tuple(sorted(one.__name__ for one in (*PAYEE, *SHARES)))
PAYS_BOB = [hold("alice", 30, counterparty="bob"), transfer("alice", "bob", 30)]
TO_BOB_AGAIN = [transfer("bob", "alice", 60, reference="t"), transfer("alice", "bob", 60)]
SENT: list[tuple[list[Said], Said, int]] = [
    ([transfer("alice", "bob", 60)], entries(("alice", -40), ("bob", 39), ("firm", 1)), 99),
    (PAYS_BOB, raised(30), 90),
    (PAYS_BOB, capture(30, "bob"), 90),
    ([transfer("alice", "carl", 60)], order("rent", 30, to=ToAccount(account="carl")), 90),
    ([order("rent", 60)], changed("rent", amount=30), 90),
    ([transfer("alice", "bob", 60), order("rent", 20)], changed("rent", amount=30), 110),
    ([exchange("alice", "alice-usd", 60)], exchange("alice", "alice-usd", 30), 90),
    (TO_BOB_AGAIN, reversal("t"), 120),
    (TO_BOB_AGAIN, refund("t", 30), 90),
]
"""What was sent, what is sent then, and what the payee gets of both."""


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("case", range(len(SENT)))
def test_what_one_payee_gets_is_added_up_however_it_is_paid(case: int, more: int) -> None:
    """It waits where the line is at the sum, and does not where it is one cent above it."""
    sent, then_sent, whole = SENT[case]
    together = {"window_s": 86_400, "amounts": {"EUR": whole + more}}
    given(
        BANK,
        rates(),
        staff(),
        role("all-of-it", *EVERYTHING),
        grant("mia", "all-of-it"),
        account("alice", balance=10_000),
        account("alice-usd", currency="USD", party_id="p-alice"),
        *(account(one, balance=10_000) for one in ("bob", "carl", "firm")),
        policy(line(*EVERYTHING, id="sum", when={"together": together})),
    )
    for one in sent:
        assert not isinstance(when(one.by("mia"))[-1][0], ApprovalRequested | CommandRejected), story().last
    first = when(then_sent.by("mia"))[-1][0]
    assert not isinstance(first, CommandRejected), first
    assert isinstance(first, ApprovalRequested) == (not more)


def test_what_is_posted_late_pays_whom_it_credits() -> None:
    given(account("alice", 100), account("bob"))
    command = story().command(back_valued(("alice", -40), ("bob", 39), ("firm", 1), value_date=TODAY))
    assert paid(story().book, command, [("EUR", 40)]) == [("bob", "EUR", 39), ("firm", "EUR", 1)]


def test_what_goes_back_to_a_payer_outside_counts_as_paid_to_that_account() -> None:
    """Returned from suspense; what was credited is not known to come from there any more."""
    given(
        account("alice"),
        rails(),
        internal("waiting", "suspense"),
        suspense(),
        received("r1", "nobody"),
        received("r2", "alice"),
    )
    parked = story().command(say(ReturnReceipt, receipt="r1", reason="not ours"))
    assert paid(story().book, parked, [("EUR", 50)]) == [(PAYER.account, "EUR", 50)]
    refunded = story().command(say(RefundReceipt, receipt="r2", amount=5, reason="too much"))
    assert paid(story().book, refunded, [("EUR", 5)]) == [("", "EUR", 5)]
