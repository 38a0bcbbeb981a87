"""`verify`: fold the log and check everything that must hold, beside the fold and independently of it.

It goes on behind a problem as far as it can, and every problem names its place. It writes nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from book.digest import joint_digest
from book.state import SYSTEM_BOOK, Partition
from engine.log.records import BEFORE_FIRST
from engine.receipts import Receipt
from replay.across import Across
from replay.answers import History
from replay.crossings import CrossBook
from replay.problems import Problem, Problems
from replay.verifying import BookVerified, Progress, Verification

MOST_PROBLEMS = 100
Extra = Callable[[Partition, int], Iterable[Problem]]
"""A further check: gets the state and the offset of the newest event, gives problems."""


class Verified(msgspec.Struct, frozen=True):
    """What verify found. ok: nothing is wrong.   problems: the first of them.   problem_count: of them all.

    digest: of the state.   receipts: how many were given and fit.
    unsigned_tail: events behind the newest receipt that fits; all of them where there is none.
    """

    ok: bool
    events: int
    commands: int
    digest: str
    books: dict[str, BookVerified]
    problems: list[Problem]
    problem_count: int
    receipts: int
    unsigned_tail: int


def verify(
    log: History,
    *,
    receipts: Iterable[Receipt] = (),
    public_key: Ed25519PublicKey | None = None,
    extra: Extra | None = None,
    commands_may_wait: bool = False,
    progress: Progress | None = None,
    most_problems: int = MOST_PROBLEMS,
) -> Verified:
    """Check all history in the log, which must be open as a reader.

    public_key: whose signature the receipts must carry; without it they are taken on their holder's word.
    commands_may_wait: for logs that store commands before they are decided (Kafka).
    """
    return verify_all(
        [(0, log)],
        receipts=receipts,
        public_key=public_key,
        extra=extra,
        commands_may_wait=commands_may_wait,
        progress=progress,
        most_problems=most_problems,
    )


def verify_all(
    logs: Iterable[tuple[int, History]],
    *,
    receipts: Iterable[Receipt] = (),
    public_key: Ed25519PublicKey | None = None,
    extra: Extra | None = None,
    commands_may_wait: bool = False,
    progress: Progress | None = None,
    most_problems: int = MOST_PROBLEMS,
    several: bool = False,
) -> Verified:
    """As `verify`, over the partitions of a log, each with its number. They are read one after another, and
    one is done with before the next is asked for. several: whether there may be more than one.
    """
    problems = Problems(most_problems)
    whole = _Whole(problems, several)
    given: dict[int, list[Receipt]] = {}
    for receipt in receipts:
        given.setdefault(receipt.partition, []).append(receipt)
    was_enabled = gc.isenabled()
    gc.disable()  # nothing here makes cycles, and the growing state would be searched for them all the time
    try:
        for number, log in logs:
            problems.partition = number if several else -1
            work = Verification(
                log, given.pop(number, ()), public_key, problems, whole.crossings, commands_may_wait
            )
            whole.partitions.append(work.partition)
            work.read(log, _behind(progress, whole.events))
            work.answers.finish()
            work.chain.finish()
            whole.add(work)
        problems.partition = -1
        for number, left in given.items():
            problems.add(Problem(f"{len(left)} receipts are of partition {number}, which there is not"))
    finally:
        if was_enabled:
            gc.enable()
    return whole.result(extra)


def _behind(progress: Progress | None, done: int) -> Progress:
    """The progress of a partition, in that of all."""
    return (lambda events: None) if progress is None else lambda events: progress(done + events)


class _Whole:
    """All partitions together. partitions: so far."""

    def __init__(self, problems: Problems, several: bool) -> None:
        self.problems = problems
        self.partitions: list[Partition] = []
        self._compared = CrossBook(self)
        self.crossings: CrossBook | Across = (
            Across(self._compared, problems.placed) if several else self._compared
        )
        self.books: dict[str, BookVerified] = {}
        self.events = self.commands = self.receipts = self.signed_events = 0
        self.newest = BEFORE_FIRST

    def __contains__(self, book: object) -> bool:
        return any(book in partition.books for partition in self.partitions)

    def add(self, work: Verification) -> None:
        """Take what was found in a partition that was read."""
        several = self.problems.partition >= 0
        for name, found in work.books():
            if name == SYSTEM_BOOK and several:
                continue  # each has its own, and no digest counts it
            if name in self.books:
                self.problems.add(Problem("the book is in two partitions", name))
            self.books[name] = found
        self.events += work.events
        self.signed_events += work.signed_events
        self.commands += work.answers.count
        self.receipts += work.chain.matched
        self.newest = work.offset

    def result(self, extra: Extra | None) -> Verified:
        """What was found, when all was read."""
        problems = self.problems
        if isinstance(self.crossings, Across):
            self.crossings.finish()
        for problem in self._compared.differences():
            problems.add(problem)
        if extra is not None and self.partitions:
            for problem in extra(self.partitions[-1], self.newest):
                problems.add(problem)
        if self.events == 0:
            problems.add(Problem("the log is empty"))
        return Verified(
            ok=problems.count == 0,
            events=self.events,
            commands=self.commands,
            digest=joint_digest({name: book.digest for name, book in self.books.items()}),
            books=self.books,
            problems=problems.found,
            problem_count=problems.count,
            receipts=self.receipts,
            unsigned_tail=self.events - self.signed_events,
        )
