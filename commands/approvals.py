"""What is decided about what waits for approval: asked for, given, declined, withdrawn, expired.

Nobody's role goes around this. The maker never counts, no person counts twice, and what has its quorum is
decided again as if it had come just now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from book.policies import LineInForce, LinesInForce
from book.state import Book
from book.waiting import Waiting
from commands.approvers import Right, checker_of, rights_of, standing
from commands.decision import Decision, Steps, decide
from commands.interested import interested
from commands.permission import may
from commands.policies import counts_of, line_that_asks, taken_off
from commands.quorum import Checker, missing, persons_left, roles_left
from commands.reach import asked_of
from commands.reserves import given_back, reserving
from commands.trial import digest_of, reserves_of, terms_shown, tried, uses_of
from schemas.approvals import (
    AmountCounted,
    ApprovalDeclined,
    ApprovalExpired,
    ApprovalFailed,
    ApprovalGiven,
    ApprovalRequested,
    ApprovalWithdrawn,
    Approve,
    Asked,
    Decline,
    TermsChanged,
    Withdraw,
)
from schemas.message import Command, Event
from schemas.rejections import Rejection, reject
from schemas.reserves import Reserve, Use

MOST_WAITING = 10_000


def under_policy(book: Book, policy: LinesInForce, command: Command, at_ms: int) -> Decision:
    """Decide a command whose type policy has lines for: at once, or when enough people have said yes.

    What would be refused is refused now. Further rejection: too_many_waiting.
    """
    try:
        line = line_that_asks(book, policy, command, at_ms)
        if line is not None:
            return _wait(book, policy, line, command, at_ms)
        decision = decide(book, command, at_ms)
        if not policy.sums or isinstance(decision, Rejection):
            return decision
        counts = counts_of(book, policy, command, at_ms)
        return _counted(decision, counts) if counts else decision
    except Exception as error:  # noqa: BLE001 - as in `decide`: nothing was touched, and the book goes on
        return reject("internal_error", restricted=f"{type(error).__name__}: {error}"[:500])


def _counted(decision: Event | tuple[Event, ...] | Steps, counts: tuple[Use, ...]) -> Steps:
    yield from (decision,) if isinstance(decision, Event) else decision
    yield AmountCounted(counts=counts)


def _wait(book: Book, policy: LinesInForce, line: LineInForce, command: Command, at_ms: int) -> Decision:
    events = tried(book, command, at_ms)
    if isinstance(events, Rejection):
        return events
    if len(book.approvals.waiting) >= MOST_WAITING:
        return reject("too_many_waiting", waiting=len(book.approvals.waiting))
    return ApprovalRequested(
        asked=msgspec.to_builtins(command),
        maker=command.actor,
        person=book.actors[command.actor].person,
        by=_asked(line),
        expires_at_ms=at_ms + line.line.expires_after_s * 1_000,
        shown=digest_of(book, command, events),
        terms=terms_shown(book, events),
        reserves=reserves_of(book, events),
        uses=uses_of(book, events),
        counts=counts_of(book, policy, command, at_ms),
    )


def _asked(one: LineInForce) -> Asked:
    line = one.line
    return Asked(
        policy=one.policy,
        version=one.version,
        line=line.id,
        needs=line.needs,
        distinct_roles=line.distinct_roles,
        delegation=line.delegation,
    )


def approve(book: Book, command: Approve, at_ms: int) -> Decision:
    """Rejected, in this order: approval_not_found, approval_expired, approval_withdrawn, approval_decided,
    shown_changed, maker_cannot_check, already_approved_by_person, role_not_asked.
    """
    waiting = _waiting(book, command.approval, at_ms)
    if isinstance(waiting, Rejection):
        return waiting
    if command.shown != waiting.shown:
        return reject("shown_changed", approval=command.approval, shown=waiting.shown)
    right = _right(book, waiting, command, at_ms)
    if isinstance(right, Rejection):
        return right
    valid = standing(book, waiting)
    checkers = [*(checker_of(book, one) for one in valid), right.checker()]
    left = missing(waiting.by.needs, waiting.by.distinct_roles, checkers)
    given = ApprovalGiven(
        approval=command.approval,
        user=command.actor,
        person=right.person,
        roles=right.roles,
        on_behalf_of=right.on_behalf_of,
        delegation=right.delegation,
        override=right.override,
        shown=waiting.shown,
        lapsed=tuple(one.person for one in waiting.approvals if one not in valid),
        missing=left,
        roles_left=roles_left(waiting.by.needs, waiting.by.distinct_roles, checkers) if left else (),
        persons_left=persons_left(waiting.by.needs, waiting.by.distinct_roles, checkers) if left else (),
        reserves=() if left else _freed(book, waiting),
        uses=() if left else given_back(book, waiting.uses),
    )
    if left:
        return given
    return _pass(book, command.approval, waiting, given, checkers, at_ms)


def _pass(
    book: Book,
    approval: int,
    waiting: Waiting,
    given: ApprovalGiven,
    checkers: list[Checker],
    at_ms: int,
) -> Steps:
    """It has its quorum: what it reserved is free, and it is decided again, on the book as it is now."""
    yield given
    try:
        decision = _again(book, approval, waiting, checkers, at_ms)
    except Exception as error:  # noqa: BLE001 - the book goes on, and what happened is said
        decision = reject("internal_error", restricted=f"{type(error).__name__}: {error}"[:500])
    if isinstance(decision, Rejection):
        yield _failed(book, approval, waiting, decision)
    else:
        yield from (decision,) if isinstance(decision, Event) else decision


def _again(book: Book, approval: int, waiting: Waiting, checkers: list[Checker], at_ms: int) -> Decision:
    """The command as if it came just now, or that its terms have changed."""
    asked = asked_of(waiting)
    if not may(book, asked):
        return reject("not_permitted", actor=asked.actor)
    events = tried(book, asked, at_ms)
    if isinstance(events, Rejection):
        return events
    policy = book.in_force.policies.get(type(asked).__name__)
    line = None if policy is None else line_that_asks(book, policy, asked, at_ms, waiting.counts)
    by = waiting.by if line is None else _asked(line)
    shown = digest_of(book, asked, events)
    if shown == waiting.shown and not missing(by.needs, by.distinct_roles, checkers):
        return decide(book, asked, at_ms)
    return TermsChanged(
        approval=approval,
        by=by,
        shown=shown,
        terms=terms_shown(book, events),
        reserves=reserves_of(book, events),
        uses=uses_of(book, events),
    )


def _failed(book: Book, approval: int, waiting: Waiting, why: Rejection) -> ApprovalFailed:
    return ApprovalFailed(
        approval=approval,
        reason=why.reason,
        figures=why.figures,
        restricted=why.restricted,
        counts=taken_off(book, waiting.counts),
    )


def decline(book: Book, command: Decline, at_ms: int) -> Decision:
    """Rejected, in this order: approval_not_found, approval_expired, approval_withdrawn, approval_decided,
    maker_cannot_check, already_approved_by_person, role_not_asked. Who could say yes may say no.
    """
    waiting = _waiting(book, command.approval, at_ms)
    if isinstance(waiting, Rejection):
        return waiting
    right = _right(book, waiting, command, at_ms)
    if isinstance(right, Rejection):
        return right
    return ApprovalDeclined(
        approval=command.approval,
        user=command.actor,
        person=right.person,
        reason=command.reason,
        override=right.override,
        **_given_up(book, waiting),
    )


def withdraw(book: Book, command: Withdraw, at_ms: int) -> Decision:
    """Rejected, in this order: approval_not_found, approval_expired, approval_withdrawn, approval_decided,
    not_maker. The maker may do it behind another user, too.
    """
    waiting = _waiting(book, command.approval, at_ms)
    if isinstance(waiting, Rejection):
        return waiting
    if command.actor != waiting.maker and book.actors[command.actor].person != (waiting.person or "\n"):
        return reject("not_maker", maker=waiting.maker)
    return ApprovalWithdrawn(approval=command.approval, reason=command.reason, **_given_up(book, waiting))


def expire(book: Book, rest: str, due_ms: int) -> ApprovalExpired:
    """The timer of what waits: nobody decided in time."""
    approval = int(rest)
    return ApprovalExpired(approval=approval, **_given_up(book, book.approvals.waiting[approval]))


def _waiting(book: Book, approval: int, at_ms: int) -> Waiting | Rejection:
    """What waits, or why it does not. Expiry is also asked here, whether its timer has fired or not."""
    waiting = book.approvals.waiting.get(approval)
    if waiting is not None:
        return waiting if at_ms < waiting.expires_at_ms else reject("approval_expired", approval=approval)
    decided = book.approvals.decided.get(approval)
    if decided is None:
        return reject("approval_not_found", approval=approval)
    if decided.status == "expired":
        return reject("approval_expired", approval=approval)
    if decided.status == "withdrawn":
        return reject("approval_withdrawn", approval=approval)
    return reject("approval_decided", approval=approval, status=decided.status)


def _right(book: Book, waiting: Waiting, command: Approve | Decline, at_ms: int) -> Right | Rejection:
    """By what the user may decide: the first right that helps; or why there is none."""
    person = book.actors[command.actor].person
    if person == waiting.person or person in interested(book, waiting):
        return reject("maker_cannot_check", person=person)
    valid = standing(book, waiting)
    if any(person in (one.person, one.behind) for one in valid):
        return reject("already_approved_by_person", person=person)
    needs, distinct = waiting.by.needs, waiting.by.distinct_roles
    checkers = [checker_of(book, one) for one in valid]
    before = missing(needs, distinct, checkers)
    for right in rights_of(book, waiting, command, at_ms):
        if missing(needs, distinct, [*checkers, right.checker()]) < before:
            return right
    return reject("role_not_asked", actor=command.actor)


def _freed(book: Book, waiting: Waiting) -> tuple[Reserve, ...]:
    return tuple(reserving(book, one.account, -one.amount) for one in waiting.reserves)


def _given_up(book: Book, waiting: Waiting) -> dict[str, Any]:
    """What it reserved and counted for, the other way round."""
    return {
        "reserves": _freed(book, waiting),
        "uses": given_back(book, waiting.uses),
        "counts": taken_off(book, waiting.counts),
    }


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    Approve: approve,
    Decline: decline,
    Withdraw: withdraw,
}
