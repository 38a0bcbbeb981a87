"""What the stream workers keep in their tables and send each other, as bytes.

Rows are MessagePack, since only workers read them; what an agent of somebody else may want to read is JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

import msgspec

from detection import across, statistics, triage
from detection.faust_app import Batch, Kept
from detection.inline import Moved
from detection.sightings import Sighting
from schemas.alerts import Alert

pack = msgspec.msgpack.Encoder().encode
sighting_of = msgspec.msgpack.Decoder(Sighting).decode
seeing_of = msgspec.msgpack.Decoder(across.Seeing).decode
group_of = msgspec.msgpack.Decoder(triage.Group).decode
day_of = msgspec.msgpack.Decoder(statistics.Day).decode
totals_of = msgspec.msgpack.Decoder(statistics.Totals).decode
moved_of = msgspec.msgpack.Decoder(Moved).decode


class Total(msgspec.Struct, frozen=True, tag="moved"):
    """The movements of a partition on a day, so far."""

    source: int
    day: int
    count: int


class Hit(msgspec.Struct, frozen=True, tag="hit"):
    """An alert, for the statistics of its kind."""

    alert: Alert


kind_of = msgspec.json.Decoder(Total | Hit | statistics.Judgement).decode
to_json = msgspec.json.Encoder().encode


class Rows(MutableMapping[str, str]):
    """The rows of `known` as the sighter wants them: text by text, each of the partition that is read."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.batch: Batch | None = None
        self.partition = 0

    def __getitem__(self, name: str) -> str:
        found: bytes = self._kept.data[name.encode()]
        return found.decode()

    def __setitem__(self, name: str, value: str) -> None:
        assert self.batch is not None, "a row is set while a batch is read"
        self.batch.put(self._kept, self.partition, name.encode(), value.encode())

    def __delitem__(self, name: str) -> None:
        raise AssertionError("accounts and books are never forgotten")

    def __iter__(self) -> Iterator[str]:
        return (key.decode() for key in self._kept)

    def __len__(self) -> int:
        return len(self._kept)
