"""What a worker tells whoever counts: in its own thread, a few times a batch and never a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from book.state import Partition
from engine.log.records import Record


class Observer(Protocol):
    """Keeps what it wants of what it is told, and changes nothing."""

    def began(self, partition: Partition) -> None:
        """The state is folded. It is the worker's own: others may only look at how large it is."""
        ...

    def took(self, records: Sequence[Record], refusing: int) -> None:
        """These are decided next; so many books are refused all but urgent commands."""
        ...

    def committed(
        self, commands: int, events: int, said: Mapping[str, int], position: int, took_s: float
    ) -> None:
        """A commit is durable. commands, events: in it.   said: how many of the commands were refused or
        repeated, by reason.   position: up to which all commands are answered.   took_s: the log, for it.
        """
        ...

    def idle(self, position: int) -> None:
        """Nothing was there to take behind the position."""
        ...
