"""The demo bank's desk: blocks, closings, reversals and refunds, and what is refused because of them."""

from __future__ import annotations

from gateway.demo_day import HOUR_MS, SOME_OF, Day
from gateway.demo_opening import CLERK, PAYMENTS, SETTLEMENT
from schemas.accounts import BlockAccount, CloseAccount
from schemas.parties import ChangePartyStatus
from schemas.transfers import RefundTransfer, ReverseTransfer


class Desk:
    """Plans the staff's day."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._pen = day.pen
        self._draw = day.draw
        self._persons = day.everyone.persons

    def plan(self, from_ms: int) -> None:
        """Some of everything."""
        for what in (self._from_blocked, self._take_back, self._give_part_back):
            for _ in range(max(1, len(self._persons) // SOME_OF)):
                self._day.plan(self._day.some_time(from_ms), what)
        for what in (self._block, self._blocked_party, self._close_savings, self._no_transfer):
            self._day.plan(from_ms + self._draw.between(9 * HOUR_MS, 17 * HOUR_MS), what)

    def _block(self, at_ms: int) -> None:
        who = self._day.someone(at_ms)
        if who is None:
            return
        until_ms = at_ms + self._draw.between(20, 70) * HOUR_MS
        self._pen.write(
            "block an account",
            BlockAccount,
            CLERK,
            at_ms,
            account=who.account,
            block=f"order-{at_ms}",
            direction="debits",
            authority="Local court",
            reason="attachment order",
            expires_at_ms=until_ms,
        )
        self._pen.block(who.account, until_ms)

    def _from_blocked(self, at_ms: int) -> None:
        standing = [account for account, until_ms in self._pen.blocked.items() if until_ms > at_ms]
        if standing:
            self._day.refused(
                "pay from a blocked account",
                "account_blocked",
                PAYMENTS,
                at_ms,
                self._draw.of(standing),
                SETTLEMENT,
                1,
            )

    def _blocked_party(self, at_ms: int) -> None:
        who = self._draw.of(self._persons)
        for status, expected in (("blocked", "refused"), ("active", "")):
            self._pen.write(
                "block a customer for a moment",
                ChangePartyStatus,
                CLERK,
                at_ms,
                party=who.party,
                status=status,
                reason="identity document has expired" if expected else "new document seen",
            )
            if expected:
                self._day.refused(
                    "pay as a blocked customer",
                    "party_not_active",
                    PAYMENTS,
                    at_ms,
                    who.account,
                    SETTLEMENT,
                    5_00,
                )

    def _close_savings(self, at_ms: int) -> None:
        who = next((one for one in (self._draw.of(self._persons) for _ in range(8)) if one.savings), None)
        if who is None:
            return
        closing = {"account": who.savings, "reason": "at the customer's wish"}
        rest = self._pen.balances[who.savings]
        if rest:
            self._pen.write(
                "close an account that holds money",
                CloseAccount,
                CLERK,
                at_ms,
                "account_not_empty",
                **closing,
            )
            self._pen.transfer("empty an account", CLERK, at_ms, who.savings, who.account, rest, "closing")
        self._pen.write("close an account", CloseAccount, CLERK, at_ms, **closing)
        self._day.refused(
            "pay to a closed account", "account_not_open", PAYMENTS, at_ms, who.account, who.savings, 20_00
        )
        who.savings = ""

    def _no_transfer(self, at_ms: int) -> None:
        self._pen.write(
            "reverse what is no transfer",
            ReverseTransfer,
            CLERK,
            at_ms,
            "transfer_not_found",
            transfer=1,
            reason="entered by mistake",
        )

    def _take_back(self, at_ms: int) -> None:
        """Reverse a transfer between people, while the money is still there; then once more."""
        if not self._day.moved:
            return
        moved = self._day.moved.popleft()
        one = moved.command
        if not self._pen.can_pay(one.credit, one.amount, at_ms):
            return
        given = {"transfer": moved.seq, "reason": "paid to the wrong person"}
        self._pen.write("reverse a transfer", ReverseTransfer, CLERK, at_ms, **given)
        self._pen.move(one.credit, one.debit, one.amount)
        self._pen.write(
            "reverse a transfer twice", ReverseTransfer, CLERK, at_ms, "already_reversed", **given
        )

    def _give_part_back(self, at_ms: int) -> None:
        """Refund a part of a card payment; then more than is left of it."""
        if not self._day.bought:
            return
        bought = self._day.bought.popleft()
        one = bought.command
        part = self._draw.between(1, one.amount)
        given = {"transfer": bought.seq, "reason": "returned goods"}
        self._pen.write("refund a card payment", RefundTransfer, one.actor, at_ms, amount=part, **given)
        self._pen.move(one.credit, one.debit, part)
        self._pen.write(
            "refund more than was paid",
            RefundTransfer,
            one.actor,
            at_ms,
            "refund_exceeds_original",
            amount=one.amount - part + 1,
            **given,
        )
