"""Access: persons, their users, systems, and roles as permitted commands with a scope."""

from __future__ import annotations

from typing import Any

import pytest

from commands.permission import FOR_PEOPLE
from schemas import case_commands, case_reports, case_work
from schemas.access import (
    ActorReinstated,
    ActorSuspended,
    DefineRole,
    GrantRole,
    Permit,
    PersonRegistered,
    RegisterPerson,
    RegisterSystem,
    RegisterUser,
    ReinstateActor,
    RevokeRole,
    RoleDefined,
    RoleGranted,
    RoleRevoked,
    Scope,
    SuspendActor,
    SystemRegistered,
    UserRegistered,
)
from schemas.accounts import (
    AccountOpened,
    BlockAccount,
    CloseAccount,
    LiftBlock,
    OpenAccount,
    OverdraftSet,
    SetOverdraft,
)
from schemas.approvals import Approve, Decline, Delegate, RevokeDelegation
from schemas.books import ClosePeriod, ConfirmClock, RegisterAsset, SetRepeatWindow
from schemas.case_commands import OpenCase
from schemas.closing import CloseYear
from schemas.fees import WaiveFee
from schemas.flags import ClearFlag
from schemas.limits import RaiseLimit
from schemas.parties import (
    ChangePartyProfile,
    ChangePartyStatus,
    PartyRegistered,
    RatePartyRisk,
    RegisterParty,
)
from schemas.payments_in import AssignSuspense, ResolveSuspense, ReturnReceipt
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected, Reason
from schemas.repairs import RepairPayment
from schemas.reviews import DeclinePayment, EscalateReview, ReleasePayment
from schemas.stops import ResumePayments
from schemas.transfers import (
    EntriesPosted,
    PostEntries,
    RefundTransfer,
    ReverseTransfer,
    Transfer,
    TransferPosted,
)
from schemas.value_dates import PostBackValued
from tests.story import (
    Said,
    Word,
    account,
    block,
    closed,
    entries,
    given,
    grant,
    happened,
    internal,
    party,
    party_becomes,
    refund,
    rejected,
    reversal,
    role,
    say,
    story,
    system,
    then,
    transfer,
    user,
    when,
)

ADMINISTRATOR = "administrator"


def suspend(actor: str) -> Said:
    return say(SuspendActor, subject=actor, reason="left")


def reinstate(actor: str) -> Said:
    return say(ReinstateActor, subject=actor, reason="back")


def revoke(actor: str, role_id: str) -> Said:
    return say(RevokeRole, subject=actor, role=role_id)


def refused(*words: Word) -> bool:
    """Whether the last of these commands is refused for want of permission."""
    outcome = when(*words)[-1][0]
    if isinstance(outcome, CommandRejected):
        assert outcome.reason == "not_permitted"
        return True
    return False


# --- who there is -----------------------------------------------------------------------------------------


def test_a_person_is_registered_and_has_a_user() -> None:
    given(party("acme"))
    when(say(RegisterPerson, person="p-carl", name="Carl"))
    then(happened(PersonRegistered, person="p-carl", name="Carl"))
    when(say(RegisterUser, user="carl", person="p-carl", party="acme"))
    then(happened(UserRegistered, user="carl", person="p-carl", party="acme"))
    actor = story().book.actors["carl"]
    assert (actor.person, actor.party, actor.suspended, actor.roles) == ("p-carl", "acme", False, [])
    assert story().book.persons["p-carl"] == "Carl"


def test_a_person_may_have_several_users() -> None:
    given(user("carl"))
    when(say(RegisterUser, user="carl-2", person="person-carl"))
    then(happened(UserRegistered, party=""))


def test_a_system_is_registered_and_is_nobody() -> None:
    given()
    when(say(RegisterSystem, system="gate", purpose="instant payments"))
    then(happened(SystemRegistered, system="gate", purpose="instant payments"))
    assert story().book.actors["gate"].person == ""


def test_who_is_unknown_may_nothing() -> None:
    given(account("alice", balance=5))
    when(transfer("alice", "nostro", 1).by("mallory"))
    then(rejected("not_permitted", actor="mallory"))


def test_who_is_known_may_nothing_without_a_role() -> None:
    given(account("alice", balance=5), user("carl"))
    when(transfer("alice", "nostro", 1).by("carl"))
    then(rejected("not_permitted", actor="carl"))


