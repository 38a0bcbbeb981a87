"""How cases end: proposed, confirmed by another person, refused, reopened, merged."""

from __future__ import annotations

import pytest

from schemas.access import RevokeRole
from schemas.accounts import AccountBlocked
from schemas.approvals import ApprovalRequested
from schemas.case_commands import ConfirmDecision, ProposeDecision, TakeNextCase
from schemas.cases import (
    AlertsJoined,
    CaseClosed,
    CaseMerged,
    CaseReopened,
    DecisionProposed,
    DecisionRefused,
)
from schemas.message import Command
from schemas.parties import PartyStatusChanged
from schemas.payments import PaymentDispatched
from schemas.publishing import DocumentPublished
from schemas.rejections import Reason
from schemas.reviews import DeclinePayment, PaymentDeclined, ReviewReleased
from tests.approvals_words import approve as yes
from tests.approvals_words import line
from tests.approvals_words import policy as approval_policy
from tests.case_words import (
    act,
    alert,
    assign,
    confirm,
    link,
    merge,
    open_case,
    policy,
    prioritise,
    propose,
    refuse,
    reopen,
    report,
    restrict,
    take,
    the_case,
    workers,
)
from tests.payment_words import HOUR_MS, pay, rails, the_payment
from tests.risk_words import over, rule, rules
from tests.story import (
    Said,
    Word,
    account,
    given,
    grant,
    happened,
    party,
    party_becomes,
    rejected,
    role,
    say,
    story,
    then,
    user,
    when,
)

PEOPLE = workers("ann", "ben", "cid")


def test_a_decision_is_done_when_another_person_confirms_it() -> None:
    given(account("alice"), PEOPLE, report("c1", alert(1)), take().by("ann"))
    acts = (act("block_account", "alice"), act("block_party", "p-alice"))
    when(propose("c1", "confirmed_fraud", *acts).by("ann"))
    then(happened(DecisionProposed, label="confirmed_fraud", person="person-ann", confirmed=False))
    assert the_case("c1").status == "awaiting_second_person"
    when(confirm("c1").by("ann"))
    then(rejected("second_person_needed"))
    when(confirm("c1").by("ben"))
    blocked, *_ = then(
        happened(AccountBlocked, account="alice", direction="debits", reason="by order of the bank"),
        happened(PartyStatusChanged, party="p-alice", status="blocked", reason="by order of the bank"),
        happened(
            CaseClosed,
            label="confirmed_fraud",
            acts=acts,
            persons=("person-ann", "person-ben"),
            alerts=tuple(the_case("c1").alerts),
            closing=1,
            sampled=False,
        ),
    )
    assert isinstance(blocked, AccountBlocked)
    assert "c1" not in blocked.block
    assert the_case("c1").assignee == ""
    assert story().book.cases.load == {}


def test_who_refuses_sends_it_back_to_who_has_it() -> None:
    given(account("alice"), PEOPLE, report("c1", alert(1)), take().by("ann"), propose("c1").by("ann"))
    when(refuse("c1").by("ben"))
    then(happened(DecisionRefused, person="person-ben"))
    assert (the_case("c1").status, the_case("c1").assignee) == ("in_progress", "ann")
    when(propose("c1", "inconclusive").by("ann"), refuse("c1").by("ann"))
    then(happened(DecisionRefused, person="person-ann"))


def test_policy_can_do_without_a_second_person_for_some() -> None:
    kinds = [
        {
            "kind": "aml",
            "second_person": [
                {"labels": ["suspicious"]},
                {"actions": ["block_account"]},
                {"amounts": {"EUR": 1_000}},
            ],
        }
    ]
    given(account("alice"), account("bob"), PEOPLE, policy(kinds=kinds))
    when(report("c1", alert(1)), take().by("ann"), propose("c1").by("ann"))
    then(happened(DecisionProposed, confirmed=True), happened(CaseClosed, persons=("person-ann",)))
    when(
        report("c2", alert(2, "p-bob"), party="p-bob"),
        take().by("ann"),
        propose("c2", "suspicious").by("ann"),
    )
    then(happened(DecisionProposed, confirmed=False))
    when(refuse("c2").by("ben"), propose("c2", "legitimate", act("block_account", "bob")).by("ann"))
    then(happened(DecisionProposed, confirmed=False))
    when(refuse("c2").by("ben"), report("c2", alert(3, "p-bob", amount=100), party="p-bob"))
    when(propose("c2", "legitimate").by("ann"))
    then(happened(DecisionProposed, confirmed=False))


