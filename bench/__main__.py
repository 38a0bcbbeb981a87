"""`python -m bench [WORKLOADS...] [--json]`: measure, and print a table, or one JSON object a line."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import psutil  # type: ignore[import-untyped]
import typer
from rich.console import Console
from rich.table import Table

from bench import (
    alerts,
    alerts_kafka,
    compiling,
    decide,
    embedded,
    end_of_day,
    features,
    fold,
    kafka,
    keeping,
    memory,
    publisher,
    steps,
    what_if,
)
from bench.book import CONTENTIONS, Contention
from bench.measure import Contender, Figure, Size, figures
from bench.peers import application, postgres

KINDS = ("decide", "embedded")
WORKLOADS = (
    *CONTENTIONS,
    *KINDS,
    *(f"{one}/{kind}" for one in CONTENTIONS for kind in KINDS),
    *fold.NAMES,
    "steps",
    "rules-compile",
    "what-if",
    "features",
    "memory",
    "end-of-day",
    "publisher",
    *alerts.NAMES,
    alerts.NAME,
    "memory-active",
    "snapshot",
    "archive",
    kafka.NAME,
    kafka.RULED,
)
"""All are measured where none is named, but for those on Kafka, which take minutes of their own."""

ACTIVE = 100_000
"""Accounts of `memory-active`, at most: each of them pays ten times."""
STEPS_OF: tuple[Contention, ...] = ("uniform-10k", "product-10k", "rules-30")

Say = Callable[[Figure], None]


def main(
    workloads: Annotated[
        list[str] | None,
        typer.Argument(help=f"Any of: {', '.join(WORKLOADS)}. All but those on Kafka if none."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    events: Annotated[int, typer.Option(min=1_000, help="Commands or events in a turn, at most.")] = 100_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds of a durable turn, at most.")] = 3.0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of which the median is taken.")] = 3,
    accounts: Annotated[int, typer.Option(min=1_000, help="Accounts of `memory`.")] = 1_000_000,
    bearing: Annotated[
        int, typer.Option(min=1_000, help="Interest-bearing accounts of `end-of-day`.")
    ] = 100_000,
    folder: Annotated[
        Path, typer.Option("--dir", help="Where logs and databases are made: on the disk to be measured.")
    ] = Path("build"),
) -> None:
    """Measure the workloads named, beside their peers and in the same rounds."""
    asked = set(workloads or WORKLOADS[:-2])
    if unknown := sorted(asked - set(WORKLOADS)):
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(WORKLOADS)}")
    size = Size(events, seconds, rounds)
    busy = os.getloadavg()[0]
    err = Console(stderr=True)
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Figure] = []

    def say(figure: Figure) -> None:
        found.append(figure)
        if as_json:
            sys.stdout.write(msgspec.json.encode(figure).decode() + "\n")
            sys.stdout.flush()

    with (
        tempfile.TemporaryDirectory(
            prefix="bench-", dir=folder.resolve(), ignore_cleanup_errors=True
        ) as place,
        err.status("...") if err.is_terminal else contextlib.nullcontext() as status,
    ):

        def began(what: str) -> None:
            if status is not None:
                status.update(what)

        measure(asked, size, accounts, bearing, Path(place), say, began)
        about = f"{machine(Path(place))}; load before the run {busy:.1f}"
    if not as_json:
        # In a file no column is cut to the width of a terminal.
        Console(width=None if sys.stdout.isatty() else 140).print(table(found, about))


def measure(
    asked: set[str],
    size: Size,
    accounts: int,
    bearing: int,
    folder: Path,
    say: Say,
    began: Callable[[str], None],
) -> None:
    """Run what is asked for and say each figure."""
    for contention in CONTENTIONS:
        with contextlib.ExitStack() as stack:
            contenders = of_transfers(contention, asked, size, folder, stack)
            for figure in figures(contenders, size.rounds, began):
                say(figure)
        gc.collect()
    if names := [name for name in fold.NAMES if name in asked]:
        with contextlib.ExitStack() as stack:
            began("storing a log")
            for figure in figures(fold.contenders(names, size, folder, stack), size.rounds, began):
                say(figure)
    if "end-of-day" in asked:
        began("end of day")
        for figure in end_of_day.contends(folder, bearing):
            say(figure)
    if "publisher" in asked:
        began("deciding what is published")
        with contextlib.ExitStack() as stack:
            for figure in figures(publisher.contenders(size, stack), size.rounds, began):
                say(figure)
    if any(one.startswith(alerts.NAME) for one in asked):
        began("making a month of movements")
        for figure in figures(alerts.contenders(size, asked), size.rounds, began):
            say(figure)
        bootstrap = os.environ.get("DAYBOOK_KAFKA_BOOTSTRAP")
        if alerts.NAME in asked and bootstrap:
            began("alerts/kafka")
            say(alerts_kafka.figure(bootstrap))
    if "features" in asked:
        began("features")
        for figure in features.figures():
            say(figure)
    if "what-if" in asked:
        for figure in figures(what_if.contenders(size), size.rounds, began):
            say(figure)
    if "rules-compile" in asked:
        began("rules-compile")
        for figure in compiling.figures(size.rounds):
            say(figure)
    if "steps" in asked:
        for contention in STEPS_OF:
            began(f"{contention}/steps")
            for figure in steps.figures(contention, size):
                say(figure)
    if "snapshot" in asked:
        began("snapshot")
        for figure in keeping.figures(accounts, folder):
            say(figure)
    if "archive" in asked:
        began("archive")
        for figure in keeping.of_history(size.events, folder):
            say(figure)
    if kafka.NAME in asked:
        kafka.measure(size, folder, say, began)
    if kafka.RULED in asked:
        kafka.measure_ruled(size, say, began)
    for kind in ("memory", "memory-active"):
        if kind in asked:
            began(kind)
            active = kind == "memory-active"
            say(memory.figure(min(accounts, ACTIVE) if active else accounts, active=active))


def of_transfers(
    contention: Contention, asked: set[str], size: Size, folder: Path, stack: contextlib.ExitStack
) -> list[Contender]:
    """Those that transfer money under this contention; a durable one brings its peers."""
    kinds = [kind for kind in KINDS if asked & {contention, kind, f"{contention}/{kind}"}]
    found: list[Contender] = []
    if "decide" in kinds:
        found += decide.contenders(contention, size)
    if "embedded" in kinds and contention not in ("uniform-10k", "hot-account"):
        found += embedded.contenders(contention, size, folder, stack, ())
    elif "embedded" in kinds:
        peers = [
            *application.contenders(contention, size, folder, stack),
            *postgres.contenders(contention, size, folder, stack),
        ]
        against = tuple(peer.workload for peer in peers)
        found += embedded.contenders(contention, size, folder, stack, against)
        found += peers
    return found


def machine(folder: Path) -> str:
    """What it ran on: the interpreter, the cores, and what a synced write costs where the logs were."""
    synced = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(200):
            file.write(bytes(4_096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            synced.append(time.perf_counter() - began)
    kind = max(
        (part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)),
        key=lambda part: len(part.mountpoint),
    ).fstype
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"{kind} with a synced write of 4 KiB in {sorted(synced)[100] * 1_000:.2f} ms (median)"
    )


def table(found: list[Figure], about: str) -> Table:
    """The figures as people read them."""
    made = Table(caption=about, caption_justify="left")
    for name in (
        "workload",
        "log",
        "batch",
        "per second",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "longest ms",
        "seconds",
        "times",
        "of the peer",
        "bytes/account",
        "ns",
    ):
        made.add_column(
            name, justify="left" if name in {"workload", "log", "of the peer"} else "right", no_wrap=True
        )
    for one in found:
        made.add_row(
            one.workload,
            one.log,
            f"{one.batch:,}" if one.batch else "",
            f"{one.per_s:,}" if one.per_s else "",
            "" if one.p50_ms is None else f"{one.p50_ms:.2f}",
            "" if one.p99_ms is None else f"{one.p99_ms:.2f}",
            "" if one.p999_ms is None else f"{one.p999_ms:.2f}",
            "" if one.longest_ms is None else f"{one.longest_ms:.2f}",
            "" if one.seconds is None else f"{one.seconds:.2f}",
            "" if one.ratio is None else f"{one.ratio:g}",
            one.peer,
            f"{one.bytes_per_account:,}" if one.bytes_per_account else "",
            f"{one.ns:,}" if one.ns else "",
        )
    return made


if __name__ == "__main__":
    typer.run(main)
