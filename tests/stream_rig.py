"""A site on the real broker with stream workers, a load for them, and the twin that they must equal."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec
import pytest

from console.sites import administrator
from console.streaming import installed
from detection import stream_topics
from detection.inline import Inline, Kept
from detection.introduction import introduction
from detection.triage import SYSTEM, case_of
from detection.watching import watching_of
from engine.fold import Folded
from engine.home import LOCAL_KEY
from engine.kafka_client import KafkaClient
from engine.log.kafka_commands import KafkaCommands
from engine.log.partitioning import partition_of
from engine.log.records import BEFORE_FIRST, Out
from engine.log.topic_settings import create
from engine.proof import proof
from engine.site import Site
from schemas.accounts import OpenAccount
from schemas.alerts import Alert, alert_id, encode_alert
from schemas.books import OpenBook
from schemas.cases import AlertsJoined, CaseOpened
from schemas.catalogue import decode_command, decode_event, encode
from schemas.flags import FlagRaised, RaiseFlag
from schemas.message import Command, Event
from schemas.parties import RegisterParty
from schemas.rejections import CommandRejected
from schemas.reported import ReportAlerts
from schemas.risk import Origin
from schemas.transfers import Transfer
from tests.kafka_bank import new_site

NEEDS_FAUST = pytest.mark.skipif(
    not installed(),
    reason="the extra `stream` is not installed (faust-streaming, and cramjam, which reads lz4)",
)
BOOKS = tuple(f"book-{number}" for number in range(6))
PARTIES = tuple(f"p{number}" for number in range(12))
BEGAN_MS = 1_767_225_600_000
WATCHING = {"in_many_books": 3, "many_parties": 6, "passes_on": 200_000}
SOON_S = 120.0
MOST_OTHER = 0.01
"""Of the commands, how many may have been said with another content too where workers were killed."""


def streaming_site(bootstrap: str, root: Path, partitions: int = 3) -> Site:
    """A site with the topics of the stream workers too."""
    site = new_site(bootstrap, root, partitions)
    create(site.kafka, partitions, 1, stream_topics.wanted)
    return site


class Business:
    """What happens in the books: seeded, each book's time going on with every transfer."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self._key = site.home.keyring().keys[LOCAL_KEY]
        self._rng = random.Random(seed)
        self._numbers = dict.fromkeys(BOOKS, 0)
        self._sender = KafkaCommands(site.kafka)
        self._alerts = site.kafka.producer(linger_ms=5, partitioner="murmur2_random")
        self.noticed: list[Alert] = []

    def open(self) -> None:
        """Books with parties and their accounts, which know triage."""
        with KafkaClient(self.site.kafka) as client:
            for book in BOOKS:
                self._tell(client, self._opening(book))
                client_said = introduction(book, "admin", BEGAN_MS)
                self._tell(client, client_said)

    def _opening(self, book: str) -> Sequence[Command]:
        def said(kind: type[Command], what: str, /, **fields: object) -> Command:
            return kind(id=what, book=book, actor="admin", issued_at_ms=BEGAN_MS, **fields)

        admin = (administrator("admin"),)
        made = [
            said(
                OpenBook, f"open-{book}", name=book, currency="EUR", administrators=admin, clock="commanded"
            ),
            said(OpenAccount, "till", account="till", currency="EUR", kind="nostro"),
        ]
        for one in PARTIES:
            made += [
                said(RegisterParty, f"party-{one}", party=one, kind="person", name=one, status="active"),
                said(OpenAccount, f"account-{one}", account=one, currency="EUR", party=one),
                said(Transfer, f"fund-{one}", debit="till", credit=one, amount=10_000_000, currency="EUR"),
            ]
        return made

    def _tell(self, client: KafkaClient, commands: Sequence[Command]) -> None:
        for answer in client.submit([self._out(one) for one in commands]):
            event = decode_event(answer[0])
            assert not isinstance(event, CommandRejected), event

    def _out(self, command: Command) -> Out:
        value = encode(command)
        return Out(command.book.encode(), value, proof(LOCAL_KEY, self._key, value))

    def move(self, times: int) -> None:
        """Transfers by devices that many share and some do not; now and then an alert."""
        rng = self._rng
        outs = []
        for _ in range(times):
            book = rng.choice(BOOKS)
            self._numbers[book] += 1
            number = self._numbers[book]
            payer, paid = rng.sample(PARTIES, 2)
            device = f"d{min(int(rng.expovariate(0.02)), 400)}"
            command = Transfer(
                id=f"t{number}",
                book=book,
                actor="admin",
                issued_at_ms=BEGAN_MS + number * 20_000,
                debit=payer,
                credit=paid,
                amount=rng.randrange(100, 5_000),
                currency="EUR",
                origin=Origin(device=device),
            )
            outs.append(self._out(command))
            if rng.random() < 0.05:
                self._notice(book, number, rng.choice(PARTIES))
        self._sender.submit(outs)
        self._alerts.flush(30)

    def _notice(self, book: str, number: int, party: str) -> None:
        at = BEGAN_MS + number * 20_000
        alert = Alert(
            id=alert_id(book, "fan_in", party, number),
            source="typology",
            kind="fan_in",
            version=1,
            book=book,
            at=BEGAN_MS,
            first_at=BEGAN_MS,
            day=time.strftime("%Y-%m-%d", time.gmtime(at / 1_000)),
            party=party,
            currency="EUR",
            amount=number * 100,
        )
        self.noticed.append(alert)
        self._alerts.produce(
            self.site.kafka.alerts,
            encode_alert(alert),
            book.encode(),
            partition_of(book.encode(), self.site.count),
        )