# --- roles ------------------------------------------------------------------------------------------------


def test_a_role_permits_its_commands_and_no_others() -> None:
    given(account("alice", balance=5), user("carl"))
    when(role("teller", Transfer, OpenAccount))
    then(
        happened(
            RoleDefined, role="teller", permits=(Permit(command="Transfer"), Permit(command="OpenAccount"))
        )
    )
    when(grant("carl", "teller"))
    then(happened(RoleGranted, subject="carl", role="teller"))
    when(transfer("alice", "nostro", 1).by("carl"))
    then(happened(TransferPosted, actor="carl"))
    when(internal("new").by("carl"))
    then(happened(AccountOpened))
    when(closed("new").by("carl"))
    then(rejected("not_permitted"))


def test_a_role_of_everything_permits_every_command() -> None:
    given(user("carl"), role("all", "*"), grant("carl", "all"))
    when(say(RegisterAsset, asset="GOLD", scale=3, name="Gold").by("carl"))
    assert story().last[0].actor == "carl"
    assert not refused(role("more", Transfer).by("carl"))


def test_a_role_that_is_defined_anew_changes_what_everyone_who_has_it_may() -> None:
    given(account("alice", balance=5), role("teller", OpenAccount), user("carl", roles=["teller"]))
    assert refused(transfer("alice", "nostro", 1).by("carl"))
    when(role("teller", Transfer))
    assert not refused(transfer("alice", "nostro", 1).by("carl"))
    assert refused(internal("new").by("carl"))


def test_one_role_of_several_is_enough_and_a_revoked_one_is_not() -> None:
    given(
        account("alice", balance=5),
        role("opener", OpenAccount),
        role("payer", Transfer),
        user("carl", roles=["opener", "payer"]),
    )
    assert not refused(transfer("alice", "nostro", 1).by("carl"))
    when(revoke("carl", "payer"))
    then(happened(RoleRevoked, subject="carl", role="payer"))
    assert refused(transfer("alice", "nostro", 1).by("carl"))
    assert not refused(internal("new").by("carl"))
    assert story().book.actors["carl"].roles == ["opener"]


def test_who_is_suspended_may_nothing_until_reinstated() -> None:
    given(account("alice", balance=5), role("payer", Transfer), user("carl", roles=["payer"]))
    when(suspend("carl"))
    then(happened(ActorSuspended, subject="carl", reason="left"))
    assert refused(transfer("alice", "nostro", 1).by("carl"))
    when(reinstate("carl"))
    then(happened(ActorReinstated, subject="carl", reason="back"))
    assert not refused(transfer("alice", "nostro", 1).by("carl"))


# --- systems ----------------------------------------------------------------------------------------------


def test_a_system_may_pay_and_open() -> None:
    given(account("alice", balance=5), role("payer", Transfer), system("gate", roles=["payer"]))
    assert not refused(transfer("alice", "nostro", 1).by("gate"))


@pytest.mark.parametrize("kind", sorted([kind.__name__ for kind in FOR_PEOPLE] + ["*"]))
def test_a_system_never_has_a_role_that_is_for_people(kind: str) -> None:
    given(system("gate"), user("carl"), role("harmless", RegisterAsset), grant("gate", "harmless"))
    when(role("boss", "RegisterAsset", kind), grant("gate", "boss"))
    then(rejected("not_for_systems", command=kind))
    when(role("harmless", "RegisterAsset", kind))
    then(rejected("not_for_systems", command=kind))
    when(grant("carl", "boss"))
    then(happened(RoleGranted))


@pytest.mark.by_hand
def test_a_system_may_nothing_that_is_for_people_whatever_its_roles_say() -> None:
    told = given(system("gate"))
    told.book.actors["gate"].roles.append(ADMINISTRATOR)  # as no command could
    assert refused(say(RegisterPerson, person="p", name="P").by("gate"))
    assert not refused(say(RegisterAsset, asset="GOLD", scale=3, name="Gold").by("gate"))


