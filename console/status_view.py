"""`daybook status` as people and machines read it."""

from __future__ import annotations

import time

import msgspec

from console.output import Cell, Output, utc
from console.status import Status, look
from engine.home import Home
from engine.settings import Settings


def show(output: Output, home: Home, settings: Settings, *, follow: bool, every_s: float) -> bool:
    """Show it, or go on showing it until Ctrl-C; False where something was not well the last time."""
    while True:
        status = look(home, settings)
        output.line(msgspec.json.encode(status))
        _show(output, status)
        if not follow:
            return status.ok
        time.sleep(every_s)


def _show(output: Output, status: Status) -> None:
    output.head(f"Log: {status.log}, {utc(status.at_ms)}")
    if status.brokers:
        output.say(f"Brokers: {', '.join(status.brokers)}")
    if status.topics:
        rows = [
            (one["name"], one["partitions"], one["replication"], one["least_in_sync"], len(one["under"]))
            for one in status.topics
        ]
        output.table("", ["topic", ">partitions", ">replicas", ">least in sync", ">under-replicated"], rows)
    output.table(
        "",
        ["role", ">partition", "owner", ">behind", ">per second"],
        [
            (one.role, one.partition, one.owner or "nobody", one.behind, _figure(one.per_s))
            for one in status.duties
        ],
    )
    output.table(
        "",
        [
            ">partition",
            ">commands",
            ">events",
            ">commands/s",
            ">events/s",
            "last receipt",
            "last snapshot",
            "books",
        ],
        [
            (
                one.partition,
                one.commands,
                one.events,
                _figure(one.commands_per_s),
                _figure(one.events_per_s),
                None if one.signed_at_ms is None else utc(one.signed_at_ms),
                None if one.snapshot_at_ms is None else utc(one.snapshot_at_ms),
                ", ".join(one.books),
            )
            for one in status.partitions
        ],
    )
    for problem in status.problems:
        output.say(f"! {problem}")
    if status.ok:
        output.say("All that was asked answers, and is well.")


def _figure(rate: float | None) -> Cell:
    return None if rate is None else f"{rate:g}"
