"""The stream workers on the real broker: same flags, cases and ids as the twin, whatever is killed."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.log.records import BEFORE_FIRST
from engine.site import OpenLog, Site
from schemas.catalogue import decode_event
from tests.kafka_home_test import deciding
from tests.stream_rig import (
    NEEDS_FAUST,
    Business,
    StreamWorker,
    Twin,
    answered,
    compare,
    streaming_site,
    workers,
)
from tests.terminal import until

pytestmark = NEEDS_FAUST
SETTLES_S = 240.0


def decided(log: OpenLog) -> int:
    """Up to where the partition's commands are decided."""
    return max((decode_event(one.value).cause for one in log.events(BEFORE_FIRST)), default=-1)


def settle(site: Site, running: Sequence[StreamWorker]) -> None:
    """Until the workers have said all that the twin would; what is missing then, `compare` names. One that
    has ended itself is started anew, as whoever supervises them does.
    """
    for _, log in site.readers():
        ends = log.last_command_offset()
        until(lambda: decided(log) >= ends, SETTLES_S)  # noqa: B023
    wanted = len(Twin(site).ids)
    deadline = time.monotonic() + SETTLES_S
    while answered(site) < wanted and time.monotonic() < deadline:
        time.sleep(1.0)
        for one in running:
            if one.process.poll() is not None:
                one.start()
    time.sleep(2.0)  # for what would be too much


@pytest.mark.long
def test_the_workers_say_what_the_twin_says(kafka_bootstrap: str, tmp_path: Path) -> None:
    site = streaming_site(kafka_bootstrap, tmp_path / "home", 3)
    with deciding(site, *site.partitions):
        business = Business(site, 1)
        business.open()
        with workers(site, tmp_path, 2) as running:
            for _ in range(20):
                business.move(100)
            settle(site, running)
    found = compare(site, business.noticed)
    assert found["flags"] > 20
    assert found["cases"] > 20


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2])
def test_no_case_is_lost_or_doubled_and_no_flag_missed_over_twenty_kills(
    kafka_bootstrap: str, tmp_path: Path, seed: int
) -> None:
    """Two workers under load; one of them is killed and started anew, twenty times."""
    site = streaming_site(kafka_bootstrap, tmp_path / "home", 3)
    rng = random.Random(seed)
    with deciding(site, *site.partitions):
        business = Business(site, seed)
        business.open()
        with workers(site, tmp_path, 2) as running:
            for _ in range(20):
                victim: StreamWorker = rng.choice(running)
                until(victim.has_begun, SETTLES_S)
                over = time.monotonic() + rng.uniform(1.0, 5.0)
                while time.monotonic() < over:
                    business.move(8)  # a few thousand in all: less than is waited for in book time
                    time.sleep(0.25)
                victim.kill()
                if rng.random() < 0.5:
                    business.move(8)
                victim.start()
            settle(site, running)
    found = compare(site, business.noticed, killed=True)
    assert found["flags"] > 100, found
