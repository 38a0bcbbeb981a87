"""A bank on a log in memory that is told many commands at once, and what is noticed in it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import Out, Record
from engine.pipeline import Answer
from engine.worker import Worker
from schemas.accounts import OpenAccount
from schemas.books import REPEAT_CAP, Administrator, OpenBook
from schemas.catalogue import decode_event, encode
from schemas.message import Command
from schemas.rejections import CommandRejected

BOOK, ADMIN, FUNDING, CASH = "bank", "admin", "nostro", "cash-desk"
AT_ONCE = 5_000


class Bank:
    """A commanded book `bank` in EUR with a nostro and a cash desk. refused: how many commands, by reason."""

    def __init__(self, began_ms: int, *, repeat_cap: int = REPEAT_CAP, time_zone: str = "UTC") -> None:
        self.refused: Counter[str] = Counter()
        self.told = 0
        self.log = MemoryLog(clock=lambda: began_ms)
        begin(self.log, [Administrator(person="ada", user=ADMIN)], began_ms)
        self.worker = Worker(self.log, clock=lambda: began_ms, answered=self._answered)
        self.worker._timers_asked = math.inf  # a commanded book's time is what it is told
        envelope: dict[str, Any] = {"book": BOOK, "actor": ADMIN, "issued_at_ms": began_ms}
        self.tell(
            [
                OpenBook(
                    id="open",
                    name="A bank",
                    currency="EUR",
                    time_zone=time_zone,
                    clock="commanded",
                    repeat_cap=repeat_cap,
                    administrators=(Administrator(person="ada", user=ADMIN),),
                    **envelope,
                ),
                *(
                    OpenAccount(id=f"open-{one}", account=one, kind="nostro", currency="EUR", **envelope)
                    for one in (FUNDING, CASH)
                ),
            ]
        )

    def tell(self, commands: Iterable[Command]) -> None:
        """Have them decided, in order."""
        waiting = [Out(BOOK.encode(), encode(command)) for command in commands]
        for first in range(0, len(waiting), AT_ONCE):
            some = waiting[first : first + AT_ONCE]
            self.log.submit(some)
            self.told += len(some)
            while self.worker.step():
                pass

    def _answered(self, records: Sequence[Record], answers: Sequence[Answer]) -> None:
        for answer in answers:
            if b'"CommandRejected"' in answer[0][:60]:
                event = decode_event(answer[0])
                if isinstance(event, CommandRejected):
                    self.refused[event.reason] += 1
