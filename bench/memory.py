"""`memory`: what an idle account costs, as the growth of a fresh process while a million of them are opened.

They are opened through the real pipeline, with a party for every five accounts, and then book time goes on
past the repeat window until their command ids are forgotten. The parties are counted to the accounts. Run as
a program it prints the figure, since only a process of its own has memory of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

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
from schemas.books import SetRepeatWindow

WINDOW_MS = 600_000
AT_ONCE = 8_000


def figure(accounts: int) -> Figure:
    """Measured in a fresh process."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.memory", str(accounts)], capture_output=True, check=True
    )
    return msgspec.json.decode(ran.stdout, type=Figure)


def main(accounts: int) -> None:
    """Print the figure as JSON."""
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
    send(book.by_people([*book.staff(now_ms), window]), now_ms)
    state = folded.partition.books[book.BOOK]
    # The first ones warm up what grows only once, and are not counted.
    _open(send, 0, AT_ONCE, now_ms)
    before = psutil.Process().memory_info().rss
    _open(send, AT_ONCE, accounts, now_ms)
    later_ms, touches = now_ms, 0
    while len(state.repeats.seen) > touches:  # until only the touches themselves are remembered
        later_ms += 2 * WINDOW_MS
        send(book.by_upstream([_touch(later_ms, touches + number) for number in range(AT_ONCE)]), later_ms)
        touches += AT_ONCE
    after = psutil.Process().memory_info().rss
    assert len(state.accounts) == AT_ONCE + accounts + 1, f"{len(state.accounts)} accounts are open"
    found = Figure(workload="memory", log="none", bytes_per_account=round((after - before) / accounts))
    sys.stdout.write(msgspec.json.encode(found).decode())


def _open(send: Callable[[Sequence[Out], int], None], first: int, count: int, now_ms: int) -> None:
    for start in range(first, first + count, AT_ONCE):
        some = min(AT_ONCE, first + count - start)
        send(book.by_upstream(list(book.customers(now_ms, start, some))), now_ms)


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
    main(int(sys.argv[1]))
