"""A stream worker beside something that runs on Kafka for a while, such as the demo."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from console import streaming
from detection import stream_topics
from engine.home import Home
from engine.log.topic_settings import create
from engine.settings import Settings
from engine.site import Site

ENDS_S: Final = 60.0


@contextlib.contextmanager
def stream_worker(home: Home, settings: Settings, replication: int, said: Path) -> Iterator[str]:
    """A worker as a process of its own while this lasts; gives the role that it has: `stream`, or `triage`
    where Faust is not installed.

    replication: of the topics that are made for it.   said: the file that takes its log.
    """
    site = Site(home, settings)
    role = "stream" if streaming.installed() else "triage"
    if role == "stream":
        create(site.kafka, site.count, replication, stream_topics.wanted)
    env = {
        **os.environ,
        "DAYBOOK_HOME": str(home.root.resolve()),
        "DAYBOOK_KAFKA_BOOTSTRAP": site.kafka.bootstrap,
        "DAYBOOK_TOPIC_PREFIX": site.kafka.prefix,
        "DAYBOOK_KAFKA_OPTIONS": json.dumps(settings.kafka_options),
    }
    with said.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "daybook", "run", role],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        try:
            yield role
        finally:
            process.terminate()
            try:
                process.wait(ENDS_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
