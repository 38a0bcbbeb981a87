"""Approval policies and roles as documents: what they mean, and what is refused before anything is stored."""

from __future__ import annotations

from typing import Any

import pytest

from book.policies import CARRIED, CARRIERS, GUARDED
from commands.policy_documents import NEVER_WAIT
from schemas.access import DefineRole, RegisterPerson, RegisterUser, RevokeRole, Scope, SuspendActor
from schemas.approvals import (
    AmountCounted,
    ApprovalDeclined,
    ApprovalGiven,
    ApprovalRequested,
    Delegate,
    DelegationEnded,
    DelegationGiven,
    RevokeDelegation,
)
from schemas.books import Administrator, OpenBook
from schemas.bulk import BulkAccepted
from schemas.catalogue import COMMAND_TYPES
from schemas.instructions import Instruction, ToAccount, ToPayee
from schemas.orders import ChangeStandingOrder, StandingOrderCreated
from schemas.parties import PartyRiskRated, RatePartyRisk, RegisterParty
from schemas.publishing import DocumentPublished, PublishDocument
from schemas.rejections import CommandRejected
from schemas.transfers import EntriesPosted, TransferPosted
from tests.approvals_words import approve, decline, line, newest, policy, roles, second_user, staff, waiting
from tests.bulk_test import bulk
from tests.documents_test import published
from tests.orders_test import order, scheduled
from tests.payment_words import PAYEE, rails
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    ROOT,
    TODAY,
    Said,
    Word,
    account,
    advance,
    book,
    entries,
    given,
    grant,
    happened,
    later,
    rejected,
    role,
    say,
    story,
    system,
    then,
    transfer,
    user,
    when,
)


def bank(*words: Word) -> None:
    given(
        staff(),
        account("alice", balance=1_000_00),
        account("bob"),
        account("firm"),
        *words,
    )


def pay(amount: int = 100, to: str = "bob", currency: str = "EUR") -> Said:
    return transfer("alice", to, amount, currency=currency).by("mia")


def waits(*words: Word) -> bool:
    """Whether the last of these waits."""
    first = when(*words)[-1][0]
    assert not isinstance(first, CommandRejected), first
    return isinstance(first, ApprovalRequested)


# --- when a line asks -------------------------------------------------------------------------------------


def test_a_line_without_conditions_asks_for_every_command_of_its_types() -> None:
    bank(policy(line("Transfer", "PostEntries")))
    assert waits(pay(1))
    assert waits(entries(("alice", -1), ("bob", 1)).by("mia"))


def test_an_amount_asks_at_or_above_and_a_currency_that_is_not_listed_always() -> None:
    bank(account("dora", balance=500, currency="USD"), account("emil", currency="USD"))
    when(policy(line("Transfer", "PostEntries", when={"amounts": {"EUR": 100}})))
    assert not waits(pay(99))
    assert waits(pay(100))
    assert waits(transfer("dora", "emil", 1, currency="USD").by("mia"))
    # Of a posting with several legs, all that moves counts together.
    assert not waits(entries(("alice", -99), ("bob", 50), ("firm", 49)).by("mia"))
    assert waits(entries(("alice", -100), ("bob", 50), ("firm", 50)).by("mia"))


def test_of_several_lines_the_one_that_asks_most_persons_counts_whatever_its_place() -> None:
    small = line("Transfer", id="small", when={"amounts": {"EUR": 10}})
    large = line("Transfer", id="large", when={"amounts": {"EUR": 50}}, count=2)
    bank(policy(small, large), policy(line("Transfer", id="other"), document="another"))
    for amount, expected in ((9, "other"), (10, "other"), (50, "large")):
        when(pay(amount))
        assert waiting().by.line == expected


