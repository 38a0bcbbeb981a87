"""What a rule asks of a movement: comparisons, and groups of them in each other, at most three deep.

Every comparison is about one whole number: a feature's value, whether something stands on a list (1 or 0),
the score of a flag or of a model. Where there is no such number (`schemas.features.NONE`), no comparison with
it holds; so a group `none` of it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import DocumentId, Problem
from schemas.features import FEATURES
from schemas.fields import INT64_MAX, AmountOrZero, Currency, Label
from schemas.message import Value
from schemas.risk import HIGHEST_SCORE

Subject = Literal[
    "party",
    "account",
    "counterparty",
    "counterparty_party",
    "payee",
    "device",
    "party_country",
    "payee_country",
    "origin_country",
]
"""party, account: who pays.   counterparty: the account of this book that receives, and whose that is.
payee: who receives, by the key of `schemas.payees`.   device, origin_country: as the channel knows them.
"""
LISTED: dict[str, tuple[Subject, ...]] = {
    "party": ("party", "counterparty_party"),
    "account": ("account", "counterparty"),
    "payee": ("payee",),
    "country": ("party_country", "payee_country", "origin_country"),
}
"""Who may stand on a list of parties, accounts, payees or countries."""
FLAGGED: tuple[Subject, ...] = (
    "party",
    "account",
    "counterparty",
    "counterparty_party",
    "payee",
    "device",
)
"""Whose flags may be asked for."""
WIDEST: dict[str, int] = {"yes_no": 1, "minute": 1_439, "score": HIGHEST_SCORE}
"""The highest value that a feature of this unit can have; of others any."""
Interval = tuple[int, int]
"""Both ends included; empty where the first is above the second."""
Kind = Literal["feature", "on_list", "flag", "model", "all", "any", "none", ""]


class Comparison(Value, omit_defaults=True):
    """A comparison, of exactly one of `feature`, `on_list`, `flag`, `model`.

    feature: by its name in `schemas/features.py`, with one or more of at_least, at_most, above, below,
        equals; or, of a feature that is yes or no, with `holds`. An amount names its currency, here or in the
        document, and holds for movements in no other.
    on_list: a list document; `of` stands on it.
    flag: stands on `of`, with a score of at_least, at_most... where that is given.
    model: its score, per mille, as it came with the movement, of the version in force.
    """

    feature: Label = ""
    on_list: DocumentId | None = None
    flag: Label = ""
    model: DocumentId | None = None
    of: Subject | None = None
    at_least: AmountOrZero | None = None
    at_most: AmountOrZero | None = None
    above: AmountOrZero | None = None
    below: AmountOrZero | None = None
    equals: AmountOrZero | None = None
    holds: bool | None = None
    currency: Currency | None = None

    def interval(self) -> Interval:
        """The values with which it holds."""
        if self.holds is not None:
            return int(self.holds), int(self.holds)
        if self.on_list is not None:
            return 1, 1
        low, high = 0, INT64_MAX
        if self.equals is not None:
            low = high = self.equals
        if self.at_least is not None:
            low = max(low, self.at_least)
        if self.above is not None:
            low = max(low, self.above + 1)
        if self.at_most is not None:
            high = min(high, self.at_most)
        if self.below is not None:
            high = min(high, self.below - 1)
        return low, high

    def widest(self) -> int:
        """The highest value that there can be."""
        if self.feature:
            return (
                WIDEST.get(FEATURES[self.feature].unit, INT64_MAX) if self.feature in FEATURES else INT64_MAX
            )
        return 1 if self.on_list is not None else HIGHEST_SCORE


class Inner(Comparison):
    """A comparison, or a group: all of these, any of them, or none."""

    all: Annotated[tuple[Comparison, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    any: Annotated[tuple[Comparison, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    none: Annotated[tuple[Comparison, ...], Meta(max_length=20), at.MaxLen(20)] = ()


class Middle(Comparison):
    """A comparison, or a group of what may be groups."""

    all: Annotated[tuple[Inner, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    any: Annotated[tuple[Inner, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    none: Annotated[tuple[Inner, ...], Meta(max_length=20), at.MaxLen(20)] = ()


class Condition(Comparison):
    """A comparison, or a group of what may be groups of groups."""

    all: Annotated[tuple[Middle, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    any: Annotated[tuple[Middle, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    none: Annotated[tuple[Middle, ...], Meta(max_length=20), at.MaxLen(20)] = ()


GROUPS: tuple[Literal["all", "any", "none"], ...] = ("all", "any", "none")


def kind_of(one: Comparison) -> Kind:
    """What it is; empty where it is nothing, or several at once."""
    found: list[Kind] = [name for name in ("feature", "on_list", "flag", "model") if getattr(one, name)]
    found += [name for name in GROUPS if getattr(one, name, ())]
    return found[0] if len(found) == 1 else ""


def parts_of(one: Comparison) -> tuple[Comparison, ...]:
    """What a group is made of; nothing for a comparison."""
    return next((parts for name in GROUPS if (parts := getattr(one, name, ()))), ())


def comparisons(one: Comparison, path: str) -> Iterator[tuple[str, Comparison]]:
    """Every comparison within, with its path."""
    kind = kind_of(one)
    if kind in GROUPS:
        for index, part in enumerate(parts_of(one)):
            yield from comparisons(part, f"{path}.{kind}[{index}]")
    else:
        yield path, one


def condition_problems(one: Comparison, path: str, currency: Currency | None) -> Iterator[Problem]:
    """What is wrong with its form. currency: the document's, for amounts that name none."""
    kind = kind_of(one)
    if kind == "":
        known = "feature, on_list, flag, model" + (", all, any, none" if hasattr(one, "all") else "")
        yield Problem(path, f"must be exactly one of {known}")
    elif kind in GROUPS:
        for name in Comparison.__struct_fields__:
            if getattr(one, name) not in ("", None):
                yield Problem(f"{path}.{name}", f"a group of {kind} has nothing beside it")
        for index, part in enumerate(parts_of(one)):
            yield from condition_problems(part, f"{path}.{kind}[{index}]", currency)
    else:
        yield from _comparison_problems(one, kind, path, currency)


