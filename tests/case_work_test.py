"""The work on a case: waiting, checklist, notes, papers, links, who may see it, the second look."""

from __future__ import annotations

import pytest

from schemas.case_work import (
    CaseAttached,
    CaseLinked,
    CaseNoteAdded,
    CaseRestricted,
    CaseResumed,
    CaseWaiting,
    ItemTicked,
    QualityReviewed,
)
from schemas.cases import CaseAssigned, CaseClosed, CaseReopened, DecisionProposed
from schemas.rejections import Reason
from tests.case_words import (
    alert,
    assign,
    attach,
    confirm,
    link,
    look_again,
    note,
    open_case,
    pause,
    policy,
    prioritise,
    propose,
    report,
    restrict,
    resume,
    take,
    the_case,
    tick,
    workers,
)
from tests.story import (
    BEGAN_MS,
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
CALL = {"id": "call", "text": "Call the customer"}
ASK = {"id": "ask", "text": "Ask the branch", "required": False}


def test_what_is_required_is_done_before_a_decision() -> None:
    given(account("alice"), PEOPLE, policy(kinds=[{"kind": "other", "checklist": [CALL, ASK]}]))
    when(open_case("c1"), take().by("ann"), propose("c1").by("ann"))
    then(rejected("checklist_open", item="call", left=1))
    when(tick("c1", "call").by("ann"))
    then(happened(ItemTicked, item="call", done=True, note="so"))
    when(tick("c1", "call", done=False).by("ann"), propose("c1").by("ann"))
    then(rejected("checklist_open"))
    when(tick("c1", "call").by("ann"), propose("c1").by("ann"))
    then(happened(DecisionProposed))


def test_the_list_of_a_case_is_that_of_the_policy_when_it_was_opened() -> None:
    given(account("alice"), PEOPLE, open_case("c1"))
    when(policy(kinds=[{"kind": "other", "checklist": [CALL]}]), take().by("ann"), propose("c1").by("ann"))
    then(happened(DecisionProposed))


def test_what_waits_counts_in_nobodys_load_and_goes_on_by_hand_or_by_time() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), take().by("ann"))
    when(pause("c1", BEGAN_MS + 60_000).by("ann"))
    then(happened(CaseWaiting, until_ms=BEGAN_MS + 60_000))
    assert story().book.cases.load == {}
    when(resume("c1").by("ann"))
    then(happened(CaseResumed))
    assert story().book.cases.load == {"ann": 1}
    when(pause("c1", BEGAN_MS + 60_000).by("ann"), later(ms=90_000), transfer("nostro", "alice", 1))
    (resumed,) = [one for one in story().events() if isinstance(one, CaseResumed) and one.timer]
    assert (resumed.at, the_case("c1").status) == (BEGAN_MS + 60_000, "in_progress")
    when(pause("c1", BEGAN_MS + 200_000).by("ann"), assign("c1", "ben"), later(ms=200_000), note("c1"))
    assert (the_case("c1").status, the_case("c1").assignee) == ("in_progress", "ben")
    assert len([one for one in story().events() if isinstance(one, CaseResumed) and one.timer]) == 1


def test_notes_and_papers_are_added_also_to_a_closed_case_and_never_taken_away() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), take().by("ann"), note("c1").by("ann"))
    when(attach("c1").by("ann"))
    then(happened(CaseAttached, digest="a" * 64, size=1_200))
    when(propose("c1").by("ann"), confirm("c1").by("ben"), note("c1", "the letter came").by("cid"))
    then(happened(CaseNoteAdded, text="the letter came"))
    when(attach("c1", "b" * 64).by("cid"), attach("c1", "b" * 64).by("ben"))
    then(rejected("already_attached"))
    assert the_case("c1").attached == ("a" * 64, "b" * 64)


def test_what_a_case_concerns_grows_and_cases_are_linked_both_ways() -> None:
    given(account("alice"), account("bob"), PEOPLE, open_case("c1"), open_case("c2"))
    when(link("c1", accounts=("bob",), parties=("p-alice",), cases=("c2", "c1")).by("ann"))
    then(happened(CaseLinked, parties=("p-alice", "p-bob"), accounts=("bob",), payments=(), cases=("c2",)))
    assert (the_case("c1").cases, the_case("c2").cases) == (("c2",), ("c1",))
    when(link("c2", cases=("c1",)).by("ann"))
    then(rejected("nothing_to_change"))
    when(assign("c1", "ann"), propose("c1").by("ann"), link("c1", accounts=("alice",)).by("ben"))
    then(rejected("case_state_conflict", status="awaiting_second_person"))


def test_a_case_that_becomes_need_to_know_is_gone_for_all_others() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), take().by("ann"))
    when(restrict("c1", "ben").by("ann"))
    then(happened(CaseRestricted, before=(), people=("ben",)))
    when(note("c1").by("cid"))
    then(rejected("case_not_found"))
    when(note("c1").by("ann"), propose("c1").by("ann"), confirm("c1").by("cid"))
    then(rejected("case_not_found"))
    when(confirm("c1").by("ben"))
    then(happened(CaseClosed))
    when(note("c1").by("ann"))
    then(rejected("case_not_found"))
    when(report("c1", alert(1)))
    assert the_case("c1").status == "reopened"


