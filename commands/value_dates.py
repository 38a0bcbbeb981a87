"""What is decided about value dates: the day has come, and postings with one before the open period."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from book.value_dates import earliest
from commands.decision import Decision
from commands.policies import line_that_asks
from commands.reserves import reserving
from commands.transfers import legs_refused, postings_of
from schemas.rejections import Rejection, reject
from schemas.value_dates import BackValuedPosted, CreditReleased, PostBackValued


def release(book: Book, rest: str, due_ms: int) -> CreditReleased:
    """The timer of a value date: what was credited can be spent."""
    waiting = book.deferred[int(rest)]
    return CreditReleased(
        transfer=int(rest),
        value_date=waiting.value_date,
        reserves=tuple(reserving(book, name, -held) for name, held in waiting.reserved.items() if held),
    )


def post_back_valued(book: Book, command: PostBackValued, at_ms: int) -> Decision:
    """It is decided on trial before it waits for approval, and again when it has it; whoever sends it while
    no policy asks for approval has none.

    Rejected, in this order: too_many_legs, zero_amount, account_not_found, account_not_open,
    currency_mismatch (these three leg by leg), unbalanced, period_still_open (PostEntries does it),
    year_closed, approval_needed, party_not_active (debit legs), account_blocked, insufficient_funds,
    overflow.
    """
    if refused := legs_refused(book, command.legs):
        return refused
    day, first = command.value_date, earliest(book)
    if day >= book.open_from:
        return reject("period_still_open", date=day.isoformat(), open_from=book.open_from.isoformat())
    if day < first:
        return reject("year_closed", date=day.isoformat(), earliest=first.isoformat())
    policy = book.in_force.policies.get(PostBackValued.__name__)
    if policy is None or line_that_asks(book, policy, command, at_ms) is None:
        return reject("approval_needed")
    postings = postings_of(book, [(leg.account, leg.amount) for leg in command.legs], at_ms)
    if isinstance(postings, Rejection):
        return postings
    return BackValuedPosted(
        booking_date=book.business_date,
        value_date=day,
        reason=command.reason,
        reference=command.reference,
        postings=postings,
    )


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {PostBackValued: post_back_valued}
