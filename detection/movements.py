"""From facts to flows: money that has moved, with what was said of it when it was asked for.

A payment out counts when it is sent, a payment to another book when that book has credited it, money in when
it is credited. What was asked for and never left is no flow: rules look at that before it happens. What comes
back whole is taken back; a part that is given back changes nothing, since the whole had moved.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from commands.calendar import local_minute
from detection.directory import Accounts
from detection.facts import (
    NOWHERE,
    CancelledFace,
    CreditedFace,
    CrossDoneFace,
    CrossReceivedFace,
    CrossReleasedFace,
    CrossSentFace,
    DeclinedFace,
    DispatchedFace,
    ExchangedFace,
    FailedFace,
    OriginFace,
    OtherFace,
    ParkedFace,
    ResolvedFace,
    ReturnedFace,
    ReversedFace,
    SentBackFace,
    SettledFace,
    SubmittedFace,
    TransferFace,
)
from detection.flows import Flow, FlowKind, Holder
from schemas.payees import payee_key

NOBODY: Final = Holder(party="", product="", kind="", currency="", country="", opened_at=0)


class Asked(msgspec.Struct, gc=False, array_like=True):
    """What was said of a payment that is not sent yet."""

    channel: str
    device: str
    country: str


class Sent(msgspec.Struct, gc=False, array_like=True):
    """A payment that is out and may still come back. seq: at which it was sent."""

    seq: int
    outside: str
    country: str


class Movements(msgspec.Struct):
    """What is needed between the events of one movement, until the last of them.

    asked, sent: payments, by id.   parked: receipts in suspense, whose payer the event that credits them does
    not name.   crossings: the account that a payment goes to, by the other book and its number.
    """

    time_zone: str = "UTC"
    day: int = 1
    asked: dict[str, Asked] = {}
    sent: dict[str, Sent] = {}
    parked: dict[str, OtherFace] = {}
    crossings: dict[str, str] = {}

    def _flow(
        self,
        fact: Any,
        who: Accounts,
        kind: FlowKind,
        *,
        amount: int,
        currency: str,
        source: str = "",
        target: str = "",
        outside: str = "",
        source_after: int = 0,
        target_after: int = 0,
        country: str = "",
        channel: str = "",
        device: str = "",
        movement: str = "",
        seq: int | None = None,
    ) -> Flow:
        holders = who.holders
        payer = holders.get(source, NOBODY)
        payee = holders.get(target, NOBODY)
        if payer is not NOBODY:
            source = payer.account
        if payee is not NOBODY:
            target = payee.account
        held = payer.currency or payee.currency
        if currency == held:
            currency = held
        return Flow(
            fact.book,
            fact.seq if seq is None else seq,
            fact.at,
            self.day,
            local_minute(self.time_zone, fact.at),
            kind,
            source,
            target,
            payer.party,
            payee.party,
            outside,
            source_after,
            target_after,
            amount,
            currency,
            country or payee.country,
            channel,
            device,
            movement,
        )

    # --- money that moves -----------------------------------------------------------------------------

    def transfer(self, fact: TransferFace, who: Accounts) -> Flow:
        """Between two accounts of the book."""
        origin = fact.origin
        postings = fact.postings
        return self._flow(
            fact,
            who,
            "transfer",
            amount=fact.amount,
            currency=fact.currency,
            source=fact.debit,
            target=fact.credit,
            source_after=postings[0].balance,
            target_after=postings[1].balance,
            channel=fact.channel,
            device="" if origin is None else origin.device,
        )

    def exchange(self, fact: ExchangedFace, who: Accounts) -> Flow:
        """One currency for another: the amount is what is sold."""
        sold = fact.lines[0]
        return self._flow(
            fact,
            who,
            "exchange",
            amount=sold.amount,
            currency=sold.currency,
            source=fact.debit,
            target=fact.credit,
            source_after=fact.postings[0].balance,
            target_after=fact.postings[3].balance,
            channel=fact.channel,
        )

    def submitted(self, fact: SubmittedFace) -> None:
        """A payment was asked for: how, is remembered until it is sent."""
        origin: OriginFace = fact.origin or NOWHERE
        self.asked[fact.payment] = Asked(fact.channel, origin.device, origin.country)

    def dispatched(self, fact: DispatchedFace, who: Accounts) -> Flow:
        """A payment was sent."""
        asked = self.asked.pop(fact.payment, None)
        outside = payee_key(fact.payee.account)
        self.sent[fact.payment] = Sent(fact.seq, outside, fact.payee.country)
        return self._flow(
            fact,
            who,
            "payment_out",
            amount=fact.amount,
            currency=fact.currency,
            source=fact.account,
            outside=outside,
            source_after=fact.postings[0].balance,
            country=fact.payee.country,
            channel="" if asked is None else asked.channel,
            device="" if asked is None else asked.device,
            movement=fact.payment,
        )

    def credited(self, fact: CreditedFace, who: Accounts) -> Flow:
        """A payment has come in."""
        return self._in(fact, who, fact.payer)

    def resolved(self, fact: ResolvedFace, who: Accounts) -> Flow:
        """A payment in, which had waited in suspense, was credited."""
        return self._in(fact, who, self.parked.pop(fact.receipt, OtherFace()))

    def _in(self, fact: CreditedFace | ResolvedFace, who: Accounts, payer: OtherFace) -> Flow:
        return self._flow(
            fact,
            who,
            "payment_in",
            amount=fact.amount,
            currency=fact.currency,
            target=fact.account,
            outside=payee_key(payer.account) if payer.account else "",
            target_after=_after(fact.postings, fact.account),
            country=payer.country,
            movement=fact.receipt,
        )

    def parked_in(self, fact: ParkedFace) -> None:
        """A payment in waits in suspense."""
        self.parked[fact.receipt] = fact.payer

    def sent_back(self, fact: SentBackFace) -> None:
        """It goes back to where it came from."""
        self.parked.pop(fact.receipt, None)

    def crossing(self, fact: CrossSentFace) -> None:
        """A payment to another book is under way."""
        self.crossings[f"{fact.to_book}\n{fact.number}"] = fact.to_account

    def not_crossed(self, fact: CrossReleasedFace) -> None:
        """The other book has refused it."""
        self.crossings.pop(f"{fact.to_book}\n{fact.number}", None)

    def crossed(self, fact: CrossDoneFace, who: Accounts) -> Flow:
        """The other book has credited it."""
        to_account = self.crossings.pop(f"{fact.to_book}\n{fact.number}", "")
        return self._flow(
            fact,
            who,
            "cross_out",
            amount=fact.amount,
            currency=fact.currency,
            source=fact.account,
            outside=payee_key(f"{fact.to_book}/{to_account}"),
            source_after=_after(fact.postings, fact.account),
            movement=fact.transfer,
        )

    def received(self, fact: CrossReceivedFace, who: Accounts) -> Flow:
        """Another book's payment was credited. Who has paid there, this book is not told: the key is of the
        book.
        """
        return self._flow(
            fact,
            who,
            "cross_in",
            amount=fact.amount,
            currency=fact.currency,
            target=fact.account,
            outside=payee_key(f"{fact.from_book}/"),
            target_after=_after(fact.postings, fact.account),
            movement=fact.transfer,
        )

    # --- money that comes back ------------------------------------------------------------------------

    def reversed(self, fact: ReversedFace, who: Accounts) -> Flow | None:
        """A transfer was taken back. None for entries, which were no flow."""
        if len(fact.postings) < 2 or fact.postings[0].amount <= 0:
            return None
        back, out = fact.postings[0], fact.postings[1]
        currency = who.holders.get(back.account, NOBODY).currency
        return self._flow(
            fact,
            who,
            "transfer",
            amount=back.amount,
            currency=currency,
            source=back.account,
            target=out.account,
            seq=fact.transfer,
        )

    def failed(self, fact: FailedFace, who: Accounts) -> Flow:
        """A payment was not carried out."""
        return self._back(fact, who, self.sent.pop(fact.payment, None))

    def returned(self, fact: ReturnedFace, who: Accounts) -> Flow | None:
        """Money came back. None for a part of it."""
        if fact.left or fact.returned_after != fact.amount:
            return None
        return self._back(fact, who, self.sent.pop(fact.payment, None))

    def _back(self, fact: FailedFace | ReturnedFace, who: Accounts, sent: Sent | None) -> Flow:
        return self._flow(
            fact,
            who,
            "payment_out",
            amount=fact.amount,
            currency=fact.currency,
            source=fact.account,
            outside="" if sent is None else sent.outside,
            country="" if sent is None else sent.country,
            movement=fact.payment,
            seq=0 if sent is None else sent.seq,
        )

    def settled(self, fact: SettledFace) -> None:
        """A payment has arrived. It may be returned all the same, and is then known by its amount."""
        self.sent.pop(fact.payment, None)

    def cancelled(self, fact: CancelledFace | DeclinedFace) -> None:
        """A payment was taken back, or declined in review, before it was sent: it never was a flow."""
        self.asked.pop(fact.payment, None)


def _after(postings: tuple[Any, ...], account: str) -> int:
    """The balance of the account after the first posting on it."""
    for posting in postings:
        if posting.account == account:
            balance: int = posting.balance
            return balance
    return 0
