"""The events that move a payment's money after its dispatch, whoever says so: its rail or two persons."""

from __future__ import annotations

from book.payment import IN_TRANSIT, Payment
from book.state import Book
from commands.posting import Chain, takes_credit, unusable
from commands.reserves import given_back
from commands.terms import fee_legs
from schemas.expected import ExpectedEntry, ExpectedState
from schemas.message import Event
from schemas.rail_reports import PaymentFailed, PaymentReturned, PaymentSettled, RepairNeeded, RepairReason
from schemas.rejections import Rejection


class Outcomes:
    """Events about one payment, each on what the ones before it have left."""

    def __init__(
        self, book: Book, payment_id: str, payment: Payment, reason: str, rail_reference: str, at_ms: int
    ) -> None:
        self._book = book
        self._id = payment_id
        self._payment = payment
        self._reason = reason
        self._rail_reference = rail_reference
        self._at_ms = at_ms
        self._chain = Chain(book)
        self._settled = payment.settled
        self._late = payment.status not in (*IN_TRANSIT, "settled")

    def unusable(self) -> Rejection | None:
        """account_not_open, account_blocked or overflow, where the bank's own accounts take no postings."""
        one = self._payment
        accounts = (one.nostro, one.in_transit, one.suspense, *(fee.income for fee in one.fees))
        return unusable(
            self._book,
            [leg for account in accounts for leg in ((account, one.amount), (account, -one.amount))],
            self._at_ms,
        )

    def settled(self) -> PaymentSettled:
        """Out of transit, or out of suspense where it was given back before."""
        one, today = self._payment, self._book.business_date
        self._settled = True
        late = one.status not in IN_TRANSIT
        bears = one.suspense if late else one.in_transit
        return PaymentSettled(
            payment=self._id,
            amount=one.amount,
            currency=one.currency,
            late=late,
            reason=self._reason,
            rail_reference=self._rail_reference,
            booking_date=today,
            value_date=today,
            postings=self._chain.post([(bears, -one.amount), (one.nostro, one.amount)]),
            expected=self._expected(self._id, one.amount, "booked"),
        )

    def failed(self) -> tuple[Event, ...]:
        """Back to the payer with the fees, and limits given back."""
        one, today = self._payment, self._book.business_date
        whole = one.amount + sum(fee.amount for fee in one.fees)
        credited = self._payee_of(one.account, whole)
        back = [
            (credited if account == one.account else account, -amount)
            for account, amount in fee_legs(one.fees)
        ]
        event = PaymentFailed(
            payment=self._id,
            account=one.account,
            credited=credited,
            amount=one.amount,
            currency=one.currency,
            reason=self._reason,
            rail_reference=self._rail_reference,
            booking_date=today,
            value_date=today,
            postings=self._chain.post([(one.in_transit, -one.amount), (credited, one.amount), *back]),
            uses=given_back(self._book, one.uses, reserved=False),
            fees=one.fees,
            charged=one.charged_seq,
            expected=self._expected(self._id, one.amount, "withdrawn"),
        )
        return (event,) if credited == one.account else (event, self._not_credited(whole))

    def returned(self, amount: int, *, recalled: bool = False) -> tuple[Event, ...]:
        """Back to whom it is owed: from the nostro account, or from transit where it never left."""
        one, today = self._payment, self._book.business_date
        owed_to = one.suspense if self._late else one.owed_to
        credited = self._payee_of(owed_to, amount)
        after = amount if self._late and not one.settled else one.returned + amount
        source, entry = one.in_transit, self._expected(self._id, one.amount, "withdrawn")
        if self._settled:
            source = one.nostro
            entry = self._expected(f"{self._id} return-{len(one.returns) + 1}", -amount, "booked")
        event = PaymentReturned(
            payment=self._id,
            account=one.account,
            credited=credited,
            amount=amount,
            currency=one.currency,
            returned_after=after,
            left=one.amount - after,
            recalled=recalled,
            reason=self._reason,
            rail_reference=self._rail_reference,
            booking_date=today,
            value_date=today,
            postings=self._chain.post([(source, -amount), (credited, amount)]),
            expected=entry,
        )
        return (event,) if credited == owed_to else (event, self._not_credited(amount))

    def repair(self, reason: RepairReason) -> RepairNeeded:
        """People have to look at it."""
        return RepairNeeded(payment=self._id, reason=reason, detail=self._reason)

    def _payee_of(self, account_id: str, amount: int) -> str:
        """Who is credited: the account, or suspense where it takes nothing."""
        takes = takes_credit(self._book, account_id, amount, self._at_ms)
        return account_id if takes else self._payment.suspense

    def _not_credited(self, amount: int) -> RepairNeeded:
        one = self._payment
        return RepairNeeded(
            payment=self._id,
            reason="not_credited",
            detail=f"{one.account} takes no credit, so {amount} {one.currency} is in {one.suspense}",
        )

    def _expected(self, entry: str, amount: int, state: ExpectedState) -> tuple[ExpectedEntry, ...]:
        one, today = self._payment, self._book.business_date
        return (ExpectedEntry(entry, one.nostro, amount, one.currency, today, one.end_to_end, state),)
