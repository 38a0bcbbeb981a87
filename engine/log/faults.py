"""What a log in memory can be told to get wrong: which commits fail and how, which submits come twice."""

import random
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from enum import Enum


class Crash(BaseException):
    """The process died here. Not an `Exception`, so that no handler of ours can survive it by accident."""


class Fault(Enum):
    """What a commit can meet, and what is stored then."""

    CRASH_BEFORE = "crash before the commit: nothing is stored"
    CRASH_AFTER = "crash after the commit: it is stored"
    LOST_ACK = "the acknowledgement is lost: Uncertain, and it is stored"
    NOT_STORED = "the commit is lost: Uncertain, and nothing is stored"
    FENCED = "another writer took over: Fenced, and nothing is stored"


class Faults:
    """Which commits fail and which submits are delivered twice: by number, on call, or by chance of a seed.

    at_commit: fault by commit number, from 0. at_submit: numbers of submit calls delivered twice.
    seed, commit_rate, submit_rate: beside the script, each with that probability; same seed, same faults.
    The numbers count on over `MemoryLog.reopen`.
    """

    def __init__(
        self,
        at_commit: Mapping[int, Fault] | None = None,
        at_submit: Collection[int] = (),
        *,
        seed: int = 0,
        commit_rate: float = 0.0,
        submit_rate: float = 0.0,
        among: Sequence[Fault] = tuple(Fault),
    ) -> None:
        self._at_commit = dict(at_commit or {})
        self._at_submit = frozenset(at_submit)
        # Two streams of chance: how many submits there were must not move what commits meet.
        self._commit_chance = random.Random(f"{seed} commit")
        self._submit_chance = random.Random(f"{seed} submit")
        self._commit_rate = commit_rate
        self._submit_rate = submit_rate
        self._among = tuple(among)
        self._next_commits: deque[Fault] = deque()
        self.commits = 0
        self.submits = 0

    def next_commit(self, *faults: Fault) -> None:
        """The next commits meet these, one each."""
        self._next_commits.extend(faults)

    def of_commit(self) -> Fault | None:
        """What this commit meets. Called once a commit."""
        number, self.commits = self.commits, self.commits + 1
        by_chance = self._commit_chance.random() < self._commit_rate
        drawn = self._commit_chance.choice(self._among) if by_chance else None
        if self._next_commits:
            return self._next_commits.popleft()
        return self._at_commit.get(number, drawn)

    def copies(self) -> int:
        """How often this submit is delivered. Called once a submit."""
        number, self.submits = self.submits, self.submits + 1
        return 2 if self._submit_chance.random() < self._submit_rate or number in self._at_submit else 1
