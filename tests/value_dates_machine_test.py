"""Money with a value date ahead can never be spent before it, whatever is posted, taken back or refunded."""

from __future__ import annotations

import datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.rejections import CommandRejected
from tests.story import (
    DAY_MS,
    TODAY,
    Said,
    account,
    advance,
    entries,
    forget,
    given,
    later,
    prove,
    refund,
    reversal,
    story,
    transfer,
    when,
)

A_DAY = datetime.timedelta(days=1)
NAMES = st.sampled_from(["a", "b", "c"])
AMOUNTS = st.integers(1, 60)
AHEAD = st.sampled_from([-2, 0, 0, 1, 1, 2, 5])
OVERDRAFT = {"a": 0, "b": 25, "c": 0}
Legs = list[tuple[str, int]]


class Move:
    """What was posted. waiting: by account, what of it cannot be spent before its day."""

    def __init__(self, seq: int, legs: Legs, day: datetime.date) -> None:
        self.seq, self.legs, self.day = seq, legs, day
        self.waiting: dict[str, int] = {}
        self.refunded, self.reversed = 0, False


class Bank(RuleBasedStateMachine):
    """The twin: what each account can spend, and what waits with each movement."""

    @initialize()
    def open(self) -> None:
        forget()
        given(*(account(name, 50, overdraft=floor) for name, floor in OVERDRAFT.items()))
        self.today = TODAY
        self.spendable = {name: 50 + floor for name, floor in OVERDRAFT.items()}
        self.moves: list[Move] = []

    def told(self, said: Said, fits: bool) -> bool:
        when(said)
        last = story().last[0]
        assert isinstance(last, CommandRejected) != fits, last
        if isinstance(last, CommandRejected):
            assert last.reason == "insufficient_funds"
        return fits

    def post(self, said: Said, legs: Legs, day: datetime.date) -> None:
        net = netted(legs)
        if not self.told(
            said, all(self.spendable[name] + amount >= 0 for name, amount in net.items() if amount < 0)
        ):
            return
        move = Move(story().last[0].seq, legs, day)
        self.moves.append(move)
        for name, amount in net.items():
            if amount > 0 and day > self.today:
                move.waiting[name] = amount
            else:
                self.spendable[name] += amount

    @rule(debit=NAMES, credit=NAMES, amount=AMOUNTS, ahead=AHEAD)
    def transfers(self, debit: str, credit: str, amount: int, ahead: int) -> None:
        day = self.today + ahead * A_DAY
        if debit != credit:
            legs = [(debit, -amount), (credit, amount)]
            self.post(transfer(debit, credit, amount, value_date=day), legs, day)

    @rule(payer=NAMES, payees=st.permutations(["a", "b", "c"]), one=AMOUNTS, two=AMOUNTS, ahead=AHEAD)
    def posts(self, payer: str, payees: list[str], one: int, two: int, ahead: int) -> None:
        day = self.today + ahead * A_DAY
        legs = [(payer, -one - two), (payees[0], one), (payees[1], two)]
        self.post(entries(*legs, value_date=day), legs, day)

    def take_back(self, move: Move, said: Said, legs: Legs) -> bool:
        """From what waits with the movement, or else from what can be spent."""
        net = netted(legs)
        taken = {name: -amount for name, amount in net.items() if amount < 0}
        fits = all(name in move.waiting or self.spendable[name] >= amount for name, amount in taken.items())
        if not self.told(said, fits):
            return False
        for name, amount in net.items():
            if amount < 0 and name in move.waiting:
                move.waiting[name] += amount
                assert move.waiting[name] >= 0
            else:
                self.spendable[name] += amount
        return True

    @rule(which=st.integers(0, 10))
    def reverses(self, which: int) -> None:
        found = [one for one in self.moves if not one.reversed and not one.refunded]
        if found:
            move = found[which % len(found)]
            legs = [(name, -amount) for name, amount in move.legs]
            move.reversed = self.take_back(move, reversal(move.seq), legs)

    @rule(which=st.integers(0, 10), amount=AMOUNTS)
    def refunds(self, which: int, amount: int) -> None:
        found = [
            one
            for one in self.moves
            if not one.reversed and len(one.legs) == 2 and one.refunded < one.legs[1][1]
        ]
        if found:
            move = found[which % len(found)]
            (debit, _), (credit, original) = move.legs
            amount = min(amount, original - move.refunded)
            legs = [(credit, -amount), (debit, amount)]
            move.refunded += amount * self.take_back(move, refund(move.seq, amount), legs)

    @rule(days=st.integers(1, 3))
    def days_pass(self, days: int) -> None:
        now = story().now
        to_ms = now - now % DAY_MS + days * DAY_MS + 3_600_000
        when(later(ms=to_ms - now), advance(to_ms))
        self.today += days * A_DAY
        for move in self.moves:
            if move.day <= self.today:
                for name, amount in move.waiting.items():
                    self.spendable[name] += amount
                move.waiting = {}

    @invariant()
    def what_can_be_spent_and_what_waits_is_what_the_twin_says(self) -> None:
        if not hasattr(self, "moves"):
            return
        book = story().book
        for name, floor in OVERDRAFT.items():
            one = book.accounts[name]
            assert one.held == sum(move.waiting.get(name, 0) for move in self.moves)
            assert one.booked - one.held + floor == self.spendable[name] >= 0

    def teardown(self) -> None:
        if hasattr(self, "moves"):
            story().check()
            prove()
            forget()


def netted(legs: Legs) -> dict[str, int]:
    """All legs of an account together."""
    return {name: sum(amount for one, amount in legs if one == name) for name, _ in legs}


TestBank = Bank.TestCase
TestBank.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
