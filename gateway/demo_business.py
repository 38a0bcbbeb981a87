"""The demo's second chapter: a day in a bank, in a book of its own, each step answered before the next.

Two persons run it, and neither can do alone what matters. It is said command by command, with what came of
each; the same words give the same book, to the digest, on every log. Nothing here decides.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from commands.calendar import midnight_ms
from gateway.demo_business_documents import LIMITS, POLICY, PRODUCT, RAIL, RATES, SUSPENSE, TARIFF
from gateway.demo_told import Line
from gateway.demo_two import ANNA, STEP_MS, Submit, TwoPersons
from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem
from schemas.accounts import OpenAccount
from schemas.books import AdvanceTime
from schemas.exchange import Exchange, RequestQuote
from schemas.holds import CaptureHold, PlaceHold
from schemas.instructions import ToAccount
from schemas.limits import RaiseLimit
from schemas.money import format_minor
from schemas.orders import CreateStandingOrder
from schemas.parties import RegisterParty
from schemas.payments import Payee, SubmitPayment
from schemas.payments_in import Payer, ReceivePayment, ResolveSuspense
from schemas.publishing import PublishDocument
from schemas.rail_reports import ReportPayment
from schemas.transfers import Transfer

BOOK = "a-day"
TIME_ZONE = "Europe/Berlin"
DAY = datetime.date(2026, 4, 1)
NEXT_MS = midnight_ms(TIME_ZONE, DAY + datetime.timedelta(days=1))
GATE = "sepa-gate"


class BusinessDay(TwoPersons):
    """The day. submit: decides commands and gives their outcomes.   admin: may open books."""

    def __init__(self, submit: Submit, admin: str) -> None:
        super().__init__(submit, BOOK, midnight_ms(TIME_ZONE, DAY) + 7 * 3_600_000)
        self._admin = admin

    def lines(self) -> Iterator[Line]:
        """The day, line by line, as it is decided."""
        for scene in (
            self._opening,
            self._product,
            self._customers,
            self._limit,
            self._card,
            self._exchange,
            self._standing_order,
            self._suspense,
            self._payments,
            self._end_of_day,
        ):
            yield from scene()

    def _opening(self) -> Iterator[Line]:
        yield self.opens_book(
            self._admin,
            "A day in a bank",
            "two persons administer it, so everything below takes both of them where it matters",
            TIME_ZONE,
        )
        for account, kind in (
            ("nostro", "nostro"),
            ("sepa-transit", "suspense"),
            ("sepa-suspense", "suspense"),
            ("suspense", "suspense"),
            ("fee-income", "income"),
            ("interest-paid", "expense"),
            ("interest-accrued", "accrued"),
            ("position-eur", "fx_position"),
            ("position-usd", "fx_position"),
        ):
            what = f"opens the bank's account {account}"
            currency = "USD" if account.endswith("usd") else "EUR"
            yield self.do(ANNA, what, OpenAccount, account=account, kind=kind, currency=currency)
        permits = (Permit(command="ReportPayment"), Permit(command="ReceivePayment"))
        yield from self.by_two("lets rails report", DefineRole, role="rail", permits=permits)
        yield from self.by_two("registers the rail's system", RegisterSystem, system=GATE, purpose="SEPA")
        yield from self.by_two("gives it that role", GrantRole, subject=GATE, role="rail")

    def _product(self) -> Iterator[Line]:
        why = "a product is configured by documents, and nobody puts one in force alone"
        for kind, document, body in (
            ("tariff", "everyday", TARIFF),
            ("limits", "everyday", LIMITS),
            ("product", "everyday", PRODUCT),
            ("rail", "sepa", RAIL),
            ("rates", "market", RATES),
            ("suspense", "suspense", SUSPENSE),
            ("approval_policy", "payments", POLICY),
        ):
            yield from self.by_two(
                f"publishes the {kind.replace('_', ' ')} {document}",
                PublishDocument,
                why,
                kind=kind,
                document=document,
                version=1,
                body=body,
            )

    def _customers(self) -> Iterator[Line]:
        for party, name in (("clara", "Clara Conrad"), ("david", "David Daub")):
            about: dict[str, Any] = {"kind": "person", "name": name, "status": "active", "country": "DE"}
            yield self.do(ANNA, f"registers {name}", RegisterParty, party=party, **about)
            yield self.do(
                ANNA,
                f"opens {party}'s account",
                OpenAccount,
                account=party,
                party=party,
                currency="EUR",
                product="everyday",
            )
        for _ in range(2):
            yield self._transfer("nostro", "clara", 1_400_000, "money comes in")
        yield self._transfer("clara", "david", 50_000, "the tariff's 0.1 %, a posting of its own")

    def _limit(self) -> Iterator[Line]:
        yield self._transfer(
            "clara", "david", 1_600_000, "more than the product lets out at once", "limit_exceeded"
        )
        yield from self.by_two(
            "raises Clara's limit to 20,000.00 for today",
            RaiseLimit,
            "a raise expires by itself",
            limits="everyday",
            line="each",
            by="account",
            holder="clara",
            most=2_000_000,
            until_ms=NEXT_MS,
            reason="buys a car",
        )
        yield self._transfer("clara", "david", 1_600_000, "so large that policy asks a second person")
        yield self.approve("the money was reserved meanwhile; it is decided again on the book as it is now")

    def _card(self) -> Iterator[Line]:
        yield self.do(
            ANNA,
            "reserves 120.00 for Clara's hotel",
            PlaceHold,
            "reserved is not booked, and cannot be spent",
            hold="hotel",
            account="clara",
            amount=12_000,
            currency="EUR",
        )
        yield self.do(
            ANNA,
            "captures 95.00 of it",
            CaptureHold,
            "what the hotel did not take is Clara's again",
            hold="hotel",
            amount=9_500,
            credit="nostro",
            final=True,
        )

    def _exchange(self) -> Iterator[Line]:
        yield self.do(
            ANNA,
            "opens Clara's account in dollars",
            OpenAccount,
            account="clara-usd",
            party="clara",
            currency="USD",
        )
        yield self.do(
            ANNA,
            "asks what dollars for 1,000.00 are",
            RequestQuote,
            "a rate that holds for two minutes, with the bank's margin in it",
            quote="holiday",
            sell="EUR",
            buy="USD",
            sell_amount=100_000,
            debit="clara",
            credit="clara-usd",
        )
        yield self.do(
            ANNA,
            "takes the quote for Clara",
            Exchange,
            "four postings: each currency against the bank's position in it",
            debit="clara",
            credit="clara-usd",
            quote="holiday",
        )

    def _standing_order(self) -> Iterator[Line]:
        yield self.do(
            ANNA,
            "sets up 200.00 a month from Clara to David",
            CreateStandingOrder,
            "its first run is tomorrow, by itself",
            order="allowance",
            account="clara",
            amount=20_000,
            currency="EUR",
            to=ToAccount(account="david"),
            every="month",
            first=DAY + datetime.timedelta(days=1),
        )

    def _suspense(self) -> Iterator[Line]:
        yield self.do(
            GATE,
            "brings 70.00 for an account that nobody has",
            ReceivePayment,
            "nothing is dropped: it waits in suspense, with a reason and an owner",
            receipt="in-1",
            rail="sepa",
            nostro="nostro",
            amount=7_000,
            currency="EUR",
            payer=Payer(name="Petra Payer"),
            account="claro",
        )
        yield self.do(
            ANNA,
            "finds out that Clara was meant",
            ResolveSuspense,
            "credited, and out of suspense",
            receipt="in-1",
            account="clara",
            note="a letter off",
        )

    def _payments(self) -> Iterator[Line]:
        payee = Payee(name="Paula Payee", account="DE02120300000000202051", agent="BYLADEM1001", country="DE")
        for payment, amount in (("rent", 90_000), ("deposit", 150_000)):
            yield self.do(
                ANNA,
                f"pays {format_minor(amount, 2)} for Clara: {payment}",
                SubmitPayment,
                "sent to the rail at once: it is before the cut-off",
                payment=payment,
                account="clara",
                amount=amount,
                currency="EUR",
                rail="sepa",
                payee=payee,
            )
        for payment in ("rent", "deposit"):
            yield self._report(payment, "settled", "the money has left the bank")
        yield self._report("deposit", "returned", "the payee's account is closed: the money comes back")

    def _end_of_day(self) -> Iterator[Line]:
        yield self.do(
            ANNA,
            "lets the day end",
            AdvanceTime,
            "what happens by itself stands below: the raise ends, interest accrues, the order runs",
            at_ms=NEXT_MS + STEP_MS,
            to_ms=NEXT_MS + STEP_MS,
        )
        self.at_ms = NEXT_MS + STEP_MS
        yield self._transfer("clara", "david", 1_600_000, "the raise was for one day", "limit_exceeded")

    def _transfer(self, debit: str, credit: str, amount: int, why: str, expected: str = "") -> Line:
        return self.do(
            ANNA,
            f"transfers {format_minor(amount, 2)} from {debit} to {credit}",
            Transfer,
            why,
            expected,
            debit=debit,
            credit=credit,
            amount=amount,
            currency="EUR",
        )

    def _report(self, payment: str, status: str, why: str) -> Line:
        what = f"reports: {payment} {status}"
        return self.do(GATE, what, ReportPayment, why, payment=payment, status=status, rail_reference=status)
