"""Changes to rows, folded within a batch: a row is written once, however many events changed it.

A row that the batch makes has every column, and takes the place of one with its key; a row that was there has
only the columns that changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from projections.tables import Change, Execute, Table

CASTS = ("timestamptz", "date", "jsonb", "bigint", "integer", "boolean")


class Folding:
    """Statements for the rows of one table, made once for each set of columns."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._kinds = {name: kind.split(" ")[0] for name, kind in table.columns}
        self._all = tuple(name for name, _ in table.columns if name not in table.key)
        self._statements: dict[tuple[str, ...], str] = {}

    def changes(self, rows: Mapping[tuple[Any, ...], Mapping[str, Any]]) -> Iterator[Change]:
        """A statement for all rows with the same columns. rows: by key; what changed of each."""
        parameters: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for key, row in rows.items():
            if len(row) == len(self._all):
                parameters.setdefault(self._all, []).append((*key, *(row[name] for name in self._all)))
            else:
                parameters.setdefault(tuple(row), []).append((*row.values(), *key))
        for columns, values in parameters.items():
            yield Execute(self._statement(columns), values)

    def _statement(self, columns: tuple[str, ...]) -> str:
        known = self._statements.get(columns)
        if known is None:
            known = self._upsert() if columns == self._all else self._update(columns)
            self._statements[columns] = known
        return known

    def _upsert(self) -> str:
        key, names = self._table.key, (*self._table.key, *self._all)
        return (
            f"INSERT INTO {{schema}}.{self._table.name} ({', '.join(names)}) "
            f"VALUES ({', '.join(map(self._value, names))}) ON CONFLICT ({', '.join(key)}) DO UPDATE SET "
            + ", ".join(f"{one} = excluded.{one}" for one in self._all)
        )

    def _update(self, columns: tuple[str, ...]) -> str:
        sets = ", ".join(f"{one} = {self._value(one)}" for one in columns)
        where = " AND ".join(f"{one} = %s" for one in self._table.key)
        return f"UPDATE {{schema}}.{self._table.name} SET {sets} WHERE {where}"

    def _value(self, name: str) -> str:
        kind = self._kinds[name]
        return f"%s::{kind}" if kind in CASTS else "%s"
