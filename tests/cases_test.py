"""Cases: how they come to be, and who has them."""

from __future__ import annotations

import pytest

from detection import triage
from schemas.cases import AlertsJoined, CaseAssigned, CaseOpened, CaseReopened, CaseReturned, Due
from schemas.parties import RegisterParty
from schemas.rejections import Reason
from tests.case_words import (
    alert,
    assign,
    confirm,
    hand_over,
    member,
    open_case,
    policy,
    propose,
    report,
    take,
    team,
    the_case,
    workers,
)
from tests.story import (
    Said,
    Word,
    account,
    given,
    grant,
    happened,
    later,
    party,
    rejected,
    role,
    say,
    story,
    system,
    then,
    user,
    when,
)

PEOPLE = workers("ann", "ben", "cid")


# --- alerts open, join and reopen -------------------------------------------------------------------------


def test_alerts_open_a_case() -> None:
    given(account("alice", balance=100))
    when(report("c1", alert(1), alert(2, kind="fan_in", amount=50), priority=7))
    then(
        happened(CaseOpened, case="c1", kind="aml", subject="p-alice", priority=7, by_hand=False),
        happened(
            AlertsJoined, case="c1", amounts={"EUR": 950}, accounts=("alice",), payments=(), lapsed=False
        ),
    )
    case = the_case("c1")
    assert [one.kind for one in case.alerts] == ["structuring", "fan_in"]
    assert (case.status, case.parties, case.accounts) == ("open", ("p-alice",), ("alice",))
    assert story().book.cases.alerts == {one.id: "c1" for one in (alert(1), alert(2, kind="fan_in"))}


def test_more_alerts_join_it_and_those_it_has_are_left_out() -> None:
    given(account("alice"), account("bob"), report("c1", alert(1), priority=7))
    when(report("c1", alert(1), alert(3, "p-bob"), alert(3, "p-bob"), priority=5))
    (joined,) = then(happened(AlertsJoined, priority=7, parties=("p-bob",), accounts=("bob",)))
    assert isinstance(joined, AlertsJoined)
    assert joined.alerts == (alert(3, "p-bob"),)
    when(report("c1", alert(3, "p-bob"), alert(1), priority=9))
    then(rejected("nothing_to_change"))
    when(report("c2", alert(3, "p-bob"), party="p-bob"))
    then(rejected("nothing_to_change"))


def test_late_alerts_reopen_a_closed_case() -> None:
    given(account("alice"), PEOPLE, report("c1", alert(1)), take().by("ann"), propose("c1").by("ann"))
    when(confirm("c1").by("ben"), later(days=3), report("c1", alert(2), priority=3))
    then(happened(CaseReopened, label="false_positive", by_hand=False), happened(AlertsJoined, priority=3))
    assert (the_case("c1").status, the_case("c1").started_ms) == ("reopened", story().now)
    when(take().by("ben"))
    then(happened(CaseAssigned, to="ben"))


def test_alerts_about_another_book_concern_nobody_here() -> None:
    given(account("alice"))
    when(report("c1", alert(1, "p-alice", book="side"), party="key"))
    then(
        happened(CaseOpened, subject="party=key", parties=()), happened(AlertsJoined, parties=(), accounts=())
    )


def test_a_device_named_like_a_party_is_no_party() -> None:
    given(account("alice"))
    one = alert(1, party="", account="", device="p-alice")
    when(report("c1", one, party=triage.report(None, one)[1].party))
    then(happened(CaseOpened, subject="device=p-alice", parties=()), happened(AlertsJoined, parties=()))


def test_a_rule_means_fraud_unless_policy_says_what_its_alerts_open() -> None:
    given(account("alice"))
    when(report("c1", alert(1, source="rule", kind="cards/night")))
    then(happened(CaseOpened, kind="fraud"), happened(AlertsJoined))
    when(policy(kinds=[{"kind": "dispute", "alerts": ["cards/*"], "skill": "cards"}]))
    when(report("c2", alert(2, source="rule", kind="cards/night")))
    then(happened(CaseOpened, kind="dispute", skill="cards"), happened(AlertsJoined))


def test_a_system_reports_and_opens_and_does_nothing_else() -> None:
    given(account("alice"), system("triage"), user("zoe"))
    when(role("reporter", "ReportAlerts", "OpenCase"), grant("triage", "reporter"))
    when(report("c1", alert(1)).by("triage"))
    then(happened(CaseOpened), happened(AlertsJoined))
    when(role("taker", "TakeNextCase"), grant("triage", "taker"))
    then(rejected("not_for_systems", command="TakeNextCase"))


