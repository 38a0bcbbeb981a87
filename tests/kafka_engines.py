"""A site on Kafka whose engines are real processes that can be stopped, killed and made to misbehave, and a
producer that keeps it busy.
"""

import functools
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import ConsumerGroupType

from console.sites import Topics, administrator, make_home
from engine.home import LOCAL_KEY, Home, HomeFile
from engine.log.kafka import KafkaCommands
from engine.log.partitioning import partition_of
from engine.log.records import Out, wall_clock
from engine.log.topics import Kafka
from engine.proof import proof
from engine.settings import Settings
from engine.site import Site
from replay.verify import verify
from schemas.accounts import OpenAccount
from schemas.books import OpenBook
from schemas.catalogue import encode
from schemas.message import Command
from schemas.transfers import Transfer
from tests.kafka_servers import unused_prefix
from tests.terminal import ROOT, SOON_S, until

SESSION_MS = 3_000
"""Few seconds, so that a death is noticed soon. The brokers of tests take it."""
ACCOUNTS = ("nostro", "other")
USER = "admin"


class BankOnKafka:
    """A home of `partitions` partitions with a book of two accounts on each, once `open_books` was called."""

    def __init__(self, folder: Path, bootstrap: str, partitions: int, **settings: str) -> None:
        self.folder = folder
        root = folder / "home"
        self.settings = Settings(
            home=root,
            kafka_bootstrap=bootstrap,
            topic_prefix=unused_prefix(),
            group_session_ms=SESSION_MS,
            group_protocol="classic",
        )
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
        self.env |= {
            "PYTHONPATH": str(ROOT),
            "PYTHONSAFEPATH": "1",
            "DAYBOOK_HOME": str(root),
            "DAYBOOK_KAFKA_BOOTSTRAP": bootstrap,
            "DAYBOOK_TOPIC_PREFIX": self.settings.topic_prefix,
            "DAYBOOK_GROUP_SESSION_MS": str(SESSION_MS),
            "DAYBOOK_GROUP_PROTOCOL": "classic",
            **settings,
        }
        make_home(root, self.settings, HomeFile(1, USER, log="kafka"), Topics(partitions, 1))
        self.site = Site(Home(root), self.settings)
        self.kafka: Kafka = self.site.kafka
        self.partitions = partitions
        self.engines: list[EngineProcess] = []
        self._key = self.site.home.keyring().keys[LOCAL_KEY]
        named = (f"book-{number}" for number in itertools.count())
        found: dict[int, str] = {}
        while len(found) < partitions:
            name = next(named)
            found.setdefault(partition_of(name.encode(), partitions), name)
        self.books = found
        """A book of each partition, by its number."""

    def record(self, command: Command) -> Out:
        """The command as the home's own user sends it."""
        value = encode(command)
        return Out(command.book.encode(), value, proof(LOCAL_KEY, self._key, value))

    def open_books(self) -> None:
        """Have a book and its accounts in the commands topic; nobody needs to decide yet."""
        said: dict[str, Any] = {"actor": USER, "issued_at_ms": wall_clock()}
        for name in self.books.values():
            commands: Sequence[Command] = [
                OpenBook(
                    **said,
                    id=f"open-{name}",
                    book=name,
                    name=name,
                    currency="EUR",
                    administrators=(administrator(USER),),
                ),
                *(
                    OpenAccount(
                        **said, id=f"open-{one}", book=name, account=one, kind="nostro", currency="EUR"
                    )
                    for one in ACCOUNTS
                ),
            ]
            KafkaCommands(self.kafka).submit([self.record(one) for one in commands])

    def transfer(self, partition: int, id: str) -> Out:
        """A payment of one cent between two accounts that may be overdrawn."""
        return self.record(
            Transfer(
                id=id,
                book=self.books[partition],
                actor=USER,
                issued_at_ms=wall_clock(),
                debit=ACCOUNTS[0],
                credit=ACCOUNTS[1],
                amount=1,
                currency="EUR",
            )
        )

    def start(self, *hooks: str, **settings: str) -> "EngineProcess":
        """Start an engine."""
        engine = EngineProcess(self, len(self.engines), hooks, settings)
        self.engines.append(engine)
        return engine

    def end(self) -> None:
        """Kill whatever engine still runs."""
        for one in self.engines:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()

    def group_type(self) -> ConsumerGroupType:
        """Of the engines' group. It outlives its members, since they told how far they are."""
        group = f"{self.kafka.prefix}-engine"
        admin = self.kafka.admin()
        found: ConsumerGroupType = admin.describe_consumer_groups([group])[group].result(SOON_S).type
        return found

    def decided(self, partition: int) -> bool:
        """Whether every command that is stored has its outcome."""
        with self.site.read(partition) as log:
            last = log.last_command_offset()
            newest = log.last_event_offset()
            return any(
                json.loads(record.value).get("cause") == last
                for record in log.events(max(-1, newest - 50))
                if record.value
            )

    def prove(self, transfers: int) -> None:
        """Everything that was sent is decided, once, in order, without a gap; and so much was paid."""
        paid = 0
        for partition in range(self.partitions):
            until(functools.partial(self.decided, partition))
            with self.site.read(partition) as log:
                found = verify(log)
                assert found.ok, (partition, found.problems)
                paid += sum(
                    1 for record in log.events(-1) if json.loads(record.value)["type"] == "TransferPosted"
                )
        assert paid == transfers


class EngineProcess:
    """`daybook run engine`; what it says is in `text`."""

    def __init__(
        self, bank: BankOnKafka, number: int, hooks: Sequence[str], settings: dict[str, str]
    ) -> None:
        self.said = bank.folder / f"engine-{number}.txt"
        words = ["-m", "tests.kafka_hooks", *hooks] if hooks else ["-m", "daybook", "run", "engine"]
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                env=bank.env | settings,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                process_group=0,
            )

    def text(self) -> str:
        return self.said.read_text()

    def has(self, what: str, partition: int, times: int = 1) -> bool:
        """Whether it said so of the partition, so many times."""
        assert self.process.poll() is None, self.text()
        return sum(what in one and f"{partition}" in one for one in self.text().splitlines()) >= times

    def owns(self, *partitions: int) -> bool:
        """Whether it decides for these."""
        return all(self.has("partition_taken", one) for one in partitions)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it in order; returns its exit status."""
        self.process.terminate()
        return self.process.wait(SOON_S)


class Load:
    """A producer that sends transfers to every partition while this lasts, and counts them."""

    def __init__(self, bank: BankOnKafka, a_second: int = 400) -> None:
        self.sent = 0
        self._bank = bank
        self._a_second = a_second
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(SOON_S)

    def goes_on(self) -> Callable[[], bool]:
        """Whether a good many more were sent since this was called."""
        before = self.sent
        return lambda: self.sent > before + 50

    def _run(self) -> None:
        sender = KafkaCommands(self._bank.kafka)
        began = time.monotonic()
        while not self._over.is_set():
            outs = [
                self._bank.transfer(one, f"load-{self.sent + one}") for one in range(self._bank.partitions)
            ]
            sender.submit(outs)
            self.sent += len(outs)
            ahead_s = self.sent / self._a_second - (time.monotonic() - began)
            if ahead_s > 0:
                self._over.wait(ahead_s)
        sender.close()


class RunOf:
    """`daybook run ROLE` of a home, whose output goes to a file of its own."""

    def __init__(self, role: str, bank: BankOnKafka, number: int) -> None:
        self.said = bank.folder / f"{role}-{number}.txt"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daybook", "run", role],
                env=bank.env,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                process_group=0,
            )

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(60)
