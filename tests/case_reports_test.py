"""Suspicious activity reports: required, drafted, approved by another person, filed, late."""

from __future__ import annotations

import datetime

import pytest

from schemas.case_reports import (
    ReportApproved,
    ReportDrafted,
    ReportFiled,
    ReportOverdue,
    ReportRequired,
    ReportSentBack,
)
from schemas.cases import CaseClosed
from schemas.rejections import Reason
from tests.case_words import (
    act,
    alert,
    approve,
    assign,
    confirm,
    draft,
    file,
    merge,
    open_case,
    policy,
    propose,
    report,
    send_back,
    take,
    the_case,
    workers,
)
from tests.story import (
    Said,
    Word,
    account,
    given,
    happened,
    later,
    party,
    rejected,
    story,
    then,
    transfer,
    user,
    when,
)

PEOPLE = workers("ann", "ben", "cid")
REPORT = act("file_report")


def midnight(day: str) -> int:
    return int(datetime.datetime.fromisoformat(f"{day}T00:00:00+02:00").timestamp() * 1_000)


def berlin(days: int) -> Said:
    return policy(hours={"time_zone": "Europe/Berlin"}, report_within_days=days)


def test_a_decision_requires_a_report_that_another_person_approves() -> None:
    given(account("alice"), PEOPLE, berlin(10), report("c1", alert(1)), take().by("ann"))
    when(propose("c1", "suspicious", REPORT).by("ann"), confirm("c1").by("ben"))
    then(happened(ReportRequired, by_ms=midnight("2024-05-26")), happened(CaseClosed))
    when(draft("c1").by("cid"))
    then(happened(ReportDrafted, report="r1", person="person-cid", by_ms=midnight("2024-05-26")))
    when(approve("c1").by("cid"))
    then(rejected("second_person_needed"))
    when(send_back("c1").by("ann"))
    then(happened(ReportSentBack, person="person-ann", reason="say more"))
    when(draft("c1").by("ann"), approve("c1").by("cid"))
    then(happened(ReportApproved, person="person-cid"))
    when(file("c1").by("ann"))
    then(
        happened(
            ReportFiled,
            report="r1",
            reference="FIU-2024-7",
            evidence="e" * 64,
            persons=("person-ann", "person-cid", "person-ann"),
            late=False,
        )
    )
    when(later(days=20), transfer("nostro", "alice", 1))
    assert not [one for one in story().events() if isinstance(one, ReportOverdue)]
    when(draft("c1", "r2").by("cid"))
    then(happened(ReportDrafted, report="r2", by_ms=midnight("2024-06-15")))


def test_a_report_is_late_to_the_millisecond_and_still_to_be_filed() -> None:
    given(account("alice"), PEOPLE, berlin(2), open_case("c1"), take().by("ann"), draft("c1").by("ann"))
    when(later(days=3), transfer("nostro", "alice", 1))
    (late,) = [one for one in story().events() if isinstance(one, ReportOverdue)]
    assert (late.at, late.by_ms) == (midnight("2024-05-18"), midnight("2024-05-18"))
    when(approve("c1").by("ben"), file("c1").by("ben"))
    then(happened(ReportFiled, late=True))


def test_a_new_draft_is_approved_anew() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), take().by("ann"), draft("c1").by("ann"))
    first = the_case("c1").report
    assert first is not None
    seq = first.draft
    when(draft("c1").by("ann"), approve("c1", seq).by("ben"))
    then(rejected("proposal_changed"))
    when(approve("c1").by("ben"), draft("c1").by("ann"), file("c1").by("ben"))
    then(rejected("report_state_conflict", status="drafted"))


def test_a_report_that_is_there_already_is_required_once() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), take().by("ann"), draft("c1").by("ann"))
    when(propose("c1", "suspicious", REPORT).by("ann"), confirm("c1").by("ben"))
    then(happened(CaseClosed))


# --- the order of checks ----------------------------------------------------------------------------------

GIVEN: list[Word] = [
    account("alice"),
    PEOPLE,
    party("z-party"),
    user("zoe", of_party="z-party", roles=["worker"]),
    [open_case("mine"), assign("mine", "ann")],
    [open_case("theirs", party="z-party"), assign("theirs", "ann"), draft("theirs", "r-theirs").by("ann")],
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("case_not_found", draft("nothing").by("ann")),
    ("about_oneself", draft("theirs").by("zoe")),
    ("not_assignee", draft("mine", "r-theirs").by("ben")),
    ("report_exists", draft("mine", "r-theirs").by("ann")),
    ("report_differs", draft("theirs", "another").by("ann")),
    ("case_not_found", approve("nothing", 5).by("ann")),
    ("about_oneself", approve("theirs", 5).by("zoe")),
    ("report_state_conflict", approve("mine", 5).by("ann")),
    ("proposal_changed", approve("theirs", 5).by("ann")),
    ("second_person_needed", approve("theirs").by("ann")),
    ("case_not_found", send_back("nothing", 5).by("ann")),
    ("about_oneself", send_back("theirs", 5).by("zoe")),
    ("report_state_conflict", send_back("mine", 5).by("ann")),
    ("proposal_changed", send_back("theirs", 5).by("ann")),
    ("case_not_found", file("nothing").by("ann")),
    ("about_oneself", file("theirs").by("zoe")),
    ("report_state_conflict", file("theirs").by("ann")),
    ("report_open", merge("theirs", "mine").by("ann")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))
