"""What a read model is made of: tables, and the changes that a batch of events makes to them.

A read model is a module with its `TABLES` and a function from a `Batch` to `Change`s. The function is pure:
it sees events only, never the database, so that the same batch always makes the same rows, live and in a
rebuild. There are no migrations: a digest over all definitions is stored with the tables, and where it
differs the read models are built anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.log.records import Record
from schemas.message import Event
from schemas.postings import MoneyEvent


class Index(msgspec.Struct, frozen=True):
    """An index of a table. on: what follows its name, such as `(book, actor, seq)`."""

    name: str
    on: str


class Table(msgspec.Struct, frozen=True):
    """A table of a read model.

    columns: (name, SQL type with its constraints), in the order of COPY.   key: the primary key.
    bulk: rows are only ever added, so that a rebuild makes key and indexes after loading.
    by_month: a time by which the table is partitioned, a partition a month.
    personal: columns with personal data, which no report shows.
    version: raised where the rows mean something else though the columns are the same.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    bulk: bool = False
    by_month: str = ""
    options: str = ""
    personal: tuple[str, ...] = ()
    version: int = 1

    def create(self, schema: str) -> str:
        """The statement that makes the table, without key and indexes."""
        body = ", ".join(f"{name} {_typed(kind)}" for name, kind in self.columns)
        tail = f" PARTITION BY RANGE ({self.by_month})" if self.by_month else ""
        tail += f" WITH ({self.options})" if self.options else ""
        return f"CREATE TABLE {schema}.{self.name} ({body}){tail}"

    def keys(self, schema: str) -> list[str]:
        """The statements that give the table its key and indexes."""
        return [
            f"ALTER TABLE {schema}.{self.name} ADD PRIMARY KEY ({', '.join(self.key)})",
            *(f"CREATE INDEX {one.name} ON {schema}.{self.name} {one.on}" for one in self.indexes),
        ]

    def again(self) -> str:
        """The end of an INSERT of whole rows, for ids that can be used anew once they are forgotten."""
        others = (name for name, _ in self.columns if name not in self.key)
        sets = ", ".join(f"{name} = excluded.{name}" for name in others)
        return f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {sets}"

    def names(self) -> str:
        """The columns that COPY fills: all but the generated ones."""
        return ", ".join(name for name, kind in self.columns if "GENERATED" not in kind)


def _typed(kind: str) -> str:
    """Texts sort and compare by byte, which is quick and the same on every server."""
    first, _, rest = kind.partition(" ")
    return f'{first} COLLATE "C" {rest}'.rstrip() if first in {"text", "text[]"} else kind


class Batch(msgspec.Struct):
    """Consecutive events of a partition; the events of one outcome are never in two batches.

    records, events: the same, as stored and decoded.   times: of each, as PostgreSQL reads it.
    money: the events with postings, with their bytes and times.   others: all events but those that say
    nothing beside their postings.
    """

    partition: int
    records: list[Record]
    events: list[Event]
    times: list[str]
    money: list[tuple[MoneyEvent, bytes, str]]
    others: list[Event]


class Insert(msgspec.Struct, frozen=True):
    """Rows to add to a table, in COPY's text format. month: the first day of the month they belong to."""

    table: Table
    rows: bytes
    month: str = ""


class Staging(msgspec.Struct, frozen=True):
    """A temporary table, in which rows of one or many batches wait until they are settled together."""

    name: str
    columns: str


class Stage(msgspec.Struct, frozen=True):
    """Rows for a staging table, in COPY's text format."""

    staging: Staging
    rows: bytes


class Execute(msgspec.Struct, frozen=True):
    """A statement to run once for each of the parameters, in order. `{schema}` stands for the schema."""

    statement: str
    parameters: Sequence[Sequence[Any] | Mapping[str, Any]]


Change = Insert | Stage | Execute


def digest_of(tables: Sequence[Table], *more: str) -> str:
    """SHA-256, in hex, over the definitions."""
    return hashlib.sha256(msgspec.json.encode((tables, more))).hexdigest()
