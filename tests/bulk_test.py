"""Bulks: control totals, all or nothing and each on its own, against deciding one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from book.digest import book_digest
from commands.attempt import attempt
from engine.log.faults import Crash, Fault
from schemas.bulk import BulkAccepted, ControlTotal, InstructionRefused, SubmitBulk
from schemas.instructions import Instruction, ToAccount
from schemas.message import Event
from schemas.rejections import CommandRejected, CommandRepeated, Reason
from schemas.transfers import TransferPosted
from tests.story import (
    Said,
    account,
    balance,
    block,
    given,
    happened,
    internal,
    rejected,
    repeated,
    role,
    say,
    story,
    then,
    transfer,
    user,
    when,
)
from tests.terms_words import charged, fee, limit, limits, product, tariff

Pay = tuple[str, str, int]
"""From, to, cents."""


def pays(one: Pay, **fields: Any) -> Instruction:
    debit, credit, amount = one
    return Instruction(
        **{"account": debit, "amount": amount, "currency": "EUR", "to": ToAccount(account=credit), **fields}
    )


def totals_of(instructions: Sequence[Instruction]) -> tuple[ControlTotal, ...]:
    found: dict[str, tuple[int, int]] = {}
    for one in instructions:
        count, amount = found.get(one.currency, (0, 0))
        found[one.currency] = count + 1, amount + one.amount
    return tuple(ControlTotal(currency=name, count=c, amount=a) for name, (c, a) in found.items())


def bulk(*payments: Pay | Instruction, mode: str = "each", bulk_id: str = "salaries", **fields: Any) -> Said:
    instructions = tuple(one if isinstance(one, Instruction) else pays(one) for one in payments)
    return say(
        SubmitBulk,
        **{
            "bulk": bulk_id,
            "instructions": instructions,
            "mode": mode,
            "totals": totals_of(instructions),
            **fields,
        },
    )


def total(count: int, amount: int, currency: str = "EUR") -> ControlTotal:
    return ControlTotal(currency=currency, count=count, amount=amount)


REJECTIONS: list[tuple[Reason, Said]] = [
    ("bulk_exists", bulk(("alice", "nobody", 1), bulk_id="known", mode="all_or_nothing", totals=())),
    (
        "control_total_missing",
        bulk(("alice", "nobody", 1), mode="all_or_nothing", totals=(total(9, 9, "USD"),)),
    ),
    ("control_count_wrong", bulk(("alice", "nobody", 1), mode="all_or_nothing", totals=(total(2, 9),))),
    ("control_sum_wrong", bulk(("alice", "nobody", 1), mode="all_or_nothing", totals=(total(1, 9),))),
    ("instruction_refused", bulk(("alice", "nobody", 1), mode="all_or_nothing")),
]


def test_what_is_wrong_with_a_bulk_is_said_in_order() -> None:
    given(account("alice", 100), account("bob"), bulk(("alice", "bob", 1), bulk_id="known"))
    for reason, said in REJECTIONS:
        when(said)
        then(rejected(reason))
    assert (balance("alice"), balance("bob")) == (99, 1)


def test_a_total_of_a_currency_that_is_not_paid_is_wrong() -> None:
    given(account("alice", 100), account("bob"))
    when(bulk(("alice", "bob", 1), totals=(total(1, 1), total(1, 5, "USD"))))
    then(rejected("control_count_wrong", currency="USD", told=1, found=0))
    when(bulk(("alice", "bob", 2), ("alice", "bob", 3), totals=(total(2, 6),)))
    then(rejected("control_sum_wrong", currency="EUR", told=6, found=5))


def test_each_on_its_own_is_decided_on_what_the_ones_before_it_left() -> None:
    """60 go; then 40 are left, of which 50 can't go and 40 can; bob passes on what he has just received."""
    given(account("alice", 100), account("bob"), account("carl"))
    when(bulk(("alice", "bob", 60), ("alice", "carl", 50), ("alice", "carl", 40), ("bob", "carl", 60)))
    then(
        happened(BulkAccepted, bulk="salaries", mode="each", instructions=4, totals=(total(4, 210),)),
        happened(TransferPosted, debit="alice", credit="bob", amount=60),
        happened(
            InstructionRefused,
            bulk="salaries",
            index=1,
            reason="insufficient_funds",
            figures={"available": 40, "needed": 50, "currency": "EUR"},
        ),
        happened(TransferPosted, debit="alice", credit="carl", amount=40),
        happened(TransferPosted, debit="bob", credit="carl", amount=60),
    )
    assert [balance(one) for one in ("alice", "bob", "carl")] == [0, 0, 100]


def test_all_or_nothing_names_the_first_that_is_refused_and_moves_nothing() -> None:
    given(account("alice", 100), account("bob"), account("carl"))
    before = book_digest(story().book)
    command = story().command(bulk(("alice", "bob", 60), ("alice", "carl", 50), mode="all_or_nothing"))
    attempt(story().book, command, story().now)
    assert book_digest(story().book) == before
    when(bulk(("alice", "bob", 60), ("alice", "carl", 50), mode="all_or_nothing"))
    then(rejected("instruction_refused", index=1, refused="insufficient_funds", available=40, needed=50))
    assert balance("alice") == 100
    when(bulk(("alice", "bob", 60), ("alice", "carl", 40), mode="all_or_nothing"))
    then(happened(BulkAccepted, mode="all_or_nothing"), happened(TransferPosted), happened(TransferPosted))


