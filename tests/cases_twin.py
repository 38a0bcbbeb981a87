"""Cases as somebody would keep them on paper who looks at the clock every minute: no timer, no due time, no
queue; only what is left of each clock, counted down while it runs.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
TOUCH_MS, CLOSE_MS = 90 * MINUTE_MS, 900 * MINUTE_MS
URGENT_TOUCH_MS, URGENT_CLOSE_MS = 20 * MINUTE_MS, 240 * MINUTE_MS
URGENT = 100
STEP_MS = 120 * MINUTE_MS
STEPS = (5, 50, 3)
"""What its priority rises by when a case is late, and again after two hours of work each."""
MOST = 2
LIVE = ("open", "reopened", "in_progress", "waiting", "awaiting_second_person")
PERSON = {"ann": "ann", "ann-2": "ann", "ben": "ben", "cid": "cid"}
ABOUT = {"cid": "p-bob"}
SKILLS = {"ann": ("aml",), "ben": ("aml", "fraud"), "cid": ("aml",)}
"""ann-2 is another user of ann's, and in no team. cid's own party is p-bob."""
_BERLIN = ZoneInfo("Europe/Berlin")
_HOLIDAY = datetime.date(2024, 11, 1)


@functools.cache
def works(minute: int) -> bool:
    """Whether anybody works in this minute: 08:00 to 18:00 in Berlin, but for weekends and All Saints'."""
    local = datetime.datetime.fromtimestamp(minute * 60, _BERLIN)
    return local.weekday() < 5 and local.date() != _HOLIDAY and 8 <= local.hour < 18


def passes(from_ms: int, to_ms: int, left: int) -> tuple[int, int | None]:
    """What is left of a clock, and when it ran out, if it did."""
    at = from_ms
    while at < to_ms:
        minute = at // MINUTE_MS
        end = min(to_ms, (minute + 1) * MINUTE_MS)
        if works(minute):
            if end - at >= left:
                return 0, at + left
            left -= end - at
        at = end
    return left, from_ms if left == 0 else None


@dataclass
class One:
    """A case. touch, close, step: what is left of each clock, None where it does not run any more."""

    opened_ms: int
    kind: str
    parties: set[str]
    priority: int
    people: frozenset[str] = frozenset()
    alerts: list[str] = field(default_factory=list)
    accounts: set[str] = field(default_factory=set)
    status: str = "open"
    assignee: str = ""
    proposer: str = ""
    touch: int | None = None
    close: int | None = None
    step: int | None = None
    touch_late: bool = False
    late_ms: int | None = None
    steps: int = 0
    until_ms: int | None = None
    into: str = ""

    def start(self) -> None:
        urgent = self.priority >= URGENT
        self.touch = URGENT_TOUCH_MS if urgent else TOUCH_MS
        self.close = URGENT_CLOSE_MS if urgent else CLOSE_MS
        self.step, self.steps, self.touch_late, self.late_ms = None, 0, False, None

    def rises(self, priority: int) -> None:
        """A case that becomes urgent has what urgent ones have from now on, if that is less."""
        if priority >= URGENT > self.priority:
            self.touch = None if self.touch is None else min(self.touch, URGENT_TOUCH_MS)
            self.close = None if self.close is None else min(self.close, URGENT_CLOSE_MS)
        self.priority = priority

    def stop(self) -> None:
        self.touch = self.close = self.step = None
        self.until_ms = None


