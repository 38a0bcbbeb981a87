"""`python -m bench.takeover [ACCOUNTS] [TAIL]`: how long a partition stands when its engine is killed.

A book with so many accounts is decided by a real engine on a real broker (DAYBOOK_KAFKA_BOOTSTRAP, or one of
its own), a snapshot is written, and TAIL transfers follow it. Then, once cold and once warm, the engine is
killed with -9 while a second one waits and a client sends a transfer every 10 ms. Told are: how long until
the second engine was given the partition (the session time, mostly), and from there until the first outcome
was committed; in seconds by the clock, and of processors, which are to go by where other work runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from bench import book
from console.sites import Topics, make_home
from engine.broker import Cluster
from engine.fold import Folded
from engine.home import Home, HomeFile
from engine.log.kafka import KafkaCommands, KafkaLog
from engine.log.records import BEFORE_FIRST, Out, wall_clock
from engine.proof import Keyring
from engine.settings import Settings
from engine.site import Site
from engine.snapshots import load_newest, write_snapshot
from schemas.transfers import Transfer

SESSION_MS = 6_000
AT_ONCE = 20_000
WAIT_S = 900.0


class Engine:
    """`daybook run engine` with what it says."""

    def __init__(self, env: dict[str, str], said: Path, **more: str) -> None:
        self.said = said
        with said.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daybook", "run", "engine"],
                env=env | more,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
            )

    def line(self, name: str) -> dict[str, Any] | None:
        """The first line of that name."""
        for text in self.said.read_text().splitlines():
            if f'"{name}"' in text:
                found: dict[str, Any] = json.loads(text)
                return found
        return None

    def wait(self, name: str) -> dict[str, Any]:
        """The first line of that name, as soon as it is said."""
        deadline = time.monotonic() + WAIT_S
        while (line := self.line(name)) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(self.said.read_text()[-2_000:])
            time.sleep(0.02)
        return line

    def cpu_s(self) -> float:
        """What it has used of processors: beside other work, the time to go by."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def rss_mb(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss >> 20)


def main(accounts: int, tail: int) -> None:
    """Print one JSON object a figure."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="takeover-")))
        bootstrap = os.environ.get("DAYBOOK_KAFKA_BOOTSTRAP")
        if not bootstrap:
            bootstrap = stack.enter_context(Cluster(folder / "broker")).bootstrap
        site, env = _site(folder, bootstrap)
        stack.callback(_forget, site)
        engine = Engine(env, folder / "first.txt")
        began = time.monotonic()
        _send(site, _opening(accounts))
        _decided(site)
        _say(accounts=accounts, decided_s=round(time.monotonic() - began, 1))
        _snapshot(site)
        _send(site, iter(book.transfers("uniform-10k", tail, 1, wall_clock())))
        _decided(site)
        for kind in ("cold", "warm"):
            engine = _kill(site, env, engine, folder / f"{kind}.txt", kind, tail)
        engine.process.terminate()
        engine.process.wait()


def _site(folder: Path, bootstrap: str) -> tuple[Site, dict[str, str]]:
    root = folder / "home"
    settings = Settings(
        home=root, kafka_bootstrap=bootstrap, topic_prefix=f"takeover-{os.getpid()}", group_protocol="classic"
    )
    make_home(root, settings, HomeFile(1, book.ADMINISTRATOR.user, log="kafka"), Topics(1, 1))
    home = Home(root)
    home.write_keyring(Keyring({**home.keyring().keys, **book.KEYS}))
    env = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    env |= {
        "DAYBOOK_HOME": str(root),
        "DAYBOOK_KAFKA_BOOTSTRAP": bootstrap,
        "DAYBOOK_TOPIC_PREFIX": settings.topic_prefix,
        "DAYBOOK_GROUP_PROTOCOL": "classic",
        "DAYBOOK_GROUP_SESSION_MS": str(SESSION_MS),
        "DAYBOOK_BACKLOG_S": "3600",
        "DAYBOOK_BACKLOG_COMMANDS": "100000000",
    }
    return Site(home, settings), env


def _forget(site: Site) -> None:
    """Leave no gigabytes behind in a broker that is others' too."""
    kafka = site.kafka
    admin = kafka.admin()
    for done in admin.delete_topics([kafka.commands, kafka.events, kafka.outcomes]).values():
        done.result()


