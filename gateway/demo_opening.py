"""The demo bank before its first day: the book, its staff and systems, their roles, the customers, their
first money.
"""

from __future__ import annotations

from gateway.demo_pen import Pen
from gateway.demo_people import Business, People, Person
from gateway.demo_words import Draw, person_name
from schemas.access import DefineRole, GrantRole, Permit, RegisterPerson, RegisterSystem, RegisterUser, Scope
from schemas.accounts import OpenAccount
from schemas.books import REPEAT_CAP, Administrator, OpenBook
from schemas.parties import RegisterParty

SETUP = "set the bank up"
TELLERS = ("teller-1", "teller-2", "teller-3")
CLERK, AUDITOR = "clerk-1", "auditor-1"
CARDS, PAYMENTS = "cards", "payments"
NOSTRO, NOSTRO_USD, CASH, SETTLEMENT, FEES = (
    "nostro-eur",
    "nostro-usd",
    "cash-desk",
    "card-settlement",
    "card-fees",
)
TELLER_LIMIT = 5_000_00

SYSTEMS = ((CARDS, "card scheme"), (PAYMENTS, "salaries, standing orders and direct debits"))
STAFF = (*((user, "teller") for user in TELLERS), (CLERK, "clerk"), (AUDITOR, "auditor"))
ROLES: dict[str, tuple[Permit, ...]] = {
    "teller": (
        Permit(
            command="Transfer",
            scope=Scope(
                account_kinds=("customer", "nostro"), amounts={"EUR": TELLER_LIMIT, "USD": TELLER_LIMIT}
            ),
        ),
    ),
    "clerk": tuple(
        Permit(command=name)
        for name in (
            "RegisterParty",
            "ChangePartyProfile",
            "ChangePartyStatus",
            "OpenAccount",
            "SetOverdraft",
            "BlockAccount",
            "LiftBlock",
            "CloseAccount",
            "Transfer",
            "ReverseTransfer",
            "RefundTransfer",
        )
    ),
    "auditor": (),
    CARDS: (
        Permit(command="Transfer", scope=Scope(account_kinds=("customer",), amounts={"EUR": 3_000_00})),
        Permit(command="PostEntries"),
        Permit(command="RefundTransfer"),
    ),
    PAYMENTS: (Permit(command="Transfer", scope=Scope(account_kinds=("customer",))),),
    "customer": (Permit(command="Transfer", scope=Scope(own_party=True)),),
}
BANKS_OWN = (
    (NOSTRO, "EUR", "nostro"),
    (NOSTRO_USD, "USD", "nostro"),
    (CASH, "EUR", "nostro"),
    (SETTLEMENT, "EUR", "suspense"),
    (FEES, "EUR", "income"),
)


class Opening:
    """Writes the setup, a millisecond a command."""

    def __init__(self, pen: Pen, draw: Draw, admin: str, time_zone: str) -> None:
        self._pen = pen
        self._draw = draw
        self._admin = admin
        self._time_zone = time_zone
        self._at_ms = pen.at_ms

    def write(self, everyone: People) -> None:
        """All of it."""
        self._book(len(everyone.businesses) + len(everyone.persons))
        self._staff()
        for account, currency, kind in BANKS_OWN:
            self._say(OpenAccount, account=account, currency=currency, kind=kind)
            self._pen.balances[account] = 0
        for business in everyone.businesses:
            self._business(business)
        for person in everyone.persons:
            self._person(person)

    def _book(self, parties: int) -> None:
        self._say(
            OpenBook,
            name="Demo bank",
            currency="EUR",
            administrators=(Administrator(person=f"person-{self._admin}"[:64], user=self._admin),),
            time_zone=self._time_zone,
            clock="commanded",
            repeat_cap=max(REPEAT_CAP, parties * 40),
            reversible_days=400,
        )

    def _staff(self) -> None:
        for role, permits in ROLES.items():
            self._say(DefineRole, role=role, permits=permits)
        for user, role in STAFF:
            self._say(RegisterPerson, person=f"staff-{user}", name=person_name(self._draw))
            self._say(RegisterUser, user=user, person=f"staff-{user}")
            self._say(GrantRole, subject=user, role=role)
        for system, purpose in SYSTEMS:
            self._say(RegisterSystem, system=system, purpose=purpose)
            self._say(GrantRole, subject=system, role=system)

    def _business(self, one: Business) -> None:
        self._say(
            RegisterParty,
            party=one.party,
            kind="business",
            name=one.name,
            country="DE",
            born_on=one.founded,
            segment="business",
            branch="main",
            status="active",
        )
        self._account(
            one.account, one.party, "business", one.payroll * 3 // 2 + self._draw.between(200, 2_000) * 100_00
        )
        if one.usd:
            self._account(
                one.usd, one.party, "business", self._draw.between(50, 900) * 100_00, currency="USD"
            )

    def _person(self, one: Person) -> None:
        self._say(
            RegisterParty,
            party=one.party,
            kind="person",
            name=one.name,
            country=one.country,
            born_on=one.born_on,
            segment="retail",
            branch="main",
            status="active",
        )
        self._account(
            one.account, one.party, "current", self._draw.between(200_00, 4_800_00), overdraft=one.overdraft
        )
        if one.savings:
            self._account(one.savings, one.party, "savings", self._draw.between(1, 150) * 100_00)
        if one.user:
            self._say(RegisterPerson, person=one.party, name=one.name)
            self._say(RegisterUser, user=one.user, person=one.party, party=one.party)
            self._say(GrantRole, subject=one.user, role="customer")

    def _account(
        self,
        account: str,
        party: str,
        product: str,
        opening: int,
        *,
        currency: str = "EUR",
        overdraft: int = 0,
    ) -> None:
        self._say(
            OpenAccount,
            account=account,
            currency=currency,
            party=party,
            product=product,
            branch="main",
            overdraft=overdraft,
        )
        self._pen.balances[account] = overdraft
        nostro = NOSTRO if currency == "EUR" else NOSTRO_USD
        self._at_ms += 1
        self._pen.transfer(
            SETUP, self._admin, self._at_ms, nostro, account, opening, "opening balance", currency
        )

    def _say(self, message: type, **fields: object) -> None:
        self._at_ms += 1
        self._pen.write(SETUP, message, self._admin, self._at_ms, **fields)
