"""Upstream: two producers, and a network that delays, doubles and reorders what they send."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from engine.log.memory import MemoryLog
from engine.log.partitioning import partition_of
from engine.log.records import Out
from schemas.access import ReinstateActor, SuspendActor
from schemas.accounts import BlockAccount, CloseAccount, LiftBlock
from schemas.books import AdvanceTime, ConfirmClock
from schemas.catalogue import COMMANDS, encode
from schemas.crossbook import SendToBook
from schemas.holds import CaptureHold, PlaceHold, ReleaseHold
from schemas.message import Command
from schemas.transfers import RefundTransfer, ReverseTransfer, Transfer
from tests.simulation.faults import Fault
from tests.simulation.opening import (
    BOOKS,
    CURRENCIES,
    CUSTOMERS,
    HOUR_MS,
    PLACES,
    agreement,
    currency_of,
    is_commanded,
)
from tests.simulation.world import World

PRODUCERS: Final = 2
BY_NAME: Final = {kind.__name__: kind for kind in COMMANDS}


class Network:
    """What is on its way to the logs. A producer's own records stay in order, as on Kafka."""

    name = "network"

    def __init__(self, world: World, logs: list[MemoryLog]) -> None:
        self.world = world
        self._logs = logs
        self._queues: list[deque[Out]] = [deque() for _ in range(PRODUCERS)]
        self._again: deque[Out] = deque()
        self._last = 0

    def send(self, producer: int, out: Out) -> None:
        self._queues[producer].append(out)

    def waits(self) -> bool:
        return any(self._queues) or bool(self._again)

    def step(self) -> int:
        """Deliver some of what waits."""
        world, done = self.world, 0
        if self._again and (world.calm or world.random() < 0.1):
            self._deliver(self._again.popleft())
            done += 1
        for _ in range(world.chance.randrange(1, 9)):
            number = world.chance.randrange(PRODUCERS)
            queue = self._queues[number]
            if not queue:
                continue
            if number != self._last and self._queues[self._last]:
                world.note(Fault.COMMAND_LATE)
            self._last = number
            out = queue.popleft()
            self._deliver(out)
            done += 1
            if world.meets(Fault.COMMAND_TWICE, 0.02):
                self._deliver(out)
            if world.meets(Fault.COMMAND_AGAIN, 0.02):
                self._again.append(out)
        return done

    def _deliver(self, out: Out) -> None:
        partition = partition_of(out.key, len(PLACES))
        if self.world.meets(Fault.WRONG_PARTITION, 0.01):
            partition = 1 - partition
        self._logs[partition].submit([out])


