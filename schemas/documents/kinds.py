"""Every kind of document in one place, and the one way from a body to a document.

Add a kind by adding its class to `DOCUMENTS` and its name to `DocumentKind`.
"""

from __future__ import annotations

import functools
from typing import Any, Literal, get_args

import msgspec
from pydantic import TypeAdapter, ValidationError

from schemas.documents.approval_policies import ApprovalPolicy
from schemas.documents.calendars import Calendar
from schemas.documents.case_policy import CasePolicy
from schemas.documents.charts import Chart
from schemas.documents.counterparts import Counterpart
from schemas.documents.document import Document, Problem
from schemas.documents.limits import Limits
from schemas.documents.lists import Listing
from schemas.documents.models import Model
from schemas.documents.products import Product
from schemas.documents.rails import Rail
from schemas.documents.rates import Rates
from schemas.documents.roles import Roles
from schemas.documents.rules import Rules
from schemas.documents.suspense import Suspense
from schemas.documents.tariffs import Tariff
from schemas.documents.typologies import Typologies
from schemas.documents.wording import problem_of, problems_in

DocumentKind = Literal[
    "product",
    "counterpart",
    "approval_policy",
    "roles",
    "tariff",
    "limits",
    "chart",
    "rail",
    "calendar",
    "rates",
    "suspense",
    "case_policy",
    "rules",
    "list",
    "model",
    "typologies",
]
DOCUMENTS: dict[str, type[Document]] = {
    "product": Product,
    "counterpart": Counterpart,
    "approval_policy": ApprovalPolicy,
    "roles": Roles,
    "tariff": Tariff,
    "limits": Limits,
    "chart": Chart,
    "rail": Rail,
    "calendar": Calendar,
    "rates": Rates,
    "suspense": Suspense,
    "case_policy": CasePolicy,
    "rules": Rules,
    "list": Listing,
    "model": Model,
    "typologies": Typologies,
}
assert tuple(DOCUMENTS) == get_args(DocumentKind), "every kind of document has its class"


@functools.cache
def _adapter(kind: str) -> TypeAdapter[Document]:
    return TypeAdapter(DOCUMENTS[kind])


def read(kind: str, body: dict[str, Any]) -> Document | list[Problem]:
    """The document in a body of plain data, or all that is wrong with it."""
    try:
        value = msgspec.json.encode(body)
        document = _adapter(kind).validate_json(value)
        msgspec.json.decode(value, type=DOCUMENTS[kind])
    except ValidationError as error:
        return problems_in(DOCUMENTS[kind], error)
    except msgspec.ValidationError as error:  # pydantic takes the date "0" for the first day of 1970
        return [problem_of(error)]
    except RecursionError:
        return [Problem("", "is nested too deeply")]
    except (TypeError, ValueError, OverflowError) as error:
        return [Problem("", f"cannot be written as JSON ({error})")]
    return list(document.problems()) or document


def known(kind: str, body: dict[str, Any]) -> Document:
    """The document in a body that was checked when it was published."""
    document: Document = msgspec.convert(body, DOCUMENTS[kind])
    return document
