"""A site on real brokers with all of its processes, under load: what the faults are done to."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from engine.home import Home
from engine.log.topics import Kafka
from tests.kafka import offering
from tests.kafka.auditor import Recording, Report, audit
from tests.kafka.brokers import ENGINES, Brokers
from tests.kafka.keeper import Keeper
from tests.kafka.offering import SYSTEMS, Offerings, books_on, secrets_of
from tests.terminal import Terminal

PARTITIONS: Final = 2
SESSION_MS: Final = 2_000
TRANSACTION_MS: Final = 3_000
PATIENCE_S: Final = 90.0
"""How long everything may take to be answered, published and shown after the last fault is over."""
_TOLD: Final = re.compile(r"partition_(taken|released|revoked|recovers)")
_NUMBER: Final = re.compile(r"\bpartition\W{1,4}(\d+)")
ROLES: Final = ("projector-1", "projector-2", "relay", "publisher", "follower")


@dataclass
class Answered:
    """How the site came out of it. pause_ms: the longest an upstream waited for an answer."""

    report: Report
    commands: int
    pause_ms: int
    settled_s: float


class Rig:
    """One site in a folder: topics, home and database of its own. number: names them."""

    def __init__(
        self,
        folder: Path,
        brokers: Brokers,
        dsn: str,
        number: int,
        *,
        seed: int,
        rate: float,
        roles: Sequence[str] = ROLES,
    ) -> None:
        self.brokers = brokers
        self.prefix = f"round-{number}"
        self.kafka = Kafka(brokers.bootstrap, self.prefix)
        self.books = books_on(PARTITIONS, PARTITIONS)
        self.folder = folder
        self._dsn = dsn
        self._seed, self._rate = seed, rate
        self._stack = contextlib.ExitStack()
        self._answered = 0
        self._roles = roles
        self._shown = any(role.startswith("projector") for role in roles)
        self._recording = Recording(brokers.bootstrap, self.prefix, PARTITIONS, outcomes="publisher" in roles)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def env(self, process: str = "") -> dict[str, str]:
        """The settings of a process: all of them are what a deployment could choose."""
        bootstrap = self.brokers.bootstrap_of(process) if process in ENGINES else self.brokers.bootstrap
        return {
            "DAYBOOK_HOME": str(self.folder / ".daybook"),
            "DAYBOOK_DATABASE_URL": self._dsn,
            "DAYBOOK_KAFKA_BOOTSTRAP": bootstrap,
            "DAYBOOK_TOPIC_PREFIX": self.prefix,
            "DAYBOOK_GROUP_SESSION_MS": str(SESSION_MS),
            "DAYBOOK_TRANSACTION_MS": str(TRANSACTION_MS),
            "DAYBOOK_WARM": "all",
        }

    def _start(self) -> None:
        terminal = Terminal(self.folder, **self.env())
        copies = str(len(self.brokers.nodes))
        terminal.ok("init", "--log", "kafka", "--partitions", str(PARTITIONS), "--replication", copies)
        home = Home(self.folder / ".daybook")
        home.add_missing_keys(*SYSTEMS)
        self.keeper = self._stack.enter_context(Keeper(self.folder))
        for process in (*ENGINES, *self._roles):
            role = process.rpartition("-")[0] or process
            self.keeper.start(process, "run", role, env=terminal.env | self.env(process))
        secrets = secrets_of(home.keyring_file)
        offering.now(self.kafka.bootstrap, self.kafka.commands, PARTITIONS, self.books, secrets["local"])
        self.loads = Offerings(
            self.folder,
            self.brokers.bootstrap,
            self.prefix,
            PARTITIONS,
            self.books,
            secrets,
            seed=self._seed,
            rate=self._rate,
            watched="outcomes" if "publisher" in self._roles else "events",
        )
        self._stack.callback(self.loads.close)

    # --- what faults need to know -----------------------------------------------------------------------

    def owned(self, engine: str) -> set[int]:
        """The partitions that the engine decides just now, by what it says itself."""
        found: set[int] = set()
        for line in self.keeper.said(engine).splitlines():
            told = _TOLD.search(line)
            number = _NUMBER.search(line)
            if told and number:
                (found.add if told[1] == "taken" else found.discard)(int(number[1]))
        return found

    def busy(self, chance: random.Random) -> str:
        """An engine that decides at least one partition; waits until there is one."""
        deadline = time.monotonic() + PATIENCE_S
        while not (busy := [engine for engine in ENGINES if self.owned(engine)]):
            if time.monotonic() > deadline:
                raise TimeoutError("no engine decides anything")
            time.sleep(0.05)
        return chance.choice(busy)

    # --- proof --------------------------------------------------------------------------------------------

    def settle(self) -> Answered:
        """Offer nothing more, wait until everything is answered, published and shown, and audit it."""
        began = time.monotonic()
        self.loads.pause()
        self.brokers.wait_whole()
        report = self._audited(began + PATIENCE_S)
        before, self._answered = self._answered, report.commands
        return Answered(report, report.commands - before, self.loads.longest_ms(), time.monotonic() - began)

    def _audited(self, deadline: float) -> Report:
        """The first audit that finds nothing, or the last one before the time is over.

        What is late is only waited for; what is wrong in the log stays wrong however often it is looked at.
        """
        while True:
            report = self._quick()
            if report.ok:
                report = audit(
                    asyncio.run(
                        self._recording.evidence(self.loads.written, self._dsn if self._shown else None)
                    )
                )
            if report.ok or time.monotonic() > deadline:
                return report
            time.sleep(0.1)

    def _quick(self) -> Report:
        """Whether the topics agree, which costs less than asking for every row."""
        asyncio.run(self._recording.catch_up())
        return audit(self._recording.topics())
