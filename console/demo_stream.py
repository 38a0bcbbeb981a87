"""The demo's stream workers: on Kafka, a worker of the Faust app looks at the same topics as triage did.

What it reports has the ids that triage gave, so the book knows all of it already. It runs last, and after the
digest: that it was said again stands in the log.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from typing import Final

from console.output import Output
from console.streaming import installed
from detection.stream_topics import wanted
from detection.triage import SYSTEM
from engine.embedded import EachPartition
from engine.log.topic_settings import create
from engine.site import Site
from engine.supervisor import started
from schemas.catalogue import decode_event
from schemas.flags import FlagRaised
from schemas.rejections import CommandRejected, CommandRepeated

PATIENCE_S: Final = 180.0
IDLE_S: Final = 0.05


def again(output: Output, engine: EachPartition, site: Site, reported: int) -> bool:
    """Run a worker until all that was reported has been reported again; False where that is not so in time.

    reported: how many alerts triage has reported.
    """
    output.head("The stream workers, over the same topics")
    if not installed():
        output.say("Faust is not installed here; `pip install daybook-engine[stream]` brings it.")
        return True
    site.home.add_missing_keys(SYSTEM)
    create(site.kafka, site.count, min(3, site.kafka.brokers()), wanted)
    env = {
        "DAYBOOK_HOME": str(site.home.root.resolve()),
        "DAYBOOK_KAFKA_BOOTSTRAP": site.kafka.bootstrap,
        "DAYBOOK_TOPIC_PREFIX": site.kafka.prefix,
    }
    began = time.monotonic()
    worker = started(["run", "stream"], env)
    try:
        said = _heard(engine, worker, reported, began + PATIENCE_S)
    finally:
        worker.terminate()
        worker.wait()
    known, took_s = said["known"], time.monotonic() - began
    output.say(
        f"One worker of the Faust app, {took_s:.0f} s with its start: it reported {known:,} of {reported:,} "
        f"alerts that triage had reported, with the same ids, and {said['new']:,} more. Of what it saw over "
        f"all books it raised {said['flags']:,} flags; {said['refused']:,} commands were refused, in books "
        "that let nobody raise any."
    )
    return known == reported


def _heard(
    engine: EachPartition, worker: subprocess.Popen[bytes], reported: int, deadline: float
) -> Counter[str]:
    said: Counter[str] = Counter()
    while said["known"] < reported and time.monotonic() < deadline and worker.poll() is None:
        answers = engine.step()
        for answer in answers:
            first = decode_event(answer[0])
            if first.actor != SYSTEM:
                continue
            if isinstance(first, FlagRaised):
                said["flags"] += 1
            elif isinstance(first, CommandRepeated) or (
                isinstance(first, CommandRejected) and first.reason == "nothing_to_change"
            ):
                said["known"] += 1
            elif isinstance(first, CommandRejected):
                said["refused"] += 1
            else:
                said["new"] += 1
        if not answers:
            time.sleep(IDLE_S)
    return said
