"""What is planted into the demo bank: one example of each typology, written by the same pen as everything
else.

It is off unless it is asked for: `DemoBank(planted=True)`. Nothing here detects anything.
"""

from __future__ import annotations

from gateway import planted_documents
from gateway.demo_day import HOUR_MS, Day
from gateway.demo_opening import CASH, NOSTRO
from gateway.demo_pen import Pen
from gateway.planted import Planted, plant
from schemas.accounts import OpenAccount
from schemas.message import Command
from schemas.transfers import Transfer

KIND = "plant what typologies look for"


class DemoPlanted:
    """Plans the planted commands day by day. planted: what is to be found.   days: at least 30, for all of
    it.
    """

    def __init__(self, pen: Pen, admin: str, days: int, seed: int) -> None:
        body = planted_documents.document(planted_documents.DEMO)
        # Behind the opening, which takes a millisecond a command.
        began_ms = pen.at_ms + 6 * HOUR_MS
        plan = plant(pen.book, admin, body, began_ms, days, funding=NOSTRO, cash=CASH, seed=seed)
        self.planted: tuple[Planted, ...] = plan.planted
        self._pen = pen
        self._waiting = list(plan.commands[::-1])

    def plan(self, day: Day, to_ms: int) -> None:
        """Plan what happens before that time and was not planned yet."""
        while self._waiting and self._waiting[-1].issued_at_ms < to_ms:
            command = self._waiting.pop()
            day.plan(command.issued_at_ms, self._write, command)

    def _write(self, at_ms: int, command: Command) -> None:
        pen = self._pen
        if isinstance(command, OpenAccount):
            pen.balances[command.account] = 0
        if isinstance(command, Transfer):
            pen.move(command.debit, command.credit, command.amount)
        pen.tell(KIND, command)
