"""What the columns of somebody's CSV mean: a YAML file, checked whole before anything is sent.

Every problem is named by the path of its setting and says what would be right. Which columns a file must
have is asked in `gateway/csv_file.py`, when the file is there.
"""

from __future__ import annotations

import codecs
import datetime
import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from commands.calendar import zone
from gateway.errors import MappingWrong
from schemas.fields import NEW_ID
from schemas.money import EXPONENTS


def _currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError(f"{code!r} is no ISO 4217 currency; write a code such as EUR")
    return code


def _time_zone(name: str) -> str:
    if zone(name) is None:
        raise ValueError(
            f"{name!r} is no time zone of the tz database; write a name such as Europe/Berlin, or UTC"
        )
    return name


def _encoding(name: str) -> str:
    try:
        feed = "\n".encode(name)
    except (LookupError, UnicodeError):
        raise ValueError(f"{name!r} is no encoding; write a name such as utf-8 or cp1252") from None
    if feed.removeprefix(codecs.BOM_UTF8) != b"\n":
        raise ValueError(f"{name} does not end a line with one byte; convert the file to utf-8 first")
    return name


OneCharacter = Annotated[str, Field(min_length=1, max_length=1)]
Prefix = Annotated[str, Field(max_length=20, pattern=r"^([A-Za-z0-9][A-Za-z0-9._:@/+-]*)?$")]
Column = Annotated[str, Field(min_length=1)] | Annotated[int, Field(ge=1, strict=True)]
"""A name in the header, or a place counted from 1."""
CurrencyCode = Annotated[str, AfterValidator(_currency)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]


class Part(BaseModel):
    """A part of the mapping: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BookPart(Part):
    """The book that the import opens. opened_on: its first day; by default the day of the first row.

    clock: an import tells what was, so the rows move the book's time and no wall clock does.
    """

    id: Annotated[str, Field(min_length=1, max_length=64, pattern=NEW_ID)]
    name: Annotated[str, Field(max_length=500)] = ""
    currency: CurrencyCode
    time_zone: TimeZone = "UTC"
    clock: Literal["commanded"] = "commanded"
    opened_on: datetime.date | None = None


class FilePart(Part):
    """How the file is written. It may be gzipped: that is seen by its content, whatever its name.

    quote: empty where no character quotes.   header: whether the first line names the columns.
    """

    separator: OneCharacter = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    header: bool = True


class ColumnsPart(Part):
    """Which column says what. currency: where rows differ in it; else they are in the book's currency."""

    debit: Column
    credit: Column
    amount: Column
    time: Column
    reference: Column | None = None
    currency: Column | None = None


class AmountPart(Part):
    """How amounts are written. units: `major` (147.80) or `minor` (14780).

    decimals: how many places a minor unit of the file is below the major one, where it is not the currency's
    own.
    """

    units: Literal["major", "minor"] = "major"
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None
    decimal_point: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'", "_"] = ""

    @model_validator(mode="after")
    def _differ(self) -> AmountPart:
        if self.decimal_point == self.thousands:
            raise ValueError("decimal_point and thousands are the same character")
        return self


class TimePart(Part):
    """How times are written.

    format: `steps`: whole numbers, each `every` `unit`s after midnight of `start`; `iso`: ISO 8601; anything
    else: a pattern of strptime, such as `%d.%m.%Y %H:%M`.
    time_zone: of times that name none; by default the book's. A day is a day there, also when clocks change.
    largest_gap_days: a row that is further after the one before is bad, so that one mistyped year does not
    take the book's time with it.
    """

    format: Annotated[str, Field(min_length=1)]
    start: datetime.date | None = None
    unit: Literal["day", "hour", "minute", "second", "millisecond"] = "day"
    every: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    time_zone: TimeZone | None = None
    largest_gap_days: Annotated[int, Field(ge=1, le=365)] = 365

    @model_validator(mode="after")
    def _complete(self) -> TimePart:
        if self.format == "steps" and self.start is None:
            raise ValueError("steps are counted from a date: add start, such as 2025-01-01")
        if self.format != "steps" and self.start is not None:
            raise ValueError("start belongs to steps; take it out, or write format: steps")
        if self.format not in ("steps", "iso") and "%" not in self.format:
            raise ValueError(f"{self.format!r} is neither steps nor iso nor a pattern such as %d.%m.%Y %H:%M")
        return self


