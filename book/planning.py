"""What puts products, tariffs and limits into force: plans of the products they touch are made anew."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import get_args

from book.plans import (
    DAY,
    MONTH,
    TRANSACTION,
    CurrencyPlan,
    FeePlan,
    KindPlan,
    LimitPlan,
    OnlyPlan,
    ProductPlan,
    StepPlan,
)
from book.state import Book
from schemas.documents.filters import Only
from schemas.documents.limits import LimitLine, Limits
from schemas.documents.products import Product
from schemas.documents.tariffs import Tariff, TariffLine, Waiver
from schemas.fields import MovementKind

HOUR_MS = 3_600_000
KINDS: tuple[str, ...] = get_args(MovementKind)
_WIDTHS = {"transaction": TRANSACTION, "hour": HOUR_MS, "day": DAY, "month": MONTH}


def product_in_force(book: Book, document: str, body: Product) -> None:
    """Accounts of the product have these terms from here on."""
    book.in_force.products[document] = body
    _plan(book, document)


def limits_in_force(book: Book, document: str, body: Limits) -> None:
    """The limits hold for every product that names them. Lines that count as before go on counting."""
    in_force, version = book.in_force, book.documents[f"limits/{document}"].in_force
    before = in_force.limits.get(document, ())
    in_force.limits[document] = now = limit_plans(document, version, body, before)
    kept = {one.key for one in now}
    for one in before:
        if one.key not in kept:  # nobody counts under it any more
            book.usage.pop(one.key, None)
    for product, about in in_force.products.items():
        if document in about.limits:
            _plan(book, product)


def tariff_in_force(book: Book, document: str, body: Tariff) -> None:
    """The tariff charges accounts of every product that names it."""
    in_force, version = book.in_force, book.documents[f"tariff/{document}"].in_force
    in_force.tariffs[document] = tuple(fee_plan(document, version, line, body) for line in body.lines)
    for product, about in in_force.products.items():
        if about.tariff == document:
            _plan(book, product)


def _plan(book: Book, product: str) -> None:
    in_force = book.in_force
    about = in_force.products[product]
    limits = [line for one in about.limits for line in in_force.limits.get(one, ())]
    fees = in_force.tariffs.get(about.tariff or "", ())
    named = {line.currency for line in limits if line.currency} | {line.currency for line in fees}
    in_force.plans[product] = ProductPlan(
        {currency: _of_currency(about, currency, limits, fees) for currency in sorted(named)},
        _of_currency(about, "", limits, ()),
    )


def _of_currency(
    about: Product, currency: str, limits: Sequence[LimitPlan], fees: Sequence[FeePlan]
) -> CurrencyPlan:
    limits = [line for line in limits if line.currency in ("", currency)]
    fees = [line for line in fees if line.currency == currency]
    return CurrencyPlan(
        {
            kind: KindPlan(
                pays=about.pays is None or kind in about.pays,
                receives=about.receives is None or kind in about.receives,
                limits=(
                    of_kind := tuple(one for one in limits if not one.movements or kind in one.movements)
                ),
                checks=tuple(
                    (one.key, one.most, one.width_ms, one.slices, one.by, one.sums, one.only)
                    for one in of_kind
                ),
                fees=tuple(
                    line
                    for line in fees
                    if not line.monthly and (not line.movements or kind in line.movements)
                ),
            )
            for kind in KINDS
        },
        tuple(line for line in fees if line.monthly),
    )


def limit_plans(
    document: str, version: int, body: Limits, before: Sequence[LimitPlan]
) -> tuple[LimitPlan, ...]:
    """The lines of a version; those that count as they did in the one before go on under its keys."""
    known = {one.name: one for one in before}
    return tuple(_limit(document, version, line, known) for line in body.lines)


def _limit(document: str, version: int, line: LimitLine, before: dict[str, LimitPlan]) -> LimitPlan:
    plan = limit_plan(document, version, line)
    old = before.get(plan.name)
    if old is not None and _counts(old) == _counts(plan):
        plan.key = old.key
    return plan


def limit_plan(document: str, version: int, line: LimitLine) -> LimitPlan:
    """A line of a limits document, as decisions read it, that begins to count in this version."""
    name = f"{document}/{line.id}"
    rolling = line.window == "rolling"
    return LimitPlan(
        key=f"{name}@{version}",
        name=name,
        version=version,
        measure=line.measure,
        window=line.window,
        by=line.by,
        currency=line.currency or "",
        movements=line.only.movements,
        only=_only(line.only),
        most=line.most,
        sums=line.measure != "count",
        width_ms=(line.span_ms or 0) // (line.buckets or 1) if rolling else _WIDTHS[line.window],
        slices=line.buckets or 0,
    )


def _counts(line: LimitPlan) -> tuple[object, ...]:
    """What may not change if the count is to mean the same. Another filter goes on from the old count."""
    return line.measure, line.window, line.by, line.currency, line.width_ms, line.slices


def _only(only: Only) -> OnlyPlan | None:
    if only == Only(movements=only.movements):
        return None
    return OnlyPlan(
        only.channels,
        only.corridors,
        only.segments,
        only.least,
        only.most or 0,
        _minute(only.from_time),
        _minute(only.to_time),
    )


def _minute(time: str | None) -> int:
    return -1 if time is None else int(time[:2]) * 60 + int(time[3:])


def fee_plan(tariff: str, version: int, line: TariffLine, body: Tariff) -> FeePlan:
    """A line of a tariff, as decisions read it."""
    slabs = line.slabs
    steps = slabs.steps if slabs is not None else ()
    places = max((_places(rate) for rate in (line.rate, *(step.rate for step in steps))), default=0)
    per = 10**places
    period = slabs.of.removesuffix("_volume") if slabs is not None and slabs.of != "amount" else ""
    package = next((one for one in body.packages if one.id == line.package), None)
    return FeePlan(
        tariff=tariff,
        version=version,
        line=line.id,
        income=line.income,
        currency=line.currency,
        movements=line.only.movements,
        only=_only(line.only),
        group=line.group,
        flat=line.flat * per,
        rate=_scaled(line.rate, places),
        per=per,
        steps=tuple(
            StepPlan(step.above, step.up_to or 0, step.flat * per, _scaled(step.rate, places))
            for step in steps
        ),
        marginal=slabs is not None and slabs.take == "marginal",
        volume_key=f"{tariff}/{line.id}.volume.{period}" if period else "",
        period=_WIDTHS[period or "day"],
        least=line.least * per,
        most=(line.most or 0) * per,
        package_key=f"{tariff}/{package.id}.{package.every}" if package is not None else "",
        package_units=package.units if package is not None else 0,
        package_period=_WIDTHS[package.every if package is not None else "day"],
        waived_segments=line.waived_for.segments,
        waived_parties=line.waived_for.parties,
        rounding=line.rounding,
        monthly=line.every is not None,
        plain=line.only == Only(movements=line.only.movements)
        and line.waived_for == Waiver()
        and not (line.group or line.package or steps),
    )


def _places(rate: str) -> int:
    """Decimal places."""
    return len(rate.partition(".")[2])


def _scaled(rate: str, places: int) -> int:
    """The rate as a whole number of 10 ** -places."""
    return int(Decimal(rate).scaleb(places))
