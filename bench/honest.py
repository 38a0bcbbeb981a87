"""Honest traffic for the quality of detection: who banks, what they do out of habit, day by day, from a seed.

Wages, rents, shops, households, businesses with payrolls and takings, clubs that collect dues, newcomers,
people who move house, savers who buy a car, migrants who send money home. Shops are closed on Sundays and
busy on Saturdays and in December; in July and August people spend more and pay each other less. Everybody
pays only what they have. Nothing here knows what is looked for, and nothing is made to stay away from any
threshold.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from gateway.demo_words import Draw
from gateway.planted_parts import DAY_MS, HOUR_MS, Step
from schemas.accounts import OpenAccount
from schemas.parties import ChangePartyProfile, RegisterParty
from schemas.transfers import Transfer

NOSTRO, CASH, CARDS = "nostro", "cash-desk", "cards"
"""The bank's own accounts: the world outside, cash, and what card payments go through until shops get
them."""
ABROAD = ("KE", "NP", "VN", "LB")
"""Where migrants' families live: countries on the list."""
OPENED_DAYS = 60
"""How long before the first day everybody but newcomers had become a customer."""
_TENS = tuple(int(Decimal(10) ** (Decimal(n) / 100) * 60) for n in range(301))
"""From 0.60 to 600.00 in equal ratios, cents."""
OF_THOUSAND = {
    "wage": 540,
    "household": 90,
    "pensioner": 110,
    "student": 70,
    "freelancer": 45,
    "migrant": 25,
    "saver": 25,
    "newcomer": 25,
    "shop": 30,
    "employer": 15,
    "landlord": 10,
    "club": 15,
}
PRODUCTS = {"shop": "merchant", "employer": "payroll", "landlord": "property", "club": "club"}
"""The product of an account by the kind of its party, as a bank sells it; persons have `current`."""
PERSONS = ("wage", "household", "pensioner", "student", "freelancer", "migrant", "saver", "newcomer")
SALARIED = ("wage", "household", "migrant", "saver", "newcomer")


class One(msgspec.Struct):
    """A party and its account, both of that name. Amounts in cents.   since: the day it became a customer."""

    name: str
    kind: str
    income: int = 0
    payday: int = 1
    payer: str = ""
    rent: int = 0
    landlord: str = ""
    shops: tuple[str, ...] = ()
    friends: tuple[str, ...] = ()
    owed: int = 0
    since: int = 0
    once: int = -1