def test_what_one_maker_sends_to_one_payee_is_added_up() -> None:
    """30 + 30 + 30 = 90 is below 100; 10 more make 100."""
    bank(user("moe", roles=["maker"]), second_user("mia-2", "mia", "maker"))
    together = {"together": {"window_s": 86_400, "amounts": {"EUR": 100}}}
    when(policy(line("Transfer", when=together)))
    for _ in range(3):
        when(pay(30))
        then(happened(TransferPosted), happened(AmountCounted))
    assert not waits(pay(30, to="firm"))  # another payee
    assert not waits(transfer("alice", "bob", 30).by("moe"))  # another maker
    assert waits(transfer("alice", "bob", 10).by("mia-2"))  # the same maker behind another user
    first = newest()
    assert waits(pay(1))  # what waits counts: 100 + 1
    when(decline("cora", newest()))
    when(decline("cora", first))  # what is declined counts no longer: 90
    assert not waits(pay(9))  # 99
    assert waits(pay(1))
    when(later(days=2))  # by then the window is past
    assert not waits(pay(99))


def test_a_bulk_does_not_go_around_a_line_for_what_it_carries() -> None:
    """Two instructions of 60 are 120 together."""
    bank(role("bulks", "SubmitBulk"), grant("mia", "bulks"))
    when(policy(line("Transfer", when={"amounts": {"EUR": 100}})))
    assert not waits(bulk(("alice", "bob", 60), bulk_id="one").by("mia"))
    assert waits(bulk(("alice", "bob", 60), ("alice", "firm", 60), bulk_id="two").by("mia"))
    assert story().book.accounts["alice"].held == 120
    when(approve("cora"))
    then(
        happened(ApprovalGiven, missing=0),
        happened(BulkAccepted, bulk="two"),
        happened(TransferPosted, credit="bob", amount=60),
        happened(TransferPosted, credit="firm", amount=60),
    )


def test_what_a_bulk_pays_counts_by_payee() -> None:
    bank(role("bulks", "SubmitBulk"), grant("mia", "bulks"))
    when(policy(line("Transfer", when={"together": {"window_s": 86_400, "amounts": {"EUR": 100}}})))
    assert not waits(bulk(("alice", "bob", 60), ("alice", "firm", 60), bulk_id="one").by("mia"))
    assert not waits(pay(39))
    assert waits(pay(1))
    assert waits(bulk(("alice", "firm", 20), ("alice", "firm", 20), bulk_id="two").by("mia"))


def test_an_order_does_not_go_around_a_line_for_what_it_carries() -> None:
    """Neither a payment of today that is scheduled, nor one that repeats, nor a change of what it pays."""
    kinds = ("SchedulePayment", "CreateStandingOrder", "ChangeStandingOrder")
    bank(role("orders", *kinds), grant("mia", "orders"))
    when(policy(line("Transfer", when={"amounts": {"EUR": 100}})))
    assert not waits(scheduled("small", TODAY, 99).by("mia"))
    assert waits(scheduled("large", TODAY, 100).by("mia"))
    when(approve("cora"))
    then(happened(ApprovalGiven, missing=0), happened(StandingOrderCreated, order="large", amount=100))
    assert story().book.orders.standing["large"].creator == "mia"
    assert not waits(order("rent", 99).by("mia"))
    assert waits(order("rents", 100).by("mia"))
    assert waits(say(ChangeStandingOrder, order="rent", amount=100).by("mia"))


def test_what_bulks_and_orders_pay_out_of_the_bank_counts_by_payee() -> None:
    """60 and 39 are 99; one more by an order is 100."""
    bank(rails(), role("bulks", "SubmitBulk", "SchedulePayment"), grant("mia", "bulks"))
    when(policy(line("SubmitPayment", when={"together": {"window_s": 86_400, "amounts": {"EUR": 100}}})))
    out = ToPayee(rail="sepa", payee=PAYEE)
    for index, amount in enumerate((60, 39)):
        one = Instruction(account="alice", amount=amount, currency="EUR", to=out)
        assert not waits(bulk(one, bulk_id=f"b{index}").by("mia"))
    assert not waits(scheduled("other", TODAY, 50, to=ToAccount(account="firm")).by("mia"))
    assert waits(scheduled("one-more", TODAY, 1, to=out).by("mia"))


