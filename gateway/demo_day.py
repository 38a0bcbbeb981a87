"""An ordinary day at the demo bank: salaries, rents, bills, cards, transfers, cash, and the card scheme's
settlement.
"""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable
from typing import Any

from gateway.demo_opening import CARDS, CASH, FEES, PAYMENTS, SETTLEMENT, TELLERS
from gateway.demo_pen import Moved, Pen
from gateway.demo_people import People, Person
from gateway.demo_words import Draw
from schemas.transfers import Leg, PostEntries, Transfer

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
BUSY_HOURS = (7, 8, 8, 9, 10, 11, 12, 12, 12, 13, 14, 15, 16, 17, 17, 17, 18, 18, 18, 19, 19, 20, 21)
"""When people shop, an hour as often as it is busy."""
ALL_CENTS = 100
SOME_OF = 400
"""Of most kinds of mistake, one a day for so many persons."""
MERCHANT_FEE_PERMILLE = 9
MOST_AT_ONCE = 400
TRIES_ANYWAY = 8
"""Who lacks the money for a payment leaves it, but once in so many times tries."""

Task = tuple[int, int, Callable[..., None], tuple[Any, ...]]
"""When, in which order at the same moment, what, with what."""


class Day:
    """Plans what happens on a day. moved, bought: newest transfers between people and card payments."""

    def __init__(self, pen: Pen, draw: Draw, everyone: People) -> None:
        self.pen = pen
        self.draw = draw
        self.everyone = everyone
        self.moved: deque[Moved] = deque(maxlen=200)
        self.bought: deque[Moved] = deque(maxlen=500)
        self._tasks: list[Task] = []

    def plan(self, at_ms: int, what: Callable[..., None], *given: Any) -> None:
        """At that time, call `what(at_ms, *given)`."""
        self._tasks.append((at_ms, len(self._tasks), what, given))

    def planned(self) -> list[Task]:
        """The day's plan in the order of time; the next day starts with none."""
        tasks, self._tasks = self._tasks, []
        tasks.sort(key=lambda task: task[:2])
        return tasks

    def some_time(self, from_ms: int) -> int:
        """A time of the day on which people are about."""
        return from_ms + self.draw.of(BUSY_HOURS) * HOUR_MS + self.draw.below(HOUR_MS)

    def someone(self, at_ms: int) -> Person | None:
        """A person whose account is not blocked, or nobody where the first few are."""
        for _ in range(8):
            who = self.draw.of(self.everyone.persons)
            if self.pen.blocked.get(who.account, 0) <= at_ms:
                return who
        return None

    def plan_habits(self, date: datetime.date, from_ms: int) -> None:
        """Everything that happens out of habit."""
        draw = self.draw
        weekend = date.weekday() >= 5
        for person in self.everyone.persons:
            if date.day == person.payday:
                self.plan(from_ms + 6 * HOUR_MS + draw.below(20 * MINUTE_MS), self._salary, person)
            if date.day == person.rent_day:
                self.plan(from_ms + 7 * HOUR_MS + draw.below(30 * MINUTE_MS), self._rent, person)
            if date.day == person.bill_day:
                self.plan(from_ms + 8 * HOUR_MS + draw.below(30 * MINUTE_MS), self._bill, person)
            for _ in range(draw.below(4 if weekend else 3)):
                self.plan(self.some_time(from_ms), self._shop, person)
            if draw.one_in(8):
                self.plan(self.some_time(from_ms), self._pay_someone, person)
            if not weekend and draw.one_in(60):
                self.plan(from_ms + draw.between(9 * HOUR_MS, 16 * HOUR_MS), self._cash, person)
        for business in self.everyone.businesses:
            if business.usd and not weekend and draw.one_in(3):
                self.plan(from_ms + draw.between(9 * HOUR_MS, 17 * HOUR_MS), self._pay_abroad, business.usd)
        self.plan(from_ms + 22 * HOUR_MS + 30 * MINUTE_MS, self._settle)

    def _pay(
        self, kind: str, actor: str, at_ms: int, debit: str, credit: str, amount: int, reference: str
    ) -> Moved | None:
        """Pay if there is money; if not, mostly leave it."""
        pen = self.pen
        if pen.can_pay(debit, amount, at_ms):
            return pen.transfer(kind, actor, at_ms, debit, credit, amount, reference)
        if (
            pen.balances[debit] < amount
            and self.draw.one_in(TRIES_ANYWAY)
            and pen.blocked.get(debit, 0) <= at_ms
        ):
            self.refused(
                "pay without enough money", "insufficient_funds", actor, at_ms, debit, credit, amount
            )
        return None

    def refused(
        self,
        kind: str,
        reason: str,
        actor: str,
        at_ms: int,
        debit: str,
        credit: str,
        amount: int,
        *,
        currency: str = "EUR",
        value_date: datetime.date | None = None,
    ) -> None:
        """A transfer that will be refused."""
        self.pen.write(
            kind,
            Transfer,
            actor,
            at_ms,
            reason,
            debit=debit,
            credit=credit,
            amount=amount,
            currency=currency,
            value_date=value_date,
        )

    def _salary(self, at_ms: int, who: Person) -> None:
        self._pay("pay salaries", PAYMENTS, at_ms, who.employer.account, who.account, who.salary, "salary")

    def _rent(self, at_ms: int, who: Person) -> None:
        self._pay("pay rents", PAYMENTS, at_ms, who.account, who.landlord.account, who.rent, "rent")

    def _bill(self, at_ms: int, who: Person) -> None:
        self._pay("pay bills", PAYMENTS, at_ms, who.account, who.utility.account, who.bill, "electricity")

    def _shop(self, at_ms: int, who: Person) -> None:
        draw = self.draw
        shop = draw.of(self.everyone.businesses) if draw.one_in(6) else draw.of(who.shops)
        amount = draw.between(2_00, 48_00) if not draw.one_in(9) else draw.between(40_00, 290_00)
        if draw.one_in(3):
            amount = amount // ALL_CENTS * ALL_CENTS + 99
        bought = self._pay("pay by card", CARDS, at_ms, who.account, SETTLEMENT, amount, shop.name)
        if bought is not None:
            shop.owed += amount
            self.bought.append(bought)

    def _pay_someone(self, at_ms: int, who: Person) -> None:
        draw = self.draw
        other = draw.of(self.everyone.persons)
        amount = draw.between(1, 30) * 5_00
        if other is not who:
            moved = self._pay(
                "pay each other", who.user or PAYMENTS, at_ms, who.account, other.account, amount, "thank you"
            )
            if moved is not None:
                self.moved.append(moved)
        elif who.savings:
            self._pay("save", who.user or PAYMENTS, at_ms, who.account, who.savings, amount, "savings")

    def _cash(self, at_ms: int, who: Person) -> None:
        amount = self.draw.between(1, 20) * 20_00
        teller = self.draw.of(TELLERS)
        if self.draw.one_in(3):
            self.pen.transfer("bring cash", teller, at_ms, CASH, who.account, amount, "cash in")
        else:
            self._pay("fetch cash", teller, at_ms, who.account, CASH, amount, "cash out")

    def _pay_abroad(self, at_ms: int, usd: str) -> None:
        others = [one.usd for one in self.everyone.businesses if one.usd and one.usd != usd]
        amount = self.draw.between(100_00, 9_000_00)
        if others and self.pen.can_pay(usd, amount, at_ms):
            self.pen.transfer(
                "pay in dollars", PAYMENTS, at_ms, usd, self.draw.of(others), amount, "invoice", "USD"
            )

    def _settle(self, at_ms: int) -> None:
        """The card scheme pays the shops what they are owed, less its fee, in one posting for many."""
        owed = [one for one in self.everyone.businesses if one.owed]
        for start in range(0, len(owed), MOST_AT_ONCE):
            legs, total, fees = [], 0, 0
            for shop in owed[start : start + MOST_AT_ONCE]:
                fee = shop.owed * MERCHANT_FEE_PERMILLE // 1000
                legs.append(Leg(account=shop.account, amount=shop.owed - fee, currency="EUR"))
                self.pen.move(SETTLEMENT, shop.account, shop.owed - fee)
                total, fees, shop.owed = total + shop.owed, fees + fee, 0
            legs.append(Leg(account=SETTLEMENT, amount=-total, currency="EUR"))
            if fees:
                legs.append(Leg(account=FEES, amount=fees, currency="EUR"))
                self.pen.move(SETTLEMENT, FEES, fees)
            self.pen.write(
                "settle cards", PostEntries, CARDS, at_ms, legs=tuple(legs), reference="card settlement"
            )