class Twin:
    """All cases. breaches: what ran out when, as it was found."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.cases: dict[str, One] = {}
        self.breaches: list[tuple[str, str, int]] = []

    # --- time ---------------------------------------------------------------------------------------------

    def until(self, to_ms: int) -> None:
        """Time goes by."""
        for name, one in self.cases.items():
            if one.status not in LIVE:
                continue
            if one.status == "waiting" and one.until_ms is not None and one.until_ms <= to_ms:
                middle = one.until_ms
                self._runs(name, one, self.now, middle)
                one.status, one.until_ms = "in_progress", None
                self._runs(name, one, middle, to_ms)
            else:
                self._runs(name, one, self.now, to_ms)
        self.now = to_ms

    def _runs(self, name: str, one: One, from_ms: int, to_ms: int) -> None:
        if one.touch is not None and not one.touch_late:
            one.touch, late = passes(from_ms, to_ms, one.touch)
            if late is not None:
                one.touch_late = True
                self.breaches.append((name, "first_touch", late))
        if one.late_ms is None and one.close is not None and one.status != "waiting":
            one.close, late = passes(from_ms, to_ms, one.close)
            if late is not None:
                one.late_ms = from_ms = late
                one.step = 0
                self.breaches.append((name, "resolution", late))
        while one.step is not None:
            one.step, due = passes(from_ms, to_ms, one.step)
            if due is None:
                break
            from_ms = due
            one.priority += STEPS[one.steps]
            one.steps += 1
            one.step = STEP_MS if one.steps < len(STEPS) else None

    # --- questions ----------------------------------------------------------------------------------------

    def case_of(self, alert: str) -> str | None:
        found = [name for name, one in self.cases.items() if alert in one.alerts]
        assert len(found) <= 1, "an alert is part of one case"
        return found[0] if found else None

    def load(self, user: str) -> int:
        held = ("in_progress", "awaiting_second_person")
        return sum(one.assignee == user and one.status in held for one in self.cases.values())

    def sees(self, one: One, user: str) -> bool:
        return not one.people or user in one.people or user == one.assignee

    def is_about(self, one: One, user: str) -> bool:
        return ABOUT.get(PERSON[user], "") in one.parties

    def next_for(self, user: str) -> str | None:
        """The case that this user should get."""
        best: tuple[tuple[bool, int, int, int, int], str] | None = None
        for name, one in self.cases.items():
            skilled = one.kind in SKILLS.get(user, ())
            if one.status in ("open", "reopened") and skilled and self.sees(one, user):
                if self.is_about(one, user):
                    continue
                late = one.touch_late or one.late_ms is not None
                band = 0 if one.priority >= URGENT else 1
                # What ran out first, then what has least left: the same as by due time.
                left = one.late_ms - 2**60 if one.late_ms is not None else one.close
                assert left is not None, "what is open has a clock"
                rank = (not late, band, left, -one.priority, one.opened_ms)
                if best is None or (rank, name) < best:
                    best = rank, name
        return None if best is None else best[1]

    def cannot_have(self, one: One, to: str) -> str:
        """Why somebody cannot be given the case."""
        if to == one.assignee:
            return "nothing_to_change"
        if self.is_about(one, to):
            return "about_oneself"
        if one.kind not in SKILLS.get(to, ()):
            return "skill_missing"
        return "case_load_reached" if self.load(to) >= MOST else ""

    def at_work(self, name: str, user: str, status: str = "in_progress") -> str:
        """Why somebody cannot go on with the case."""
        one = self.cases.get(name)
        if one is None or not self.sees(one, user):
            return "case_not_found"
        if one.status != status:
            return "case_state_conflict"
        if one.assignee != user:
            return "not_assignee"
        return "about_oneself" if self.is_about(one, user) else ""

    def known(self, name: str, user: str, statuses: Iterable[str]) -> str:
        """Why somebody cannot do something about the case that does not need having it."""
        one = self.cases.get(name)
        if one is None or not self.sees(one, user):
            return "case_not_found"
        return "" if one.status in statuses else "case_state_conflict"

    # --- what happens -------------------------------------------------------------------------------------

    def given_to(self, name: str, user: str, *, taken: bool = False) -> None:
        one = self.cases[name]
        one.assignee, one.status, one.until_ms, one.proposer = user, "in_progress", None, ""
        if taken:
            one.touch = None

    def closed(self, name: str) -> None:
        one = self.cases[name]
        one.status, one.assignee, one.proposer = "closed", "", ""
        one.stop()
