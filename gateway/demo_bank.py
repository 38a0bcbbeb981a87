"""The demo: a small bank for a month, written as commands. The same seed gives the same bytes on every
machine.

Persons and businesses with habits, staff and systems with roles, and some of it wrong on purpose. Nothing
here
decides: what each command is expected to get is a second opinion, which the tests hold against the engine.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import msgspec

from commands.calendar import midnight_ms
from engine.log.records import Out
from gateway.demo_day import Day
from gateway.demo_desk import Desk
from gateway.demo_mistakes import Mistakes
from gateway.demo_opening import Opening
from gateway.demo_pen import Pen, Sent
from gateway.demo_people import people
from gateway.demo_planted import DemoPlanted
from gateway.demo_words import Draw
from gateway.planted import Planted
from schemas.books import AdvanceTime

BOOK = "demo"
TIME_ZONE = "Europe/Berlin"
FIRST_DAY = datetime.date(2026, 3, 1)
"""In a month in which clocks change, so that one day has 23 hours."""
_A_DAY = datetime.timedelta(days=1)


class StoryLine(msgspec.Struct, frozen=True):
    """What was done, how often, and what it was answered: a reason, `repeated`, or empty where it was
    accepted.
    """

    kind: str
    expected: str
    commands: int


class DemoBank:
    """A bank of `parties` customers over `days` days. admin: an administrator of the system book.

    planted: whether it has an example of each typology as well, and a document that looks for them; what is
    to be found stands in `planted` when all is given out. A month is enough for them. Iterate `outs` or
    `sent`, once. `story` and `commands` tell of what has been given out so far.
    """

    def __init__(
        self,
        seed: int = 1,
        parties: int = 2_000,
        days: int = 30,
        *,
        book: str = BOOK,
        admin: str = "admin",
        planted: bool = False,
    ) -> None:
        assert parties > 1, "a bank has a business and a person"
        assert days > 0, "a bank has a day"
        self.book = book
        self.days = days
        self.commands = 0
        self._admin = admin
        self._draw = Draw(seed)
        self._pen = Pen(book, TIME_ZONE, FIRST_DAY)
        self._everyone = people(self._draw, parties)
        self.planted: tuple[Planted, ...] = ()
        self._seed = seed
        self._plants = planted
        self._kinds: dict[tuple[str, str], int] = {}

    def outs(self) -> Iterator[Out]:
        """The bank's commands, in order."""
        return (sent.out for sent in self.sent())

    def sent(self) -> Iterator[Sent]:
        """The same, each with its kind and what it must be answered."""
        for sent in self._write():
            kind = (sent.kind, sent.expected)
            self._kinds[kind] = self._kinds.get(kind, 0) + 1
            self.commands += 1
            yield sent

    def story(self) -> list[StoryLine]:
        """What happened, kind by kind, in the order in which each was first done."""
        return [StoryLine(kind, expected, count) for (kind, expected), count in self._kinds.items()]

    def balances(self) -> dict[str, int]:
        """What each account must have by now, minor units, its overdraft included."""
        return dict(self._pen.balances)

    def _write(self) -> Iterator[Sent]:
        pen, draw = self._pen, self._draw
        first_ms = pen.at_ms
        Opening(pen, draw, self._admin, TIME_ZONE).write(self._everyone)
        yield from pen.written()
        day = Day(pen, draw, self._everyone)
        plants = DemoPlanted(pen, self._admin, self.days, self._seed) if self._plants else None
        mistakes, desk = Mistakes(day, first_ms), Desk(day)
        for number in range(self.days):
            date = FIRST_DAY + number * _A_DAY
            from_ms = midnight_ms(TIME_ZONE, date)
            day.plan_habits(date, from_ms)
            mistakes.plan(from_ms)
            desk.plan(from_ms)
            if plants is not None:
                plants.plan(day, midnight_ms(TIME_ZONE, date + _A_DAY))
            for at_ms, _, what, given in day.planned():
                what(at_ms, *given)
                yield from pen.written()
        self.planted = () if plants is None else plants.planted
        end_ms = midnight_ms(TIME_ZONE, FIRST_DAY + self.days * _A_DAY)
        pen.write("close the last day", AdvanceTime, self._admin, end_ms, to_ms=end_ms)
        yield from pen.written()
