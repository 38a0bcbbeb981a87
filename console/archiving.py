"""`daybook archive`: copy old ranges of the log into files, and remove them from Kafka if that is wanted."""

from __future__ import annotations

from console.output import Output
from engine.archive import Archive, NotArchived, archive
from engine.epochs import epoch_id_of
from engine.errors import WrongUse
from engine.home import Home
from engine.log.records import BEFORE_FIRST
from engine.places import place_at
from engine.receipts import read_links
from engine.settings import Settings
from engine.site import Site
from engine.snapshots import load_newest


def run(output: Output, home: Home, settings: Settings, *, trim: bool) -> None:
    """Archive what is signed in every partition. trim: then remove from Kafka what no start needs."""
    site = Site(home, settings)
    if settings.archive is None:
        raise WrongUse("There is no place for the archive.", "Set DAYBOOK_ARCHIVE to a path or URL.")
    if site.kind != "kafka":
        raise WrongUse("Only a log in Kafka is archived.", "Copy the log's file or database instead.")
    place = place_at(settings.archive)
    for partition in site.partitions:
        links = read_links(site.receipts(partition))
        with site.read(partition) as log:
            epoch_id = epoch_id_of(log)
            newest = [one for one in links if one.epoch_id == epoch_id][-1:]
            if not newest:
                output.say(f"Partition {partition}: nothing is signed yet, so nothing is archived.")
                continue
            kept = Archive(place, partition, epoch_id)
            added = archive(log, kept, newest[0])
            output.say(
                f"Partition {partition}: {added.events:,} events and {added.commands:,} commands in "
                f"{added.files} files, {added.bytes:,} bytes; events are archived up to offset "
                f"{added.events_through}, commands up to {added.commands_through}."
            )
            removed = _trim(site, partition, kept) if trim else (0, 0)
            if trim:
                output.say(f"  Kafka keeps events from {removed[0]} and commands from {removed[1]} on.")
            output.emit(
                partition=partition,
                events=added.events,
                commands=added.commands,
                files=added.files,
                bytes=added.bytes,
                events_through=added.events_through,
                commands_through=added.commands_through,
                events_from=removed[0],
                commands_from=removed[1],
            )


def _trim(site: Site, partition: int, kept: Archive) -> tuple[int, int]:
    """Remove what is archived and stands before the newest snapshot, which a start goes on from."""
    from engine.log.trimming import remove_before  # noqa: PLC0415 - the client, for whom it concerns

    with site.read(partition) as log:
        folded = load_newest(site.snapshots(partition), log)
    if folded is None:
        raise NotArchived(
            f"Partition {partition} has no snapshot of this release, so a start needs all of its log.",
            "Let the follower write one first; nothing was removed.",
        )
    event = min(folded.offset, kept.last("events"))
    command = min(folded.partition.position, kept.last("commands")) + 1
    if event > BEFORE_FIRST:
        remove_before(site.kafka, partition, event=event, command=command)
    return event, command