def test_what_was_approved_is_not_counted_against_itself() -> None:
    together = {"together": {"window_s": 86_400, "amounts": {"EUR": 100}}}
    bank(policy(line("Transfer", when=together)))
    when(pay(150))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(TransferPosted))
    assert waits(pay(1))


def test_a_segment_narrows_a_line() -> None:
    given(
        staff(),
        *(
            [
                say_party(name, segment),
                account(f"a-{name}", balance=100, party_id=name),
            ]
            for name, segment in (("rich", "private"), ("plain", "retail"))
        ),
        policy(line("Transfer", when={"segments": ["private"]})),
    )
    assert waits(transfer("a-rich", "a-plain", 1).by("mia"))
    assert not waits(transfer("a-plain", "a-rich", 1).by("mia"))


def test_the_risk_of_a_party_narrows_a_line() -> None:
    bank(policy(line("Transfer", when={"risks": ["medium", "high"]})))
    assert not waits(pay())
    when(say(RatePartyRisk, party="p-alice", risk="high", reason="adverse media"))
    then(happened(PartyRiskRated, before="unrated", risk="high"))
    assert waits(pay())
    when(say(RatePartyRisk, party="p-alice", risk="low", reason="cleared"))
    assert not waits(pay())


def say_party(name: str, segment: str) -> Said:
    return say(RegisterParty, party=name, kind="person", name=name, status="active", segment=segment)


def test_kinds_of_documents_narrow_a_line() -> None:
    bank(user("rita"), grant("rita", "administrator"))
    tariffs = line("PublishDocument", roles=("administrator",), when={"document_kinds": ["product"]})
    when(policy(tariffs))
    assert waits(published())
    assert not waits(roles({"id": "clerk", "permits": []}))


def test_the_policy_in_force_applies_to_its_own_change() -> None:
    bank(user("rita"), grant("rita", "administrator"))
    when(policy(line("PublishDocument", roles=("administrator",))))
    when(policy(version=2))  # no lines at all
    then(happened(ApprovalRequested))
    assert story().book.in_force.policies
    when(approve("rita"))
    then(happened(ApprovalGiven), happened(DocumentPublished, version=2))
    assert not story().book.in_force.policies
    when(policy(version=3))
    then(happened(DocumentPublished))


# --- whom it asks -----------------------------------------------------------------------------------------


def test_named_persons_n_of_m() -> None:
    named = [{"persons": ["person-cora", "person-max", "person-cleo"], "count": 2}]
    bank(policy(line("Transfer", needs=named)))
    when(pay())
    when(approve("carl"))
    then(rejected("role_not_asked"))
    when(approve("max"))
    then(happened(ApprovalGiven, missing=1, persons_left=("person-cora", "person-cleo"), roles_left=()))
    when(approve("cleo"))
    then(happened(ApprovalGiven, missing=0), happened(TransferPosted))


def test_two_different_roles_where_asked() -> None:
    bank(grant("cora", "risk"))
    when(policy(line("Transfer", needs=[{"roles": ["checker", "risk"], "count": 2}], distinct_roles=True)))
    when(pay())
    when(approve("carl"))
    when(approve("cleo"))
    then(rejected("role_not_asked"))  # a checker once more
    when(approve("cora"))  # who is a checker too, and counts for risk
    then(happened(ApprovalGiven, missing=0), happened(TransferPosted))


def test_a_person_counts_where_it_helps_most() -> None:
    """cora could be either; carl is a checker only: both together are a checker and risk."""
    bank(grant("cora", "risk"))
    when(policy(line("Transfer", needs=[{"roles": ["checker", "risk"]}, {"roles": ["checker"]}])))
    when(pay())
    when(approve("cora"))
    when(approve("max"))
    then(happened(ApprovalGiven, missing=0), happened(TransferPosted))