# --- taken, given, handed over ----------------------------------------------------------------------------


def test_what_is_taken_is_nobody_elses() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), open_case("c2", priority=2))
    when(take().by("ann"))
    then(happened(CaseAssigned, case="c2", to="ann", person="person-ann", how="taken"))
    when(take().by("ben"))
    then(happened(CaseAssigned, case="c1", to="ben"))
    when(take().by("cid"))
    then(rejected("queue_empty"))
    assert story().book.cases.load == {"ann": 1, "ben": 1}


def test_nobody_takes_a_case_about_themselves_behind_whatever_user() -> None:
    given(
        account("alice"),
        workers("ann", "ben"),
        say(RegisterParty, party="person-ben", kind="person", name="Ben"),
        user("zoe", of_party="p-alice", roles=["worker"]),
        report("c1", alert(1)),
        open_case("c2", party="person-ben", priority=5),
    )
    when(take().by("zoe"))
    then(happened(CaseAssigned, case="c2"))
    when(take().by("zoe"))
    then(rejected("queue_empty"))
    when(take().by("ben"))
    then(happened(CaseAssigned, case="c1"))
    when(hand_over("c1", "zoe").by("ben"))
    then(rejected("about_oneself"))


def test_a_case_that_turns_out_to_be_about_whoever_has_it_can_only_be_given_away() -> None:
    given(account("alice"), account("bob"), PEOPLE, user("zoe", of_party="p-bob", roles=["worker"]))
    when(report("c1", alert(1)), take().by("zoe"), report("c1", alert(2, "p-bob")), propose("c1").by("zoe"))
    then(rejected("about_oneself"))
    when(hand_over("c1", "ann").by("zoe"))
    then(rejected("about_oneself"))
    when(hand_over("c1").by("zoe"))
    then(happened(CaseReturned, before="zoe"))


def test_a_case_is_handed_over_with_a_note_or_back_into_the_queue() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), take().by("ann"))
    when(hand_over("c1", "ben").by("ann"))
    then(happened(CaseAssigned, to="ben", before="ann", how="handed_over", note="I am off"))
    assert story().book.cases.load == {"ben": 1}
    when(hand_over("c1").by("ben"))
    then(happened(CaseReturned, before="ben"))
    assert (story().book.cases.load, list(story().book.cases.queue)) == ({}, ["c1"])


def test_a_case_comes_to_those_who_have_the_skill_are_on_shift_and_have_room() -> None:
    night = {"days": ["wednesday"], "begins": "22:00", "ends": "06:00"}
    given(account("alice"), PEOPLE, user("dan", roles=["worker"]))
    when(
        policy(
            teams=[
                team(
                    member("ann", "aml", most_cases=1),
                    member("ben", "fraud"),
                    member("cid", "aml", shifts=[night]),
                    capacity_per_day=3,
                )
            ]
        ),
        open_case("c1", skill="aml"),
        open_case("c2", skill="aml"),
        open_case("c3", skill="fraud"),
        take().by("dan"),
    )
    then(rejected("not_in_team"))
    when(take().by("cid"))
    then(rejected("not_on_shift"))
    when(take().by("ann"))
    then(happened(CaseAssigned, case="c1", team="first", day="2024-05-15", taken=1))
    when(take().by("ann"))
    then(rejected("case_load_reached", has=1, most=1))
    when(take().by("ben"))
    then(happened(CaseAssigned, case="c3", taken=2))
    when(take().by("ben"))
    then(rejected("queue_empty"))
    when(later(days=0.5), take().by("cid"))  # 22:00, and to the morning
    then(happened(CaseAssigned, case="c2", taken=3))
    when(open_case("c4"), take().by("ben"))
    then(rejected("team_capacity_reached", most=3))
    when(later(days=0.25), take().by("ben"))
    then(happened(CaseAssigned, case="c4", day="2024-05-16", taken=1))


def test_where_policy_pushes_a_new_case_comes_to_who_has_least_to_do() -> None:
    given(account("alice"), PEOPLE)
    when(policy(teams=[team(member("ann"), member("ben", "aml"), pushes=True)]), open_case("c1"))
    then(happened(CaseOpened), happened(CaseAssigned, to="ann", how="given"))
    when(open_case("c2"))
    then(happened(CaseOpened), happened(CaseAssigned, to="ben"))
    when(open_case("c3"))
    then(happened(CaseOpened), happened(CaseAssigned, to="ann"))
    when(open_case("c4", skill="gold"))
    then(happened(CaseOpened))
    when(assign("c4"))
    then(rejected("nobody_fits"))
    when(assign("c3"))
    then(happened(CaseAssigned, case="c3", to="ben", before="ann"))


