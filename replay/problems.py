"""What a proof says when it fails: a problem, and where it is."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """what: one sentence.   book, seq: of the event it was found at, where they are known.

    offset: of that event in the log, -1 where it is of the log as a whole.
    """

    what: str
    book: str = ""
    seq: int = 0
    offset: int = -1

    def __str__(self) -> str:
        place = []
        if self.book:
            place.append(f"book {self.book}")
        if self.seq:
            place.append(f"seq {self.seq}")
        if self.offset >= 0:
            place.append(f"offset {self.offset}")
        return f"{', '.join(place) or 'log'}: {self.what}"


class Problems:
    """The first `most` problems, and how many there are: one broken event can bring thousands.

    book, seq, offset: the event that is looked at; `here` notes a problem of it.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.found: list[Problem] = []
        self.count = 0
        self.book = ""
        self.seq = 0
        self.offset = -1

    def here(self, what: str) -> None:
        """Note a problem of the event that is looked at."""
        self.add(Problem(what, self.book, self.seq, self.offset))

    def add(self, problem: Problem) -> None:
        """Note a problem of any place."""
        self.count += 1
        if len(self.found) < self.most:
            self.found.append(problem)
