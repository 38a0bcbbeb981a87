"""The documents in force, decoded and compiled once when they take effect, so that decisions only look up.

Each kind has its field here; `book/documents.py` has the table of what fills them.
"""

from __future__ import annotations

import msgspec

from book.accruals import InterestInForce
from book.banking_days import BankingDays
from book.features.counts import Keeping
from book.plans import FeePlan, LimitPlan, ProductPlan
from book.policies import LinesInForce
from book.rates import RatesInForce
from book.ruling import Ruling
from schemas.documents.approval_policies import ApprovalPolicy
from schemas.documents.case_policy import CasePolicy
from schemas.documents.counterparts import Counterpart
from schemas.documents.products import Product
from schemas.documents.rails import Rail
from schemas.documents.roles import TOXIC, Pair


class InForce(msgspec.Struct):
    """products: by id; an account names its product.

    interest: of a product in a currency, by `interest_key`; the newest last; days before keep theirs.
    counterparts: by the other book.
    approval_policies: by id, with their version.   policies: their lines by command type.
    limits, tariffs: the lines of each document.   plans: both together with the product, by product.
    rails: by id; a payment names its rail.
    calendars: the banking days of each, by its id.
    toxic: what no role may permit both.   emergency: the roles that check in anybody's place.
    rates: the tables of exchange rates, by id.   cases: how they are worked; None where no policy says.
    rates: the tables of exchange rates, by id.
    ruling: rules, lists and models.
    kept_features, keeping: the features that rules in force name, and what is counted for them, None where
    that is nothing; `book/features/keeping.py` sets both.   wanted_features: that are kept besides, since
    somebody asks what would be if rules named them; a book that lives has none.
    """

    products: dict[str, Product] = {}
    interest: dict[str, list[InterestInForce]] = {}
    counterparts: dict[str, Counterpart] = {}
    approval_policies: dict[str, tuple[int, ApprovalPolicy]] = {}
    policies: dict[str, LinesInForce] = {}
    toxic: tuple[Pair, ...] = TOXIC
    emergency: tuple[str, ...] = ()
    limits: dict[str, tuple[LimitPlan, ...]] = {}
    tariffs: dict[str, tuple[FeePlan, ...]] = {}
    plans: dict[str, ProductPlan] = {}
    rails: dict[str, Rail] = {}
    calendars: dict[str, BankingDays] = {}
    rates: dict[str, RatesInForce] = {}
    cases: CasePolicy | None = None
    ruling: Ruling = msgspec.field(default_factory=Ruling)
    kept_features: tuple[str, ...] = ()
    keeping: Keeping | None = None
    wanted_features: tuple[str, ...] = ()
