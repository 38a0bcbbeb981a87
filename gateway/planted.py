"""Patterns to be planted into a bank, one for each typology, as commands of a commanded book.

They are for the demo and for measuring. Each goes by the figures of the document in force and is planted
below them, at them, or well beyond, so that it can be told whether a typology finds what it says and nothing
less. Nothing here detects anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.demo_words import Draw
from gateway.planted_parts import DAY_MS, HELPER_MONEY, HELPERS, Level, Parts, Step
from gateway.planted_patterns import MONEY, PATTERNS
from schemas.documents.kinds import known
from schemas.documents.typologies import Typologies
from schemas.message import Command
from schemas.publishing import PublishDocument


class Planted(NamedTuple):
    """kind: the typology that is to find it.   account: whom it is about; its party has the same name.

    at_ms: when it is complete.
    """

    kind: str
    level: Level
    account: str
    at_ms: int
    steps: tuple[Step, ...]


class Planter(Parts):
    """Plants into one book. sets: the parameters that are in force there.   prefix: of the ids that it makes.

    funding, cash: accounts of the bank from which customers' money comes.
    """

    def __init__(
        self,
        sets: Typologies,
        draw: Draw,
        *,
        funding: str,
        cash: str,
        prefix: str = "planted",
        currency: str = "EUR",
    ) -> None:
        super().__init__(sets, draw, funding=funding, cash=cash, prefix=prefix, currency=currency)
        self._subjects = 0

    def opening(self, at_ms: int) -> Iterator[Step]:
        """Those on the other side: once, before anything is planted."""
        helpers = self.helpers(HELPERS)
        for name in helpers:
            yield from self.customer(name, at_ms, HELPER_MONEY)
        listed = self.sets.high_risk_country
        if listed is not None:
            yield from self.customer(self.abroad, at_ms, 0, country=listed.countries[0])

    def lead_ms(self, kind: str) -> int:
        """How long before a pattern begins its account is to be opened, so that only this pattern is
        found.
        """
        quiet, early = self.sets.dormant_active, self.sets.new_account_velocity
        if kind == "new_account_velocity":
            return 0
        days = 0 if early is None else early.age_days
        return DAY_MS * (max(days, quiet.quiet_days) if kind == "dormant_active" and quiet else days)

    def plant(self, kind: str, level: Level, at_ms: int, opened_ms: int) -> Planted:
        """The pattern, in an account of its own that is opened at that time and has what it needs."""
        self._subjects += 1
        account = f"{self._prefix}-{self._subjects:03d}"
        opening = tuple(self.customer(account, opened_ms, MONEY.get(kind, 0)))
        return self._planted(kind, level, account, at_ms, opening)

    def plant_into(self, kind: str, level: Level, account: str, at_ms: int, funded_ms: int) -> Planted:
        """The pattern, in an account that is there already and goes on with what it does. What the pattern
        needs comes into it before.
        """
        money = MONEY.get(kind, 0)
        return self._planted(
            kind, level, account, at_ms, (self.fund(funded_ms, account, money),) if money else ()
        )

    def _planted(
        self, kind: str, level: Level, account: str, at_ms: int, opening: tuple[Step, ...]
    ) -> Planted:
        steps = (*opening, *PATTERNS[kind](self, level, account, at_ms))
        return Planted(kind, level, account, steps[-1].at_ms, steps)


def commands(steps: Iterable[Step], book: str, actor: str, prefix: str = "planted") -> Iterator[Command]:
    """The steps as commands in order of time."""
    for number, step in enumerate(sorted(steps, key=lambda one: one.at_ms), 1):
        yield step.message(
            id=f"{prefix}-{number}", book=book, actor=actor, issued_at_ms=step.at_ms, **step.fields
        )


class Plan(NamedTuple):
    """commands: in order of time.   planted: what is to be found in them: `kind` about `account`."""

    commands: tuple[Command, ...]
    planted: tuple[Planted, ...]


def plant(
    book: str,
    actor: str,
    body: dict[str, object],
    began_ms: int,
    days: int,
    *,
    funding: str,
    cash: str,
    seed: int = 1,
    document: str = "watch",
) -> Plan:
    """One example of each typology in the document, for a book that has begun at `began_ms` and goes on for
    so many days. funding, cash: accounts of kind nostro that the book has.   actor: may do all of it.

    The document is published first, live as its sets say. Those that need more days than there are come last
    and end as late as they have to: a document for a demo asks for less than a month.
    """
    sets = known("typologies", body)
    assert isinstance(sets, Typologies), "a body of typologies"
    planter = Planter(sets, Draw(seed), funding=funding, cash=cash)
    publish = Step(
        began_ms, PublishDocument, {"kind": "typologies", "document": document, "version": 1, "body": body}
    )
    steps = [publish, *planter.opening(began_ms)]
    planted = []
    names = [name for name, _ in sets.sets()]
    for number, kind in enumerate(names):
        lead_ms = planter.lead_ms(kind)
        begins_ms = began_ms + max(lead_ms, number * days * DAY_MS // (3 * len(names)) + DAY_MS)
        one = planter.plant(kind, "above", begins_ms, begins_ms - lead_ms)
        planted.append(one)
        steps += one.steps
    return Plan(tuple(commands(steps, book, actor)), tuple(planted))
