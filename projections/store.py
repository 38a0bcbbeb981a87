"""What a projector asks of the database that it writes to, and PostgreSQL's answer.

The protocol of a batch is the projector's own: move the position, make the changes, both or neither. This is
only what it is made of, so that the simulation can run the same protocol where anything may stop anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from projections.database import Session, connect
from projections.layout import LIVE, ensure
from projections.making import make, prepare
from projections.position import Position, begin, move, stored
from projections.tables import Change


class Store(Protocol):
    """Where the read models are, in one session."""

    def ensure(self) -> None:
        """Make what is missing. Raises ReadModelsChanged."""
        ...

    def begin(self, partition: int) -> None:
        """Make the partition's position, before the first event, where it has none."""
        ...

    def position(self, partition: int) -> Position:
        """How far the read models of the partition are."""
        ...

    def transaction(self) -> AbstractContextManager[object]:
        """What is done inside is kept when it ends, or nothing of it where it raises."""
        ...

    def move(self, partition: int, expected: int, to: Position) -> bool:
        """Move the position from where it is expected. False, and nothing is changed, where it is not."""
        ...

    def make(self, changes: Sequence[Change]) -> None:
        """Change the rows."""
        ...

    def close(self) -> None:
        """Give the session back."""
        ...


class PostgresStore:
    """A `Store` in the database at `dsn`."""

    def __init__(self, dsn: str) -> None:
        """Raises DatabaseUnavailable."""
        self._session: Session = connect(dsn)
        try:
            prepare(self._session)
        except BaseException:
            self._session.close()
            raise

    def ensure(self) -> None:
        """See `Store.ensure`."""
        ensure(self._session)

    def begin(self, partition: int) -> None:
        """See `Store.begin`."""
        begin(self._session, partition)

    def position(self, partition: int) -> Position:
        """See `Store.position`."""
        return stored(self._session, partition)

    def transaction(self) -> AbstractContextManager[object]:
        """See `Store.transaction`."""
        return self._session.transaction()

    def move(self, partition: int, expected: int, to: Position) -> bool:
        """See `Store.move`."""
        return move(self._session, partition, expected, to)

    def make(self, changes: Sequence[Change]) -> None:
        """See `Store.make`."""
        make(self._session, LIVE, changes)

    def close(self) -> None:
        """See `Store.close`."""
        self._session.close()