class Honest:
    """`parties` of them, for `days` days from a first day on. Iterate `steps` once: they are in order of
    time."""

    def __init__(self, seed: int, parties: int, first: datetime.date, days: int) -> None:
        self.draw = Draw(seed)
        self.days = days
        self.first = first
        self.began_ms = (
            int(datetime.datetime.combine(first, datetime.time(), datetime.UTC).timestamp()) * 1_000
        )
        self.opened_ms = self.began_ms - OPENED_DAYS * DAY_MS
        self.everyone = [
            One(f"{kind}-{number:04d}", kind)
            for kind, share in OF_THOUSAND.items()
            for number in range(max(1, share * parties // 1_000))
        ]
        self.of = {kind: [one for one in self.everyone if one.kind == kind] for kind in OF_THOUSAND}
        self.balances: dict[str, int] = {}
        self._abroad = {country: f"family-{country.lower()}" for country in ABROAD}
        for one in self.everyone:
            self._settle_in(one)

    def steps(self) -> Iterator[Step]:
        """The opening, and then every day."""
        yield from self._opening()
        for number in range(self.days):
            yield from sorted(self._day(number), key=lambda step: step.at_ms)

    # --- who they are ---------------------------------------------------------------------------------

    def _settle_in(self, one: One) -> None:
        draw, of = self.draw, self.of
        one.shops = tuple(draw.of(of["shop"]).name for _ in range(4))
        one.landlord = draw.of(of["landlord"]).name
        one.friends = tuple(draw.of(of[draw.of(("wage", "household", "student"))]).name for _ in range(3))
        one.payday = draw.of((1, 15, 25, 25, 28))
        if one.kind in SALARIED:
            one.payer = draw.of(of["employer"] if draw.below(3) else of["shop"]).name
            one.income = draw.between(1_450_00, 4_900_00)
            one.rent = one.income * draw.between(22, 38) // 100
        elif one.kind == "pensioner":
            one.income, one.payer, one.payday = draw.between(950_00, 2_300_00), NOSTRO, 28
            one.rent = one.income * draw.between(0, 40) // 100
        elif one.kind == "student":
            one.income, one.payer = draw.between(6, 14) * 50_00, NOSTRO
            one.rent = draw.between(280_00, 520_00)
        elif one.kind == "freelancer":
            one.income, one.rent = draw.between(1_800_00, 6_000_00), draw.between(500_00, 1_100_00)
        if one.kind == "newcomer":
            one.since = draw.between(20, max(21, self.days - 40))
        if one.kind == "migrant":  # some have sent money home for years, others begin
            one.since = max(0, draw.between(-self.days, self.days))
        one.once = draw.between(30, self.days) if one.kind == "saver" or draw.one_in(8) else -1

    def _opening(self) -> Iterator[Step]:
        at = self.opened_ms
        yield Step(at, OpenAccount, {"account": CARDS, "kind": "suspense", "currency": "EUR"})
        for country, name in self._abroad.items():
            yield from self._customer(name, "family", at, 0, country)
        for one in self.everyone:
            if one.kind != "newcomer":
                yield from self._customer(one.name, one.kind, at, self._first_money(one), "DE")
            if one.kind == "saver":
                savings = f"{one.name}-savings"
                yield self._account(savings, one.name, at)
                yield self._put(at, savings, self.draw.between(6_000_00, 30_000_00))

    def _first_money(self, one: One) -> int:
        draw = self.draw
        if one.kind in {"employer", "shop"}:
            return draw.between(60_000_00, 250_000_00)
        return (
            draw.between(2_000_00, 15_000_00)
            if one.kind in {"landlord", "club"}
            else draw.between(150_00, 6_000_00)
        )

    def _customer(self, name: str, kind: str, at: int, money: int, country: str) -> Iterator[Step]:
        is_person = kind in PERSONS or kind == "family"
        about = {"kind": "person" if is_person else "business", "name": "Somebody", "status": "active"}
        yield Step(at, RegisterParty, {"party": name, "country": country, **about})
        yield self._account(name, name, at, PRODUCTS.get(kind, "current"))
        if money:
            yield self._put(at, name, money)

    def _account(self, account: str, party: str, at: int, product: str = "current") -> Step:
        self.balances[account] = 0
        return Step(
            at, OpenAccount, {"account": account, "party": party, "currency": "EUR", "product": product}
        )

    # --- a day ----------------------------------------------------------------------------------------

    def _day(self, number: int) -> Iterator[Step]:
        date = self.first + datetime.timedelta(days=number)
        at = self.began_ms + number * DAY_MS
        for one in self.everyone:
            if number == one.since and one.kind == "newcomer":
                yield from self._customer(one.name, one.kind, at + 9 * HOUR_MS, 0, "DE")
                yield self._put(at + 10 * HOUR_MS, one.name, self.draw.between(500_00, 14_000_00))
            if number > one.since or one.kind != "newcomer":
                yield from (
                    self._person(one, date, at, number)
                    if one.kind in PERSONS
                    else self._business(one, date, at)
                )
        for shop in self.of["shop"]:
            if shop.owed:
                takings, shop.owed = shop.owed, 0
                yield from self._pay(at + 22 * HOUR_MS + 30 * 60_000, CARDS, shop.name, takings)

    def _person(self, one: One, date: datetime.date, at: int, number: int) -> Iterator[Step]:
        draw = self.draw
        if one.kind == "freelancer":
            if draw.one_in(12) and date.weekday() < 5:
                client = draw.of(self.of[draw.of(("employer", "shop"))]).name if draw.below(3) else NOSTRO
                yield from self._pay(
                    at + 11 * HOUR_MS, client, one.name, one.income * draw.between(20, 120) // 100
                )
            if date.day == 10 and date.month % 3 == 1:
                yield from self._pay(at + 8 * HOUR_MS, one.name, NOSTRO, one.income * 2)
        elif date.day == one.payday:
            yield from self._pay(
                at + 6 * HOUR_MS + draw.below(HOUR_MS), one.payer, one.name, self._wage(one, date)
            )
        if date.day == 1 + one.payday % 5 and one.rent:
            yield from self._pay(at + 7 * HOUR_MS + draw.below(HOUR_MS), one.name, one.landlord, one.rent)
        if date.day == 3 + one.payday % 7:
            yield from self._pay(
                at + 8 * HOUR_MS, one.name, NOSTRO, draw.between(39_00, 210_00)
            )  # electricity
        yield from self._shopping(one, date, at)
        if draw.one_in(9 if date.month not in {7, 8} else 14):
            amount = draw.between(1, 30) * 5_00 if draw.below(4) else draw.between(3_00, 95_00)
            yield from self._pay(at + draw.between(9, 22) * HOUR_MS, one.name, draw.of(one.friends), amount)
        if one.kind == "household" and date.day == one.payday % 28 + 1:
            yield from self._pay(at + 12 * HOUR_MS, one.name, self._partner(one), one.income * 2 // 5)
        if one.kind == "migrant" and number >= one.since and date.day == one.payday % 28 + 2:
            home = self._abroad[ABROAD[int(one.name[-4:]) % len(ABROAD)]]
            yield from self._pay(at + 18 * HOUR_MS, one.name, home, draw.between(3, 12) * 50_00)
        if draw.one_in(40):
            yield from self._pay(at + 13 * HOUR_MS, one.name, CASH, draw.between(1, 20) * 20_00)
        if number == one.once:
            yield from self._once(one, at)
        if self.balances[one.name] > 3 * one.income and draw.one_in(60) and one.income:
            yield from self._pay(
                at + 20 * HOUR_MS, one.name, NOSTRO, one.income * draw.between(5, 15) // 10
            )  # invests

    def _once(self, one: One, at: int) -> Iterator[Step]:
        """What happens to somebody once: a saver buys a car from what has lain still; others move house."""
        draw = self.draw
        if one.kind == "saver":
            savings = f"{one.name}-savings"
            dealer = draw.of(self.of["employer"]).name
            yield from self._pay(
                at + 14 * HOUR_MS, savings, dealer, self.balances[savings] * draw.between(5, 9) // 10
            )
            return
        yield Step(at + 10 * HOUR_MS, ChangePartyProfile, {"party": one.name, "branch": f"b{draw.below(9)}"})
        if one.rent:  # a deposit, and furniture
            yield from self._pay(at + 30 * HOUR_MS, one.name, draw.of(self.of["landlord"]).name, 2 * one.rent)
        yield from self._pay(at + 52 * HOUR_MS, one.name, NOSTRO, draw.between(150_00, 2_400_00))

    def _shopping(self, one: One, date: datetime.date, at: int) -> Iterator[Step]:
        draw = self.draw
        if date.weekday() == 6:
            return
        busy = (3 if date.weekday() == 5 else 2) + (date.month in {7, 8, 12})
        for _ in range(draw.below(busy)):
            amount = _TENS[draw.below(101) + draw.below(101) + draw.below(101)] * draw.between(90, 110) // 100
            shop = draw.of(self.of["shop"]).name if draw.one_in(5) else draw.of(one.shops)
            time = at + draw.between(8 * HOUR_MS, 20 * HOUR_MS)
            if self.balances[one.name] >= amount:
                next(other for other in self.of["shop"] if other.name == shop).owed += amount
                yield from self._pay(time, one.name, CARDS, amount)

    def _business(self, one: One, date: datetime.date, at: int) -> Iterator[Step]:
        draw = self.draw
        is_working_day = date.weekday() < 5
        if one.kind == "shop" and date.weekday() < 6 and draw.below(3):
            yield self._put(at + 17 * HOUR_MS, one.name, draw.between(200_00, 3_800_00), CASH)
        if one.kind == "employer" and is_working_day and draw.below(2):
            yield self._put(at + 10 * HOUR_MS, one.name, draw.between(1_500_00, 40_000_00))
        if one.kind in {"employer", "shop"} and is_working_day and draw.one_in(5):
            supplier = draw.of(self.of["employer"]).name if draw.below(2) else NOSTRO
            amount = int(10 ** (2 + draw.below(2_300) / 1_000)) * 100 + draw.below(100)
            if supplier != one.name:
                yield from self._pay(at + 15 * HOUR_MS, one.name, supplier, amount)
        if one.kind == "landlord" and date.day == 8:
            yield from self._pay(at + 9 * HOUR_MS, one.name, NOSTRO, self.balances[one.name] * 85 // 100)
        if one.kind == "landlord" and draw.one_in(6):
            yield from self._pay(at + 16 * HOUR_MS, one.name, NOSTRO, draw.between(80_00, 1_900_00))
        if one.kind == "club":
            if date.month % 3 == 1 and date.day < 8:
                for member in range(int(one.name[-4:]), len(self.of["wage"]), 12 * 7):
                    payer = self.of["wage"][(member + 12 * date.day) % len(self.of["wage"])].name
                    yield from self._pay(at + 12 * HOUR_MS, payer, one.name, 45_00)
            if date.day == 15:
                yield from self._pay(at + 12 * HOUR_MS, one.name, NOSTRO, draw.between(120_00, 700_00))

    # --- money ----------------------------------------------------------------------------------------

    def _wage(self, one: One, date: datetime.date) -> int:
        return one.income * 3 // 2 if date.month in {6, 11} and one.kind in SALARIED else one.income

    def _partner(self, one: One) -> str:
        household = self.of["household"]
        return household[(household.index(one) ^ 1) % len(household)].name

    def _put(self, at: int, account: str, amount: int, source: str = NOSTRO) -> Step:
        self.balances[account] += amount
        return self._move(at, source, account, amount)

    def _pay(self, at: int, debit: str, credit: str, amount: int) -> Iterator[Step]:
        """Nothing where there is not enough, nobody to be paid yet, or nothing to pay."""
        balances = self.balances
        is_bank = debit in {NOSTRO, CASH, CARDS}
        if debit == credit or amount <= 0 or (not is_bank and balances.get(debit, 0) < amount):
            return
        if credit not in balances and credit not in {NOSTRO, CASH, CARDS}:
            return
        if not is_bank:
            balances[debit] -= amount
        if credit in balances:
            balances[credit] += amount
        yield self._move(at, debit, credit, amount)

    def _move(self, at: int, debit: str, credit: str, amount: int) -> Step:
        channel = {CASH: "cash", CARDS: "card"}.get(debit if debit in {CASH, CARDS} else credit, "online")
        fields = {"debit": debit, "credit": credit, "amount": amount, "currency": "EUR", "channel": channel}
        return Step(at, Transfer, fields)
