"""Who banks at the demo bank, and their habits."""

from __future__ import annotations

import datetime

import msgspec

from gateway.demo_words import COUNTRIES, Draw, business_name, person_name

PAYDAYS = (1, 15, 25, 25, 25, 28)


class Business(msgspec.Struct):
    """A business: employer, merchant or landlord. usd: its second account, or empty.   owed: by the card
    scheme.
    """

    party: str
    name: str
    account: str
    usd: str
    founded: datetime.date
    payroll: int = 0
    owed: int = 0


class Person(msgspec.Struct):
    """A person. user: of online banking, or empty.   savings: a second account, or empty. Amounts in
    cents.
    """

    party: str
    name: str
    account: str
    savings: str
    user: str
    country: str
    born_on: datetime.date
    employer: Business
    landlord: Business
    utility: Business
    shops: tuple[Business, ...]
    salary: int
    payday: int
    rent: int
    rent_day: int
    bill: int
    bill_day: int
    overdraft: int


class People(msgspec.Struct):
    """Everybody, in the order in which they became customers."""

    businesses: list[Business]
    persons: list[Person]


def people(draw: Draw, parties: int) -> People:
    """As many parties as asked for, a tenth of them businesses."""
    businesses = [_business(draw, number) for number in range(1, max(1, parties // 10) + 1)]
    persons = [_person(draw, number, businesses) for number in range(1, parties - len(businesses) + 1)]
    return People(businesses, persons)


def _business(draw: Draw, number: int) -> Business:
    return Business(
        party=f"business-{number:05d}",
        name=business_name(draw),
        account=f"business-{number:05d}-eur",
        usd=f"business-{number:05d}-usd" if number % 4 == 1 else "",
        founded=datetime.date(draw.between(1950, 2022), draw.between(1, 12), draw.between(1, 28)),
    )


def _person(draw: Draw, number: int, businesses: list[Business]) -> Person:
    employer = draw.of(businesses)
    salary = draw.between(36, 104) * 50_00
    employer.payroll += salary
    # Homes belong to few, and so does what flows through the walls.
    landlords = businesses[: max(1, len(businesses) // 8)]
    return Person(
        party=f"person-{number:05d}",
        name=person_name(draw),
        account=f"current-{number:05d}",
        savings=f"savings-{number:05d}" if draw.one_in(6) else "",
        user=f"online-{number:05d}" if draw.one_in(4) else "",
        country=draw.of(COUNTRIES),
        born_on=datetime.date(draw.between(1940, 2006), draw.between(1, 12), draw.between(1, 28)),
        employer=employer,
        landlord=draw.of(landlords),
        utility=businesses[number % max(1, len(businesses) // 20)],
        shops=tuple(draw.of(businesses) for _ in range(4)),
        salary=salary,
        payday=draw.of(PAYDAYS),
        rent=salary * draw.between(22, 36) // 100 // 10_00 * 10_00,
        rent_day=draw.between(1, 5),
        bill=draw.between(39_00, 189_00),
        bill_day=draw.between(3, 28),
        overdraft=draw.of((0, 0, 500_00, 1_000_00)),
    )
