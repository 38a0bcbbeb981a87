"""`memory`: what an idle account costs, `memory-active`: one that is used; as the growth of a process.

They are opened through the real pipeline, with a party for every five accounts, and then book time goes on
past the repeat window until their command ids are forgotten. The parties are counted to the accounts. Run as
a program it prints the figure, since only a process of its own has memory of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]

from bench import book
from bench.measure import Figure
from bench.unkept import Unkept
from engine.admission import Admission
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import Out, wall_clock
from engine.worker import Worker
from schemas.accounts import SetOverdraft
from schemas.books import DAY_MS, SetRepeatWindow
from schemas.transfers import Transfer

WINDOW_MS = 600_000
REVERSIBLE_DAYS = 1
AT_ONCE = 8_000


def figure(accounts: int, *, active: bool = False) -> Figure:
    """Measured in a fresh process. active: see `main`."""
    given = [str(accounts), *(["active"] if active else [])]
    ran = subprocess.run([sys.executable, "-m", "bench.memory", *given], capture_output=True, check=True)
    return msgspec.json.decode(ran.stdout, type=Figure)


def main(accounts: int, *, active: bool = False) -> None:
    """Print the figure as JSON. active: the accounts have the product of `product-10k`, and each pays in
    every slice of its rolling limit, so that every count that can be kept is kept. Theirs is the size of all
    objects that accounts and parties hold: the growth of the process would be that of its fullest day, when
    the transfers that can still be taken back are kept too.
    """
    now_ms = wall_clock()
    log = MemoryLog()
    begin(log, [book.ADMINISTRATOR], now_ms)
    folded = Worker(log).folded
    sink = Unkept((), 0, now_ms)
    worker = Worker(sink, folded, admission=Admission(book.KEYRING), batch=AT_ONCE)

    def send(outs: Sequence[Out], at_ms: int) -> None:
        sink.give(outs, folded.partition.position + 1, at_ms)
        worker.run(lambda: sink.is_over, 0.0)

    window = SetRepeatWindow(
        id="window",
        book=book.BOOK,
        actor=book.ADMINISTRATOR.user,
        issued_at_ms=now_ms,
        repeat_window_ms=WINDOW_MS,
        repeat_cap=book.REPEAT_CAP,
    )
    send(book.by_people([*book.staff(now_ms, REVERSIBLE_DAYS), window]), now_ms)
    if active:
        send(book.by_people(book.documents(now_ms)), now_ms)
    state = folded.partition.books[book.BOOK]
    # The first ones warm up what grows only once, and are not counted.
    product = book.PRODUCT if active else ""
    _open(send, 0, AT_ONCE, now_ms, product)
    before = psutil.Process().memory_info().rss
    _open(send, AT_ONCE, accounts, now_ms, product)
    later_ms = _pay(send, 0, AT_ONCE + accounts, now_ms) if active else now_ms
    touches = 0
    while len(state.repeats.seen) > touches:  # until only the touches themselves are remembered
        later_ms += 2 * WINDOW_MS
        send(book.by_upstream([_touch(later_ms, touches + number) for number in range(AT_ONCE)]), later_ms)
        touches += AT_ONCE
    after = psutil.Process().memory_info().rss
    opened = sum(account.kind == "customer" for account in state.accounts.values())
    assert opened == AT_ONCE + accounts, f"{opened} accounts are open"
    if active:
        held = size_of((state.accounts, state.parties, state.usage), set()) / opened
        found = Figure(workload="memory-active", log="none", bytes_per_account=round(held))
    else:
        found = Figure(workload="memory", log="none", bytes_per_account=round((after - before) / accounts))
    sys.stdout.write(msgspec.json.encode(found).decode())


def size_of(held: Any, seen: set[int]) -> int:
    """Bytes of an object and all that it holds, each object once."""
    if held is None or id(held) in seen:
        return 0
    seen.add(id(held))
    size = sys.getsizeof(held)
    if isinstance(held, msgspec.Struct):
        return size + sum(size_of(getattr(held, name), seen) for name in held.__struct_fields__)
    if isinstance(held, dict):
        return size + sum(size_of(key, seen) + size_of(value, seen) for key, value in held.items())
    if isinstance(held, (list, tuple)):
        return size + sum(size_of(one, seen) for one in held)
    return size


Send = Callable[[Sequence[Out], int], None]


def _open(send: Send, first: int, count: int, now_ms: int, product: str) -> None:
    for start in range(first, first + count, AT_ONCE):
        some = min(AT_ONCE, first + count - start)
        send(book.by_upstream(list(book.customers(now_ms, start, some, product))), now_ms)


def _pay(send: Send, first: int, count: int, now_ms: int) -> int:
    """Every account pays once in each slice of 3 days, for 30 days; returns the time at the end."""
    for day in range(31 + 2 * REVERSIBLE_DAYS):  # then until no transfer is kept to be taken back
        now_ms += DAY_MS
        if day % 3 or day > 30:
            send(book.by_upstream([_touch(now_ms, -day)]), now_ms)  # a clock that runs shows every day
            continue
        for start in range(first, first + count, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, first + count))
            send(book.by_upstream([_payment(day, number, now_ms) for number in numbers]), now_ms)
    return now_ms


def _payment(day: int, number: int, now_ms: int) -> Transfer:
    """First the account is given money; it may go below zero by none."""
    account = book.account_id(number)
    return Transfer(
        id=f"pay-{day}-{number}",
        book=book.BOOK,
        actor=book.UPSTREAM,
        issued_at_ms=now_ms,
        debit=account if day else "nostro",
        credit="nostro" if day else account,
        amount=1 if day else book.OPENING_MINOR,
        currency=book.CURRENCY,
    )


def _touch(now_ms: int, number: int) -> SetOverdraft:
    """A command that changes one account, and nothing that grows: it lets a few old ids be forgotten."""
    return SetOverdraft(
        id=f"touch-{number}",
        book=book.BOOK,
        actor=book.UPSTREAM,
        issued_at_ms=now_ms,
        account=book.HOT,
        overdraft=1 + number % 2,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), active=sys.argv[2:] == ["active"])
