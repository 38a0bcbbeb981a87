"""What two histories of a book did about risk, side by side: verdicts, rules that applied, what cases found.

A movement is known to be bad or good by what the cases behind it found; of most of them nobody has found
anything, and those count in neither. Nothing here decides anything.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence

import msgspec

from book.state import Book
from commands.calendar import local_date
from replay.effects import Seen
from replay.labels import Labels
from replay.risk_seen import OUTCOMES, Moved, Outcome, moved

STOPPED = ("review", "decline")
PER_MILLE = 1_000


class Verdicts(msgspec.Struct, frozen=True):
    """How many movements had one verdict as recorded, and have another with the drafts."""

    was: Outcome
    would_be: Outcome
    movements: int


class RuleHits(msgspec.Struct, frozen=True):
    """A rule. before: to how many movements it applied.   after: to how many it would have.

    bad, good: of `after`, as cases found.   precision: bad of those two, per mille; None where none are.
    """

    rule: str
    before: int
    after: int
    bad: int
    good: int
    precision: int | None


class Caught(msgspec.Struct, frozen=True):
    """One history. stopped: reviewed or declined.   bad, good: of those.

    precision: bad of bad and good; recall: bad of all that is known to be bad; per mille, None for of none.
    """

    stopped: int
    bad: int
    good: int
    precision: int | None
    recall: int | None


class AtStake(msgspec.Struct, frozen=True):
    """Minor units of a currency, of movements whose verdict changes.

    saved: bad, and stopped with the drafts only.   lost: bad, and stopped as recorded only.
    delayed, refused: not known to be bad, and reviewed, or declined, with the drafts only.
    """

    currency: str
    saved: int
    lost: int
    delayed: int
    refused: int


class Reviews(msgspec.Struct, frozen=True):
    """What the team would have had to look at. days: of the book's zone, the first to the last movement.

    busiest: the most on one day.   capacity: of a day, None where nobody said.   above: days on which more
    came.   backlog: the most that would have waited at the end of a day; left: at the end of the last one.
    """

    days: int
    before: int
    after: int
    busiest: int
    capacity: int | None
    above: int
    backlog: int
    left: int


class Risk(msgspec.Struct, frozen=True):
    """What would have been different about risk. movements: of customers.   known_bad: as cases found."""

    movements: int
    verdicts: list[Verdicts]
    rules: list[RuleHits]
    known_bad: int
    known_good: int
    before: Caught
    after: Caught
    at_stake: list[AtStake]
    reviews: Reviews


class RiskEffects:
    """What would have been different, movement by movement. labels: what cases have found by now."""

    def __init__(self, labels: Labels) -> None:
        self._payments, self._transfers = labels.payments(), labels.transfers()
        self._verdicts: Counter[tuple[Outcome, Outcome]] = Counter()
        self._hits: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._found: Counter[tuple[str, bool]] = Counter()
        self._known: Counter[bool] = Counter()
        self._stopped: tuple[Counter[bool | None], Counter[bool | None]] = (Counter(), Counter())
        self._money: dict[str, Counter[str]] = {}
        self._reviewed: tuple[Counter[datetime.date], Counter[datetime.date]] = (Counter(), Counter())
        self._first: datetime.date | None = None
        self._last: datetime.date | None = None

    def take(self, book: Book, before: Sequence[Seen], after: Sequence[Seen]) -> None:
        """Both outcomes of a command, or what the same timers did."""
        mine, yours = list(moved(book, before)), list(moved(book, after))
        if not mine and not yours:
            return
        for index in range(max(len(mine), len(yours))):
            one = mine[index] if index < len(mine) else None
            other = yours[index] if index < len(yours) else None
            was: Outcome = "refused" if one is None else one.outcome
            now: Outcome = "refused" if other is None else other.outcome
            if was == now == "refused":
                continue
            self._pair(book, one, other, was, now)

    def is_bad(self, name: str) -> bool:
        """Whether a payment is known to be bad."""
        return self._bad(Moved("approve", (), 0, name)) is True

    def _bad(self, *sides: Moved | None) -> bool | None:
        for one in sides:
            if one is None:
                continue
            labels = [self._payments.get(one.name), *map(self._transfers.get, one.seqs)]
            for label in labels:
                if label is not None:
                    return label.is_bad
        return None

    def _pair(self, book: Book, one: Moved | None, other: Moved | None, was: Outcome, now: Outcome) -> None:
        whole = one if other is None or (one is not None and one.amount) else other
        assert whole is not None, "one of two is there"
        bad = self._bad(one) if one is not None else None
        if bad is None and other is not None:
            bad = self._bad(Moved("approve", (), 0, other.name))  # its seqs are of the other history
        self._verdicts[was, now] += 1
        if bad is not None:
            self._known[bad] += 1
        for side, moved_, outcome in ((0, one, was), (1, other, now)):
            if outcome in STOPPED:
                self._stopped[side][bad] += 1
            for hit in () if moved_ is None else _hits(moved_):
                self._hits[side][hit] += 1
                if side and bad is not None:
                    self._found[hit, bad] += 1
        day = local_date(book.time_zone, whole.at_ms)
        self._first, self._last = self._first or day, day
        for side, outcome in ((0, was), (1, now)):
            if outcome == "review":
                self._reviewed[side][day] += 1
        if was != now:
            self._stake(whole, bad is True, was, now)

    def _stake(self, whole: Moved, bad: bool, was: Outcome, now: Outcome) -> None:
        money = self._money.setdefault(whole.currency, Counter())
        if bad:
            if (was in STOPPED) != (now in STOPPED):
                money["saved" if now in STOPPED else "lost"] += whole.amount
        elif now in STOPPED:
            money["delayed" if now == "review" else "refused"] += whole.amount

    def result(self, capacity: int | None) -> Risk:
        """All of it. capacity: how many movements the team can look at in a day."""
        before, after = self._hits
        return Risk(
            movements=sum(self._verdicts.values()),
            verdicts=[
                Verdicts(was, now, self._verdicts[was, now])
                for was in OUTCOMES
                for now in OUTCOMES
                if self._verdicts[was, now]
            ],
            rules=[
                RuleHits(
                    rule,
                    before[rule],
                    after[rule],
                    self._found[rule, True],
                    self._found[rule, False],
                    _share(self._found[rule, True], self._found[rule, True] + self._found[rule, False]),
                )
                for rule in sorted(before.keys() | after.keys())
            ],
            known_bad=self._known[True],
            known_good=self._known[False],
            before=self._caught(0),
            after=self._caught(1),
            at_stake=[
                AtStake(currency, money["saved"], money["lost"], money["delayed"], money["refused"])
                for currency, money in sorted(self._money.items())
            ],
            reviews=self._load(capacity),
        )

    def _caught(self, side: int) -> Caught:
        stopped = self._stopped[side]
        bad, good = stopped[True], stopped[False]
        return Caught(
            sum(stopped.values()), bad, good, _share(bad, bad + good), _share(bad, self._known[True])
        )

    def _load(self, capacity: int | None) -> Reviews:
        before, after = self._reviewed
        days = backlog = waiting = above = 0
        if self._first is not None and self._last is not None:
            days = (self._last - self._first).days + 1
        for number in range(days if capacity is not None else 0):
            assert self._first is not None, "there are days between the first and the last"
            assert capacity is not None, "asked for above"
            came = after[self._first + datetime.timedelta(days=number)]
            above += came > capacity
            waiting = max(0, waiting + came - capacity)
            backlog = max(backlog, waiting)
        return Reviews(
            days=days,
            before=sum(before.values()),
            after=sum(after.values()),
            busiest=max(after.values(), default=0),
            capacity=capacity,
            above=above,
            backlog=backlog,
            left=waiting,
        )


def _share(part: int, whole: int) -> int | None:
    return part * PER_MILLE // whole if whole else None


def _hits(one: Moved) -> list[str]:
    return [hit.rule for assessment in one.assessments for hit in assessment.hits]
