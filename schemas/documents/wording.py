"""What is wrong with the fields of a document or command, in sentences of our own.

They are made from the kind of each error, never from the text of the library that found it, so that they
read alike and stay the same when it changes. Each says what would be right.
"""

from __future__ import annotations

import datetime
import difflib
import types
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import ValidationError

from schemas.documents.document import RATE, Problem
from schemas.parties import COUNTRY
from schemas.payments import BIC

MOST = 1_000
"""How many problems are told of one document."""
_LONGEST = 60
_KEY = "[key]"
"""Behind the name of an entry: pydantic's way to say that the name itself is wrong."""
PATTERNS = {
    RATE: 'a decimal number such as "0.0125" for 1.25 %, with a point and at most 12 places',
    r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]*$": "letters, digits and . _ : @ / + - beginning with a letter or digit",
    r"^[A-Za-z0-9][A-Za-z0-9_-]*$": "letters, digits, _ and - beginning with a letter or digit",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": 'a time of day such as "22:30"',
    r"^([A-Z]{2}|\*)-([A-Z]{2}|\*)$": 'two countries such as "DE-FR", with * for any',
    BIC: "8 or 11 capitals and digits such as BYLADEM1001",
    COUNTRY: "a country's two capitals such as DE",
    "^[A-Z][A-Z0-9_]{3,11}$": "4 to 12 capitals, digits and underscores, beginning with a capital",
}
"""What the patterns of fields mean. `tests/document_examples_test.py` asks that none is missing."""


def problems_in(document: type, error: ValidationError) -> list[Problem]:
    """Every problem that pydantic found in a body, at most `MOST` of them."""
    found: list[Problem] = []
    for one in error.errors(include_url=False, include_context=True):
        loc = one["loc"]
        if one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]:
            continue  # what is wrong with its entries is told already
        is_name = _is_name(document, loc)
        steps = loc[:-1] if is_name else loc
        what = _sentence(document, steps, one["type"], one["input"], one.get("ctx", {}))
        problem = Problem(path_of(steps), f"the name {shown(one['input'])}: {what}" if is_name else what)
        if problem not in found[-1:]:
            found.append(problem)
        if len(found) == MOST:
            break
    return found


def problem_of(error: msgspec.ValidationError) -> Problem:
    """What only the stricter of the two validators refuses: a date in another form."""
    what, _, where = str(error).partition(" - at `$")
    path = where.rstrip("`").removeprefix(".").replace("[...]", "")
    return Problem(
        path, "must be a date such as 2026-01-31" if "date" in what else "is not in the right form"
    )


