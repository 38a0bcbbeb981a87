"""What only the book can tell of rules, lists and models: whether what they name is there, and fits."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

from book.state import Book
from commands.decision import knows_currency
from schemas.documents.conditions import LISTED, Comparison, comparisons
from schemas.documents.document import Problem
from schemas.documents.kinds import known
from schemas.documents.lists import Listing
from schemas.documents.models import Model
from schemas.documents.rules import Rule, Rules, listed


def check_rules(book: Book, rules: Rules) -> Iterator[Problem]:
    """Unknown currencies, lists, models; lists of something else; challengers that would have a say; points
    that lower a score and rest on no allow list.
    """
    if rules.currency is not None and not knows_currency(book, rules.currency):
        yield Problem("currency", f"there is no currency {rules.currency}")
    for index, rule in enumerate(rules.rules):
        path = f"rules[{index}]"
        for where, one in comparisons(rule.when, f"{path}.when"):
            if one.currency is not None and not knows_currency(book, one.currency):
                yield Problem(f"{where}.currency", f"there is no currency {one.currency}")
            yield from _list_problems(book, one, where)
            yield from _model_problems(book, one, where, counted=_has_a_say(rules, rule))
        if rule.points < 0 and not rule.lowers and not any(_allows(book, name) for name in listed(rule.when)):
            yield Problem(f"{path}.points", "lower the score, and no list that is asked for is an allow list")


def _list_problems(book: Book, one: Comparison, path: str) -> Iterator[Problem]:
    if one.on_list is None:
        return
    body = next(_bodies(book, "list", one.on_list), None)  # what it is of never changes
    if body is None:
        yield Problem(f"{path}.on_list", f"there is no list {one.on_list}; publish it first")
    elif one.of not in LISTED[body.of]:
        may = " or ".join(LISTED[body.of])
        yield Problem(f"{path}.of", f"{one.on_list} is a list of the kind {body.of}: {may}")


def _model_problems(book: Book, one: Comparison, path: str, *, counted: bool) -> Iterator[Problem]:
    if one.model is None:
        return
    models = list(_bodies(book, "model", one.model))
    if not models:
        yield Problem(f"{path}.model", f"there is no model {one.model}; publish it first")
    elif counted and all(body.role == "challenger" for body in models):
        yield Problem(f"{path}.model", f"{one.model} is a challenger, and only rules in shadow read it")


def _has_a_say(rules: Rules, rule: Rule) -> bool:
    return not {rules.stage, rule.stage} & {"off", "shadow"}


def _allows(book: Book, name: str) -> bool:
    return any(body.purpose == "allow" for body in _bodies(book, "list", name))


def _bodies(book: Book, kind: str, name: str) -> Iterator[Any]:
    """The document as it is in force, and as it will be."""
    shelf = book.documents.get(f"{kind}/{name}")
    if shelf is not None:
        for body in (
            *((shelf.body,) if shelf.in_force else ()),
            *(one.body for one in shelf.pending.values()),
        ):
            yield known(kind, body)


def check_list(book: Book, listing: Listing) -> Iterator[Problem]:
    """Parties and accounts are those of the book."""
    there: Container[str] = book.parties if listing.of == "party" else book.accounts
    if listing.of in ("party", "account"):
        for index, entry in enumerate(listing.entries):
            if entry.id not in there:
                yield Problem(f"entries[{index}].id", f"there is no {listing.of} {entry.id}")


def check_model(book: Book, model: Model) -> Iterator[Problem]:
    """Nothing: who made it and who approved it need not be users."""
    yield from ()


def list_fits(book: Book, document: str, listing: Listing) -> Iterator[Problem]:
    """What it is of, and whether it allows, is as before: rules in force rely on it."""
    for before in _bodies(book, "list", document):
        for name in ("purpose", "of"):
            was, now = getattr(before, name), getattr(listing, name)
            if was != now:
                yield Problem(name, f"was {was} and never changes; give the new list another id")
        return


CHECK: dict[str, Callable[[Book, Any], Iterator[Problem]]] = {
    "rules": check_rules,
    "list": check_list,
    "model": check_model,
}
FITS: dict[str, Callable[[Book, str, Any], Iterator[Problem]]] = {"list": list_fits}
