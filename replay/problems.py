"""What a proof says when it fails: a problem, and where it is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """what: one sentence.   book, seq: of the event it was found at, where they are known.

    offset: of that event in the log, -1 where it is of the log as a whole.
    partition: of a log that has several, -1 elsewhere.
    """

    what: str
    book: str = ""
    seq: int = 0
    offset: int = -1
    partition: int = -1

    def __str__(self) -> str:
        place = [f"partition {self.partition}"] if self.partition >= 0 else []
        if self.book:
            place.append(f"book {self.book}")
        if self.seq:
            place.append(f"seq {self.seq}")
        if self.offset >= 0:
            place.append(f"offset {self.offset}")
        return f"{', '.join(place) or 'log'}: {self.what}"


class Problems:
    """The first `most` problems, and how many there are: one broken event can bring thousands.

    book, seq, offset: the event that is looked at; `here` notes a problem of it.   partition: being read.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.found: list[Problem] = []
        self.count = 0
        self.book = ""
        self.seq = 0
        self.offset = -1
        self.partition = -1

    def here(self, what: str) -> None:
        """Note a problem of the event that is looked at."""
        self.add(Problem(what, self.book, self.seq, self.offset))

    def placed(self) -> Callable[[str], None]:
        """As `here`, for the event that is looked at now, whenever it is called."""
        place = self.book, self.seq, self.offset, self.partition
        return lambda what: self.add(Problem(what, *place))

    def add(self, problem: Problem) -> None:
        """Note a problem of any place of what is being read."""
        if self.partition >= 0 and problem.partition < 0:
            problem = msgspec.structs.replace(problem, partition=self.partition)
        self.count += 1
        if len(self.found) < self.most:
            self.found.append(problem)
