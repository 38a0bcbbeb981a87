"""`features`: what each feature costs, in bytes an account and in ns a movement; and what all of them cost.

The counters are fed by the functions that `evolve` calls. An account that is *active* pays three times a day
for a month, twelve payees in turn, and is paid once a day; one that is *full* has something in every slice of
every window, and of all that is remembered as much as there can be, which no account that lives can keep up.
What is counted for the whole book and by party is shared out among the accounts, one of a party each. Bytes
are those of all objects that are held; times are those of the processor.
"""

from __future__ import annotations

import datetime
import gc
import time
from collections.abc import Callable, Iterator, Sequence

from bench.measure import Figure
from bench.memory import size_of
from book.features import counting
from book.features.counts import AccountCounts
from book.features.keeping import keep
from book.features.turnover import DAY_MS, HOUR_MS
from book.repeats import Repeats
from book.state import Account, Book, Party
from commands.features import READ
from commands.movements import Movement
from schemas.features import FEATURES, MOST_PAYEES
from schemas.risk import Origin

ACCOUNTS = 200
BEGAN_MS = 1_715_767_200_000
MINUTE_MS = 60_000
Pay = tuple[int, int, int]
"""When, which payee, and how much."""


def figures() -> Iterator[Figure]:
    """All together of both kinds of account, then each feature by itself on an active one."""
    nothing = cost((), active)
    for kind, days in (("active", active), ("full", full)):
        yield cost(tuple(FEATURES), days, f"features-{kind}", nothing.count_ns or 0)
    for name in FEATURES:
        yield cost((name,), active, f"feature/{name}", nothing.count_ns or 0)


def active(account: int) -> list[Pay]:
    """Three payments a day for a month."""
    return [
        (
            BEGAN_MS + day * DAY_MS + (account + 5 * number) % 24 * HOUR_MS,
            account + 1 + (3 * day + number) % 12,
            1_000 + (account * 7 + day * 11 + number) % 900,
        )
        for day in range(31)
        for number in range(3)
    ]


def full(account: int) -> list[Pay]:
    """A payment in every slice of a month of days, of a day of hours, and of an hour."""
    times = [BEGAN_MS + day * DAY_MS for day in range(31)]
    times += [times[-1] + hour * HOUR_MS for hour in range(1, 25)]
    times += [times[-1] + part * HOUR_MS // 6 for part in range(1, 7)]
    return [
        (at, account + 1 + number % MOST_PAYEES, 10**9 + account * 7 + number)
        for number, at in enumerate(times)
    ]


def opened(names: Sequence[str]) -> Book:
    """A book with nothing but customers' accounts, that keeps what these features need."""
    day = datetime.date(2024, 5, 15)
    book = Book("b", "B", "EUR", "Europe/Berlin", "commanded", Repeats(1, 1, 0), day, day, 1)
    for number in range(ACCOUNTS):
        book.parties[f"p{number}"] = Party("person", "active", "", "DE", None, "", "", "", known_hour=1)
        book.accounts[f"a{number}"] = Account(
            "customer", "EUR", f"p{number}", "", "", "", 10**12, overdraft=9
        )
    keep(book, names)
    return book


def cost(
    names: Sequence[str], pays: Callable[[int], list[Pay]], workload: str = "", idle_ns: int = 0
) -> Figure:
    """Feed the counters of all accounts, in the order of time, and read the features at the end."""
    book = opened(names)
    plan = sorted(
        (at, number, payee, amount) for number in range(ACCOUNTS) for at, payee, amount in pays(number)
    )
    origins = [
        Origin(device=f"d{number}", country=["DE", "FR", "US", "GB"][number % 4])
        for number in range(ACCOUNTS)
    ]
    more = [Origin(device=f"e{number}", country="IT") for number in range(8)]
    corridors = [f"DE-{chr(65 + number)}A" for number in range(16)]
    keeping = book.in_force.keeping
    gc.collect()
    gc.disable()
    began = time.process_time_ns()
    for at, number, payee, amount in plan:
        if keeping is not None:
            origin = more[at // HOUR_MS % 8] if pays is full else origins[number]
            counting.moved_out(
                book,
                keeping,
                f"a{number}",
                amount,
                at,
                f"a{payee % (ACCOUNTS + MOST_PAYEES)}",
                ("web", "app")[at // HOUR_MS % 2],
                corridors[payee % (16 if pays is full else 3)],
                origin,
            )
    spent = time.process_time_ns() - began
    for at, number, _, amount in plan:
        if keeping is not None and (pays is full or at // HOUR_MS % 3 == 0):
            counting.moved_in(book, keeping, f"a{number}", amount, at)
    gc.enable()
    held = sum(size_of(one.counts, set()) for one in book.accounts.values())
    held += sum(size_of(one.counts, set()) for one in book.parties.values())
    held += size_of(book.counts, set()) - size_of(opened(()).counts, set())
    if len(names) == 1:  # the empty rest of it is there once, however many features there are
        held -= ACCOUNTS * size_of(AccountCounts(), set())
    return Figure(
        workload=workload,
        log="none",
        bytes_per_account=max(0, round(held / ACCOUNTS)),
        ns=_read_ns(book, names, plan[-1][0] + MINUTE_MS, origins, corridors),
        count_ns=max(0, spent // len(plan) - idle_ns),
    )


def _read_ns(
    book: Book, names: Sequence[str], at_ms: int, origins: Sequence[Origin], corridors: Sequence[str]
) -> int:
    """What reading all of them takes for a movement, each time from another account."""
    movements = [
        Movement("transfer", f"a{number}", one, 1_234, "EUR", f"a{number + 1}", "web", corridors[0])
        for number, one in enumerate(book.accounts.values())
    ]
    reads = [READ[name] for name in names]
    best = 0
    for _ in range(25):
        began = time.process_time_ns()
        for movement, origin in zip(movements, origins, strict=True):
            for read in reads:
                read(book, movement, origin, at_ms)
        spent = time.process_time_ns() - began
        best = spent if not best else min(best, spent)
    return best // len(movements)


if __name__ == "__main__":
    for one in figures():
        print(f"{one.workload:34} {one.bytes_per_account:6} B {one.count_ns:7} ns count {one.ns:7} ns read")