def test_those_who_decide_who_may_what_are_people() -> None:
    assert {
        DefineRole, GrantRole, RevokeRole, RegisterPerson, RegisterUser, RegisterSystem, SuspendActor,
        ReinstateActor, ConfirmClock, ClosePeriod, CloseYear, SetRepeatWindow, PublishDocument,
        Approve, Decline, Delegate, RevokeDelegation,
        RaiseLimit, WaiveFee, RepairPayment, ResumePayments,
        PostBackValued, ResolveSuspense, AssignSuspense, ReturnReceipt, ClearFlag,
        *(one for one in case_commands.COMMANDS if one is not OpenCase),
        *case_work.COMMANDS, *case_reports.COMMANDS,
        ReleasePayment, DeclinePayment, EscalateReview,
    } == FOR_PEOPLE  # fmt: skip


# --- scopes -----------------------------------------------------------------------------------------------

ROOMS: list[Word] = [
    party("acme", branch="north"),
    account("acme-1", 100, party_id="acme", product="giro", branch="north", overdraft=10),
    account("acme-2", 100, party_id="acme", product="savings", branch="south"),
    party("other", branch="south"),
    account("other-1", 100, party_id="other", product="giro", branch="north"),
    internal("fees", "income", product="giro", branch="north"),
    transfer("nostro", "fees", 50),
    transfer("acme-1", "other-1", 5, reference="acme pays"),
    entries(("acme-1", -5), ("acme-2", 5), reference="within acme"),
    transfer("acme-1", "acme-2", 5, reference="acme to acme"),
]
SCOPED = (
    Transfer, PostEntries, ReverseTransfer, RefundTransfer, OpenAccount, SetOverdraft, BlockAccount,
    LiftBlock, CloseAccount, RegisterParty, ChangePartyProfile, ChangePartyStatus, RatePartyRisk,
)  # fmt: skip


def within(scope: Scope, *, of_party: str = "") -> None:
    """Carl may everything that has a scope, within this one."""
    given(*ROOMS, role("scoped", *SCOPED, scope=scope), user("carl", of_party=of_party, roles=["scoped"]))


def carl_may(said: Said) -> bool:
    outcome = when(said.by("carl"))[-1][0]
    return not (isinstance(outcome, CommandRejected) and outcome.reason == "not_permitted")


def opened(**fields: Any) -> Said:
    return say(OpenAccount, **{"account": "new", "currency": "EUR", **fields})


def overdraft(account_id: str, amount: int) -> Said:
    return say(SetOverdraft, account=account_id, overdraft=amount)


def profile(party_id: str, **fields: Any) -> Said:
    return say(ChangePartyProfile, party=party_id, **fields)


def test_own_party_reaches_what_belongs_to_the_party_behind_the_user() -> None:
    within(Scope(own_party=True), of_party="acme")
    assert carl_may(transfer("acme-1", "other-1", 1))
    assert not carl_may(transfer("other-1", "acme-1", 1))
    assert not carl_may(transfer("fees", "acme-1", 1))
    assert not carl_may(transfer("nobody", "acme-1", 1))
    assert carl_may(entries(("acme-1", -1), ("acme-2", 1)))
    assert not carl_may(entries(("acme-1", -1), ("other-1", 1)))
    assert not carl_may(entries(("acme-1", -1), ("nobody", 1)))
    assert not carl_may(entries())
    assert not carl_may(reversal("acme pays"))
    assert not carl_may(refund("acme pays", 1))
    assert carl_may(reversal("within acme"))
    assert carl_may(refund("acme to acme", 1))
    assert not carl_may(reversal(10_000))
    assert carl_may(opened(party="acme"))
    assert not carl_may(opened(account="new-2", party="other"))
    assert not carl_may(opened(account="new-2", kind="nostro"))
    assert carl_may(overdraft("acme-1", 1))
    assert not carl_may(overdraft("other-1", 1))
    assert not carl_may(overdraft("nobody", 1))
    assert carl_may(block("acme-1", "b"))
    assert not carl_may(block("other-1", "b"))
    assert carl_may(say(LiftBlock, account="acme-1", block="b", reason="over"))
    assert not carl_may(say(LiftBlock, account="other-1", block="b", reason="over"))
    assert carl_may(closed("acme-1"))
    assert not carl_may(closed("other-1"))
    assert carl_may(say(RegisterParty, party="acme", kind="person", name="A"))
    assert not carl_may(say(RegisterParty, party="another", kind="person", name="A"))
    assert carl_may(profile("acme", name="Acme Ltd"))
    assert not carl_may(profile("other", name="Acme Ltd"))
    assert carl_may(party_becomes("acme", "blocked"))
    assert not carl_may(party_becomes("other", "blocked"))
    assert not carl_may(party_becomes("nobody", "blocked"))


