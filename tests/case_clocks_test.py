"""Clocks of cases: late to the millisecond, in working time, across pauses and changes of the clocks."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.cases import CaseAssigned, CaseEscalated, CaseOpened, CaseReopened, CaseTouched, Due, SlaBreached
from tests.case_words import (
    CALENDAR,
    OFFICE,
    alert,
    hand_over,
    member,
    note,
    open_case,
    pause,
    policy,
    prioritise,
    propose,
    reopen,
    report,
    resume,
    take,
    team,
    the_case,
    workers,
)
from tests.story import (
    Said,
    account,
    given,
    happened,
    later,
    story,
    then,
    transfer,
    when,
)

PEOPLE = workers("ann", "ben", "cid")
TICK = transfer("nostro", "alice", 1)
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def berlin(text: str) -> int:
    local = datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return int(local.timestamp() * 1_000)


def office(**rules: Any) -> list[Said]:
    """From 08:00 to 18:00 in Berlin on weekdays but Whit Monday; touched in an hour, closed in twelve."""
    clocks = [{"first_touch_m": 60, "resolution_m": 720}]
    return [CALENDAR, policy(hours=OFFICE, kinds=[{"kind": "other", "clocks": clocks, **rules}])]


def at(text: str, *words: Any) -> None:
    """What is said then, by the clocks of Berlin."""
    story().now = berlin(text) - 1
    when(*words)


def breaches() -> list[tuple[str, int]]:
    return [(one.clock, one.at) for one in story().events() if isinstance(one, SlaBreached)]


def test_a_case_is_to_be_touched_and_closed_in_working_time() -> None:
    given(account("alice"), PEOPLE, office())
    at("2024-05-17 17:30", open_case("c1"))  # a Friday; the Monday behind it is a holiday
    due = Due(touch_by_ms=berlin("2024-05-21 08:30"), close_by_ms=berlin("2024-05-22 09:30"))
    then(happened(CaseOpened, due=due))
    at("2024-05-21 08:29", TICK)
    assert breaches() == []
    at("2024-05-24 10:00", TICK)  # timers of idle books are late; what they say is not
    assert breaches() == [
        ("first_touch", berlin("2024-05-21 08:30")),
        ("resolution", berlin("2024-05-22 09:30")),
    ]


def test_to_take_a_case_is_to_touch_it() -> None:
    given(account("alice"), PEOPLE, office())
    at("2024-05-16 10:00", open_case("c1"))
    at("2024-05-16 11:00", take().by("ann"))  # at that very moment: what is due by then comes first
    then(happened(CaseAssigned, due=Due(close_by_ms=berlin("2024-05-17 12:00"))))
    assert breaches() == [("first_touch", berlin("2024-05-16 11:00"))]
    at("2024-05-16 12:00", open_case("c2"))
    at("2024-05-16 12:59", take().by("ann"))
    at("2024-05-16 17:00", TICK)
    assert len(breaches()) == 1


def test_who_is_given_a_case_touches_it_with_what_they_do_first() -> None:
    pushing: dict[str, Any] = {
        "kinds": [{"kind": "other", "clocks": [{"first_touch_m": 60, "resolution_m": 720}]}]
    }
    given(account("alice"), PEOPLE, policy(teams=[team(member("ann"), pushes=True)], **pushing))
    when(open_case("c1"), note("c1").by("ben"))
    assert the_case("c1").due.touch_by_ms is not None, "somebody else's note is no touch"
    when(note("c1").by("ann"))
    assert type(story().last[0]) is CaseTouched
    assert the_case("c1").due.touch_by_ms is None
    when(note("c1").by("ann"))
    assert len(story().last) == 1
    when(open_case("c2"), later(ms=2 * HOUR_MS), note("c2").by("ann"))
    assert [one.late for one in story().last if isinstance(one, CaseTouched)] == [True]


def test_the_clock_stands_still_while_a_case_waits_across_a_night_a_weekend_and_a_change_of_clocks() -> None:
    given(account("alice"), PEOPLE, office(), began=berlin("2024-10-21 09:00"))
    at("2024-10-25 16:00", open_case("c1"), take().by("ann"))  # closed by Monday, 18:00: two hours and ten
    assert the_case("c1").due.close_by_ms == berlin("2024-10-28 18:00")
    at("2024-10-25 17:15", pause("c1").by("ann"))
    assert the_case("c1").due == Due(left_ms=10 * HOUR_MS + 45 * MINUTE_MS)
    at("2024-10-29 09:00", resume("c1").by("ann"))
    assert the_case("c1").due == Due(close_by_ms=berlin("2024-10-30 09:45"))
    at("2024-10-29 18:30", pause("c1").by("ann"))  # nothing passes while nobody works
    assert the_case("c1").due == Due(left_ms=HOUR_MS + 45 * MINUTE_MS)
    at("2024-10-29 20:00", hand_over("c1").by("ann"))  # in the queue it runs
    assert the_case("c1").due == Due(close_by_ms=berlin("2024-10-30 09:45"))
    at("2024-11-04 09:00", TICK)
    assert breaches() == [("resolution", berlin("2024-10-30 09:45"))]


def test_what_is_late_comes_first_and_becomes_more_urgent_step_by_step() -> None:
    late = [{"priority": 10}, {"after_m": 600, "priority": 90, "team": "chiefs"}]
    clocks = [{"first_touch_m": 60, "resolution_m": 60}]
    rules = [{"kind": "other", "clocks": clocks, "late": late}]
    teams = [team(member("ann"), member("cid")), team(member("ben"), id="chiefs")]
    given(account("alice"), PEOPLE, CALENDAR, policy(hours=OFFICE, kinds=rules, teams=teams))
    at("2024-05-15 16:00", open_case("c1"), open_case("vip", kind="fraud", priority=500))
    at("2024-05-16 09:00", TICK)
    escalated = [one for one in story().events() if isinstance(one, CaseEscalated)]
    assert [(one.at, one.step, one.priority, one.team) for one in escalated] == [
        (berlin("2024-05-15 17:00"), 1, 10, "")
    ]
    assert the_case("c1").step_ms == berlin("2024-05-16 17:00")
    when(take().by("ann"), hand_over("c1").by("ann"))
    at("2024-05-16 17:30", take().by("cid"))
    then(happened(CaseAssigned, case="vip"))
    assert (the_case("c1").priority, the_case("c1").team, the_case("c1").step_ms) == (100, "chiefs", None)
    when(take().by("ben"))
    then(happened(CaseAssigned, case="c1", to="ben"))
    assert breaches() == [  # both at once: by the ids of their timers
        ("resolution", berlin("2024-05-15 17:00")),
        ("first_touch", berlin("2024-05-15 17:00")),
    ]


def test_what_is_late_does_not_get_less_late_by_waiting() -> None:
    late = [{"priority": 10}, {"after_m": 60, "priority": 10}, {"after_m": 120, "priority": 10}]
    given(account("alice"), PEOPLE, office(late=late))
    at("2024-05-16 08:00", open_case("c1"), take().by("ann"))
    at("2024-05-17 10:30", pause("c1").by("ann"))
    assert the_case("c1").due == Due(close_by_ms=berlin("2024-05-17 10:00"))
    at("2024-05-17 18:00", resume("c1").by("ann"))
    steps = [(one.step, one.at) for one in story().events() if isinstance(one, CaseEscalated)]
    assert steps == [(hour - 9, berlin(f"2024-05-17 {hour}:00")) for hour in (10, 11, 12)]
    assert the_case("c1").due == Due(close_by_ms=berlin("2024-05-17 10:00"))


def test_a_clock_that_ran_out_does_not_run_out_again_until_the_case_is_reopened() -> None:
    given(account("alice"), PEOPLE, office(second_person=[]))
    at("2024-05-16 10:00", open_case("c1"), take().by("ann"))
    at("2024-05-22 10:00", pause("c1").by("ann"), resume("c1").by("ann"), prioritise("c1", 5))
    at("2024-05-24 10:00", propose("c1").by("ann"))
    assert [one for one, _ in breaches()] == ["resolution"]
    assert [one for one in story().book.timers.due if one.startswith("case")] == []
    at("2024-05-24 11:00", reopen("c1").by("ben"))
    due = Due(touch_by_ms=berlin("2024-05-24 12:00"), close_by_ms=berlin("2024-05-27 13:00"))
    then(happened(CaseReopened, due=due))
    at("2024-05-28 10:00", TICK)
    assert [one for one, _ in breaches()] == ["resolution", "first_touch", "resolution"]


def test_clocks_get_shorter_with_the_priority_and_never_longer() -> None:
    clocks = [
        {"from_priority": 100, "first_touch_m": 10, "resolution_m": 60},
        {"first_touch_m": 60, "resolution_m": 720},
    ]
    given(account("alice"), PEOPLE, policy(kinds=[{"kind": "aml", "clocks": clocks}]))
    when(report("c1", alert(1)))
    when(later(ms=5 * MINUTE_MS), report("c1", alert(2), priority=100))
    assert the_case("c1").due == Due(
        touch_by_ms=story().now + 10 * MINUTE_MS, close_by_ms=story().now + 60 * MINUTE_MS
    )
    before = the_case("c1").due
    when(prioritise("c1", 0))
    assert the_case("c1").due == Due(before.touch_by_ms, before.close_by_ms, band=1)
    when(report("c2", alert(3)))
    opened = story().now
    when(later(ms=55 * MINUTE_MS), prioritise("c2", 200))
    sooner = opened + 60 * MINUTE_MS  # five minutes are left, and ten would be more
    assert the_case("c2").due == Due(touch_by_ms=sooner, close_by_ms=story().now + 60 * MINUTE_MS)
    when(take().by("ann"), take().by("ann"), pause("c2").by("ann"))
    assert the_case("c2").due == Due(left_ms=60 * MINUTE_MS - 3)


def test_what_is_closed_is_never_late() -> None:
    given(account("alice"), PEOPLE, office(second_person=[]))
    at("2024-05-16 10:00", open_case("c1"), take().by("ann"), propose("c1").by("ann"))
    at("2024-06-15 10:00", TICK)
    assert breaches() == []


def test_steps_of_another_policy_that_are_over_by_then_are_passed_over() -> None:
    clocks = [{"first_touch_m": 60, "resolution_m": 60}]

    def rules(version: int, *minutes: int) -> Said:
        late = [{"after_m": one, "priority": one} for one in minutes]
        return policy(version, kinds=[{"kind": "other", "clocks": clocks, "late": late}])

    given(account("alice"), PEOPLE, rules(1, 60))
    when(open_case("c1"), later(ms=61 * MINUTE_MS), TICK)
    late_ms = the_case("c1").due.close_by_ms
    assert late_ms is not None
    assert the_case("c1").step_ms == late_ms + 60 * MINUTE_MS
    when(rules(2, 30, 60, 90), later(ms=60 * MINUTE_MS), TICK)
    assert (the_case("c1").steps, the_case("c1").step_ms) == (2, late_ms + 90 * MINUTE_MS)
    when(rules(3, 10, 20, 90), later(ms=60 * MINUTE_MS), TICK)
    assert (the_case("c1").steps, the_case("c1").step_ms) == (3, None)
    steps = [(one.step, one.at - late_ms) for one in story().events() if isinstance(one, CaseEscalated)]
    assert steps == [(2, 60 * MINUTE_MS), (3, 90 * MINUTE_MS)]
