"""The demo's third chapter: a month at the risk desk, in a book of its own.

Into a month of transfers one example of each typology is planted; payments are scored as they come; what is
noticed becomes cases, and a case is worked to its end by two. The same words give the same book, on every
log. Nothing here decides or detects.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from commands.calendar import midnight_ms
from gateway.demo_risk_documents import ANALYST, CASES, RAIL, rules
from gateway.demo_told import Line
from gateway.demo_two import ANNA, STEP_MS, Submit, TwoPersons
from gateway.planted import Plan, plant
from gateway.planted_documents import DEMO, document
from schemas.access import DefineRole, GrantRole, Permit, RegisterPerson, RegisterSystem, RegisterUser
from schemas.accounts import OpenAccount
from schemas.case_commands import ConfirmDecision, ProposeDecision, TakeNextCase
from schemas.cases import CaseAssigned, DecisionProposed
from schemas.message import Event
from schemas.money import format_minor
from schemas.parties import RegisterParty
from schemas.payments import Payee, SubmitPayment
from schemas.publishing import PublishDocument
from schemas.rail_reports import ReportPayment
from schemas.rejections import CommandRejected
from schemas.reported import ReportAlerts
from schemas.reviews import ReleasePayment
from schemas.risk import Origin
from schemas.transfers import Transfer

BOOK: Final = "a-risk-desk"
TIME_ZONE: Final = "Europe/Berlin"
FIRST_DAY: Final = datetime.date(2026, 6, 1)
DAYS: Final = 28
HOUR_MS: Final = 3_600_000
BEGAN_MS: Final = midnight_ms(TIME_ZONE, FIRST_DAY) + 7 * HOUR_MS
DAY_MS: Final = 86_400_000
AT_HOME: Final = Origin(device="eriks-phone", country="DE")
CARLA, DARIO, APP, GATE, TRIAGE = "carla", "dario", "bank-app", "sepa-gate", "triage"
RULES: Final = "payments"
FOUND: Final = {
    "erik": ("confirmed_fraud", "the customer's phone was stolen that evening"),
    "frida": ("legitimate", "the customer has the car, and we have seen the papers"),
}
"""What is found in the cases about them."""
DECLINED: Final = "flat-deposit"
"""The payment that is declined; its waterfall is what the demo shows."""
_PAYEES: Final = (
    ("Landlord", "DE02120300000000202051", 78_000),
    ("Grocer", "DE02500105170137075030", 6_400),
    ("Power company", "DE02100500000054540402", 9_100),
    ("Sports club", "DE02300209000106531065", 3_500),
)


class RiskMonth(TwoPersons):
    """The month. submit: decides commands and gives their outcomes.   admin: may open books.

    planted: what is to be found in it.
    """

    def __init__(self, submit: Submit, admin: str) -> None:
        super().__init__(submit, BOOK, BEGAN_MS)
        self._admin = admin
        self._about: dict[str, str] = {}
        self._plan: Plan = plant(
            BOOK,
            ANNA,
            document(DEMO),
            BEGAN_MS + HOUR_MS,
            DAYS,
            funding="nostro",
            cash="cash",
        )
        self.planted = self._plan.planted

    def lines(self) -> Iterator[Line]:
        """The month up to what is noticed in it, line by line, as it is decided."""
        yield from self._opening()
        yield from self._documents()
        yield from self._customers()
        yield self._weeks()
        yield from self._scored()

    def _opening(self) -> Iterator[Line]:
        yield self.opens_book(self._admin, "A month at the risk desk", "another book of the bank", TIME_ZONE)
        for account, kind in (
            ("nostro", "nostro"),
            ("cash", "nostro"),
            ("sepa-transit", "suspense"),
            ("sepa-suspense", "suspense"),
        ):
            what = f"opens the bank's account {account}"
            yield self.do(ANNA, what, OpenAccount, account=account, kind=kind, currency="EUR")
        for user, name in ((CARLA, "Carla Curti"), (DARIO, "Dario Dorn")):
            yield self.do(ANNA, f"makes {name} known", RegisterPerson, person=f"{user}-p", name=name)
            yield from self.by_two(f"gives {user} a user", RegisterUser, user=user, person=f"{user}-p")
        for role, holders, permitted in (
            ("analyst", (CARLA, DARIO), ANALYST),
            ("app", (APP,), ("SubmitPayment",)),
            ("rail", (GATE,), ("ReportPayment",)),
            ("triage", (TRIAGE,), ("ReportAlerts", "RaiseFlag")),
        ):
            permits = tuple(Permit(command=one) for one in permitted)
            yield from self.by_two(f"defines the role {role}", DefineRole, role=role, permits=permits)
            for holder in holders:
                if role != "analyst":
                    yield from self.by_two(
                        f"registers the system {holder}", RegisterSystem, system=holder, purpose=role
                    )
                yield from self.by_two(f"gives {holder} that role", GrantRole, subject=holder, role=role)

    def _documents(self) -> Iterator[Line]:
        why = "rules and figures are documents: nobody puts one in force alone"
        for kind, name, body in (
            ("rail", "sepa", RAIL),
            ("rules", RULES, rules(decline=70)),
            ("typologies", "watch", document(DEMO)),
            ("case_policy", "cases", CASES),
        ):
            yield from self.by_two(
                f"publishes the {kind.replace('_', ' ')} {name}",
                PublishDocument,
                why,
                kind=kind,
                document=name,
                version=1,
                body=body,
            )

    def _customers(self) -> Iterator[Line]:
        for party, name, money in (("erik", "Erik Ehlers", 1_200_000), ("frida", "Frida Falk", 330_000)):
            about: dict[str, Any] = {"kind": "person", "name": name, "status": "active", "country": "DE"}
            yield self.do(ANNA, f"registers {name}", RegisterParty, party=party, **about)
            yield self.do(
                ANNA, f"opens {party}'s account", OpenAccount, account=party, party=party, currency="EUR"
            )
            yield self.do(
                ANNA,
                f"brings {party} {format_minor(money, 2)}",
                Transfer,
                debit="nostro",
                credit=party,
                amount=money,
                currency="EUR",
            )

    def _weeks(self) -> Line:
        """Four weeks: what is planted, and Erik's own payments, the norm that rules compare with."""
        commands = [one for one in self._plan.commands if not isinstance(one, PublishDocument)]
        began_ms = self.at_ms + STEP_MS
        for week in range(4):
            for number, (name, account, amount) in enumerate(_PAYEES):
                if week and amount > 50_000:
                    continue
                at_ms = began_ms + (7 * week + number) * DAY_MS + 11 * HOUR_MS
                payee = Payee(name=name, account=account, country="DE")
                payment = f"week-{week}-{number}"
                commands += [
                    self._payment(payment, "erik", at_ms, payee, amount + 150 * week, AT_HOME),
                    ReportPayment(
                        id=f"gate-{payment}",
                        book=BOOK,
                        actor=GATE,
                        issued_at_ms=at_ms + HOUR_MS,
                        payment=payment,
                        status="settled",
                        rail_reference=payment,
                    ),
                ]
        commands.sort(key=lambda one: one.issued_at_ms)
        outcomes = self.answered(commands)
        refused = [one for one in outcomes if isinstance(one[0], CommandRejected)]
        self.at_ms = commands[-1].issued_at_ms
        return Line(
            self.at_ms,
            "everybody",
            f"sends {len(commands)} commands in four weeks",
            f"{len(outcomes) - len(refused)} accepted, {len(refused)} refused",
            f"{len(self.planted)} patterns are planted among them, one for each typology",
            not refused,
        )

    def _scored(self) -> Iterator[Line]:
        asked_ms = (self.at_ms // DAY_MS + 1) * DAY_MS + HOUR_MS
        new = Payee(name="Quick Flats", account="LT601010012345678901", country="LT")
        for payment, who, amount, origin, why, expected in (
            (
                DECLINED,
                "erik",
                880_000,
                Origin(device="other-phone", country="LT"),
                "the caller is told `declined` and nothing else; why is for staff",
                "declined",
            ),
            (
                "used-car",
                "frida",
                310_000,
                Origin(device="fridas-phone", country="DE"),
                "to the caller it is accepted and being processed; it waits for a person, its money reserved",
                "",
            ),
        ):
            command = self._payment(payment, who, asked_ms, new, amount, origin)
            yield self.tell(f"pays {format_minor(amount, 2)} for {who}: {payment}", command, why, expected)
            asked_ms += 9 * HOUR_MS
        self.at_ms = asked_ms - 7 * HOUR_MS
        yield self.do(
            CARLA,
            "releases used-car",
            ReleasePayment,
            "she is not who asked for it; time alone would have declined it",
            payment="used-car",
            reason="called the customer back on the number we know",
            label="legitimate",
        )

    def report(self, commands: Sequence[ReportAlerts]) -> tuple[int, int]:
        """Report what triage has grouped; how many were taken, and how many said nothing new."""
        self._about.update((one.case, one.party) for one in commands)
        outcomes = self.answered(commands)
        new = sum(1 for one in outcomes if not isinstance(one[0], CommandRejected))
        return new, len(outcomes) - new

    def worked(self) -> Iterator[Line]:
        """Three cases, from the queue to their end."""
        for kind in ("fraud", "fraud", "aml"):
            yield from self._case(kind)

    def _case(self, kind: str) -> Iterator[Line]:
        yield self.do(
            CARLA,
            f"takes the next case of {kind}",
            TakeNextCase,
            "the queue is ranked by what is at stake, and no two people get the same",
            kinds=(kind,),
        )
        taken = _first(self.events, CaseAssigned)
        if taken is None:
            return
        label, reason = FOUND.get(self._about[taken.case], ("suspicious", "no business explains the pattern"))
        yield self.do(
            CARLA,
            f"proposes to close it: {label.replace('_', ' ')}",
            ProposeDecision,
            "what she found labels the alerts and payments behind it",
            case=taken.case,
            label=label,
            reason=reason,
        )
        proposed = _first(self.events, DecisionProposed)
        if proposed is None:
            return
        yield self.do(
            DARIO,
            "confirms it",
            ConfirmDecision,
            "four eyes: she could not have done so herself",
            case=taken.case,
            proposal=proposed.seq,
        )

    def _payment(
        self, payment: str, account: str, at_ms: int, payee: Payee, amount: int, origin: Origin
    ) -> SubmitPayment:
        return SubmitPayment(
            id=f"app-{payment}",
            book=BOOK,
            actor=APP,
            issued_at_ms=at_ms,
            payment=payment,
            account=account,
            amount=amount,
            currency="EUR",
            rail="sepa",
            payee=payee,
            channel="app",
            origin=origin,
        )


def _first(events: Iterable[Event], kind: type[Any]) -> Any | None:
    return next((one for one in events if isinstance(one, kind)), None)