def test_limits_and_fees_hold_for_each_instruction() -> None:
    """A fee of 1 each, and 100 a day: 60 and 40 pass, whatever else is in the bulk."""
    given(
        internal("fees", "income"),
        tariff("prices", fee("each", flat=1)),
        limits("retail", limit("daily", 100)),
        product("giro", tariff="prices", limits=["retail"]),
        account("alice", 500, product="giro"),
        account("bob"),
    )
    when(bulk(("alice", "bob", 60), ("alice", "bob", 41), ("alice", "bob", 40)))
    then(
        happened(BulkAccepted),
        happened(TransferPosted, amount=60),
        happened(InstructionRefused, index=1, reason="limit_exceeded"),
        happened(TransferPosted, amount=40),
    )
    assert (balance("alice"), balance("fees")) == (398, 2)


def test_a_bulk_is_sent_once_under_its_command_and_its_own_id() -> None:
    given(account("alice", 100), account("bob"))
    first = when(bulk(("alice", "bob", 10)).with_id("b1").issued_at(story().now))[0][0]
    when(bulk(("alice", "bob", 10)).with_id("b1").issued_at(story().now - 1))
    then(repeated(first.seq))
    when(bulk(("alice", "bob", 10)).with_id("b2"))
    then(rejected("bulk_exists", bulk="salaries"))
    assert balance("bob") == 10


def test_a_scope_of_amounts_is_about_all_instructions_together() -> None:
    from schemas.access import Scope

    given(
        account("alice", 100),
        account("bob"),
        role("clerk", SubmitBulk, scope=Scope(amounts={"EUR": 50})),
        user("carla", roles=["clerk"]),
    )
    when(bulk(("alice", "bob", 30), ("alice", "bob", 21)).by("carla"))
    then(rejected("not_permitted"))
    when(bulk(("alice", "bob", 30), ("alice", "bob", 20)).by("carla"))
    then(happened(BulkAccepted), happened(TransferPosted), happened(TransferPosted))


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_bulk_is_there_whole_or_not_at_all_when_the_engine_dies(fault: Fault) -> None:
    told = given(account("alice", 100), account("bob"))
    told.log.faults.next_commit(fault)
    said = bulk(("alice", "bob", 10), ("alice", "bob", 200), ("alice", "bob", 30)).with_id("b1")
    said = said.issued_at(told.now + 1)
    with pytest.raises(Crash):
        when(said)
    told.recover()
    (outcome,) = when(said.issued_at(told.now))
    if fault is Fault.CRASH_AFTER:
        assert isinstance(outcome[0], CommandRepeated)
    else:
        assert [type(one) for one in outcome] == [
            BulkAccepted, TransferPosted, InstructionRefused, TransferPosted,
        ]  # fmt: skip
    assert (balance("alice"), balance("bob")) == (60, 40)
    told.check()


_NAMES = st.sampled_from(["alice", "bob", "carl", "closed", "nobody", "blocked"])
_PAYMENTS = st.lists(st.tuples(_NAMES, _NAMES, st.integers(1, 60)), min_size=1, max_size=12)
_PEOPLE = (
    account("alice", 100, product="giro"),
    account("bob", 50),
    account("carl"),
    account("blocked", 90),
    block("blocked", "b", "debits"),
)


def _prepared() -> Any:
    return given(charged(fee("each", flat=2)), *_PEOPLE)


@settings(max_examples=40)
@drawn(_PAYMENTS)
def test_each_is_what_transfers_one_by_one_would_be(payments: list[Pay]) -> None:
    _prepared()
    singly = [_kind(when(transfer(*one))[0][0]) for one in payments]
    expected = {name: one.booked for name, one in story().book.accounts.items()}
    _prepared()
    outcome = when(bulk(*payments))[0]
    assert [_kind(one) for one in outcome[1:]] == singly
    assert {name: one.booked for name, one in story().book.accounts.items()} == expected


@settings(max_examples=40)
@drawn(_PAYMENTS)
def test_all_or_nothing_is_each_where_all_would_pass_and_else_nothing(payments: list[Pay]) -> None:
    _prepared()
    each = when(bulk(*payments))[0][1:]
    expected = {name: one.booked for name, one in story().book.accounts.items()}
    refused = [one for one in each if isinstance(one, InstructionRefused)]
    _prepared()
    before = {name: one.booked for name, one in story().book.accounts.items()}
    first = when(bulk(*payments, mode="all_or_nothing"))[0][0]
    if refused:
        assert isinstance(first, CommandRejected)
        assert (first.figures["index"], first.figures["refused"]) == (refused[0].index, refused[0].reason)
        expected = before
    assert {name: one.booked for name, one in story().book.accounts.items()} == expected


def _kind(event: Event) -> tuple[Any, ...]:
    if isinstance(event, CommandRejected | InstructionRefused):
        return event.reason, event.figures
    assert isinstance(event, TransferPosted)
    return event.debit, event.credit, event.amount, event.postings, event.fees
