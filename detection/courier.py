"""The courier: brings commands to their books, proved, and asks again until each has its outcome.

What is asked stays in a table until its outcome stands in the events, as the relay's does:
a lost command, a book that is busy and a role that was not granted yet look the same, and are asked again.
Commands lie in the partition of their book, where its events come from too, so both meet in one worker.

It must never send a command that says something else than before under the same id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from detection.faust_app import Batch, Kept
from detection.heard import Face, answers
from engine.log.partitioning import partition_of
from engine.log.topics import Kafka
from engine.proof import Key, proof
from engine.reactor import LONGEST_SILENCE_MS, SILENCE_MS

__all__ = ["SILENCE_MS", "Courier"]

MOST_AT_ONCE: Final = 5_000
"""Commands that are asked again in one go."""


class _Envelope(msgspec.Struct):
    id: str
    book: str


_envelope_of = msgspec.json.Decoder(_Envelope).decode


class Courier:
    """Speaks as the system `actor`, with its key.

    open: the table of what has no outcome yet, by book and command.
    """

    def __init__(self, open: Kept, kafka: Kafka, partitions: int, actor: str, key: Key) -> None:
        self._open = open
        self._kafka = kafka
        self._partitions = partitions
        self._actor = actor
        self._key = key
        self._now = time.monotonic
        self._asked: dict[bytes, tuple[float, int]] = {}

    async def bring(self, batch: Batch, events: Iterable[Any]) -> None:
        """Commands on their way to their books."""
        for one in events:
            value: bytes = one.message.value
            command = _envelope_of(value)
            key = _key(command.book, command.id)
            batch.put(self._open, one.message.partition, key, value)
            self._asked[key] = self._now(), 1
            await self._send(batch, command.book.encode(), value)

    def hear(self, batch: Batch, partition: int, face: Face) -> None:
        """An event of the partition, which may be the outcome of a command."""
        if answers(face, self._actor):
            key = _key(face.book, face.command)
            batch.drop(self._open, partition, key)
            self._asked.pop(key, None)

    async def ask_again(self, batch: Batch, behind: Callable[[int], bool] = lambda partition: False) -> None:
        """Ask again what was met with silence, ever more seldom.

        behind: whether the events of a partition are not read up to now: then an outcome may stand there
        unread, and asking again would only make more of them.
        """
        now = self._now()
        left = MOST_AT_ONCE
        for key, value in list(self._open.items()):
            since, times = self._asked.setdefault(key, (now, 1))
            if now - since < min(SILENCE_MS << min(times, 10), LONGEST_SILENCE_MS) / 1_000:
                continue
            book = key.partition(b"\n")[0]
            if behind(partition_of(book, self._partitions)):
                continue
            self._asked[key] = now, times + 1
            await self._send(batch, book, value)
            left -= 1
            if left == 0:
                return

    async def _send(self, batch: Batch, book: bytes, value: bytes) -> None:
        await batch.send(
            self._kafka.commands,
            book,
            value,
            partition=partition_of(book, self._partitions),
            headers=list(proof(self._actor, self._key, value)),
        )


def _key(book: str, command: str) -> bytes:
    return f"{book}\n{command}".encode()