def test_what_is_drawn_is_looked_at_by_another_person_and_reopened_if_overturned() -> None:
    kinds = [{"kind": "other", "quality_per_mille": 1_000, "second_person": []}]
    given(account("alice"), PEOPLE, policy(kinds=kinds))
    for case in ("c1", "c2"):
        when(open_case(case), take().by("ann"), propose(case).by("ann"))
        then(happened(DecisionProposed), happened(CaseClosed, sampled=True))
    when(look_again("c1").by("ann"))
    then(rejected("second_person_needed"))
    when(look_again("c1", "remarks").by("ben"))
    then(happened(QualityReviewed, closing=1, label="false_positive", found="remarks", person="person-ben"))
    when(look_again("c1").by("cid"))
    then(rejected("not_sampled"))
    when(look_again("c2", "overturned").by("ben"))
    then(happened(QualityReviewed), happened(CaseReopened, by_hand=True, label="false_positive"))
    when(take().by("cid"))
    then(happened(CaseAssigned, case="c2", to="cid"))


def test_the_share_that_is_drawn_is_that_of_the_policy_and_the_same_for_everybody() -> None:
    kinds = [{"kind": "other", "quality_per_mille": 250, "second_person": []}]
    given(account("alice"), PEOPLE, policy(kinds=kinds))
    for number in range(200):
        when(open_case(f"c{number}"), take().by("ann"), propose(f"c{number}").by("ann"))
    closed = [one for one in story().events() if isinstance(one, CaseClosed)]
    drawn = [one.case for one in closed if one.sampled]
    assert 30 <= len(drawn) <= 70  # 50 are meant
    assert drawn[:3] == ["c7", "c8", "c9"], "which they are is part of what the log says"


# --- the order of checks ----------------------------------------------------------------------------------

GIVEN: list[Word] = [
    account("alice"),
    PEOPLE,
    party("z-party"),
    user("zoe", of_party="z-party", roles=["worker"]),
    policy(kinds=[{"kind": "other", "checklist": [CALL], "quality_per_mille": 1_000}]),
    [open_case("mine"), assign("mine", "ann"), tick("mine", "call").by("ann"), attach("mine").by("ann")],
    [open_case("idle"), assign("idle", "ben"), pause("idle").by("ben")],
    [open_case("turned"), assign("turned", "zoe"), report("turned", alert(1, "z-party"))],
    [open_case("late"), assign("late", "zoe"), pause("late").by("zoe"), report("late", alert(2, "z-party"))],
    [open_case("done", kind="dispute", party="z-party"), assign("done", "ann")],
    [propose("done").by("ann"), confirm("done").by("ben")],
    [open_case("drawn"), assign("drawn", "ann"), tick("drawn", "call").by("ann"), propose("drawn").by("ann")],
    confirm("drawn").by("ben"),
    open_case("secret", people=("cid",)),
]
NOBODY = ("nobody",)
REJECTIONS: list[tuple[Reason, Said]] = [
    ("case_not_found", pause("nothing", 5).by("ann")),
    ("case_state_conflict", pause("done", 5).by("ann")),
    ("not_assignee", pause("turned", 5).by("ann")),
    ("about_oneself", pause("turned", 5).by("zoe")),
    ("expiry_in_past", pause("mine", 5).by("ann")),
    ("case_not_found", resume("nothing").by("ann")),
    ("case_state_conflict", resume("mine").by("ann")),
    ("not_assignee", resume("late").by("ann")),
    ("about_oneself", resume("late").by("zoe")),
    ("case_not_found", tick("nothing", "none").by("ann")),
    ("case_state_conflict", tick("done", "none").by("ann")),
    ("not_assignee", tick("turned", "none").by("ann")),
    ("about_oneself", tick("turned", "none").by("zoe")),
    ("item_not_found", tick("mine", "none").by("ann")),
    ("nothing_to_change", tick("mine", "call").by("ann")),
    ("case_not_found", note("secret").by("ann")),
    ("about_oneself", note("done").by("zoe")),
    ("case_not_found", attach("secret").by("ann")),
    ("about_oneself", attach("done").by("zoe")),
    ("already_attached", attach("mine").by("ben")),
    ("case_not_found", link("done", cases=("secret",)).by("zoe")),
    ("case_state_conflict", link("done", parties=NOBODY).by("zoe")),
    ("about_oneself", link("turned", parties=NOBODY).by("zoe")),
    ("party_not_found", link("mine", parties=NOBODY, accounts=NOBODY).by("ann")),
    ("account_not_found", link("mine", accounts=NOBODY, payments=NOBODY).by("ann")),
    ("payment_not_found", link("mine", payments=NOBODY).by("ann")),
    ("nothing_to_change", link("mine", cases=("mine",)).by("ann")),
    ("case_not_found", restrict("secret", "nobody").by("ann")),
    ("about_oneself", restrict("done", "nobody").by("zoe")),
    ("actor_not_found", restrict("mine", "nobody").by("ann")),
    ("nothing_to_change", restrict("secret", "cid").by("cid")),
    ("case_not_found", prioritise("secret", 0).by("ann")),
    ("case_state_conflict", prioritise("done", 0).by("zoe")),
    ("about_oneself", prioritise("turned", 0).by("zoe")),
    ("nothing_to_change", prioritise("mine", 0).by("ann")),
    ("case_not_found", look_again("secret").by("ann")),
    ("about_oneself", look_again("done").by("zoe")),
    ("not_sampled", look_again("mine").by("ann")),
    ("second_person_needed", look_again("drawn").by("ann")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))
