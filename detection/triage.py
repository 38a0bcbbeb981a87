"""Triage: alerts about the same party on the same day are one case, worked in the order of what is at stake.

It groups and ranks; whether a case opens, is fed or reopens is decided by the book, which leaves out what a
case has already. So an alert may come late, twice, or again after everything here was forgotten.

- A group is the party; where there is none, the account, payee or device; and the business day of the alert.
- The case's id is derived from the group, a command's id from the alert: the same alert makes the same
  command, whoever makes it.
- The priority is the expected loss times the confidence, summed over the alerts of the group so far.

It must never leave an alert out: what does not fit into the memory of a group is reported all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from schemas.alerts import Alert, subject_of
from schemas.reported import ReportAlerts

SYSTEM: Final = "triage"
"""The system that it speaks as."""
MOST_REMEMBERED: Final = 500
"""Alerts of a group that are known again. One above does not raise the priority."""
HIGHEST: Final = 2**53
SURE: Final = 1_000
KEPT_MS: Final = 45 * 86_400_000
"""How long after its newest alert a group is remembered. What comes later still joins or reopens its case,
with a priority of its own.
"""


class Group(msgspec.Struct, array_like=True):
    """The alerts of a party and day. ranked: by alert, the priority of the case once it was in.

    at: of the newest alert.
    """

    book: str
    about: str
    day: str
    at: int
    priority: int
    ranked: dict[str, int]


class Ranked(msgspec.Struct, frozen=True):
    """A case in the order of work. place: 1 is the first.   today: whether the team gets to it in a day."""

    case: str
    group: Group
    place: int
    today: bool


def about(alert: Alert) -> str:
    """What the alert is about, as triage groups it."""
    return "/".join(subject_of(alert))


def case_of(alert: Alert) -> str:
    """The id of the case that the alert belongs to: the same for the same book, subject and day."""
    text = f"{alert.book}\n{about(alert)}\n{alert.day}"
    return f"case-{hashlib.blake2b(text.encode(), digest_size=16, person=b'daybook case').hexdigest()}"


def expected_loss(alert: Alert) -> int:
    """Amount times confidence, minor units; an alert without an amount counts as one unit of money.

    Currencies are taken by their face: triage knows no rates, and a book has mostly one.
    """
    return max(alert.amount, 100) * alert.confidence // SURE


def report(group: Group | None, alert: Alert) -> tuple[Group, ReportAlerts]:
    """Take an alert into its group; returns the group and the command that says so.

    An alert that the group has is reported again as it was, since its first report may have got lost.
    """
    if group is None:
        group = Group(alert.book, about(alert), alert.day, alert.at, 0, {})
    group.at = max(group.at, alert.at)
    priority = group.ranked.get(alert.id)
    if priority is None:
        if len(group.ranked) < MOST_REMEMBERED:
            group.priority = min(group.priority + expected_loss(alert), HIGHEST)
            group.ranked[alert.id] = group.priority
        priority = group.priority
    return group, ReportAlerts(
        id=f"alert-{alert.id}",
        book=alert.book,
        actor=SYSTEM,
        issued_at_ms=alert.at,
        case=case_of(alert),
        party=alert.party,
        alerts=(alert,),
        priority=priority,
    )


def stale(groups: Iterable[tuple[str, Group]]) -> Iterator[str]:
    """Cases whose group need not be remembered any more, as seen from the newest alert of their book."""
    rows = [(case, group.book, group.at) for case, group in groups]
    newest: dict[str, int] = {}
    for _, book, at in rows:
        newest[book] = max(newest.get(book, at), at)
    return (case for case, book, at in rows if at < newest[book] - KEPT_MS)


def ranked(groups: Iterable[tuple[str, Group]], capacity: int) -> Sequence[Ranked]:
    """Cases in the order of work, the highest priority first, older ones first among equals.

    groups: each with its case's id.   capacity: how many cases the team can look into in a day.
    """
    order = sorted(groups, key=lambda one: (-one[1].priority, one[1].at, one[0]))
    return [Ranked(case, group, place, place <= capacity) for place, (case, group) in enumerate(order, 1)]
