"""How cases are worked: by whom and when, how soon, what has to be done first, and who confirms what.

One document holds for the whole book; of several, the one that came into force last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, get_args

import annotated_types as at
from msgspec import Meta

from schemas.cases import ActionName, CaseKind, CaseLabel, CasePriority, CheckItem
from schemas.documents.calendars import Weekday
from schemas.documents.document import Document, DocumentId, LineId, Problem
from schemas.documents.rails import TimeOfDay
from schemas.fields import ActorId, Amount, Currency, Label
from schemas.message import Value

WEEK: tuple[Weekday, ...] = get_args(Weekday)
LEAST_OPEN_M = 60
Minutes = Annotated[int, Meta(ge=0, le=120_000), at.Ge(0), at.Le(120_000)]
"""Minutes of working time; at most 250 days of eight hours."""
FewDays = Annotated[int, Meta(ge=1, le=366), at.Ge(1), at.Le(366)]
Count = Annotated[int, Meta(ge=1, le=100_000), at.Ge(1), at.Le(100_000)]
PerMille = Annotated[int, Meta(ge=0, le=1_000), at.Ge(0), at.Le(1_000)]


class Hours(Value):
    """When clocks run: from `opens` to `closes` by the clocks of `time_zone`, on the days of a calendar.

    opens, closes: closes is `00:00` for the end of the day, and otherwise at least an hour after opens.
    calendar: a document of banking days; every day where there is none.
    """

    time_zone: Annotated[str, Meta(min_length=1, max_length=64), at.Len(1, 64)]
    opens: TimeOfDay = "00:00"
    closes: TimeOfDay = "00:00"
    calendar: DocumentId | None = None


class Shift(Value):
    """When somebody works, by the clocks of the policy's hours. It ends on the next day where `ends` is not
    after `begins`.
    """

    days: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7), at.Len(1, 7)]
    begins: TimeOfDay
    ends: TimeOfDay


class Member(Value):
    """Somebody who works cases. skills: what for; a case that asks for none can be worked by everyone.

    shifts: always, where none is given.   most_cases: at once; what waits does not count.
    """

    user: ActorId
    skills: Annotated[tuple[Label, ...], Meta(max_length=50), at.MaxLen(50)] = ()
    shifts: Annotated[tuple[Shift, ...], Meta(max_length=21), at.MaxLen(21)] = ()
    most_cases: Count = 20


class Team(Value):
    """People who work cases together. capacity_per_day: how many they take on a local day, handed over ones
    not counted.   pushes: a new case is given at once to whoever of them has least to do; else it is taken.
    """

    id: LineId
    members: Annotated[tuple[Member, ...], Meta(min_length=1, max_length=1_000), at.Len(1, 1_000)]
    capacity_per_day: Count = 1_000
    pushes: bool = False


class Clocks(Value):
    """How soon, in working time, from a priority on. first_touch_m: until whoever has it does something.

    resolution_m: until it is closed; what waits does not count.
    """

    first_touch_m: Minutes
    resolution_m: Minutes
    from_priority: CasePriority = 0


class Step(Value):
    """What happens when a case is late. after_m: working time since its resolution was due.

    priority: is added to the case's.   team: who has to take it from then on, if it is not taken yet.
    """

    after_m: Minutes = 0
    priority: CasePriority = 0
    team: Label = ""


class SecondPerson(Value):
    """Which decisions another person has to confirm: all of them, where nothing is said.

    labels, actions: with one of these.   amounts: of cases that are about as much or more, by currency; a
    currency that is not listed is meant. All that is said has to apply.
    """

    labels: Annotated[tuple[CaseLabel, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    actions: Annotated[tuple[ActionName, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    amounts: dict[Currency, Amount] = {}


class KindRules(Value):
    """How cases of one kind are worked.

    alerts: kinds of alert, as in `Alert.kind`, that open a case of this kind; `name/*` for all rules of a
    document.   skill: what is asked for where whoever opens it asks for none.
    clocks: by priority, the highest first; none runs where none is given.   late: in order.
    quality_per_mille: how many of the closed ones get a second look.
    """

    kind: CaseKind
    alerts: Annotated[tuple[Label, ...], Meta(max_length=500), at.MaxLen(500)] = ()
    skill: Label = ""
    checklist: Annotated[tuple[CheckItem, ...], Meta(max_length=50), at.MaxLen(50)] = ()
    clocks: Annotated[tuple[Clocks, ...], Meta(max_length=10), at.MaxLen(10)] = ()
    late: Annotated[tuple[Step, ...], Meta(max_length=10), at.MaxLen(10)] = ()
    second_person: Annotated[tuple[SecondPerson, ...], Meta(max_length=20), at.MaxLen(20)] = (SecondPerson(),)
    quality_per_mille: PerMille = 0


class CasePolicy(Document):
    """The rules for all cases of a book. A kind without rules has no clock, no list and always a second
    person.

    report_within_days: until when a report is filed, in days of the calendar's time zone from the decision
    that there is to be one, to the end of the last.
    """

    hours: Hours
    teams: Annotated[tuple[Team, ...], Meta(max_length=100), at.MaxLen(100)] = ()
    kinds: Annotated[tuple[KindRules, ...], Meta(max_length=10), at.MaxLen(10)] = ()
    report_within_days: FewDays = 30

    def problems(self) -> Iterator[Problem]:
        yield from _hours(self.hours)
        yield from _teams(self.teams)
        yield from _twice("kinds", "kind", [one.kind for one in self.kinds])
        teams = {team.id for team in self.teams}
        alerts: dict[str, str] = {}
        for index, rules in enumerate(self.kinds):
            path = f"kinds[{index}]"
            yield from _kind(path, rules, teams)
            for place, name in enumerate(rules.alerts):
                if name in alerts:
                    yield Problem(f"{path}.alerts[{place}]", f"{name} stands with {alerts[name]} already")
                alerts.setdefault(name, rules.kind)


def minute_of(time: str) -> int:
    """Minutes since midnight of an `HH:MM`."""
    return int(time[:2]) * 60 + int(time[3:])


def _twice(path: str, field: str, names: list[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"{path}[{index}].{field}", f"{name} stands there before")


def _hours(hours: Hours) -> Iterator[Problem]:
    if (minute_of(hours.closes) or 1_440) - minute_of(hours.opens) < LEAST_OPEN_M:
        yield Problem("hours.closes", f"{hours.closes} is not an hour or more after {hours.opens}")


def _teams(teams: tuple[Team, ...]) -> Iterator[Problem]:
    yield from _twice("teams", "id", [team.id for team in teams])
    users: dict[str, str] = {}
    for number, team in enumerate(teams):
        for index, member in enumerate(team.members):
            path = f"teams[{number}].members[{index}]"
            if member.user in users:
                yield Problem(f"{path}.user", f"{member.user} is in the team {users[member.user]} already")
            users.setdefault(member.user, team.id)
            for place, shift in enumerate(member.shifts):
                if len(set(shift.days)) < len(shift.days):
                    yield Problem(f"{path}.shifts[{place}].days", "a day stands there twice")


def _kind(path: str, rules: KindRules, teams: set[str]) -> Iterator[Problem]:
    yield from _twice(f"{path}.checklist", "id", [item.id for item in rules.checklist])
    for index, (before, one) in enumerate(zip(rules.clocks, rules.clocks[1:], strict=False), 1):
        if one.from_priority >= before.from_priority:
            yield Problem(
                f"{path}.clocks[{index}].from_priority",
                f"{one.from_priority} is not below {before.from_priority}; the highest comes first",
            )
    if rules.clocks and rules.clocks[-1].from_priority:
        yield Problem(f"{path}.clocks", "the last one holds from priority 0 on, so that every case has one")
    for index, one in enumerate(rules.clocks):
        if one.first_touch_m > one.resolution_m:
            yield Problem(f"{path}.clocks[{index}].first_touch_m", "is more than resolution_m")
    for index, (earlier, step) in enumerate(zip(rules.late, rules.late[1:], strict=False), 1):
        if step.after_m <= earlier.after_m:
            yield Problem(f"{path}.late[{index}].after_m", f"{step.after_m} is not after {earlier.after_m}")
    if rules.late and not rules.clocks:
        yield Problem(f"{path}.late", "nothing is late without clocks")
    for index, step in enumerate(rules.late):
        if step.team and step.team not in teams:
            yield Problem(f"{path}.late[{index}].team", f"there is no team {step.team}")