def test_a_scope_of_the_checkers_reaches_as_far_as_what_waits() -> None:
    bank(
        role("junior", "Approve", scope=Scope(amounts={"EUR": 50})),
        user("june", roles=["junior"]),
        policy(line("Transfer", roles=("junior", "checker"))),
    )
    when(pay(51))
    when(approve("june"))
    then(rejected("not_permitted"))
    when(pay(50))
    when(approve("june"))
    then(happened(ApprovalGiven), happened(TransferPosted))


# --- standing in ------------------------------------------------------------------------------------------


def absent(name: str, to: str, by: str, *, begins: int = 0, days: int = 1) -> Said:
    return say(
        Delegate,
        delegation=name,
        to=to,
        roles=("risk",),
        from_ms=BEGAN_MS + begins * DAY_MS,
        until_ms=BEGAN_MS + (begins + days) * DAY_MS,
        reason="away",
    ).by(by)


def bank_with_absence(**fields: Any) -> None:
    bank(
        role("absent", Delegate, RevokeDelegation),
        *(grant(name, "absent") for name in ("max", "mia")),
        user("stan"),
        policy(line("Transfer", roles=("risk",), **fields)),
    )


def test_who_stands_in_approves_by_the_roles_of_who_is_absent() -> None:
    bank_with_absence()
    when(absent("away", "stan", "max"))
    then(happened(DelegationGiven, delegator="max", to="stan"))
    when(pay())
    when(approve("stan"))
    then(
        happened(ApprovalGiven, person="person-stan", on_behalf_of="max", delegation="away", missing=0),
        happened(TransferPosted),
    )


def test_nobody_stands_in_before_or_after_or_when_it_was_revoked() -> None:
    bank_with_absence(expires_after_s=30 * 86_400)
    when(pay(), absent("away", "stan", "max", begins=1))
    when(approve("stan"))
    then(rejected("role_not_asked"))
    when(later(days=1), advance(BEGAN_MS + 2 * DAY_MS - 60_000), absent("again", "stan", "max", begins=3))
    when(later(days=1), advance(BEGAN_MS + 2 * DAY_MS + 60_000))
    assert DelegationEnded in [type(one) for one in story().events()]
    when(say(RevokeDelegation, delegation="again").by("max"), later(days=2))
    when(approve("stan"))
    then(rejected("not_permitted"))


def test_a_delegation_ends_with_what_it_rests_on() -> None:
    bank_with_absence()
    when(absent("away", "stan", "max"), pay(), say(RevokeRole, subject="max", role="risk"))
    when(approve("stan"))
    then(rejected("not_permitted"))


def test_who_stands_in_does_not_make_one_person_two() -> None:
    bank_with_absence()
    when(user("rick", roles=["risk"]), policy(line("Transfer", roles=("risk",), count=2), version=2))
    when(absent("away", "stan", "max"), absent("more", "rick", "max"), pay())
    when(approve("stan"))
    then(happened(ApprovalGiven, missing=1))
    when(approve("max"))  # for whom somebody has said yes already
    then(rejected("already_approved_by_person"))
    when(approve("rick"))  # by a role of his own
    then(happened(ApprovalGiven, on_behalf_of="", missing=0), happened(TransferPosted))


def test_the_maker_cannot_be_stood_in_for() -> None:
    bank_with_absence()
    when(grant("mia", "risk"), absent("away", "stan", "mia"), pay())
    when(approve("stan"))
    then(rejected("role_not_asked"))


def test_a_line_may_forbid_standing_in() -> None:
    bank_with_absence(delegation=False)
    when(absent("away", "stan", "max"), pay())
    when(approve("stan"))
    then(rejected("role_not_asked"))


