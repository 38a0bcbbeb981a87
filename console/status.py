"""What `daybook status` looks at: who owns what, how far everybody is, and what is not as it should be.

It shows what is there while half of it is down, and says what did not answer; so every question is asked by
itself, and none may start, write or take over anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import psutil  # type: ignore[import-untyped]
import psycopg

from engine.errors import DaybookError
from engine.home import Home
from engine.log.records import wall_clock
from engine.operating import ROLES
from engine.receipts import NEWEST_FILE, Receipt, parse_receipt
from engine.settings import Settings
from engine.site import Site
from engine.snapshots import newest_s
from projections.database import connect, open_database
from projections.position import position

SAMPLE_S: Final = 1.0
OLD_RECEIPT_S: Final = 300.0
"""A follower signs every 30 s while there is anything new."""

T = TypeVar("T")


class Duty(msgspec.Struct):
    """A role on a partition.   owner: the process or the member that has it, None for nobody.

    behind: records of its topic, None where it cannot be known from here.   per_s: records a second, lately.
    """

    role: str
    partition: int
    owner: str | None
    behind: int | None = None
    per_s: float | None = None


class PartitionStatus(msgspec.Struct):
    """commands, events: offsets behind the newest.   books: those that the newest receipt names.

    signed_at_ms, snapshot_at_ms: the newest receipt and snapshot.
    """

    partition: int
    commands: int | None
    events: int | None
    commands_per_s: float | None
    events_per_s: float | None
    books: list[str]
    signed_at_ms: int | None
    snapshot_at_ms: int | None


class Status(msgspec.Struct):
    """problems: sentences; none of them means that all that was asked answered, and is well."""

    ok: bool
    at_ms: int
    log: str
    brokers: list[str]
    topics: list[dict[str, Any]]
    duties: list[Duty]
    partitions: list[PartitionStatus]
    problems: list[str]


class Sample(msgspec.Struct):
    """How far things are at a moment. commands, events: ends by partition.   done: by role and partition."""

    at_s: float
    commands: dict[int, int]
    events: dict[int, int]
    done: dict[tuple[str, int], int]


def look(home: Home, settings: Settings, sample_s: float = SAMPLE_S) -> Status:
    """Ask everything, twice where something moves."""
    site = Site(home, settings)
    asking = _Kafka(site) if site.kind == "kafka" else _Embedded(site)
    first = asking.sample()
    time.sleep(sample_s)
    second = asking.sample()
    problems = asking.problems
    duties = asking.duties(second)
    for duty in duties:
        key = duty.role, duty.partition
        duty.per_s = _rate(first, second, first.done.get(key), second.done.get(key))
        if duty.owner is None and asking.is_shared(duty.role):
            problems.append(f"Nobody is the {duty.role} of partition {duty.partition}.")
    partitions = [_partition(site, one, first, second, problems) for one in range(asking.count)]
    said = list(dict.fromkeys(problems))
    return Status(
        ok=not said,
        at_ms=wall_clock(),
        log=site.kind,
        brokers=asking.brokers,
        topics=asking.topics,
        duties=duties,
        partitions=partitions,
        problems=said,
    )


class _Embedded:
    """A home with one log of its own: the processes are on this machine."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.problems: list[str] = []
        self.brokers: list[str] = []
        self.topics: list[dict[str, Any]] = []
        self.count = 1
        self.running = processes_of(site.home.root)

    def is_shared(self, role: str) -> bool:
        """Whether the role must be filled."""
        return role in {"engine", "projector", "follower", "relay"}

    def sample(self) -> Sample:
        ends = self._answered(self._ends)
        commands, events = ends or ({}, {})
        done = dict(_projected(self.site, 1, self.problems, is_running="projector" in self.running))
        receipt = _receipt(self.site, 0, self.problems)
        if receipt is not None:
            done["follower", 0] = receipt.offset + 1
        if commands:
            done["engine", 0] = commands[0]
        return Sample(time.monotonic(), commands, events, done)

    def duties(self, last: Sample) -> list[Duty]:
        found = []
        for role in ROLES:
            pid = self.running.get(role)
            if pid is None and not self.is_shared(role):
                continue
            end = last.events.get(0) if role != "engine" else None
            done = last.done.get((role, 0))
            behind = max(0, end - done) if end is not None and done is not None else None
            found.append(Duty(role, 0, None if pid is None else f"process {pid}", behind))
        return found

    def _ends(self) -> tuple[dict[int, int], dict[int, int]]:
        with self.site.read() as log:
            return {0: log.last_command_offset() + 1}, {0: log.last_event_offset() + 1}

    def _answered(self, ask: Callable[[], T]) -> T | None:
        return _asked(self.problems, ask)


