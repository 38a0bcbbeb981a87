"""Products, limits and tariffs in the domain's words. Amounts are cents."""

from __future__ import annotations

from typing import Any

from schemas.fees import WaiveFee
from schemas.limits import RaiseLimit
from schemas.publishing import PublishDocument
from tests.story import Said, ThatWith, Word, internal, say


def document(kind: str, name: str, body: dict[str, Any], version: int = 1, **fields: Any) -> Said:
    """A version of a document, in force at once unless it says when."""
    return say(
        PublishDocument, **{"kind": kind, "document": name, "version": version, "body": body, **fields}
    )


def limits(name: str, *lines: dict[str, Any], version: int = 1, **fields: Any) -> Said:
    return document("limits", name, {"lines": list(lines)}, version, **fields)


def tariff(name: str, *lines: dict[str, Any], packages: Any = (), version: int = 1, **fields: Any) -> Said:
    return document("tariff", name, {"lines": list(lines), "packages": list(packages)}, version, **fields)


def product(name: str, *, version: int = 1, at: int | None = None, **body: Any) -> Said:
    fields = {} if at is None else {"effective_from_ms": at}
    return document("product", name, {"name": name.title(), **body}, version, **fields)


def limit(line: str, most: int, window: str = "day", **fields: Any) -> dict[str, Any]:
    """A limit in EUR: a sum by account within a day, unless it says otherwise."""
    measure = "amount" if window == "transaction" else "sum"
    return {"id": line, "measure": measure, "most": most, "window": window, "currency": "EUR", **fields}


def fee(line: str, **fields: Any) -> dict[str, Any]:
    """A tariff line in EUR; its income account is `fees`."""
    return {"id": line, "currency": "EUR", "income": "fees", **fields}


def limited(*lines: dict[str, Any], **body: Any) -> Word:
    """The product `giro` with these limits."""
    return [limits("retail", *lines), product("giro", limits=["retail"], **body)]


def charged(*lines: dict[str, Any], packages: Any = (), **body: Any) -> Word:
    """The product `giro` with a tariff of these lines."""
    return [
        internal("fees", "income"),
        tariff("prices", *lines, packages=packages),
        product("giro", tariff="prices", **body),
    ]


def raised(line: str, most: int, until_ms: int, *, account: str = "", party: str = "") -> Said:
    """A line of `retail` is raised for an account or a party."""
    by, holder = ("account", account) if account else ("party", party)
    return say(
        RaiseLimit,
        limits="retail",
        line=line,
        by=by,
        holder=holder,
        most=most,
        until_ms=until_ms,
        reason="asked by phone",
    )


def waived(of: str | int, account: str, line: str) -> Said:
    """The fee of the transfer with this reference, or seq."""
    charged_by = ThatWith(of) if isinstance(of, str) else of
    return say(WaiveFee, charged=charged_by, account=account, line=line, reason="goodwill")
