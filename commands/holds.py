"""What is decided about holds: funds reserved until they are captured, released or expire.

What a hold costs is quoted when it is placed or raised, reserved with it, and charged as it is captured.
"""

from __future__ import annotations

from book.hold import Hold
from book.state import Account, Book
from commands.accounts import blocked, is_blocked
from commands.decision import Decide, Decision
from commands.posting import Chain, payers, reserved, unfunded, unusable
from commands.reserves import given_back, given_back_in_part
from commands.terms import Movement, Terms, fee_legs, may_receive, terms_of
from commands.transfers import unfit
from schemas.fees import Fee
from schemas.fields import INT64_MAX
from schemas.holds import (
    CaptureHold,
    HoldCaptured,
    HoldPlaced,
    HoldRaised,
    HoldReleased,
    PlaceHold,
    RaiseHold,
    ReleaseHold,
)
from schemas.rejections import Rejection, reject
from schemas.reserves import Reserve


def place_hold(book: Book, command: PlaceHold, at_ms: int) -> Decision:
    """Rejected, in this order: hold_exists, account_not_found, account_not_open, currency_mismatch,
    party_not_active, account_blocked (debits), movement_not_allowed, limit_exceeded, insufficient_funds,
    overflow.
    """
    if command.hold in book.holds:
        return reject("hold_exists", hold=command.hold)
    account = book.accounts.get(command.account)
    if account is None:
        return reject("account_not_found", account=command.account)
    if refused := unfit(command.account, account, command.currency) or _barred(book, command.account, at_ms):
        return refused
    terms = _terms(book, command.account, command.amount, command.counterparty, command.channel, at_ms)
    if isinstance(terms, Rejection):
        return terms
    needed = payers(command.account, command.amount, terms.fees)
    if refused := unfunded(book, needed):
        return refused
    return HoldPlaced(
        hold=command.hold,
        account=command.account,
        amount=command.amount,
        currency=command.currency,
        expires_at_ms=at_ms + command.expires_after_s * 1_000,
        counterparty=command.counterparty,
        channel=command.channel,
        reference=command.reference,
        reserves=reserved(book, needed),
        uses=terms.uses,
        fees=terms.fees,
    )


def raise_hold(book: Book, command: RaiseHold, at_ms: int) -> Decision:
    """Rejected, in this order: hold_not_found, party_not_active, account_blocked (debits), limit_exceeded,
    insufficient_funds, overflow.
    """
    hold = open_hold(book, command.hold, at_ms)
    if hold is None:
        return reject("hold_not_found", hold=command.hold)
    if refused := _barred(book, hold.account, at_ms):
        return refused
    terms = _terms(book, hold.account, command.amount, hold.counterparty, hold.channel, at_ms)
    if isinstance(terms, Rejection):
        return terms
    needed = payers(hold.account, command.amount, terms.fees)
    if refused := unfunded(book, needed):
        return refused
    after = hold.amount + command.amount
    if after > INT64_MAX:
        return reject("overflow", account=hold.account)
    seconds = command.expires_after_s
    return HoldRaised(
        hold=command.hold,
        account=hold.account,
        amount=command.amount,
        amount_after=after,
        currency=book.accounts[hold.account].currency,
        expires_at_ms=hold.expires_at_ms if seconds is None else at_ms + seconds * 1_000,
        reserves=reserved(book, needed),
        uses=terms.uses,
        fees=terms.fees,
    )