# --- emergencies ------------------------------------------------------------------------------------------

NIGHT = {"id": "night", "permits": [{"command": "Approve"}, {"command": "Decline"}], "emergency": True}


def test_an_emergency_role_widens_who_may_check_and_is_marked() -> None:
    bank(roles(NIGHT), user("nora", roles=["night"]), policy(line("Transfer", roles=("risk",))))
    when(pay())
    when(approve("nora"))
    then(happened(ApprovalGiven, override=True, roles=("night",), missing=0), happened(TransferPosted))
    when(pay())
    when(decline("nora"))
    then(happened(ApprovalDeclined, override=True))


def test_an_emergency_role_lets_nobody_check_what_they_made_nor_count_twice() -> None:
    bank(
        roles(NIGHT),
        user("nora", roles=["night"]),
        grant("mia", "night"),
        policy(line("Transfer", roles=("risk",), count=1, needs=[{"roles": ["checker"], "count": 2}])),
    )
    when(pay())
    when(approve("mia"))
    then(rejected("maker_cannot_check"))
    when(approve("nora"))
    when(approve("nora"))
    then(rejected("already_approved_by_person"))
    when(approve("cora"))
    then(happened(ApprovalGiven, override=False, missing=0), happened(TransferPosted))


def test_who_has_the_role_anyway_overrides_nothing() -> None:
    bank(roles(NIGHT), grant("max", "night"), policy(line("Transfer", roles=("risk",))))
    when(pay())
    when(approve("max"))
    then(happened(ApprovalGiven, override=False, roles=("risk",)), happened(TransferPosted))


def test_a_role_that_is_for_emergencies_no_more_gives_nothing_more() -> None:
    bank(roles(NIGHT), user("nora", roles=["night"]), policy(line("Transfer", count=2)))
    when(pay())
    when(approve("nora"))
    when(roles({**NIGHT, "emergency": False}, version=2))
    when(approve("cora"))
    then(happened(ApprovalGiven, missing=1, lapsed=("person-nora",)))


# --- a book that opens with four eyes ---------------------------------------------------------------------

SECOND = Administrator(person="sara", user="second")


def guarded(*words: Word) -> None:
    given(book(administrators=(ROOT, SECOND), four_eyes=True), *words)


@pytest.mark.parametrize(
    "said",
    [
        role("teller", "Transfer"),
        say(RegisterUser, user="x", person="ruth"),
        published(),
        policy(line("Transfer", roles=("administrator",))),
        roles({"id": "teller", "permits": []}),
        say(RevokeRole, subject="second", role="administrator"),
    ],
    ids=lambda said: said.kind.__name__,
)
def test_four_eyes_are_open_from_the_start(said: Said) -> None:
    guarded()
    when(said)
    then(happened(ApprovalRequested))
    when(approve("root"))
    then(rejected("maker_cannot_check"))
    when(approve("second"))
    assert len(story().last) == 2


def test_what_stops_somebody_needs_nobody_else() -> None:
    guarded()
    when(say(RegisterPerson, person="p", name="P"), say(SuspendActor, subject="second", reason="stolen"))
    assert not isinstance(story().last[0], ApprovalRequested | CommandRejected)


def test_no_document_lowers_four_eyes() -> None:
    """A line that asks under a condition leaves the rest to what the book opened with."""
    guarded()
    when(policy(line("PublishDocument", roles=("administrator",), when={"document_kinds": ["product"]})))
    when(approve("second"))
    when(policy(version=2))
    then(happened(ApprovalRequested))
    when(approve("second"))
    then(happened(ApprovalGiven), happened(DocumentPublished))
    when(policy(line("Transfer", roles=("administrator",)), version=3))
    then(happened(ApprovalRequested))


def test_two_users_of_one_person_open_no_book_with_four_eyes() -> None:
    given()
    both = (ROOT, Administrator(person="ruth", user="root-2"))
    opening = {"name": "B", "currency": "EUR", "four_eyes": True, "clock": "commanded"}
    when(say(OpenBook, administrators=both, **opening).to("b"))
    then(rejected("second_person_missing"))


