"""What lets commands wait, and ends their waiting. Figures travel with the events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.features.counting import declined
from book.reserves import reserve, use
from book.state import Book
from book.waiting import Approved, Delegation, Status, Waiting
from schemas.approvals import (
    AmountCounted,
    ApprovalDeclined,
    ApprovalExpired,
    ApprovalFailed,
    ApprovalGiven,
    ApprovalRequested,
    ApprovalWithdrawn,
    DelegationEnded,
    DelegationGiven,
    TermsChanged,
)
from schemas.reserves import Reserve


def approval_timer(approval: int) -> str:
    """The id of the timer that ends the waiting."""
    return f"approval\n{approval}"


def delegation_timer(delegation: str) -> str:
    """The id of the timer that ends a delegation."""
    return f"delegation\n{delegation}"


def approval_requested(book: Book, event: ApprovalRequested) -> None:
    """The command waits, with its funds and limits reserved."""
    reserve(book, event.reserves)
    use(book, event.uses)
    book.approvals.count(event.counts)
    book.approvals.waiting[event.seq] = Waiting(
        asked=event.asked,
        maker=event.maker,
        person=event.person,
        by=event.by,
        requested_ms=event.at,
        expires_at_ms=event.expires_at_ms,
        shown=event.shown,
        terms=event.terms,
        reserves=event.reserves,
        uses=event.uses,
        counts=event.counts,
    )
    book.timers.set(approval_timer(event.seq), event.expires_at_ms)


def approval_given(book: Book, event: ApprovalGiven) -> None:
    """One yes more. With the last one nothing is reserved any longer."""
    approvals = book.approvals
    waiting = approvals.waiting[event.approval]
    lapsed = set(event.lapsed)
    behind = book.actors[event.on_behalf_of].person if event.on_behalf_of else ""
    waiting.approvals = [one for one in waiting.approvals if one.person not in lapsed]
    people = {name for one in waiting.approvals for name in (one.person, one.behind)}
    assert event.person not in people | {waiting.person}, "nobody counts twice, and the maker never"
    waiting.approvals.append(
        Approved(event.user, event.person, event.roles, event.on_behalf_of, behind, event.override)
    )
    assert event.missing > 0 or _releases(event.reserves, waiting), "what was reserved is released"
    reserve(book, event.reserves)
    use(book, event.uses)
    if event.missing == 0:
        approvals.passed = {event.approval: waiting}
        _over(book, event.approval, "approved", event.at)


def approval_failed(book: Book, event: ApprovalFailed) -> None:
    """It was approved and could not be done; nothing was reserved any more."""
    book.approvals.count(event.counts)
    book.approvals.decided[event.approval].status = "failed"
    book.approvals.passed = {}
    declined(book, event)


def terms_changed(book: Book, event: TermsChanged) -> None:
    """It waits again, for every yes."""
    approvals = book.approvals
    waiting = approvals.passed.pop(event.approval)
    del approvals.decided[event.approval]
    reserve(book, event.reserves)
    use(book, event.uses)
    waiting.by, waiting.shown, waiting.terms = event.by, event.shown, event.terms
    waiting.reserves, waiting.uses, waiting.approvals = event.reserves, event.uses, []
    approvals.waiting[event.approval] = waiting
    book.timers.set(approval_timer(event.approval), waiting.expires_at_ms)


def approval_declined(book: Book, event: ApprovalDeclined) -> None:
    """It is over, since somebody said no."""
    _ended(book, event, "declined")


def approval_withdrawn(book: Book, event: ApprovalWithdrawn) -> None:
    """It is over, since its maker wants it no more."""
    _ended(book, event, "withdrawn")


def approval_expired(book: Book, event: ApprovalExpired) -> None:
    """It is over, since nobody decided in time."""
    _ended(book, event, "expired")


def _ended(book: Book, event: ApprovalDeclined | ApprovalWithdrawn | ApprovalExpired, status: Status) -> None:
    waiting = book.approvals.waiting[event.approval]
    assert _releases(event.reserves, waiting), "what was reserved is released"
    reserve(book, event.reserves)
    use(book, event.uses)
    book.approvals.count(event.counts)
    _over(book, event.approval, status, event.at)


def _releases(reserves: tuple[Reserve, ...], waiting: Waiting) -> bool:
    return [(one.account, -one.amount) for one in reserves] == [
        (one.account, one.amount) for one in waiting.reserves
    ]


def _over(book: Book, approval: int, status: Status, at_ms: int) -> None:
    del book.approvals.waiting[approval]
    book.approvals.decide(approval, status, at_ms)
    book.timers.remove(approval_timer(approval))


def amount_counted(book: Book, event: AmountCounted) -> None:
    """A maker has sent so much more to a payee."""
    book.approvals.count(event.counts)


def delegation_given(book: Book, event: DelegationGiven) -> None:
    """Somebody stands in for somebody."""
    book.approvals.delegations[event.delegation] = Delegation(
        event.delegator, event.to, event.roles, event.from_ms, event.until_ms
    )
    book.timers.set(delegation_timer(event.delegation), event.until_ms)


def delegation_ended(book: Book, event: DelegationEnded) -> None:
    """Nobody stands in any more."""
    del book.approvals.delegations[event.delegation]
    book.timers.remove(delegation_timer(event.delegation))


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    ApprovalRequested: approval_requested,
    ApprovalGiven: approval_given,
    ApprovalFailed: approval_failed,
    TermsChanged: terms_changed,
    ApprovalDeclined: approval_declined,
    ApprovalWithdrawn: approval_withdrawn,
    ApprovalExpired: approval_expired,
    AmountCounted: amount_counted,
    DelegationGiven: delegation_given,
    DelegationEnded: delegation_ended,
}
