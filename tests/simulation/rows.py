"""The read models in memory: what a database keeps of a projector's batches, all of a transaction or nothing.

It understands no SQL. It keeps what was written: rows by table, staged rows, statements.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from engine.log.records import BEFORE_FIRST
from projections.position import Position
from projections.tables import Change, Insert, Stage
from tests.simulation.faults import Fault
from tests.simulation.world import World

BEGUN = Position(BEFORE_FIRST, "")


class Waits(BaseException):
    """The statement waits for another session's transaction."""


class Rows:
    """What is committed. moved: how often the position was found elsewhere."""

    def __init__(self) -> None:
        self.positions: dict[int, Position] = {}
        self.changes: list[Change] = []
        self.writer: object = None

    def table(self, name: str) -> list[bytes]:
        """All rows of a table, in COPY's text format, sorted: a table has no order."""
        added = (one for one in self.changes if isinstance(one, Insert) and one.table.name == name)
        return sorted(b"".join(one.rows for one in added).splitlines())

    def balances(self, staging: str, book: str) -> dict[str, int]:
        """Of each account of the book, the last balance that was staged."""
        last: dict[str, tuple[int, int]] = {}
        for one in self.changes:
            if isinstance(one, Stage) and one.staging.name == staging:
                for row in one.rows.splitlines():
                    cells = row.decode().split("\t")
                    if cells[0] == book:
                        newest = int(cells[7]), int(cells[4])
                        last[cells[1]] = max(newest, last.get(cells[1], newest))
        return {account: balance for account, (_, balance) in last.items()}


class Session:
    """`Store` over the rows. Like PostgreSQL's, a session that dies leaves nothing of its transaction."""

    def __init__(self, world: World, rows: Rows) -> None:
        self.world = world
        self.rows = rows
        self._moved: dict[int, Position] = {}
        self._made: list[Change] = []

    def ensure(self) -> None:
        """Nothing is to be made."""

    def begin(self, partition: int) -> None:
        self.rows.positions.setdefault(partition, BEGUN)

    def position(self, partition: int) -> Position:
        return self.rows.positions[partition]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._moved, self._made = {}, []
        try:
            yield
            self.world.seam(Fault.PROJECTOR_DIED_MADE)
            self.rows.positions.update(self._moved)
            self.rows.changes += self._made
        finally:
            if self.rows.writer is self:
                self.rows.writer = None
        self.world.seam(Fault.PROJECTOR_DIED_COMMITTED)

    def move(self, partition: int, expected: int, to: Position) -> bool:
        if self.rows.writer is not None:  # the row is locked
            self.world.note(Fault.PROJECTOR_WAITED)
            raise Waits
        if self.rows.positions[partition].offset != expected:
            self.world.note(Fault.PROJECTOR_OVERTAKEN)
            return False
        self.rows.writer = self
        self._moved[partition] = to
        self.world.seam(Fault.PROJECTOR_DIED_MOVED)
        return True

    def make(self, changes: Sequence[Change]) -> None:
        self._made += changes

    def close(self) -> None:
        """There is nothing to give back."""