def test_alerts_that_say_nothing_new_wait_for_the_second_person_too() -> None:
    given(account("alice"), PEOPLE, report("c1", alert(1)), take().by("ann"), propose("c1").by("ann"))
    when(report("c1", alert(2), priority=5))
    then(happened(AlertsJoined, lapsed=False, priority=5))
    when(confirm("c1").by("ben"))
    (closed,) = then(happened(CaseClosed))
    assert isinstance(closed, CaseClosed)
    assert [one.id for one in closed.alerts] == [alert(1).id, alert(2).id]


def test_alerts_that_make_a_case_more_urgent_undo_what_was_proposed() -> None:
    clocks = [
        {"from_priority": 100, "first_touch_m": 10, "resolution_m": 60},
        {"first_touch_m": 60, "resolution_m": 720},
    ]
    given(account("alice"), PEOPLE, policy(kinds=[{"kind": "aml", "clocks": clocks}]))
    when(report("c1", alert(1)), take().by("ann"), propose("c1").by("ann"))
    when(report("c1", alert(2), priority=99))
    then(happened(AlertsJoined, lapsed=False))
    when(report("c1", alert(3), priority=100))
    then(happened(AlertsJoined, lapsed=True))


def test_alerts_that_bring_something_new_undo_what_was_proposed() -> None:
    given(account("alice"), account("bob"), PEOPLE)
    when(report("c1", alert(1)), take().by("ann"), propose("c1").by("ann"))
    when(report("c1", alert(2, account="bob")))
    then(happened(AlertsJoined, lapsed=True, accounts=("bob",), parties=("p-bob",)))
    assert the_case("c1").status == "in_progress"
    when(confirm("c1").by("ben"))
    then(rejected("case_state_conflict", status="in_progress"))
    when(propose("c1").by("ann"), confirm("c1").by("ben"))
    (closed,) = then(happened(CaseClosed))
    assert isinstance(closed, CaseClosed)
    assert [one.id for one in closed.alerts] == [alert(1).id, alert(2).id]


def test_what_is_done_is_decided_on_the_state_of_that_moment_all_or_nothing() -> None:
    given(account("alice"), PEOPLE, report("c1", alert(1)), take().by("ann"))
    acts = (act("block_account", "alice"), act("block_party", "p-alice"))
    when(propose("c1", "suspicious", *acts).by("ann"), party_becomes("p-alice", "blocked"))
    when(confirm("c1").by("ben"))
    then(rejected("decision_refused", act=1, action="block_party", refused="status_change_not_allowed"))
    assert story().book.accounts["alice"].blocks is None
    when(party_becomes("p-alice", "active"), confirm("c1").by("ben"))
    assert the_case("c1").status == "closed"


def in_review() -> None:
    """A case about two payments that wait for review, with ann; ben confirms."""
    given(
        account("alice", 1_000),
        rails(),
        PEOPLE,
        rules(rule("large", over(100), 60), reviews={"within_ms": HOUR_MS}),
        pay("p1", 300),
        pay("p2", 200),
        report("c1", alert(1, movement="p1"), alert(2, movement="p2")),
        take().by("ann"),
    )
    assert (the_case("c1").kind, the_case("c1").payments) == ("payment_review", ("p1", "p2"))


def test_a_decision_releases_and_declines_what_waits_for_review() -> None:
    in_review()
    when(propose("c1", "legitimate", act("release", "p1"), act("decline", "p2")).by("ann"))
    when(confirm("c1").by("ben"))
    then(
        happened(ReviewReleased, payment="p1", person="person-ben", label="legitimate"),
        happened(PaymentDispatched, payment="p1"),
        happened(PaymentDeclined, payment="p2", label="legitimate"),
        happened(CaseClosed, payments=("p1", "p2")),
    )
    assert (the_payment("p1").status, the_payment("p2").status) == ("dispatched", "declined")


def test_who_asked_for_a_payment_does_not_propose_to_release_it_either() -> None:
    in_review()
    when(role("payer", "SubmitPayment"), grant("ann", "payer"), pay("p3", 150).by("ann"))
    when(report("c1", alert(3, movement="p3")))
    when(propose("c1", "legitimate", act("release", "p3")).by("ann"))
    then(rejected("decision_refused", act=0, refused="maker_cannot_check"))
    when(propose("c1", "legitimate", act("decline", "p3")).by("ann"))
    then(happened(DecisionProposed))


def test_a_payment_whose_review_is_over_is_released_by_no_case() -> None:
    in_review()
    when(propose("c1", "legitimate", act("decline", "p2"), act("release", "p1")).by("ann"))
    when(say(DeclinePayment, payment="p1", reason="mule"), confirm("c1").by("ben"))
    then(rejected("decision_refused", act=1, action="release", refused="payment_state_conflict"))
    assert the_payment("p2").status == "waiting"