def test_no_role_permits_everything_there() -> None:
    guarded()
    when(role("all", "*"))
    then(rejected("toxic_permissions"))


@pytest.mark.parametrize("making", [*CARRIED, *CARRIERS])
def test_no_role_makes_payments_and_checks_them(making: str) -> None:
    bank()
    when(role("both", making, "Approve"))
    then(rejected("toxic_permissions", one=making, other="Approve"))


def test_every_command_type_can_be_put_under_it() -> None:
    bank()
    when(policy(line(*(set(COMMAND_TYPES) - set(NEVER_WAIT)), roles=("checker",))))
    then(happened(DocumentPublished))
    assert set(GUARDED) <= set(COMMAND_TYPES) - set(NEVER_WAIT)
    when(say(DefineRole, role="x", permits=()))
    then(happened(ApprovalRequested))


# --- what is refused --------------------------------------------------------------------------------------

NEEDS = [{"roles": ["checker"]}]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lines": [line("Transfer"), line("Transfer")]}, "lines[1].id: there is a line transfer already"),
    ({"lines": [line("Steal")]}, "lines[0].commands[0]: there is no command type Steal"),
    ({"lines": [line("Approve")]}, "lines[0].commands[0]: Approve cannot wait: an approval cannot wait"),
    ({"lines": [line("AdvanceTime")]}, "lines[0].commands[0]: AdvanceTime cannot wait"),
    ({"lines": [line("Transfer", "Transfer", id="x")]}, "lines[0].commands[1]: Transfer stands in the list"),
    ({"lines": [line("Transfer", roles=("boss",))]}, "lines[0].needs[0].roles[0]: there is no role boss"),
    ({"lines": [line("Transfer", needs=[{"persons": ["p"]}])]}, "needs[0].persons[0]: there is no person p"),
    ({"lines": [line("Transfer", needs=[{}])]}, "lines[0].needs[0]: name roles, or persons, or both"),
    ({"lines": [line("Transfer", count=4)]}, "lines[0].needs: nobody could satisfy it: 4 different persons"),
    ({"lines": [line("Transfer", roles=("maker",))]}, "lines[0].needs: nobody could satisfy it"),
    ({"lines": [line("Transfer", count=7)]}, "lines[0].needs[0].count: must be 6 or less"),
    ({"lines": [line("Transfer", when={"amounts": {"XXX": 1}})]}, "lines[0].when.amounts.XXX: there is no"),
    ({"lines": [line("Transfer", when={"amounts": {"EUR": 1.5}})]}, "lines[0].when.amounts.EUR: must be"),
    ({"lines": [line("Transfer", when={"amounts": {"EUR": 0}})]}, "lines[0].when.amounts.EUR: must be"),
    ({"lines": [line("Transfer", when={"document_kinds": ["product"]})]}, "lines[0].when.document_kinds: on"),
    ({"lines": [line("Transfer", when={"colour": 1})]}, "lines[0].when.colour: there is no such field"),
    (
        {"lines": [line("PublishDocument", when={"document_kinds": ["poem"]})]},
        "lines[0].when.document_kinds[0]: there is no kind poem",
    ),
    (
        {"lines": [line("Transfer", when={"together": {"window_s": 60, "amounts": {}}})]},
        "lines[0].when.together.amounts: at least one currency is needed",
    ),
    (
        {"lines": [line("Transfer", needs=[{"persons": ["person-cora"], "count": 2}])]},
        "lines[0].needs[0].persons: 2 are asked, and 1 are named",
    ),
    (
        {"lines": [line("Transfer", count=2, distinct_roles=True)]},
        "lines[0].needs[0].roles: 2 different roles cannot come of it",
    ),
    (
        {"lines": [line("Transfer", needs=NEEDS * 2, distinct_roles=True)]},
        "lines[0].needs[1].roles: with distinct_roles a role stands in one group",
    ),
]


