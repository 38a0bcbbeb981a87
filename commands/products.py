"""What only the book can tell of a product, tariff or limits: whether what it names is there, and fits.

What a product names must be published, and in force already or to come; an amount in a currency in which no
account of the product can be kept would be a limit or a fee that nobody meets, and is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from book.state import Book
from commands.decision import knows_currency
from schemas.documents.document import Problem
from schemas.documents.kinds import known
from schemas.documents.limits import LimitLine, Limits
from schemas.documents.products import Product
from schemas.documents.tariffs import Tariff, TariffLine


def check_product(book: Book, product: Product) -> Iterator[Problem]:
    """Currencies, tariff and limits are there, and fit each other."""
    for index, currency in enumerate(product.currencies):
        if not knows_currency(book, currency):
            yield Problem(f"currencies[{index}]", f"there is no currency {currency}")
    for currency in product.overdraft or ():
        if not knows_currency(book, currency):
            yield Problem(f"overdraft.{currency}", f"there is no currency {currency}")
    if product.tariff is not None:
        yield from _fits(book, "tariff", product.tariff, product, "tariff")
    for index, name in enumerate(product.limits):
        yield from _fits(book, "limits", name, product, f"limits[{index}]")


def _fits(book: Book, kind: str, name: str, product: Product, path: str) -> Iterator[Problem]:
    bodies = list(_bodies(book, kind, name))
    if not bodies:
        yield Problem(path, f"there is no {kind} document {name}; publish it first")
    for body in bodies:
        assert not isinstance(body, Product), "its kind says so"
        for line, currency in _currencies(body):
            if currency and product.currencies and currency not in product.currencies:
                yield Problem(path, f"{name}: {line} is in {currency}, which is not among the currencies")


def check_tariff(book: Book, tariff: Tariff) -> Iterator[Problem]:
    """Every fee has an income account that can receive it."""
    for index, line in enumerate(tariff.lines):
        if not knows_currency(book, line.currency):
            yield Problem(f"lines[{index}].currency", f"there is no currency {line.currency}")
            continue
        income = book.accounts.get(line.income)
        if income is None or not income.is_open or income.kind != "income":
            yield Problem(f"lines[{index}].income", f"there is no open account {line.income} of kind income")
        elif income.currency != line.currency:
            yield Problem(
                f"lines[{index}].income",
                f"{line.income} is kept in {income.currency}, and the line is in {line.currency}",
            )


def check_limits(book: Book, limits: Limits) -> Iterator[Problem]:
    """The currencies are there."""
    for index, line in enumerate(limits.lines):
        if line.currency is not None and not knows_currency(book, line.currency):
            yield Problem(f"lines[{index}].currency", f"there is no currency {line.currency}")


def tariff_fits(book: Book, name: str, tariff: Tariff) -> Iterator[Problem]:
    """Products that name the tariff can be kept in its currencies."""
    for product, body in _products(book):
        if body.tariff == name:
            yield from _unfit(product, body, tariff)


def limits_fit(book: Book, name: str, limits: Limits) -> Iterator[Problem]:
    """Products that name these limits can be kept in their currencies."""
    for product, body in _products(book):
        if name in body.limits:
            yield from _unfit(product, body, limits)


def _unfit(name: str, product: Product, body: Tariff | Limits) -> Iterator[Problem]:
    for index, (_, currency) in enumerate(_currencies(body)):
        if currency and product.currencies and currency not in product.currencies:
            yield Problem(
                f"lines[{index}].currency", f"accounts of the product {name} are not kept in {currency}"
            )


def _currencies(body: Tariff | Limits) -> Iterator[tuple[str, str]]:
    """Each line's path and currency, empty for any."""
    lines: Sequence[TariffLine | LimitLine] = body.lines
    return ((f"lines[{index}]", line.currency or "") for index, line in enumerate(lines))


def _products(book: Book) -> Iterator[tuple[str, Product]]:
    for name in book.documents:
        kind, _, product = name.partition("/")
        if kind == "product":
            for body in _bodies(book, "product", product):
                assert isinstance(body, Product), "its kind says so"
                yield product, body


def _bodies(book: Book, kind: str, name: str) -> Iterator[Product | Tariff | Limits]:
    """What is in force of a document, and what is to come."""
    shelf = book.documents.get(f"{kind}/{name}")
    if shelf is None:
        return
    for body in (shelf.body, *(one.body for one in shelf.pending.values())):
        if body:
            yield known(kind, body)  # type: ignore[misc]