class StreamWorker:
    """`daybook run stream` as a process of its own."""

    def __init__(self, site: Site, log: IO[bytes], **settings: str) -> None:
        self._site = site
        self._log = log
        self._file = Path(log.name)
        self._settings = settings
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, again where it has ended."""
        self._said = self._file.stat().st_size
        env = {
            **os.environ,
            "DAYBOOK_HOME": str(self._site.home.root),
            "DAYBOOK_KAFKA_BOOTSTRAP": self._site.kafka.bootstrap,
            "DAYBOOK_TOPIC_PREFIX": self._site.kafka.prefix,
            "DAYBOOK_GROUP_SESSION_MS": "6000",
            "DAYBOOK_STREAM_WATCHING": json.dumps(WATCHING),
            "DAYBOOK_WATCHDOG_S": "15",
            **self._settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "daybook", "run", "stream"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        return self.process

    def has_begun(self) -> bool:
        """Whether it has said a word since it was started."""
        return self._file.stat().st_size > self._said

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it in order; its exit status."""
        self.process.terminate()
        return self.process.wait(60)


@contextlib.contextmanager
def workers(site: Site, folder: Path, count: int = 1, **settings: str) -> Iterator[list[StreamWorker]]:
    """So many workers while this lasts; what they say is in `folder`."""
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(count):
            log = stack.enter_context((folder / f"worker-{number}.log").open("ab"))
            found.append(StreamWorker(site, log, **settings))
        try:
            yield found
        finally:
            for one in found:
                if one.process.poll() is None:
                    one.kill()


class Twin:
    """What the inline folds make of the same events and alerts."""

    def __init__(self, site: Site) -> None:
        inline = Inline(Kept(), watching_of(WATCHING))
        commands: list[Command] = []
        for partition, log in site.readers():
            for record in log.events(BEFORE_FIRST):
                commands += inline.event(record.value, partition, record.offset)
        for partition in site.partitions:
            with site.read_alerts(partition) as feed:
                for record in feed.events(BEFORE_FIRST):
                    commands += inline.alert(msgspec.json.decode(record.value, type=Alert))
        self.inline = inline
        self.late = sum(one.late for one in inline.kept.seeing.values())
        self.flags = {one.id: one for one in commands if isinstance(one, RaiseFlag)}
        self.reports = {one.id: one for one in commands if isinstance(one, ReportAlerts)}

    @property
    def ids(self) -> set[tuple[str, str]]:
        """Book and id of every command."""
        return {(one.book, one.id) for one in (*self.flags.values(), *self.reports.values())}