def test_a_case_is_no_way_around_the_approval_that_a_release_needs() -> None:
    in_review()
    when(role("checker", "Approve"), [grant(one, "checker") for one in ("ann", "ben", "cid")])
    when(approval_policy(line("ReleasePayment", roles=("worker",), count=2, id="two")))
    then(happened(DocumentPublished))
    when(propose("c1", "legitimate", act("release", "p1")).by("ann"), confirm("c1").by("ben"))
    then(rejected("decision_refused", act=0, refused="approval_needed"))
    when(
        approval_policy(line("ReleasePayment", roles=("worker",), id="two"), version=2),
        confirm("c1").by("ben"),
    )
    assert the_payment("p1").status == "dispatched"


@pytest.mark.parametrize("asked", [ProposeDecision, ConfirmDecision])
def test_whoever_made_a_payment_approves_no_decision_that_releases_it(asked: type[Command]) -> None:
    in_review()
    when(role("payer", "SubmitPayment"), role("checker", "Approve"))
    when(user("carl", roles=["payer", "checker", "worker"]), grant("ann", "checker"), grant("cid", "checker"))
    when(pay("p3", 150).by("carl"))
    when(report("c1", alert(3, movement="p3")))
    when(approval_policy(line(asked.__name__, roles=("worker",), id="decide")))
    when(propose("c1", "legitimate", act("release", "p3")).by("ann"))
    if asked is ConfirmDecision:
        when(confirm("c1").by("ben"))
    then(happened(ApprovalRequested))
    when(yes("ann"))
    then(rejected("maker_cannot_check", person="person-ann"))
    when(yes("carl"))
    then(rejected("maker_cannot_check", person="person-carl"))
    assert the_payment("p3").status == "waiting"
    when(yes("cid"))
    assert the_case("c1").status == ("closed" if asked is ConfirmDecision else "awaiting_second_person")


def test_whom_a_case_is_about_and_who_may_not_see_it_approve_nothing_about_it() -> None:
    named = ("ann", "ben", "dan", "eve")
    given(
        account("alice"), PEOPLE,
        role("checker", "Approve"), grant("ben", "checker"), grant("cid", "checker"),
        party("person-dan"), user("dan", roles=["checker"]),
        user("eve", of_party="p-alice", roles=["checker"]),
        report("c1", alert(1)), link("c1", parties=("person-dan",)), restrict("c1", *named),
        approval_policy(line("PrioritiseCase", "OpenCase", roles=("checker",), id="first")),
    )  # fmt: skip
    opened = open_case("c2", party="p-alice", parties=("person-dan",), people=named)
    for asked in (opened.by("ann"), prioritise("c1", 70).by("ann")):
        when(asked)
        then(happened(ApprovalRequested))
        for one in ("cid", "dan", "eve"):
            when(yes(one))
            then(rejected("maker_cannot_check", person=f"person-{one}"))
        when(yes("ben"))
    assert the_case("c1").priority == 70
    assert the_case("c2").people == named


def test_a_decision_does_nothing_that_whoever_confirms_it_may_not() -> None:
    given(account("alice"), PEOPLE, role("looker", ConfirmDecision), user("eve", roles=["looker"]))
    when(report("c1", alert(1)), take().by("ann"))
    when(propose("c1", "suspicious", act("block_account", "alice")).by("ann"), confirm("c1").by("eve"))
    then(rejected("decision_refused", act=0, refused="not_permitted"))


def test_who_proposes_needs_no_role_for_what_another_person_does() -> None:
    given(account("alice"), PEOPLE, role("analyst", TakeNextCase, ProposeDecision))
    when(user("eve", roles=["analyst"]), report("c1", alert(1)), take().by("eve"))
    when(propose("c1", "suspicious", act("block_account", "alice")).by("eve"))
    then(happened(DecisionProposed, confirmed=False))
    when(confirm("c1").by("ben"))
    then(happened(AccountBlocked), happened(CaseClosed))
    when(policy(kinds=[{"kind": "aml", "second_person": []}]), report("c2", alert(2)), take().by("eve"))
    when(propose("c2", "suspicious", act("block_party", "p-alice")).by("eve"))
    then(rejected("decision_refused", refused="not_permitted"))


