"""The follower: folds the log behind the engine, checks its links, writes snapshots, signs links.

It is a process of its own, so that none of this costs the engine a millisecond. It only reads the log. What
it finds broken stops it with a `LogCorrupt` that names the place; nothing that is broken is ever signed.
"""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event as Told
from typing import Final

from book.evolve import evolve
from engine import garbage
from engine.errors import LogCorrupt
from engine.fold import Folded
from engine.links import link_of, next_link
from engine.log.moved import moved_to
from engine.log.records import BookLog, Clock, Record, wall_clock
from engine.observer import UNHEARD, Progress
from engine.places import Place
from engine.receipts import Receipt, Signer, append_link, read_links
from engine.snapshots import KEEP, load_newest, write_snapshot
from schemas.catalogue import decode_event

SNAPSHOT_EVENTS: Final = 200_000
SNAPSHOT_S: Final = 300.0
SIGN_S: Final = 30.0
AT_ONCE: Final = 50_000


class Follower:
    """snapshots: a folder or object store.   receipts: a folder.   signer: None to sign nothing.

    snapshot_events, snapshot_s: a snapshot is due after so many events, or so long after the first of them.
    sign_s: how often, at most, a link is signed while there are new ones.
    """

    def __init__(
        self,
        log: BookLog,
        snapshots: Path | Place,
        receipts: Path | None = None,
        signer: Signer | None = None,
        *,
        snapshot_events: int = SNAPSHOT_EVENTS,
        snapshot_s: float = SNAPSHOT_S,
        sign_s: float = SIGN_S,
        keep: int = KEEP,
        clock: Clock = wall_clock,
    ) -> None:
        """Takes up the newest snapshot. Raises LogCorrupt where the log lacks what was signed here before."""
        assert (receipts is None) == (signer is None), "who signs keeps what was signed"
        self.log = log
        self.snapshots = snapshots
        self.receipts = receipts
        self.signer = signer
        self.clock = clock
        self.progress: Progress = UNHEARD
        self._snapshot_events = snapshot_events
        self._snapshot_s = snapshot_s
        self._sign_s = sign_s
        self._keep = keep
        self.receipt = self._newest_receipt()
        self.folded = load_newest(snapshots, log) or Folded()
        self._new_events = 0
        self._new_since = 0.0
        self._signed_at = time.monotonic() - sign_s

    def step(self) -> int:
        """Fold what is new, a bounded number of pages at a time, and do what is due; returns how many events.

        Raises LogCorrupt; then the state is worthless.
        """
        count = self._fold()
        now = time.monotonic()
        if count and not self._new_events:
            self._new_since = now
        self._new_events += count
        if now - self._signed_at >= self._sign_s:
            self.sign()
        if self._new_events and (
            self._new_events >= self._snapshot_events or now - self._new_since >= self._snapshot_s
        ):
            self._write_snapshot()
        self.progress.step(count, self.folded.offset)
        return count

    def run(self, told: Told, idle_s: float = 0.2) -> None:
        """Work until told to stop, then leave nothing unsigned."""
        with garbage.by_hand():
            while not told.is_set():
                if self.step() == 0:
                    garbage.young()
                    told.wait(idle_s)
        self.finish()

    def finish(self) -> None:
        """Sign and write what was folded and is not due yet."""
        self.sign()
        if self._new_events:
            self._write_snapshot()

    def _fold(self) -> int:
        folded, partition = self.folded, self.folded.partition
        values: list[bytes] = []
        count = 0
        for record in self.log.events(folded.offset):
            values.append(record.value)
            try:
                evolve(partition, decode_event(record.value))
            except Exception as error:
                raise LogCorrupt(
                    f"The event at offset {record.offset} ({self._place(record)}) does not follow from those "
                    f"before it: {type(error).__name__}: {error}."
                ) from error
            link = link_of(record.headers) if record.headers else None
            if link is None:
                continue
            if next_link(folded.link, values) != link:
                raise LogCorrupt(
                    f"The events behind offset {folded.offset} up to {record.offset} are not those that were "
                    "written: their link does not fit."
                )
            count += len(values)
            folded.offset, folded.link = record.offset, link
            values.clear()
            if count >= AT_ONCE:
                break
        if values:
            raise LogCorrupt(f"The events behind offset {folded.offset} carry no link.")
        return count

    def _place(self, record: Record) -> str:
        """The book and the seq that the event should have."""
        name = record.key.decode("utf-8", "replace")
        book = self.folded.partition.books.get(name)
        return f"book {name}, behind seq {book.seq if book is not None else 0}"

    def sign(self) -> None:
        """Sign how far the log was folded, where that is further than what was signed last."""
        folded = self.folded
        if self.signer is None or self.receipts is None or folded.offset < 0:
            return
        if (
            self.receipt is not None
            and self.receipt.epoch_id == folded.partition.epoch_id
            and self.receipt.offset >= folded.offset
        ):
            return
        seqs = {name: book.seq for name, book in folded.partition.books.items()}
        self.receipt = self.signer.sign(
            folded.partition.epoch_id, folded.offset, seqs, folded.link, self.clock()
        )
        append_link(self.receipts, self.receipt)
        self._signed_at = time.monotonic()
        self.progress.receipt(self.receipt.signed_at_ms)

    def _write_snapshot(self) -> None:
        write_snapshot(self.snapshots, self.folded, self._keep)
        self._new_events = 0
        self.progress.snapshot()

    def _newest_receipt(self) -> Receipt | None:
        """What was signed here last. The log must hold it."""
        links = read_links(self.receipts) if self.receipts is not None else []
        if not links:
            return None
        newest = links[-1]
        try:
            record = next(iter(self.log.events(newest.offset - 1)), None)
        except LogCorrupt:  # where reading says by itself that it cannot be there
            record = None
        if record is not None and record.offset == newest.offset and _carries(record, newest):
            return newest
        if moved_to(self.log, lambda one: _carries(one, newest)) is not None:
            return newest
        found = "the log ends before that" if record is None else "the log holds another history there"
        raise LogCorrupt(
            f"Events up to offset {newest.offset} were signed here, and {found}: it was rewritten, cut off "
            "or set back to an older copy.",
            "Run verify. If the log was set back on purpose, move the receipts aside and keep them.",
        )


def _carries(record: Record, receipt: Receipt) -> bool:
    return bool(record.headers) and link_of(record.headers) == bytes.fromhex(receipt.link)