def test_own_party_reaches_nothing_for_a_user_without_one() -> None:
    within(Scope(own_party=True))
    assert not carl_may(transfer("fees", "acme-1", 1))
    assert not carl_may(transfer("acme-1", "fees", 1))
    assert not carl_may(opened(kind="nostro"))


def test_account_kinds_reach_accounts_of_those_kinds() -> None:
    within(Scope(account_kinds=("income", "suspense")))
    assert carl_may(transfer("fees", "acme-1", 1))
    assert not carl_may(transfer("acme-1", "fees", 1))
    assert carl_may(opened(kind="suspense"))
    assert not carl_may(opened(account="new-2", kind="nostro"))
    assert carl_may(closed("fees"))
    assert not carl_may(closed("nostro"))
    assert not carl_may(party_becomes("acme", "blocked"))
    assert not carl_may(say(RegisterParty, party="another", kind="person", name="A"))


def test_products_reach_accounts_of_those_products() -> None:
    within(Scope(products=("giro",)))
    assert carl_may(transfer("acme-1", "acme-2", 1))
    assert not carl_may(transfer("acme-2", "acme-1", 1))
    assert not carl_may(transfer("nostro", "acme-1", 1))
    assert carl_may(opened(party="acme", product="giro"))
    assert not carl_may(opened(account="new-2", party="acme"))
    assert not carl_may(profile("acme", name="Acme Ltd"))


def test_branches_reach_accounts_and_parties_of_those_branches() -> None:
    within(Scope(branches=("north",)))
    assert carl_may(transfer("acme-1", "acme-2", 1))
    assert not carl_may(transfer("acme-2", "acme-1", 1))
    assert carl_may(opened(party="acme", branch="north"))
    assert not carl_may(opened(account="new-2", party="acme", branch="south"))
    assert carl_may(say(RegisterParty, party="new", kind="person", name="A", branch="north"))
    assert not carl_may(say(RegisterParty, party="new-2", kind="person", name="A"))
    assert carl_may(profile("acme", name="Acme Ltd"))
    assert carl_may(profile("acme", branch="north", name="Acme"))
    assert not carl_may(profile("acme", branch="south"))
    assert not carl_may(profile("other", branch="north"))
    assert not carl_may(profile("nobody", branch="north"))
    assert carl_may(party_becomes("acme", "blocked"))
    assert not carl_may(party_becomes("other", "blocked"))


def test_amounts_reach_up_to_the_limit_of_each_currency_that_is_listed() -> None:
    within(Scope(amounts={"EUR": 20}))
    assert carl_may(transfer("nostro", "acme-1", 20, reference="20"))
    assert not carl_may(transfer("nostro", "acme-1", 21))
    assert not carl_may(transfer("nostro-usd", "acme-1", 1, currency="USD"))
    assert carl_may(entries(("nostro", -20), ("acme-1", 20), reference="legs of 20"))
    assert not carl_may(entries(("nostro", -21), ("acme-1", 20), ("fees", 1)))
    assert not carl_may(entries(("nostro", -20), ("acme-1", 20), ("nostro-usd", 1, "USD")))
    assert carl_may(opened(party="acme", overdraft=20))
    assert not carl_may(opened(account="new-2", party="acme", overdraft=21))
    assert not carl_may(opened(account="new-2", party="acme", currency="USD"))
    assert carl_may(overdraft("acme-1", 20))
    assert not carl_may(overdraft("acme-1", 21))
    assert not carl_may(closed("acme-1"))
    assert not carl_may(overdraft("nobody", 1))
    assert carl_may(refund("20", 1))
    assert carl_may(reversal("legs of 20"))


def test_a_part_is_given_back_within_the_limit_of_the_part() -> None:
    within(Scope(amounts={"EUR": 20}))
    when(transfer("nostro", "acme-1", 21, reference="21"))
    assert not carl_may(reversal("21"))
    assert not carl_may(refund("21", 21))
    assert carl_may(refund("21", 20))
    when(entries(("nostro", -30), ("acme-1", 30), reference="legs of 30"))
    assert not carl_may(reversal("legs of 30"))