class AccountColumnsPart(Part):
    """Which column of the accounts file says what. party: by default each account has a party of its own
    id.
    """

    account: Column
    opening_balance: Column | None = None
    party: Column | None = None
    name: Column | None = None
    currency: Column | None = None
    overdraft: Column | None = None


class AccountsPart(Part):
    """The accounts, from a second file. file: relative to the CSV's folder. written: as `file`, if it
    differs.

    funding: the bank's own account that opening balances come from, so that all accounts sum to zero.
    """

    file: Annotated[str, Field(min_length=1)]
    columns: AccountColumnsPart
    written: FilePart | None = None
    amount: AmountPart | None = None
    party_kind: Literal["person", "business"] = "person"
    product: Annotated[str, Field(max_length=64)] = ""
    funding: Annotated[str, Field(min_length=1, max_length=40, pattern=NEW_ID)] = "opening-balances"


class IdsPart(Part):
    """What is put before the file's own ids. command: begins the id of every command of the import."""

    command: Annotated[str, Field(min_length=1, max_length=20, pattern=NEW_ID)] = "import"
    account: Prefix = ""
    party: Prefix = ""


class Mapping(Part):
    """The whole mapping. Without `accounts` the rows meet the accounts that the book has already."""

    book: BookPart
    file: FilePart = FilePart()
    columns: ColumnsPart
    amount: AmountPart = AmountPart()
    time: TimePart
    accounts: AccountsPart | None = None
    ids: IdsPart = IdsPart()


def read_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises MappingWrong with every problem in it."""
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise MappingWrong(f"{path} cannot be read: {error.strerror}.", advice="Check the path.") from None
    except UnicodeDecodeError:
        raise MappingWrong(f"{path} is not UTF-8.", advice="Save it as UTF-8.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where is not None else ""
        what = getattr(error, "problem", None) or str(error)
        raise MappingWrong(f"{path} is not YAML{line}: {' '.join(what.split())}.") from None
    return mapping_of(given, str(path))


def mapping_of(given: Any, name: str = "the mapping") -> Mapping:
    """The mapping that plain data describes. Raises MappingWrong with every problem in it."""
    if not isinstance(given, dict):
        raise MappingWrong(f"{name} holds no settings; it begins with `book:`.")
    try:
        return Mapping.model_validate(given)
    except ValidationError as error:
        problems = tuple(_problem(one["loc"], one["type"], one["msg"]) for one in error.errors())
        raise MappingWrong(f"{name} cannot be used: {'; '.join(problems)}.", problems) from None


def _problem(where: tuple[int | str, ...], kind: str, message: str) -> str:
    # Inside a column, which is a name or a place, pydantic adds which of the two it tried.
    steps = [str(step) for step in where if str(step) not in ("constrained-str", "constrained-int")]
    path = ".".join(steps) or "the mapping"
    if kind == "extra_forbidden":
        known = sorted(_settings(steps[:-1]))
        near = difflib.get_close_matches(steps[-1], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        return f"{path}: there is no such setting ({hint})"
    if kind == "missing":
        return f"{path} is missing"
    return f"{path}: {message.removeprefix('Value error, ')}"


def _settings(path: list[str]) -> list[str]:
    """The settings that the part at this path has."""
    part: Any = Mapping
    for step in path:
        annotation = part.model_fields[step].annotation
        part = next(
            (
                one
                for one in (annotation, *getattr(annotation, "__args__", ()))
                if hasattr(one, "model_fields")
            ),
            part,
        )
    return list(part.model_fields)
