"""`daybook adopt`: go on in a log that was restored, mirrored or made anew."""

from __future__ import annotations

from console.output import Output
from engine.epochs import Adopted, Commands, adopt, is_where_it_began
from engine.errors import WrongUse
from engine.home import Home
from engine.log.records import wall_clock
from engine.receipts import read_links, set_aside
from engine.settings import Settings
from engine.site import Site


def run(
    output: Output,
    home: Home,
    settings: Settings,
    *,
    commands: Commands | None,
    reason: str,
    accept_loss: bool,
) -> None:
    """Begin a new epoch in each partition. One that has begun it already is left as it is, so that what was
    interrupted can be asked for again.
    """
    site = Site(home, settings)
    if commands is None and site.kind == "kafka":
        raise WrongUse(
            "Are the commands a copy too, or was their topic made anew?", "Say --commands mirrored or anew."
        )
    done = 0
    for partition in site.partitions:
        folder = site.receipts(partition)
        with site.read(partition) as log:  # to write is to fence an engine, which would end for nothing
            if is_where_it_began(log):
                output.say(f"Partition {partition}: it is where it began; there is nothing to adopt.")
                continue
        with site.write(partition) as log:
            try:
                adopted = adopt(
                    log,
                    wall_clock(),
                    reason,
                    commands=commands or "mirrored",
                    receipts=read_links(folder),
                    accept_loss=accept_loss,
                )
            except WrongUse as error:
                if site.kind != "kafka":
                    raise
                output.say(f"Partition {partition}: {error.what}")
                continue
        done += 1
        _tell(output, partition, adopted)
        if adopted.lost:
            kept = set_aside(folder, adopted.lost, f"lost-before-epoch-{adopted.epoch}.ndjson")
            output.say(f"  {len(adopted.lost)} receipts vouch for what was lost; they are in {kept}.")
    if not done:
        raise WrongUse("There was nothing to adopt.", "Every partition is kept where its epoch says.")


def _tell(output: Output, partition: int, adopted: Adopted) -> None:
    output.say(
        f"Partition {partition}: epoch {adopted.epoch} begins behind {adopted.events:,} events; "
        f"{adopted.carried:,} commands were carried over, and {adopted.waiting:,} wait for their outcome."
    )
    output.emit(
        partition=partition,
        events=adopted.events,
        epoch=adopted.epoch,
        epoch_id=adopted.epoch_id,
        carried=adopted.carried,
        waiting=adopted.waiting,
        lost_receipts=len(adopted.lost),
    )