def test_every_part_of_a_scope_has_to_fit() -> None:
    scope = Scope(
        own_party=True,
        account_kinds=("customer",),
        products=("giro",),
        branches=("north",),
        amounts={"EUR": 9},
    )
    within(scope, of_party="acme")
    assert carl_may(transfer("acme-1", "other-1", 9))
    assert not carl_may(transfer("acme-1", "other-1", 10))
    assert not carl_may(transfer("other-1", "acme-1", 9))
    assert not carl_may(transfer("fees", "acme-1", 9))
    assert not carl_may(transfer("acme-2", "acme-1", 9))


def test_one_permit_of_several_is_enough() -> None:
    given(
        *ROOMS,
        say(
            DefineRole,
            role="either",
            permits=(
                Permit(command="Transfer", scope=Scope(branches=("south",))),
                Permit(command="Transfer", scope=Scope(account_kinds=("income",))),
            ),
        ),
        user("carl", roles=["either"]),
    )
    assert carl_may(transfer("acme-2", "acme-1", 1))
    assert carl_may(transfer("fees", "acme-1", 1))
    assert not carl_may(transfer("acme-1", "acme-2", 1))


def test_a_permit_without_a_scope_beside_one_with_has_none() -> None:
    permits = (Permit(command="Transfer", scope=Scope(branches=("south",))), Permit(command="Transfer"))
    given(*ROOMS, say(DefineRole, role="either", permits=permits), user("carl", roles=["either"]))
    assert carl_may(transfer("acme-1", "acme-2", 1))


def test_everything_within_a_scope_is_everything_that_a_scope_can_judge() -> None:
    given(*ROOMS, role("north", "*", scope=Scope(branches=("north",))), user("carl", roles=["north"]))
    assert carl_may(transfer("acme-1", "acme-2", 1))
    assert not carl_may(transfer("acme-2", "acme-1", 1))
    assert not carl_may(say(RegisterAsset, asset="GOLD", scale=3, name="Gold"))
    assert not carl_may(grant("carl", ADMINISTRATOR))


# --- nobody left to grant ---------------------------------------------------------------------------------


def test_the_last_who_can_grant_stays() -> None:
    given(user("carl"), role("granter", GrantRole), role("scoped", GrantRole, scope=Scope(own_party=True)))
    for said in (suspend("root"), revoke("root", ADMINISTRATOR), role(ADMINISTRATOR, Transfer)):
        when(said)
        then(rejected("last_administrator"))
    when(role(ADMINISTRATOR, "*", scope=Scope(own_party=True)))
    then(rejected("last_administrator"))
    when(grant("carl", "scoped"), suspend("root"))
    then(rejected("last_administrator"))
    when(grant("carl", "granter"), suspend("carl"))
    then(happened(ActorSuspended))
    when(suspend("root"))
    then(rejected("last_administrator"))
    when(reinstate("carl"), suspend("root"))
    then(happened(ActorSuspended))
    when(revoke("carl", "granter").by("carl"))
    then(rejected("not_permitted"))


def test_a_role_to_grant_may_be_redefined_where_it_still_grants_or_another_does() -> None:
    given(user("carl"), role("granter", GrantRole))
    when(role(ADMINISTRATOR, GrantRole, DefineRole))
    then(happened(RoleDefined))
    when(role(ADMINISTRATOR, DefineRole, RevokeRole))
    then(rejected("last_administrator"))
    when(grant("carl", "granter"), role(ADMINISTRATOR, DefineRole, RevokeRole))
    then(happened(RoleDefined))
    when(revoke("carl", "granter"))
    then(rejected("last_administrator"))


def test_a_user_with_two_ways_to_grant_can_lose_one() -> None:
    given(role("granter", GrantRole), grant("root", "granter"))
    when(revoke("root", ADMINISTRATOR))
    then(happened(RoleRevoked))


# --- rejections -------------------------------------------------------------------------------------------