class Senders:
    """Sends so many commands in all, a few a step. told: so far."""

    name = "senders"

    def __init__(self, world: World, network: Network, commands: int, way: int) -> None:
        self.world = world
        self.network = network
        self.told = 0
        self._most = commands
        self._ids = count(1)
        self._version = count(2)
        self._way = way
        self._holds = dict.fromkeys(BOOKS, 0)
        self._ahead_ms = dict.fromkeys(BOOKS, 0)
        self._drawn, self._weights = zip(*_DRAWN, strict=True)

    def wait(self) -> bool:
        """Whether there is more to send."""
        return self.told < self._most

    def step(self) -> int:
        if self.told >= self._most:
            return 0
        chance = self.world.chance
        count = min(self._most - self.told, chance.randrange(1, 9))
        for _ in range(count):
            draw = chance.choices(self._drawn, self._weights)[0]
            draw(self, chance.choice(BOOKS))
        return count

    def say(self, kind: type[Command], book: str, /, **fields: Any) -> None:
        """A command by root."""
        self.told += 1
        world = self.world
        number = next(self._ids)
        if number > 9 and world.meets(Fault.ID_REUSED, 0.01):
            number -= world.chance.randrange(1, 9)
        issued_at_ms = max(world.now_ms, self._ahead_ms[book])
        command = kind(id=f"c{number}", book=book, actor="root", issued_at_ms=issued_at_ms, **fields)
        producer = 0 if world.calm else world.chance.randrange(PRODUCERS)
        self.network.send(producer, Out(book.encode(), encode(command)))

    # --- what is drawn ------------------------------------------------------------------------------------

    def _account(self) -> tuple[str, str]:
        customer = self.world.chance.randrange(CUSTOMERS)
        return f"a{customer}", currency_of(customer)

    def _transfer(self, book: str) -> None:
        debit, currency = self._account()
        credit, _ = self._account()
        paid = {"debit": debit, "credit": credit, "amount": self.world.chance.choice((1, 20, 300, 5_000))}
        self.say(Transfer, book, **paid, currency=currency)

    def _back(self, book: str) -> None:
        seq = self.world.chance.randrange(20, 120)
        if self.world.random() < 0.5:
            self.say(ReverseTransfer, book, transfer=seq, reason="so")
        else:
            self.say(RefundTransfer, book, transfer=seq, amount=1, reason="so")

    def _cross(self, book: str) -> None:
        chance = self.world.chance
        account, currency = self._account()
        day = datetime.datetime.fromtimestamp(self.world.now_ms / 1_000, datetime.UTC).date()
        self.say(
            SendToBook,
            book,
            transfer=f"x{chance.randrange(60)}",
            account=account,
            amount=chance.choice((1, 30, 400)),
            currency=currency if chance.random() < 0.9 else chance.choice(CURRENCIES),
            to_book=chance.choice([one for one in BOOKS if one != book]),
            to_account=chance.choice((f"a{chance.randrange(4)}", f"a{chance.randrange(4)}", "nobody")),
            value_date=chance.choice((None, day)),
        )

    def _hold(self, book: str) -> None:
        chance = self.world.chance
        account, currency = self._account()
        self._holds[book] += 1
        held = {"hold": f"h{self._holds[book]}", "amount": chance.choice((1, 50, 700)), "currency": currency}
        self.say(PlaceHold, book, account=account, **held, expires_after_s=chance.choice((1, 60, 3_600)))

    def _of_hold(self, book: str) -> None:
        chance = self.world.chance
        hold = f"h{max(1, self._holds[book] - chance.randrange(4))}"
        if chance.random() < 0.5:
            self.say(ReleaseHold, book, hold=hold, reason="so")
        else:
            self.say(CaptureHold, book, hold=hold, amount=chance.choice((1, 50)), credit=self._account()[0])

    def _block(self, book: str) -> None:
        chance = self.world.chance
        block = {
            "block": f"b{chance.randrange(3)}",
            "direction": chance.choice(("debits", "credits", "both")),
        }
        until = chance.choice((None, self.world.now_ms + HOUR_MS))
        order = {"authority": "court", "reason": "order", "expires_at_ms": until}
        self.say(BlockAccount, book, account=self._account()[0], **block, **order)

    def _lift(self, book: str) -> None:
        block = f"b{self.world.chance.randrange(3)}"
        self.say(LiftBlock, book, account=self._account()[0], block=block, reason="over")

    def _close(self, book: str) -> None:
        """An account can only be closed when it is empty: what it may have is paid out."""
        account, currency = self._account()
        paid = {"debit": account, "credit": f"nostro-{currency}", "currency": currency}
        for amount in (1_000, 700, 300):
            self.say(Transfer, book, **paid, amount=amount)
        self.say(CloseAccount, book, account=account, reason="done")

    def _agree(self, book: str) -> None:
        chance = self.world.chance
        other = chance.choice([one for one in BOOKS if one != book])
        currencies = CURRENCIES if chance.randrange(3) else CURRENCIES[:1]
        for fields in agreement(book, other, next(self._version), currencies):
            self.say(BY_NAME[fields.pop("type")], book, **fields)

    def _relay(self, book: str) -> None:
        kind = SuspendActor if self.world.random() < 0.4 else ReinstateActor
        self.say(kind, book, subject="relay", reason="so")

    def _confirm(self, book: str) -> None:
        """A wall book stands still after a day without anything, until somebody confirms the time."""
        self.say(ConfirmClock, book, reason="seen")

    def _advance(self, book: str) -> None:
        """This book's clock runs away from the others'."""
        to_ms = max(self.world.now_ms, self._ahead_ms[book]) + self.world.chance.choice((1, 5, 30)) * HOUR_MS
        if is_commanded(self._way, book):
            self._ahead_ms[book] = to_ms
        self.say(AdvanceTime, book, to_ms=to_ms)

    def _nothing(self, book: str) -> None:
        """What is no command, or none of this book's."""
        self.told += 1
        self.world.note(Fault.NO_COMMAND)
        values = (b"\xff\xfe", b"{", b'{"type":"Transfer","id":"c3","book":"main"}', b"")
        key = self.world.chance.choice((book.encode(), b"nobody", b""))
        self.network.send(0, Out(key, self.world.chance.choice(values)))


_DRAWN: Final[tuple[tuple[Callable[[Senders, str], None], int], ...]] = (
    (Senders._transfer, 40),
    (Senders._cross, 16),
    (Senders._hold, 10),
    (Senders._of_hold, 8),
    (Senders._back, 3),
    (Senders._block, 4),
    (Senders._lift, 4),
    (Senders._close, 2),
    (Senders._agree, 1),
    (Senders._relay, 3),
    (Senders._confirm, 2),
    (Senders._advance, 2),
    (Senders._nothing, 2),
)
