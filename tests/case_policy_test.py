"""The document of how cases are worked: what is wrong with it is said with its path before it is in force."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.document_files import read_drafts
from replay.drafts import Drafted
from replay.what_if import what_if
from schemas.publishing import DocumentPublished, DocumentTookEffect, PublishDocument
from schemas.rejections import CommandRejected
from tests.case_words import (
    CALENDAR,
    OFFICE,
    confirm,
    member,
    open_case,
    pause,
    policy,
    propose,
    take,
    team,
    the_case,
    workers,
)
from tests.story import (
    BEGAN_MS,
    MAIN,
    account,
    given,
    happened,
    later,
    rejected,
    say,
    story,
    system,
    then,
    transfer,
    when,
)
from tests.terminal import ROOT

SHIFT = {"days": ["monday"], "begins": "08:00", "ends": "16:00"}
CLOCK = {"first_touch_m": 60, "resolution_m": 120}


def kinds(**rules: Any) -> dict[str, Any]:
    return {"kinds": [{"kind": "aml", **rules}]}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"hours": {"time_zone": "Mars/Base"}}, "hours.time_zone: Mars/Base is no time zone of the tz database"),
    ({"hours": {**OFFICE, "calendar": "none"}}, "hours.calendar: there is no calendar none in force"),
    (
        {"hours": {**OFFICE, "opens": "17:30"}},
        "hours.closes: 18:00 is not an hour or more after 17:30",
    ),
    ({"hours": {**OFFICE, "opens": "8:00"}}, "hours.opens"),
    ({"teams": [team(member("nobody"))]}, "teams[0].members[0].user: there is no user nobody"),
    ({"teams": [team(member("machine"))]}, "teams[0].members[0].user: there is no user machine"),
    (
        {"teams": [team(member("ann")), team(member("ben"))]},
        "teams[1].id: first stands there before",
    ),
    (
        {"teams": [team(member("ann")), team(member("ann"), id="second")]},
        "teams[1].members[0].user: ann is in the team first already",
    ),
    (
        {"teams": [team(member("ann", shifts=[{**SHIFT, "days": ["monday", "monday"]}]))]},
        "teams[0].members[0].shifts[0].days: a day stands there twice",
    ),
    ({"kinds": [{"kind": "aml"}, {"kind": "aml"}]}, "kinds[1].kind: aml stands there before"),
    ({"kinds": [{"kind": "theft"}]}, "kinds[0].kind"),
    (
        {"kinds": [{"kind": "aml", "alerts": ["fan_in"]}, {"kind": "fraud", "alerts": ["x", "fan_in"]}]},
        "kinds[1].alerts[1]: fan_in stands with aml already",
    ),
    (kinds(checklist=[{"id": "a", "text": "A"}] * 2), "kinds[0].checklist[1].id: a stands there before"),
    (
        kinds(clocks=[CLOCK, CLOCK]),
        "kinds[0].clocks[1].from_priority: 0 is not below 0; the highest comes first",
    ),
    (
        kinds(clocks=[{**CLOCK, "from_priority": 5}]),
        "kinds[0].clocks: the last one holds from priority 0 on, so that every case has one",
    ),
    (kinds(clocks=[{**CLOCK, "first_touch_m": 121}]), "kinds[0].clocks[0].first_touch_m"),
    (kinds(late=[{}]), "kinds[0].late: nothing is late without clocks"),
    (
        kinds(clocks=[CLOCK], late=[{"after_m": 5}, {"after_m": 5}]),
        "kinds[0].late[1].after_m: 5 is not after 5",
    ),
    (kinds(clocks=[CLOCK], late=[{"team": "night"}]), "kinds[0].late[0].team: there is no team night"),
    (kinds(quality_per_mille=1_001), "kinds[0].quality_per_mille"),
    (kinds(second_person=[{"labels": ["guilty"]}]), "kinds[0].second_person[0].labels[0]"),
]


@pytest.mark.parametrize(("body", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_what_is_wrong_with_a_policy_is_said_with_its_path(body: dict[str, Any], problem: str) -> None:
    given(account("alice"), workers("ann", "ben"), system("machine"), CALENDAR)
    when(policy(**body))
    (refused,) = then(rejected("document_invalid", problems=1))
    assert isinstance(refused, CommandRejected)
    assert problem in str(refused.figures["detail"])


def test_a_policy_does_not_begin_before_its_calendar() -> None:
    given(account("alice"))
    begins = BEGAN_MS + 5_000
    calendar = {"kind": "calendar", "document": "target", "version": 1, "body": {"name": "T"}}
    when(say(PublishDocument, **calendar, effective_from_ms=begins))
    when(policy(hours=OFFICE))
    then(rejected("document_invalid"))
    when(later(ms=6_000), policy(hours=OFFICE))
    then(happened(DocumentPublished))


def test_a_policy_takes_effect_at_its_time_for_what_is_opened_from_then_on() -> None:
    given(account("alice"), workers("ann"))
    body = {"hours": {"time_zone": "UTC"}, **kinds(clocks=[CLOCK])}
    fields = {"kind": "case_policy", "document": "cases", "version": 1, "body": body}
    when(say(PublishDocument, **fields, effective_from_ms=BEGAN_MS + 5_000), open_case("c1", kind="aml"))
    when(later(ms=6_000), transfer("nostro", "alice", 1), open_case("c2", kind="aml"))
    assert [type(one) for one in story().events() if isinstance(one, DocumentTookEffect)]
    assert the_case("c1").due.close_by_ms is None
    assert the_case("c2").due.close_by_ms == story().now + 120 * 60_000


def test_the_example_is_a_policy() -> None:
    (draft,) = read_drafts(ROOT / "examples" / "case_policy.yaml")
    given(account("alice"), CALENDAR)
    when(say(PublishDocument, kind=draft.kind, document=draft.id, version=1, body=draft.body))
    then(happened(DocumentPublished))


def test_what_another_policy_would_have_changed_can_be_asked_before_it_is_published() -> None:
    """As of every document: shorter clocks, other people, no second person; over the real history."""
    given(account("alice"), workers("ann", "ben"), policy(**kinds(clocks=[CLOCK])))
    story().now += 1_000
    begins_ms = story().now
    when(open_case("c1", kind="aml"), take().by("ann"), propose("c1").by("ann"), confirm("c1").by("ben"))
    when(open_case("c2", kind="aml"), later(days=1), take().by("ben"), pause("c2").by("ben"))
    body = {
        "hours": {"time_zone": "UTC"},
        "teams": [team(member("ann"))],
        **kinds(clocks=[{"first_touch_m": 1, "resolution_m": 1}], second_person=[]),
    }
    found = what_if(story().log.reader(), MAIN, [Drafted("case_policy", "cases", body)], begins_ms, None)
    refused = {one.reason: one.newly for one in found.refusals}
    assert refused == {"case_state_conflict": 2, "not_in_team": 1}, "closed at once, and never taken by ben"
    assert {one.type: (one.before, one.after) for one in found.events} == {
        "CaseAssigned": (2, 1),
        "CaseWaiting": (1, 0),
        "CommandRejected": (0, 3),
    }
