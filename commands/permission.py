"""May this actor do this, to this? Roles are state of the book, so the answer can be replayed."""

from __future__ import annotations

from book.state import Actor, Book
from commands.reach import REACH, Reach
from schemas import case_commands, case_reports, case_work
from schemas.access import (
    DefineRole,
    GrantRole,
    RegisterPerson,
    RegisterSystem,
    RegisterUser,
    ReinstateActor,
    RevokeRole,
    Scope,
    SuspendActor,
)
from schemas.approvals import Approve, Decline, Delegate, RevokeDelegation
from schemas.books import ClosePeriod, ConfirmClock, SetRepeatWindow
from schemas.case_commands import OpenCase
from schemas.closing import CloseYear
from schemas.fees import WaiveFee
from schemas.flags import ClearFlag
from schemas.limits import RaiseLimit
from schemas.message import Command
from schemas.payments_in import AssignSuspense, ResolveSuspense, ReturnReceipt
from schemas.publishing import PublishDocument
from schemas.repairs import RepairPayment
from schemas.reviews import DeclinePayment, EscalateReview, ReleasePayment
from schemas.stops import ResumePayments
from schemas.value_dates import PostBackValued

FOR_PEOPLE: frozenset[type[Command]] = frozenset(
    {
        ConfirmClock,
        ClosePeriod,
        CloseYear,
        SetRepeatWindow,
        DefineRole,
        GrantRole,
        RevokeRole,
        RegisterPerson,
        RegisterUser,
        RegisterSystem,
        SuspendActor,
        ReinstateActor,
        PublishDocument,
        ResolveSuspense,
        AssignSuspense,
        ReturnReceipt,
        RepairPayment,
        ResumePayments,
        Approve,
        Decline,
        Delegate,
        RevokeDelegation,
        RaiseLimit,
        WaiveFee,
        ClearFlag,
        *(kind for kind in case_commands.COMMANDS if kind is not OpenCase),
        *case_work.COMMANDS,
        *case_reports.COMMANDS,
        ReleasePayment,
        DeclinePayment,
        EscalateReview,
        PostBackValued,
    }
)
"""What no system may ever do, whatever its roles say."""
FOR_PEOPLE_NAMES = frozenset({"*", *(str(kind.__struct_config__.tag) for kind in FOR_PEOPLE)})


BY_DELEGATION: frozenset[type[Command]] = frozenset({Approve, Decline})
"""What somebody may also do in the place of another, who gave a delegation."""


def may(book: Book, command: Command) -> bool:
    """Whether a role of the actor permits the command within its scope. Unknown and suspended: nothing."""
    actor = book.actors.get(command.actor)
    if actor is None or actor.suspended:
        return False
    kind = type(command)
    if not actor.person and kind in FOR_PEOPLE:
        return False
    name = kind.__name__
    for role in actor.roles:
        scopes = book.roles[role].scopes
        for key in (name, "*"):
            within = scopes.get(key)
            if within is not None and (not within or _reaches(book, actor, command, within)):
                return True
    return kind in BY_DELEGATION and any(
        one.to == command.actor and may_alone(book, command, one.delegator)
        for one in book.approvals.delegations.values()
    )


def may_alone(book: Book, command: Command, actor_id: str) -> bool:
    """Whether this user's own roles permit a command that is decided on, not sent by, it."""
    actor = book.actors[actor_id]
    if actor.suspended or not actor.person:
        return False
    for role in actor.roles:
        scopes = book.roles[role].scopes
        for key in (type(command).__name__, "*"):
            within = scopes.get(key)
            if within is not None and (not within or _reaches(book, actor, command, within)):
                return True
    return False


def permits(book: Book, actor_id: str, kind: type[Command]) -> bool:
    """Whether a role of the actor permits commands of this type, within whatever scope."""
    actor = book.actors.get(actor_id)
    if actor is None or actor.suspended or (not actor.person and kind in FOR_PEOPLE):
        return False
    return any(not book.roles[role].scopes.keys().isdisjoint((kind.__name__, "*")) for role in actor.roles)


def _reaches(book: Book, actor: Actor, command: Command, scopes: tuple[Scope, ...]) -> bool:
    find = REACH.get(type(command))
    if find is None:
        return False
    reach = find(book, command)
    return any(_within(actor, scope, reach) for scope in scopes)


def _within(actor: Actor, scope: Scope, reach: Reach) -> bool:
    if scope.own_party and not (actor.party and _all_in(reach.parties, (actor.party,))):
        return False
    if scope.account_kinds and not _all_in(reach.kinds, scope.account_kinds):
        return False
    if scope.products and not _all_in(reach.products, scope.products):
        return False
    if scope.branches and not _all_in(reach.branches, scope.branches):
        return False
    return not scope.amounts or (
        reach.amounts is not None
        and all(amount <= scope.amounts.get(currency, -1) for currency, amount in reach.amounts)
    )


def _all_in(found: list[str] | None, allowed: tuple[str, ...]) -> bool:
    return bool(found) and all(one in allowed for one in found or ())