def refused_with(body: dict[str, Any], kind: str, detail: str) -> None:
    bank(system("gate", roles=()))
    before = story().book.seq
    when(say(PublishDocument, kind=kind, document="d", version=1, body=body))
    (found,) = then(rejected("document_invalid"))
    assert isinstance(found, CommandRejected)
    assert detail in str(found.figures["detail"])
    assert story().book.seq == before + 1


@pytest.mark.parametrize(("body", "detail"), WRONG, ids=lambda one: one if isinstance(one, str) else "")
def test_a_policy_that_is_wrong_is_refused_with_path_and_reason(body: dict[str, Any], detail: str) -> None:
    refused_with(body, "approval_policy", detail)


def permits(*names: str) -> list[dict[str, Any]]:
    return [{"command": name} for name in names]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"roles": [{"id": "a", "permits": permits("Transfer", "Approve")}]},
            "roles[0].permits[1]: one role must not permit both Transfer and Approve",
        ),
        (
            {"roles": [{"id": "a", "permits": permits("Approve", "BlockAccount", "GrantRole")}]},
            "roles[0].permits[2]: one role must not permit both GrantRole and Approve",
        ),
        (
            {
                "roles": [{"id": "a", "permits": permits("OpenAccount", "CloseAccount")}],
                "toxic": [{"one": "CloseAccount", "other": "OpenAccount"}],
            },
            "roles[0].permits[1]: one role must not permit both CloseAccount and OpenAccount",
        ),
        ({"roles": [{"id": "a", "permits": permits("*")}]}, "roles[0].permits[0]: * permits everything"),
        ({"roles": [{"id": "a", "permits": permits("Steal")}]}, "permits[0].command: there is no command"),
        ({"roles": [], "toxic": [{"one": "Steal", "other": "Transfer"}]}, "toxic[0].one: there is no"),
        ({"roles": [{"id": "a", "permits": []}] * 2}, "roles[1].id: there is a role a already"),
        ({"roles": [{"id": "administrator", "permits": []}]}, "roles: nobody could grant roles any more"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_roles_that_are_wrong_are_refused_with_path_and_reason(body: dict[str, Any], detail: str) -> None:
    refused_with(body, "roles", detail)


def test_a_role_of_a_system_is_not_made_one_for_people() -> None:
    bank(role("pay", "Transfer"), system("gate", roles=["pay"]))
    when(roles({"id": "pay", "permits": permits("GrantRole")}))
    detail = "roles[0].permits: a system has the role pay, and no system may send GrantRole"
    then(rejected("document_invalid", detail=detail))


def test_roles_are_defined_anew_when_the_document_takes_effect() -> None:
    bank()
    when(roles({"id": "maker", "permits": []}, version=1))
    assert story().book.roles["maker"].permits == ()
    when(pay())
    then(rejected("not_permitted"))


def test_a_toxic_pair_is_refused_in_a_single_role_too() -> None:
    bank(roles(toxic=[{"one": "OpenAccount", "other": "CloseAccount"}]))
    when(role("x", "OpenAccount", "CloseAccount"))
    then(rejected("toxic_permissions"))
    when(role("x", "Transfer", "Approve"))  # the document's list stands in place of the built-in one
    assert not isinstance(story().last[0], CommandRejected)


def test_posting_under_a_policy_reserves_the_net_of_each_account() -> None:
    bank(policy(line("PostEntries")))
    when(entries(("alice", -70), ("alice", 20), ("bob", 50)).by("mia"))
    (asked,) = then(happened(ApprovalRequested))
    assert isinstance(asked, ApprovalRequested)
    assert [(one.account, one.amount) for one in asked.reserves] == [("alice", 50)]
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(EntriesPosted))