GIVEN: list[Word] = [
    user("carl"),
    system("gate"),
    role("payer", Transfer),
    grant("gate", "payer"),
    grant("carl", "payer"),
    user("away"),
    suspend("away"),
]
SYSTEM_IS_ADMINISTRATOR: tuple[Reason, Said] = (
    "not_for_systems", role(ADMINISTRATOR, RegisterPerson),
)  # fmt: skip
REJECTIONS: list[tuple[Reason, Said]] = [
    # One row a rejection, in the order in which they are checked; each row has the later faults, too.
    ("person_exists", say(RegisterPerson, person="ruth", name="R")),
    ("actor_exists", say(RegisterUser, user="carl", person="nobody", party="nobody")),
    ("actor_exists", say(RegisterUser, user="gate", person="nobody", party="nobody")),
    ("person_not_found", say(RegisterUser, user="new", person="nobody", party="nobody")),
    ("party_not_found", say(RegisterUser, user="new", person="ruth", party="nobody")),
    ("actor_exists", say(RegisterSystem, system="carl", purpose="p")),
    ("actor_exists", say(RegisterSystem, system="gate", purpose="p")),
    ("actor_not_found", suspend("nobody")),
    ("actor_already_suspended", suspend("away")),
    ("last_administrator", suspend("root")),
    ("actor_not_found", reinstate("nobody")),
    ("actor_not_suspended", reinstate("carl")),
    ("unknown_command_type", role("payer", "*", "Steal")),
    ("toxic_permissions", role(ADMINISTRATOR, "Transfer", "Approve")),
    ("not_for_systems", role("payer", "*")),
    ("last_administrator", role(ADMINISTRATOR, RegisterPerson)),
    ("actor_not_found", grant("nobody", "nothing")),
    ("role_not_found", grant("gate", "nothing")),
    ("role_already_granted", grant("gate", "payer")),
    ("not_for_systems", grant("gate", ADMINISTRATOR)),
    ("actor_not_found", revoke("nobody", "nothing")),
    ("role_not_granted", revoke("root", "payer")),
    ("last_administrator", revoke("root", ADMINISTRATOR)),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))


@pytest.mark.by_hand
def test_what_no_system_may_have_is_asked_before_who_is_left_to_grant() -> None:
    told = given(*GIVEN)
    told.book.actors["gate"].roles.append(ADMINISTRATOR)  # as no command could: both faults at once
    when(SYSTEM_IS_ADMINISTRATOR[1])
    assert isinstance(told.last[0], CommandRejected)
    assert told.last[0].reason == SYSTEM_IS_ADMINISTRATOR[0]


@pytest.mark.by_hand
def test_who_has_a_role_that_is_for_people_already_is_told_so_first() -> None:
    told = given(*GIVEN)
    told.book.actors["gate"].roles.append(ADMINISTRATOR)
    when(grant("gate", ADMINISTRATOR))
    assert isinstance(told.last[0], CommandRejected)
    assert told.last[0].reason == "role_already_granted"


def test_kinds_that_a_scope_cannot_judge_need_a_permit_without_one() -> None:
    given(role("scoped", RegisterAsset, scope=Scope(amounts={"EUR": 1})), user("carl", roles=["scoped"]))
    assert refused(say(RegisterAsset, asset="GOLD", scale=3, name="Gold").by("carl"))
    when(role("scoped", RegisterAsset))
    assert not refused(say(RegisterAsset, asset="GOLD", scale=3, name="Gold").by("carl"))


def test_a_scope_reaches_through_the_floor_of_an_overdraft() -> None:
    within(Scope(amounts={"EUR": 20}))
    when(overdraft("acme-1", 20).by("carl"))
    then(happened(OverdraftSet, overdraft=20))
    when(say(RegisterParty, party="new", kind="person", name="A").by("carl"))
    then(rejected("not_permitted"))
    when(say(RegisterParty, party="new", kind="person", name="A"))
    then(happened(PartyRegistered))


def test_a_limit_on_amounts_is_on_all_legs_together() -> None:
    small = role("small", "PostEntries", scope=Scope(amounts={"EUR": 100}))
    given(internal("here"), internal("there"), small, user("carl", roles=["small"]))
    when(entries(*[("here", -60), ("there", 60)] * 2).by("carl"))
    then(rejected("not_permitted"))
    when(entries(("here", -100), ("there", 60), ("there", 40)).by("carl"))
    then(happened(EntriesPosted))
