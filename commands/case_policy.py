"""What the case policy in force says of a case: its rules, clocks, and who could work it.

And the check of the document itself, as far as only the book can tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from book.case import Case
from book.state import Book
from commands.calendar import local_date, local_minute, zone
from commands.working_time import MINUTE_MS, due_ms
from schemas.cases import Act, CaseKind, CaseLabel, Due
from schemas.documents.case_policy import (
    WEEK,
    CasePolicy,
    Clocks,
    KindRules,
    Member,
    SecondPerson,
    Shift,
    Team,
    minute_of,
)
from schemas.documents.document import Problem

UNRULED = {kind: KindRules(kind=kind) for kind in ("fraud", "aml", "payment_review", "dispute", "other")}
"""The rules of a kind that no policy has rules for."""
DAY_M = 1_440


def rules_of(book: Book, kind: CaseKind) -> KindRules:
    """The rules for cases of a kind."""
    policy = book.in_force.cases
    for one in () if policy is None else policy.kinds:
        if one.kind == kind:
            return one
    return UNRULED[kind]


def clocks_of(rules: KindRules, priority: int) -> Clocks | None:
    """The clocks for a priority; None where none run."""
    return next((one for one in rules.clocks if priority >= one.from_priority), None)


def due_from(book: Book, rules: KindRules, priority: int, at_ms: int) -> Due:
    """The clocks of a case that begins now."""
    policy, clocks = book.in_force.cases, clocks_of(rules, priority)
    if policy is None or clocks is None:
        return Due()
    return Due(
        band=rules.clocks.index(clocks),
        touch_by_ms=due_ms(book, policy.hours, at_ms, clocks.first_touch_m * MINUTE_MS),
        close_by_ms=due_ms(book, policy.hours, at_ms, clocks.resolution_m * MINUTE_MS),
    )


def due_sooner(book: Book, case: Case, priority: int, at_ms: int) -> Due:
    """Its clocks at another priority: where it has become more urgent, what that allows from now on, if it is
    sooner. They never get longer; its place in the queue follows in both directions.
    """
    rules, due = rules_of(book, case.kind), case.due
    clocks = clocks_of(rules, priority)
    if clocks is None or clocks is clocks_of(rules, case.priority):
        return due
    if priority < case.priority:
        return in_band(book, case, priority)
    fresh = due_from(book, rules, priority, at_ms)
    return Due(
        band=fresh.band,
        touch_by_ms=_sooner(due.touch_by_ms, fresh.touch_by_ms),
        close_by_ms=_sooner(due.close_by_ms, fresh.close_by_ms),
        left_ms=_sooner(due.left_ms, clocks.resolution_m * MINUTE_MS),
    )


def in_band(book: Book, case: Case, priority: int) -> Due:
    """Its clocks as they are, with the place in the queue that a priority gives."""
    rules, due = rules_of(book, case.kind), case.due
    clocks = clocks_of(rules, priority)
    band = due.band if clocks is None else rules.clocks.index(clocks)
    return Due(due.touch_by_ms, due.close_by_ms, due.left_ms, band)


def _sooner(runs: int | None, other: int | None) -> int | None:
    return None if runs is None or other is None else min(runs, other)


def kind_of_alert(book: Book, kind: str) -> CaseKind | None:
    """The kind of case that policy wants for a kind of alert."""
    policy = book.in_force.cases
    names = (kind, f"{kind.partition('/')[0]}/*")
    for one in () if policy is None else policy.kinds:
        if any(name in one.alerts for name in names):
            return one.kind
    return None


def second_person_asked(rules: KindRules, case: Case, label: CaseLabel, acts: tuple[Act, ...]) -> bool:
    """Whether another person has to confirm this decision."""
    return any(_meant(one, case, label, acts) for one in rules.second_person)


def _meant(one: SecondPerson, case: Case, label: CaseLabel, acts: tuple[Act, ...]) -> bool:
    if one.labels and label not in one.labels:
        return False
    if one.actions and not any(act.action in one.actions for act in acts):
        return False
    return (
        not one.amounts
        or not case.amounts  # how much it is about is not known
        or any(amount >= one.amounts.get(currency, 0) for currency, amount in case.amounts.items())
    )


def is_sampled(rules: KindRules, case_id: str, closing: int) -> bool:
    """Whether a closing is drawn for a second look: by a hash, so that nobody chooses and all agree."""
    text = f"{case_id}\n{closing}".encode()
    drawn = hashlib.blake2b(text, digest_size=8, person=b"daybook quality").digest()
    return int.from_bytes(drawn) % 1_000 < rules.quality_per_mille


# --- who could work it ------------------------------------------------------------------------------------


def membership(book: Book, user: str) -> tuple[Team, Member] | None:
    """The team that a user works in, and how."""
    policy = book.in_force.cases
    for team in () if policy is None else policy.teams:
        for member in team.members:
            if member.user == user:
                return team, member
    return None


def on_shift(policy: CasePolicy, member: Member, at_ms: int) -> bool:
    """Whether somebody works at that moment."""
    return not member.shifts or any(_within(policy.hours.time_zone, one, at_ms) for one in member.shifts)


def _within(time_zone: str, shift: Shift, at_ms: int) -> bool:
    weekday = local_date(time_zone, at_ms).weekday()
    minute = local_minute(time_zone, at_ms)
    begins, ends = minute_of(shift.begins), minute_of(shift.ends)
    if begins < ends:
        return WEEK[weekday] in shift.days and begins <= minute < ends
    if minute >= begins:
        return WEEK[weekday] in shift.days
    return minute < ends and WEEK[weekday - 1] in shift.days


def day_of(policy: CasePolicy, at_ms: int) -> str:
    """The local day that a team's capacity is counted by."""
    return local_date(policy.hours.time_zone, at_ms).isoformat()


def taken_on(book: Book, team: str, day: str) -> int:
    """How many cases a team has had on a day."""
    taken = book.cases.taken.get(team)
    return taken.count if taken is not None and taken.day == day else 0


def check_case_policy(book: Book, policy: CasePolicy) -> Iterator[Problem]:
    """The zone and the calendar are known, and members are users of people."""
    if zone(policy.hours.time_zone) is None:
        yield Problem("hours.time_zone", f"{policy.hours.time_zone} is no time zone of the tz database")
    calendar = policy.hours.calendar
    if calendar is not None and calendar not in book.in_force.calendars:
        yield Problem("hours.calendar", f"there is no calendar {calendar} in force")
    for number, team in enumerate(policy.teams):
        for index, member in enumerate(team.members):
            actor = book.actors.get(member.user)
            if actor is None or not actor.person:
                yield Problem(f"teams[{number}].members[{index}].user", f"there is no user {member.user}")