def test_a_case_is_reopened_by_hand() -> None:
    given(account("alice"), PEOPLE, open_case("c1"), take().by("ann"), propose("c1").by("ann"))
    when(confirm("c1").by("ben"), reopen("c1").by("cid"))
    then(happened(CaseReopened, by_hand=True, reason="news", label="false_positive"))
    when(take().by("cid"), propose("c1", "legitimate").by("cid"), confirm("c1").by("ann"))
    then(happened(CaseClosed, closing=2, label="legitimate"))


def test_a_duplicate_goes_into_the_other_case_and_what_comes_later_follows() -> None:
    given(account("alice"), account("bob"), PEOPLE, report("c1", alert(1), priority=3))
    when(report("c2", alert(2, "p-bob"), party="p-bob"), merge("c1", "c2").by("ann"))
    then(
        happened(
            CaseMerged, into="c2", priority=3, amounts={"EUR": 1_800}, parties=("p-alice",), lapsed=False
        )
    )
    assert (the_case("c1").status, the_case("c1").label, the_case("c1").alerts) == ("closed", "duplicate", [])
    assert [one.id for one in the_case("c2").alerts] == [alert(2, "p-bob").id, alert(1).id]
    when(report("c1", alert(1)))
    then(rejected("nothing_to_change"))
    when(report("c1", alert(5)))
    then(happened(AlertsJoined, case="c2", reported="c1"))
    when(take().by("ann"))
    assert the_case("c2").assignee == "ann"


# --- the order of checks ----------------------------------------------------------------------------------

GIVEN: list[Word] = [
    account("alice"),
    PEOPLE,
    party("z-party"),
    user("zoe", of_party="z-party", roles=["worker"]),
    user("leaver", roles=["worker"]),
    policy(kinds=[{"kind": "other", "checklist": [{"id": "call", "text": "Call the customer"}]}]),
    [[open_case("listed"), assign("listed", "ann")]],
    [report("done", alert(1)), assign("done", "ann"), propose("done").by("ann"), confirm("done").by("ben")],
    [open_case("merged", kind="aml"), open_case("zs", kind="aml", party="z-party")],
    merge("merged", "zs").by("ann"),
    open_case("secret", kind="aml", people=("ann", "cid", "zoe")),
    [report("mine", alert(2)), assign("mine", "ann")],
    [open_case("turned", kind="aml"), assign("turned", "zoe"), report("turned", alert(3, "z-party"))],
    [report("left", alert(4)), assign("left", "leaver"), propose("left").by("leaver")],
    say(RevokeRole, subject="leaver", role="worker"),
    [open_case("z-done", kind="dispute", party="z-party"), assign("z-done", "ann")],
    [propose("z-done").by("ann"), confirm("z-done").by("ben")],
    [report("asked", alert(5)), report("asked", alert(6, "z-party")), assign("asked", "ann")],
    propose("asked", "suspicious", act("block_party", "p-alice")).by("ann"),
    party_becomes("p-alice", "blocked"),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("case_not_found", propose("nothing").by("ann")),
    ("case_state_conflict", propose("zs").by("ann")),
    ("not_assignee", propose("listed").by("zoe")),
    ("about_oneself", propose("turned").by("zoe")),
    ("checklist_open", propose("listed", "suspicious", act("block_account", "nobody")).by("ann")),
    ("act_not_of_case", propose("mine", "suspicious", act("block_account", "nobody")).by("ann")),
    ("decision_refused", propose("mine", "suspicious", act("block_party", "p-alice")).by("ann")),
    ("case_not_found", confirm("nothing", 5).by("ann")),
    ("case_state_conflict", confirm("mine", 5).by("ann")),
    ("proposal_changed", confirm("asked", 5).by("zoe")),
    ("about_oneself", confirm("asked").by("zoe")),
    ("second_person_needed", confirm("asked").by("ann")),
    ("proposer_not_permitted", confirm("left").by("ann")),
    ("decision_refused", confirm("asked").by("ben")),
    ("case_not_found", refuse("nothing", 5).by("ann")),
    ("case_state_conflict", refuse("mine", 5).by("ann")),
    ("proposal_changed", refuse("asked", 5).by("zoe")),
    ("about_oneself", refuse("asked").by("zoe")),
    ("case_not_found", reopen("secret").by("ben")),
    ("case_state_conflict", reopen("mine").by("ann")),
    ("case_merged", reopen("merged").by("zoe")),
    ("about_oneself", reopen("z-done").by("zoe")),
    ("case_not_found", merge("mine", "secret").by("ben")),
    ("case_state_conflict", merge("done", "done").by("ann")),
    ("nothing_to_change", merge("secret", "secret").by("ann")),
    ("people_differ", merge("secret", "zs").by("zoe")),
    ("about_oneself", merge("mine", "zs").by("zoe")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))
