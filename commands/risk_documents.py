"""What only the book can tell of rules, lists and models: whether what they name is there, and fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from book.state import Book
from commands.decision import knows_currency
from schemas.documents.conditions import LISTED, comparisons
from schemas.documents.document import Problem
from schemas.documents.kinds import known
from schemas.documents.lists import Listing
from schemas.documents.models import Model
from schemas.documents.rules import Rule, Rules, listed


def check_rules(book: Book, rules: Rules) -> Iterator[Problem]:
    """Unknown currencies, lists and models; lists of something else; challengers that would have a say; points
    that lower a score for standing on no allow list.
    """
    if rules.currency is not None and not knows_currency(book, rules.currency):
        yield Problem("currency", f"there is no currency {rules.currency}")
    for index, rule in enumerate(rules.rules):
        path = f"rules[{index}]"
        for where, one in comparisons(rule.when, f"{path}.when"):
            if one.currency is not None and not knows_currency(book, one.currency):
                yield Problem(f"{where}.currency", f"there is no currency {one.currency}")
            if one.on_list is not None:
                lists = list(_bodies(book, "list", one.on_list))
                if not lists:
                    yield Problem(f"{where}.on_list", f"there is no list {one.on_list}; publish it first")
                for body in lists[:1]:  # what a list is of never changes
                    if one.of not in LISTED[body.of]:
                        yield Problem(
                            f"{where}.of", f"{one.on_list} is a list of {body.of}: {' or '.join(LISTED[body.of])}"
                        )
            if one.model is not None:
                models = list(_bodies(book, "model", one.model))
                if not models:
                    yield Problem(f"{where}.model", f"there is no model {one.model}; publish it first")
                elif _has_a_say(rules, rule) and all(body.role == "challenger" for body in models):
                    yield Problem(
                        f"{where}.model", f"{one.model} is a challenger, and only rules in shadow read it"
                    )
        if rule.points < 0 and not rule.lowers and not any(_allows(book, name) for name in listed(rule.when)):
            yield Problem(
                f"{path}.points", "lower the score, and no list that is asked for is an allow list"
            )


def _has_a_say(rules: Rules, rule: Rule) -> bool:
    return not {rules.stage, rule.stage} & {"off", "shadow"}


def _allows(book: Book, name: str) -> bool:
    return any(body.purpose == "allow" for body in _bodies(book, "list", name))


def _bodies(book: Book, kind: str, name: str) -> Iterator[Any]:
    """The document as it is in force, and as it will be."""
    shelf = book.documents.get(f"{kind}/{name}")
    if shelf is not None:
        for body in (*((shelf.body,) if shelf.in_force else ()), *(one.body for one in shelf.pending.values())):
            yield known(kind, body)


def check_list(book: Book, listing: Listing) -> Iterator[Problem]:
    """Parties and accounts are those of the book."""
    there = {"party": book.parties, "account": book.accounts}.get(listing.of)
    if there is not None:
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