def capture_hold(book: Book, command: CaptureHold, at_ms: int) -> Decision:
    """Rejected, in this order: hold_not_found, capture_exceeds_hold, same_account, account_not_found,
    account_not_open, currency_mismatch, party_not_active, account_blocked (debits, then credits),
    movement_not_allowed, overflow.
    """
    hold = open_hold(book, command.hold, at_ms)
    if hold is None:
        return reject("hold_not_found", hold=command.hold)
    if command.amount > hold.left:
        return reject("capture_exceeds_hold", left=hold.left, wanted=command.amount)
    if command.credit == hold.account:
        return reject("same_account")
    account, credit = book.accounts[hold.account], book.accounts.get(command.credit)
    if credit is None:
        return reject("account_not_found", account=command.credit)
    if refused := unfit(command.credit, credit, account.currency) or _barred(book, hold.account, at_ms):
        return refused
    if is_blocked(credit, "credits", at_ms):
        return blocked(command.credit, credit, "credits", at_ms)
    if refused := may_receive(book, command.credit, credit, "hold"):
        return refused
    captured = hold.captured + command.amount
    charged = _charged(hold, captured)
    fees = tuple(
        _part(fee, now - had)
        for fee, had, now in zip(hold.fees, hold.charged, charged, strict=True)
        if now > had
    )
    legs = [(hold.account, -command.amount), (command.credit, command.amount), *fee_legs(fees)]
    if refused := unusable(book, [leg for leg in legs if leg[1] > 0], at_ms):
        return refused
    left = 0 if command.final else hold.amount - captured
    return HoldCaptured(
        hold=command.hold,
        account=hold.account,
        credit=command.credit,
        amount=command.amount,
        currency=account.currency,
        captured_after=captured,
        left=left,
        booking_date=book.business_date,
        value_date=book.business_date,
        reference=command.reference,
        postings=Chain(book).post(legs),
        reserves=reserved(book, payers(hold.account, command.amount, fees), -1)
        if left
        else _all_reserved(book, hold),
        uses=() if left else given_back_in_part(book, hold.uses, hold.amount - captured, hold.amount),
        fees=fees,
        charged=charged,
    )


def release_hold(book: Book, command: ReleaseHold, at_ms: int) -> Decision:
    """Rejected: hold_not_found."""
    hold = open_hold(book, command.hold, at_ms)
    if hold is None:
        return reject("hold_not_found", hold=command.hold)
    return _released(book, command.hold, hold, command.reason, expired=False)


def expire_hold(book: Book, rest: str, due_ms: int) -> HoldReleased:
    """The timer of a hold: what is left of it is given back."""
    return _released(book, rest, book.holds[rest], "expired", expired=True)


def open_hold(book: Book, hold_id: str, at_ms: int) -> Hold | None:
    """A hold that has not ended; its timer has fired where it expired, and this asks once more."""
    hold = book.holds.get(hold_id)
    return None if hold is None or hold.expires_at_ms <= at_ms else hold


def _released(book: Book, hold_id: str, hold: Hold, reason: str, *, expired: bool) -> HoldReleased:
    return HoldReleased(
        hold=hold_id,
        account=hold.account,
        amount=hold.left,
        captured=hold.captured,
        currency=book.accounts[hold.account].currency,
        reason=reason,
        expired=expired,
        reserves=_all_reserved(book, hold),
        uses=given_back_in_part(book, hold.uses, hold.left, hold.amount)
        if hold.captured
        else given_back(book, hold.uses),
    )


def _barred(book: Book, account_id: str, at_ms: int) -> Rejection | None:
    account = book.accounts[account_id]
    if account.party and book.parties[account.party].status != "active":
        return reject("party_not_active", party=account.party, status=book.parties[account.party].status)
    if is_blocked(account, "debits", at_ms):
        return blocked(account_id, account, "debits", at_ms)
    return None


def _terms(
    book: Book, account_id: str, amount: int, counterparty: str, channel: str, at_ms: int
) -> Terms | Rejection:
    account: Account = book.accounts[account_id]
    movement = Movement("hold", account_id, account, amount, account.currency, counterparty, channel)
    return terms_of(book, movement, at_ms, reserved=True)


def _charged(hold: Hold, captured: int) -> tuple[int, ...]:
    """How much of each fee is charged once `captured` was: in proportion, rounded down, never less again."""
    return tuple(
        max(had, fee.amount * captured // hold.amount)
        for fee, had in zip(hold.fees, hold.charged, strict=True)
    )


def _part(fee: Fee, amount: int) -> Fee:
    return Fee(fee.tariff, fee.version, fee.line, fee.account, fee.income, amount, fee.currency)


def _all_reserved(book: Book, hold: Hold) -> tuple[Reserve, ...]:
    """Release all that is reserved for what was not captured, and for the fees of it."""
    rest = tuple(_part(fee, fee.amount - had) for fee, had in zip(hold.fees, hold.charged, strict=True))
    return reserved(book, payers(hold.account, hold.left, rest), -1)


DECIDE: dict[type, Decide] = {
    PlaceHold: place_hold,
    RaiseHold: raise_hold,
    CaptureHold: capture_hold,
    ReleaseHold: release_hold,
}