_BOUNDS = ("at_least", "at_most", "above", "below", "equals")


def _comparison_problems(
    one: Comparison, kind: Kind, path: str, currency: Currency | None
) -> Iterator[Problem]:
    feature = FEATURES.get(one.feature)
    if kind == "feature" and feature is None:
        yield Problem(f"{path}.feature", f"there is no feature {one.feature}")
        return
    yield from _bound_problems(one, kind, path, yes_no=feature is not None and feature.unit == "yes_no")
    may = LISTED_SUBJECTS if kind == "on_list" else FLAGGED if kind == "flag" else ()
    if one.of is None and may:
        yield Problem(f"{path}.of", f"is missing: {' or '.join(may)}")
    elif one.of is not None and one.of not in may:
        yield Problem(f"{path}.of", f"must be {' or '.join(may)}" if may else f"a {kind} has no `of`")
    in_minor = feature is not None and feature.unit == "minor"
    if in_minor and one.currency is None and currency is None:
        yield Problem(f"{path}.currency", "give the currency of the amount")
    elif one.currency is not None and not in_minor:
        yield Problem(f"{path}.currency", "only a comparison of an amount has a currency")
    low, high = one.interval()
    if low > high:
        yield Problem(path, "contradicts itself: no value is within these bounds")
    elif low > one.widest():
        yield Problem(path, f"can never hold: the highest value is {one.widest()}")


def _bound_problems(one: Comparison, kind: Kind, path: str, *, yes_no: bool) -> Iterator[Problem]:
    bounds = [name for name in _BOUNDS if getattr(one, name) is not None]
    if kind == "on_list" or yes_no:
        for name in bounds:
            yield Problem(f"{path}.{name}", "is yes or no, and no number")
    elif kind in ("feature", "model") and not bounds and one.holds is None:
        yield Problem(path, f"say what it is compared with: {', '.join(_BOUNDS)}")
    if one.holds is None and yes_no:
        yield Problem(path, "say whether it holds: true or false")
    elif one.holds is not None and not yes_no:
        yield Problem(f"{path}.holds", "only a feature that is yes or no has it")


LISTED_SUBJECTS: tuple[Subject, ...] = tuple(
    one for one in get_args(Subject) if any(one in of for of in LISTED.values())
)