def _opening(accounts: int) -> Iterator[Out]:
    now_ms = wall_clock()
    yield from book.by_people(book.staff(now_ms))
    for first in range(0, accounts, AT_ONCE):
        yield from book.by_upstream(list(book.customers(now_ms, first, min(AT_ONCE, accounts - first))))
    yield from book.by_upstream(list(islice(book.deposits(now_ms), min(accounts, book.ACCOUNTS))))


def _send(site: Site, outs: Iterator[Out]) -> None:
    sender = KafkaCommands(site.kafka, 0)
    while some := list(islice(outs, AT_ONCE)):
        sender.submit(some)


def _decided(site: Site) -> None:
    """Wait until the last command has its outcome."""
    with KafkaLog(site.kafka) as log:
        last, deadline = log.last_command_offset(), time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            newest = log.last_event_offset()
            found = [json.loads(record.value) for record in log.events(max(-1, newest - 20))]
            if any(event.get("cause") == last for event in found):
                return
            time.sleep(0.5)
    raise SystemExit("the engine decides nothing")


def _snapshot(site: Site) -> None:
    """As the follower does; told is what it costs to write and to load again."""
    with KafkaLog(site.kafka) as log:
        folded = Folded()
        began = time.monotonic()
        folded.apply(log.events(BEFORE_FIRST))
        folded_s = time.monotonic() - began
        path = write_snapshot(site.snapshots(0), folded)
        written_s = time.monotonic() - began - folded_s
        del folded
        before = psutil.Process().memory_info().rss
        began, cpu = time.monotonic(), time.process_time()
        loaded = load_newest(site.snapshots(0), log)
        cpu = time.process_time() - cpu
        _say(
            fold_everything_s=round(folded_s, 2),
            snapshot_write_s=round(written_s, 2),
            snapshot_mb=path.stat().st_size >> 20,
            snapshot_load_s=round(time.monotonic() - began, 2),
            snapshot_load_cpu_s=round(cpu, 2),
            grown_mb=(psutil.Process().memory_info().rss - before) >> 20,
        )
        assert loaded is not None


def _kill(site: Site, env: dict[str, str], engine: Engine, said: Path, kind: str, tail: int) -> Engine:
    """Kill the engine while another waits; the other is returned."""
    engine.wait("partition_taken")
    _decided(site)
    other = Engine(env, said, **({"DAYBOOK_WARM": "all"} if kind == "warm" else {}))
    other.wait("process_started")
    time.sleep(3.0 if kind == "cold" else 30.0)  # it has joined, and is warm
    over = threading.Event()
    client = threading.Thread(target=_trickle, args=(site, kind, over))
    with KafkaLog(site.kafka) as log:
        client.start()
        time.sleep(1.0)
        cpu_s = other.cpu_s()
        engine.process.kill()
        engine.process.wait()
        killed = time.time()
        after = log.last_event_offset()
        while not log.wait_events(after, 1.0):
            pass
        answered = time.time()
        cpu_s = other.cpu_s() - cpu_s
    over.set()
    client.join()
    taken = other.wait("partition_taken")
    assigned = other.wait("partition_assigned")
    given = datetime.fromisoformat(assigned["time"]).timestamp()
    _say(
        takeover=kind,
        tail=tail,
        noticed_s=round(given - killed, 2),
        from_assignment_to_first_outcome_s=round(answered - given, 2),
        cpu_s=round(cpu_s, 2),
        of_it_until_deciding_s=taken["seconds"],
        began=taken["what"],
        rss_mb=other.rss_mb(),
    )
    return other


def _trickle(site: Site, name: str, over: threading.Event) -> None:
    """A payment every 10 ms."""
    sender = KafkaCommands(site.kafka, 0)
    for number in count():
        if over.wait(0.01):
            return
        sender.submit(
            book.by_upstream(
                [
                    Transfer(
                        id=f"{name}-{number}",
                        book=book.BOOK,
                        actor=book.UPSTREAM,
                        issued_at_ms=wall_clock(),
                        debit=book.account_id(1),
                        credit=book.account_id(2),
                        amount=1,
                        currency=book.CURRENCY,
                    )
                ]
            )
        )


def _say(**figures: object) -> None:
    print(json.dumps(figures), flush=True)


def _whole(words: Sequence[str]) -> tuple[int, int]:
    given = [int(one) for one in words]
    return given[0] if given else 1_000_000, given[1] if len(given) > 1 else 100_000


if __name__ == "__main__":
    main(*_whole(sys.argv[1:]))
