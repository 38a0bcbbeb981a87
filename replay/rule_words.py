"""Rules and values in words, for people: each number by its unit, each condition as one sentence."""

from __future__ import annotations

from collections.abc import Callable

from schemas.documents.conditions import GROUPS, Comparison, kind_of, parts_of
from schemas.documents.rules import Rule
from schemas.features import FEATURES, NONE
from schemas.money import format_minor

DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS = 86_400_000, 3_600_000, 60_000, 1_000
Digits = Callable[[str], int]
"""The decimal places of a currency."""
_COMPARED = {
    "at_least": "at least",
    "at_most": "at most",
    "above": "above",
    "below": "below",
    "equals": "exactly",
}
_JOINED = {"all": " and ", "any": " or ", "none": " nor "}


def in_words(one: Comparison, currency: str, digits: Digits) -> str:
    """A condition. currency: of amounts that name none."""
    kind = kind_of(one)
    if kind in GROUPS:
        parts = [_within(part, currency, digits) for part in parts_of(one)]
        text = _JOINED[kind].join(parts)
        return (
            f"neither {text}"
            if kind == "none" and len(parts) > 1
            else f"not {text}"
            if kind == "none"
            else text
        )
    if one.on_list is not None:
        return f"{_of(one)} stands on the list {one.on_list}"
    if one.holds is not None:
        return f"{name_of(one)}: {'yes' if one.holds else 'no'}"
    bounds = " and ".join(
        f"{words} {value_of(one, getattr(one, name), currency, digits)}"
        for name, words in _COMPARED.items()
        if getattr(one, name) is not None
    )
    if one.flag:
        return f"{_of(one)} is flagged {one.flag}{f', {bounds}' if bounds else ''}"
    return f"{name_of(one)} {bounds}"


def _within(one: Comparison, currency: str, digits: Digits) -> str:
    text = in_words(one, currency, digits)
    return f"({text})" if kind_of(one) in GROUPS else text


def _of(one: Comparison) -> str:
    return "the " + (one.of or "").replace("_", " ")


def name_of(one: Comparison) -> str:
    """What is compared."""
    if one.feature:
        return one.feature.replace("_", " ")
    if one.on_list is not None:
        return f"{_of(one)} on the list {one.on_list}"
    return f"the flag {one.flag} of {_of(one)}" if one.flag else f"the score of the model {one.model}"


def value_of(one: Comparison, value: int | None, currency: str, digits: Digits) -> str:
    """A value of what is compared."""
    if value is None:
        return "in another currency"
    if one.feature:
        return feature_value(one.feature, value, one.currency or currency, digits)
    if value == NONE:
        return "none"
    return ("no", "yes")[value] if one.on_list is not None else f"{value}"


def feature_value(name: str, value: int, currency: str, digits: Digits) -> str:
    """A value of a feature, by its unit."""
    if value == NONE:
        return "none"
    match FEATURES[name].unit:
        case "minor":
            return f"{format_minor(value, digits(currency))} {currency}"
        case "yes_no":
            return "yes" if value else "no"
        case "minute":
            return f"{value // 60:02d}:{value % 60:02d}"
        case "per_mille":
            return f"{value / 10:g} %"
        case "sigma":
            return f"{value / 1_000:g} deviations"
        case "ms":
            return _span(value)
        case "days":
            return f"{value} {'day' if value == 1 else 'days'}"
        case "km_per_hour":
            return f"{value} km/h"
        case _:
            return f"{value:,}"


def _span(ms: int) -> str:
    for name, one in (("d", DAY_MS), ("h", HOUR_MS), ("min", MINUTE_MS), ("s", SECOND_MS)):
        if ms >= one:
            return f"{ms / one:.3g} {name}"
    return f"{ms} ms"


def gives(rule: Rule) -> str:
    """What a rule does where it applies."""
    return "declines" if rule.stop else f"{rule.points:+d}"