def path_of(steps: Sequence[int | str]) -> str:
    """Where it is, such as `lines[0].rate`."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{cut(step)}" if path else cut(step)
    return path


def cut(text: str) -> str:
    """A text as far as a sentence has room for it, with nothing in it that a terminal obeys."""
    text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[: _LONGEST + 1])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def shown(value: Any) -> str:
    """A value as it stands in a document, in short."""
    match value:
        case str():
            return f'"{cut(value)}"'
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case float():
            return _plain(value)
        case int():
            return cut(str(value)) if abs(value) < 10**60 else "a number of more than 60 digits"
        case Mapping():
            return "named fields"
        case _:
            return "a list"


def _plain(value: float) -> str:
    """A number with a point as somebody would have written it, without an exponent."""
    return cut(format(Decimal(repr(value)), "f"))


_SIZES = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be {} or more"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be {} or less"),
}


def _sentence(
    document: type, steps: Sequence[int | str], kind: str, given: Any, more: Mapping[str, Any]
) -> str:
    match kind:
        case "extra_forbidden":
            return _unknown(document, steps)
        case "missing":
            return "is missing"
        case "literal_error":
            return _choice(_expected(document, steps), given)
        case "string_pattern_mismatch":
            meant = PATTERNS.get(more["pattern"], "of another form")
            return f"must be {meant}, and is {shown(given)}"
        case "predicate_failed":
            return "must not hold the character NUL"
        case "string_too_short" | "string_too_long":
            least, most = more.get("min_length"), more.get("max_length")
            if kind == "string_too_short":
                return "must not be empty" if least == 1 else f"must have {least} characters or more"
            return f"must have at most {most} characters, and has {len(given)}"
        case "too_short":
            return f"must have {_counted(more['min_length'])} or more"
        case "too_long":
            return f"must have at most {_counted(more['max_length'])}"
        case "json_invalid" | "recursion_loop":
            return "is nested too deeply"
        case _ if kind in _SIZES:
            name, words = _SIZES[kind]
            return f"{words.format(more[name])}, and is {shown(given)}"
        case _:
            return _wrong_type(_expected(document, steps), kind, given)


def _counted(entries: int) -> str:
    return f"{entries} {'entry' if entries == 1 else 'entries'}"


def _choice(expected: Any, given: Any) -> str:
    choices = [str(one) for one in _choices(expected)]
    near = difflib.get_close_matches(given, choices, 1) if isinstance(given, str) else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"must be {' or '.join(choices)}, and is {shown(given)}{hint}"


def _wrong_type(expected: Any, kind: str, given: Any) -> str:
    """The value is of another type than the field."""
    if kind.startswith("string"):
        if isinstance(given, float) or (isinstance(given, int) and not isinstance(given, bool)):
            what = "a rate" if _is_rate(expected) else "it"
            return f'write {what} as text: "{shown(given)}"'
        if isinstance(given, bool):
            return f"must be text, and is {shown(given)}; text is written in quotes"
        return f"must be text, and is {shown(given)}"
    if kind.startswith("int"):
        if isinstance(given, float):
            return (
                f"must be a whole number, and is {shown(given)}; amounts are in minor units (12.50 is 1250)"
            )
        if isinstance(given, str) and given.strip().lstrip("-").isdigit():
            return f"must be a number: write {int(given)} without quotes"
        return f"must be a whole number, and is {shown(given)}"
    if kind.startswith("bool"):
        return f"must be true or false, and is {shown(given)}"
    if kind.startswith("date") or datetime.date in _alternatives(expected):
        return f"must be a date such as 2026-01-31, and is {shown(given)}"
    if kind.startswith(("tuple", "list", "set")):
        return f"must be a list, and is {shown(given)}"
    if kind.startswith(("dict", "mapping", "model")):
        names = _names(expected)
        return f"must be {'fields: ' + ', '.join(names) if names else 'named fields'}; it is {shown(given)}"
    return f"cannot be {shown(given)}"


def _unknown(document: type, steps: Sequence[int | str]) -> str:
    known = _names(_expected(document, steps[:-1]))
    near = difflib.get_close_matches(str(steps[-1]), known, 1)
    return f"there is no such field ({f'did you mean {near[0]}?' if near else 'known: ' + ', '.join(known)})"


# --- what is expected at a path ---------------------------------------------------------------------------


def _expected(document: type, steps: Sequence[int | str]) -> Any:
    """The annotation at a path; Any where there is none."""
    here: Any = document
    for step in steps:
        here = next(iter(_below(here, step)), Any)
    return here


def _below(annotation: Any, step: int | str) -> Iterator[Any]:
    for one in _alternatives(annotation):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            hints = get_type_hints(one, include_extras=True)
            if step in hints:
                yield hints[str(step)]
        elif get_origin(one) is tuple and isinstance(step, int):
            yield get_args(one)[0]
        elif get_origin(one) is dict:
            yield get_args(one)[1]


def _alternatives(annotation: Any) -> Iterator[Any]:
    """What an annotation allows, without `Annotated` and unions around it."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from _alternatives(one)
    else:
        yield annotation


def _is_name(document: type, loc: Sequence[int | str]) -> bool:
    """Whether a name is wrong and not its value. What is no mapping may have a field that is called so."""
    return loc[-1:] == (_KEY,) and any(
        get_origin(one) is dict for one in _alternatives(_expected(document, loc[:-2]))
    )


def _names(annotation: Any) -> list[str]:
    return [
        field.name
        for one in _alternatives(annotation)
        if isinstance(one, type) and issubclass(one, msgspec.Struct)
        for field in msgspec.structs.fields(one)
    ]


def _choices(annotation: Any) -> list[Any]:
    return [
        choice for one in _alternatives(annotation) if get_origin(one) is Literal for choice in get_args(one)
    ]


def _is_rate(annotation: Any) -> bool:
    return repr(RATE)[1:-1] in str(annotation)
