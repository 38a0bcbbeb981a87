"""What a worker, or who follows events, tells whoever counts: a few times a batch, never once a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

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


class Progress(Protocol):
    """What a projector, follower, relay or publisher tells of a partition, once a step."""

    def step(self, events: int, offset: int) -> None:
        """So many events were handled, and the newest of all stands at the offset."""
        ...

    def receipt(self, signed_ms: int) -> None:
        """A receipt was signed then."""
        ...

    def snapshot(self, written_s: float | None = None) -> None:
        """A snapshot was written then, or just now."""
        ...

    def close(self) -> None:
        """The partition is another's now."""
        ...


class Unheard:
    """A `Progress` that nobody counts."""

    def step(self, events: int, offset: int) -> None:
        pass

    def receipt(self, signed_ms: int) -> None:
        pass

    def snapshot(self, written_s: float | None = None) -> None:
        pass

    def close(self) -> None:
        pass


UNHEARD: Final[Progress] = Unheard()