class Said:
    """What the workers have said on the commands topic, and what the books made of it."""

    def __init__(self, site: Site) -> None:
        self.contents: dict[tuple[str, str], set[bytes]] = {}
        self.sent = 0
        self.events: list[Event] = []
        self.priorities: dict[tuple[str, str], int] = {}
        self.expiries: dict[tuple[str, str, str, str], int] = {}
        for _, log in site.readers():
            for record in log.commands(BEFORE_FIRST, 10_000_000, 1.0):
                if f'"actor":"{SYSTEM}"'.encode() in record.value:
                    self._heard(decode_command(record.value))
            folded = Folded()
            records = list(log.events(BEFORE_FIRST))
            folded.apply(iter(records))
            self.events += [
                event for event in map(decode_event, (one.value for one in records)) if event.actor == SYSTEM
            ]
            for name, book in folded.partition.books.items():
                for case_id, case in book.cases.by_id.items():
                    self.priorities[name, case_id] = case.priority

    def _heard(self, command: Command) -> None:
        self.sent += 1
        if isinstance(command, ReportAlerts):  # the sum so far depends on which of them came first
            command = msgspec.structs.replace(command, priority=0)
        self.contents.setdefault((command.book, command.id), set()).add(encode(command))

    @property
    def answered(self) -> set[tuple[str, str]]:
        """Commands with an outcome."""
        return {(one.book, one.command) for one in self.events}


def answered(site: Site) -> int:
    """How many commands of the workers have an outcome by now."""
    found = set()
    needle = f'"actor":"{SYSTEM}"'.encode()
    for _, log in site.readers():
        for record in log.events(BEFORE_FIRST):
            if needle in record.value:
                event = decode_event(record.value)
                found.add((event.book, event.command))
    return len(found)


def compare(site: Site, noticed: Sequence[Alert], *, killed: bool = False) -> Mapping[str, int]:
    """Everything that the twin says was said, and was answered; nothing else was, and nothing twice.

    killed: workers were, so a table's row may have gone back to an older state, as nothing fences it. Then
    an id may be said with another content, which the book must have refused, and the priority of a case,
    a sum of what the row has seen, may differ: both are counted, and must be rare.
    """
    twin, said = Twin(site), Said(site)
    assert twin.late == 0
    _alike(set(said.contents), twin.ids, "said")
    _alike(said.answered, twin.ids, "answered")
    flags = {(one.book, one.id): encode(one) for one in twin.flags.values()}
    other = {
        key: contents
        for key, contents in said.contents.items()
        if len(contents) > 1 or (key in flags and contents != {flags[key]})
    }
    reused = {
        (one.book, one.command)
        for one in said.events
        if isinstance(one, CommandRejected) and one.reason == "id_reused"
    }
    several = {key for key, contents in other.items() if len(contents) > 1}
    assert several <= reused, f"other contents that no book refused: {several - reused}"
    most = len(twin.ids) * MOST_OTHER if killed else 0
    assert len(other) <= most, f"{len(other)} said with other contents: {list(other.items())[:5]}"
    raised = {one.command for one in said.events if isinstance(one, FlagRaised)}
    refused = {
        one.command: one.reason
        for one in said.events
        if isinstance(one, CommandRejected) and one.command in twin.flags and one.reason != "id_reused"
    }
    assert set(refused.values()) <= {"nothing_to_change"}, refused
    assert raised | refused.keys() == twin.flags.keys()
    joined = [
        (one.book, alert.id) for one in said.events if isinstance(one, AlertsJoined) for alert in one.alerts
    ]
    assert len(joined) == len(set(joined)), "an alert joined twice"
    assert set(joined) == {(one.book, one.alerts[0].id) for one in twin.reports.values()}
    assert set(joined) >= {(one.book, one.id) for one in noticed if not one.shadow}
    opened = [(one.book, one.case) for one in said.events if isinstance(one, CaseOpened)]
    assert len(opened) == len(set(opened)), "a case opened twice"
    assert set(opened) == {(one.book, one.case) for one in twin.reports.values()}
    for one in twin.reports.values():
        assert one.case == case_of(one.alerts[0])
    priorities = [
        (case, said.priorities[group.book, case], group.priority)
        for case, group in twin.inline.kept.groups.items()
        if said.priorities[group.book, case] != group.priority
    ]
    assert len(priorities) <= most, f"{len(priorities)} cases of another priority: {priorities[:5]}"
    return {
        "flags": len(twin.flags),
        "cases": len(opened),
        "alerts": len(joined),
        "sent": said.sent,
        "other contents": len(other),
        "other priorities": len(priorities),
    }


def _alike(found: set[tuple[str, str]], wanted: set[tuple[str, str]], what: str) -> None:
    missing, more = sorted(wanted - found), sorted(found - wanted)
    assert missing == [], f"{what}: {len(missing)} missing, such as {missing[:5]}"
    assert more == [], f"{what}: {len(more)} too many, such as {more[:5]}"