def test_a_need_to_know_case_is_there_for_the_named_and_whoever_has_it() -> None:
    given(account("alice"), PEOPLE, open_case("c1", people=("ann",)))
    when(take().by("ben"))
    then(rejected("queue_empty"))
    when(assign("c1", "ben").by("cid"))
    then(rejected("case_not_found"))
    when(assign("c1", "ben").by("ann"))
    then(happened(CaseAssigned, to="ben"))
    when(propose("c1").by("ben"), confirm("c1").by("cid"))
    then(rejected("case_not_found"))
    when(confirm("c1").by("ann"))
    assert the_case("c1").status == "closed"


def test_no_clock_runs_without_a_policy() -> None:
    given(account("alice"), PEOPLE, open_case("c1"))
    assert the_case("c1").due == Due()
    assert [one for one in story().book.timers.due if one.startswith("case")] == []


# --- the order of checks ----------------------------------------------------------------------------------

NIGHT = {"days": ["monday"], "begins": "22:00", "ends": "06:00"}
TEAM = team(
    member("ann", "aml"),
    member("ben", "aml", most_cases=1),
    member("root"),
    member("zoe", "aml"),
    member("mel", shifts=[NIGHT], most_cases=1),
)
FULL_DAY = team(member("pia"), id="second", capacity_per_day=1)
GIVEN: list[Word] = [
    account("alice"),
    workers("ann", "ben", "mel", "pia", "yann"),
    party("z-party"),
    user("zoe", of_party="z-party", roles=["worker"]),
    user("idle"),
    policy(teams=[TEAM, FULL_DAY]),
    open_case("once", kind="dispute"),
    take().by("pia"),
    hand_over("once", "ann").by("pia"),
    open_case("full"),
    take().by("ben"),
    open_case("done"),
    take().by("ann"),
    propose("done").by("ann"),
    confirm("done").by("ben"),
    open_case("hers", skill="aml", party="z-party"),
    take().by("ann"),
    open_case("c1", skill="aml", party="z-party"),
    open_case("rare", skill="gold"),
    [open_case("turned"), assign("turned", "zoe"), report("turned", alert(2, "z-party"))],
    report("reported", alert(1)),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("case_exists", open_case("c1", party="nobody", accounts=("nobody",))),
    ("party_not_found", open_case("c2", parties=("nobody",), accounts=("nobody",))),
    ("account_not_found", open_case("c2", accounts=("nobody",), payments=("nobody",))),
    ("payment_not_found", open_case("c2", payments=("nobody",), people=("nobody",))),
    ("actor_not_found", open_case("c2", people=("nobody",))),
    ("nothing_to_change", report("c2", alert(1), alert(1))),
    ("nothing_to_change", report("c2", alert(70, shadow=True), alert(1))),
    ("case_not_found", assign("nothing")),
    ("case_state_conflict", assign("done")),
    ("about_oneself", assign("c1").by("zoe")),
    ("nobody_fits", assign("rare")),
    ("actor_not_found", assign("c1", "nobody")),
    ("nothing_to_change", assign("full", "ben")),
    ("not_a_case_worker", assign("c1", "idle")),
    ("about_oneself", assign("c1", "zoe")),
    ("skill_missing", assign("c1", "root")),
    ("case_load_reached", assign("c1", "ben")),
    ("case_not_found", hand_over("nothing")),
    ("case_state_conflict", hand_over("done")),
    ("not_assignee", hand_over("full").by("ann")),
    ("about_oneself", hand_over("turned", "nobody").by("zoe")),
    ("actor_not_found", hand_over("full", "nobody").by("ben")),
    ("nothing_to_change", hand_over("full", "ben").by("ben")),
    ("not_a_case_worker", hand_over("full", "idle").by("ben")),
    ("about_oneself", hand_over("hers", "zoe").by("ann")),
    ("skill_missing", hand_over("hers", "root").by("ann")),
    ("case_load_reached", hand_over("hers", "ben").by("ann")),
    ("not_in_team", take().by("yann")),
    ("not_on_shift", take().by("mel")),
    ("case_load_reached", take().by("ben")),
    ("team_capacity_reached", take().by("pia")),
    ("queue_empty", take(kinds=("dispute",)).by("root")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))
