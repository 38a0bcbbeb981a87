"""What keeps history safe: `snapshot-write` and `snapshot-load`, of a partition with a million accounts, to a
folder and back; `archive` and `adopt`, of a stored log.

Run as a program it prints the figure of a snapshot, since only a process of its own has memory of its own.
The command ids of the accounts' opening are remembered still, as they are within a week of it: the largest
state that these accounts can be.
"""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import book, fold
from bench.measure import Figure
from bench.unkept import Unkept
from engine.admission import Admission
from engine.archive import Archive, archive
from engine.epochs import adopt
from engine.fold import Folded
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import Out, wall_clock
from engine.places import place_at
from engine.receipts import Signer
from engine.snapshots import decode_snapshot, write_snapshot
from engine.worker import Worker

AT_ONCE = 8_000


def of_history(events: int, folder: Path) -> list[Figure]:
    """Archive a stored log of so many transfers, then begin an epoch in it: each reads all of it."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "log.sqlite"
        with contextlib.closing(fold.stored(file, events)) as log:
            folded = Folded()
            folded.apply(log.events(-1))
            partition = folded.partition
            key = Ed25519PrivateKey.generate()
            receipt = Signer(key).sign(partition.epoch_id, folded.offset, {}, folded.link, 0)
            kept = Archive(place_at(Path(place) / "archive"), 0, partition.epoch_id)
            began = time.perf_counter()
            added = archive(log, kept, receipt)
            took = time.perf_counter() - began
        archived = Figure(
            workload="archive",
            log="sqlite",
            seconds=took,
            per_s=round((added.events + added.commands) / took),
        )
        with contextlib.closing(RecorderLog.sqlite(file)) as writer:
            began = time.perf_counter()
            adopted = adopt(writer, wall_clock(), "measured", commands="mirrored", receipts=[receipt])
            took = time.perf_counter() - began
        return [
            archived,
            Figure(workload="adopt", log="sqlite", seconds=took, per_s=round(adopted.events / took)),
        ]


def figures(accounts: int, folder: Path) -> list[Figure]:
    """Measured in a fresh process each: what writes must not warm up what loads."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        return [_ran("write", str(accounts), place), _ran("load", str(accounts), place)]


def _ran(*given: str) -> Figure:
    ran = subprocess.run([sys.executable, "-m", "bench.keeping", *given], capture_output=True, check=True)
    return msgspec.json.decode(ran.stdout, type=Figure)


def write(accounts: int, place: Path) -> Figure:
    """Open the accounts, then write."""
    now_ms = wall_clock()
    log = MemoryLog()
    begin(log, [book.ADMINISTRATOR], now_ms)
    folded = Worker(log).folded
    sink = Unkept((), 0, now_ms)
    worker = Worker(sink, folded, admission=Admission(book.KEYRING), batch=AT_ONCE)

    def send(outs: list[Out]) -> None:
        sink.give(outs, folded.partition.position + 1, now_ms)
        worker.run(lambda: sink.is_over, 0.0)

    send(list(book.by_people(book.staff(now_ms, 1))))
    for start in range(0, accounts, AT_ONCE):
        some = min(AT_ONCE, accounts - start)
        send(list(book.by_upstream(list(book.customers(now_ms, start, some, "")))))
    assert len(folded.partition.books[book.BOOK].accounts) > accounts
    folded.offset = 1
    gc.collect()
    gc.freeze()
    began = time.perf_counter()
    path = write_snapshot(place, folded)
    took = time.perf_counter() - began
    size = path.stat().st_size
    return Figure(
        workload="snapshot-write",
        log="none",
        seconds=took,
        per_s=round(accounts / took),
        bytes_per_account=round(size / accounts),
    )


def load(accounts: int, place: Path) -> Figure:
    """Read and decode it; bytes_per_account: by how much the process has grown at its largest."""
    (path,) = place.rglob("*.snapshot")
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    folded = decode_snapshot(path.read_bytes())
    took = time.perf_counter() - began
    assert folded is not None
    assert len(folded.partition.books[book.BOOK].accounts) > accounts
    after = psutil.Process().memory_info().rss
    return Figure(
        workload="snapshot-load",
        log="none",
        seconds=took,
        per_s=round(accounts / took),
        bytes_per_account=round((after - before) / accounts),
    )


if __name__ == "__main__":
    _, kind, many, where = sys.argv
    made = {"write": write, "load": load}[kind](int(many), Path(where))
    sys.stdout.write(msgspec.json.encode(made).decode())