class _Kafka:
    """A home on Kafka: members of groups own the partitions, wherever they run."""

    def __init__(self, site: Site) -> None:
        from engine.cluster import GROUPS, Cluster, Group, Topic  # noqa: PLC0415 - the client, where it is used

        self.site = site
        self._roles = GROUPS
        self._groups: dict[str, Group] = {}
        self._topics: list[Topic] = []
        self.cluster = Cluster(site.kafka)
        self.problems = self.cluster.problems
        self.brokers = self.cluster.brokers() or []
        if self.brokers:
            self._topics = self.cluster.topics()
        self.topics = [msgspec.to_builtins(one) for one in self._topics]
        self.count = next((one.partitions for one in self._topics if one.name == site.kafka.events), 0)
        self.running = processes_of(site.home.root)

    def is_shared(self, role: str) -> bool:
        """Whether the role must be filled, as far as it can be known from here."""
        return role in self._roles

    def sample(self) -> Sample:
        done = dict(_projected(self.site, self.count, self.problems, is_running=True))
        if not self.brokers:
            return Sample(time.monotonic(), {}, {}, done)
        for role in self._roles:
            self._groups[role] = group = self.cluster.group(role)
            for partition, offset in group.done.items():
                done.setdefault((role, partition), offset)
        for partition in range(self.count):
            receipt = _receipt(self.site, partition, self.problems)
            if receipt is not None:
                done.setdefault(("follower", partition), receipt.offset + 1)
        kafka = self.site.kafka
        commands = self.cluster.ends(kafka.commands, self.count)
        events = self.cluster.ends(kafka.events, self.count)
        return Sample(time.monotonic(), commands, events, done)

    def duties(self, last: Sample) -> list[Duty]:
        found = []
        for role, topic in self._roles.items():
            group = self._groups.get(role)
            ends = last.commands if topic == "commands" else last.events
            # Behind the last event stands the mark of its transaction, which is nobody's to do.
            marks = 0 if topic == "commands" else 1
            for partition in range(self.count):
                owner = group.owner(partition) if group is not None else None
                end, done = ends.get(partition), last.done.get((role, partition))
                behind = max(0, end - done - marks) if end is not None and done is not None else None
                who = None if owner is None else f"{owner.id} at {owner.host}"
                found.append(Duty(role, partition, who, behind))
        return found


def processes_of(home: Path) -> dict[str, int]:
    """The processes of a home on this machine that we may look at, by role."""
    found = {}
    for one in psutil.process_iter():
        try:
            words = one.cmdline()
            if "run" not in words or words[-1] not in ROLES:
                continue
            its = one.environ().get("DAYBOOK_HOME")
        except psutil.Error:
            continue
        if its is not None and Path(its).resolve() == home.resolve():
            found[words[-1]] = one.pid
    return found


def _projected(
    site: Site, partitions: int, problems: list[str], *, is_running: bool
) -> dict[tuple[str, int], int]:
    """How far the read models are. A bundled server that does not run is not started for it."""
    url, data = site.settings.database_url, site.home.postgres
    if url is None and not (is_running and (data / "cluster" / "postmaster.pid").exists()):
        return {}

    def ask() -> dict[tuple[str, int], int]:
        with open_database(data, url) as database, connect(database.dsn) as session:
            found = {one: position(session, one) for one in range(partitions)}
        return {("projector", one): offset + 1 for one, offset in found.items() if offset is not None}

    return _asked(problems, ask) or {}


def _receipt(site: Site, partition: int, problems: list[str]) -> Receipt | None:
    path = site.receipts(partition) / NEWEST_FILE
    try:
        return parse_receipt(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except (DaybookError, OSError) as error:
        problems.append(str(error))
        return None


def _partition(
    site: Site, partition: int, first: Sample, second: Sample, problems: list[str]
) -> PartitionStatus:
    receipt = _receipt(site, partition, problems)
    written = _asked(problems, lambda: newest_s(site.snapshots(partition)))
    commands, events = (one.get(partition) for one in (second.commands, second.events))
    if receipt is not None and events is not None:
        waits = events - receipt.offset - 1 - (1 if site.kind == "kafka" else 0)
        age_s = (wall_clock() - receipt.signed_at_ms) / 1_000
        if waits > 0 and age_s > OLD_RECEIPT_S:
            problems.append(f"Partition {partition}: {waits} events are unsigned, for {age_s:.0f} s.")
    return PartitionStatus(
        partition=partition,
        commands=commands,
        events=events,
        commands_per_s=_rate(first, second, first.commands.get(partition), commands),
        events_per_s=_rate(first, second, first.events.get(partition), events),
        books=sorted(one for one in receipt.books if not one.startswith("~")) if receipt is not None else [],
        signed_at_ms=None if receipt is None else receipt.signed_at_ms,
        snapshot_at_ms=None if written is None else round(written * 1_000),
    )


def _rate(first: Sample, second: Sample, before: int | None, after: int | None) -> float | None:
    if before is None or after is None:
        return None
    return round(max(0, after - before) / max(second.at_s - first.at_s, 0.001), 1)


def _asked(problems: list[str], ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except DaybookError as error:
        problems.append(str(error))
    except psycopg.Error as error:
        problems.append(f"The database of the read models does not answer: {str(error).splitlines()[0]}.")
    return None
