"""The agents of the stream workers one by one, without a broker: what each sends and keeps."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detection import across
from detection.sightings import Sighting
from detection.triage import SYSTEM, case_of
from engine.log.partitioning import partition_of
from engine.log.topics import Kafka
from engine.proof import Keyring, new_key
from schemas.alerts import Alert, decode_alert, encode_alert
from schemas.catalogue import decode_command, encode
from schemas.flags import RaiseFlag
from schemas.message import Command
from schemas.reported import ReportAlerts
from schemas.risk import Origin
from tests.story import account, given, story, transfer
from tests.streams_across_test import paid
from tests.triage_test import alert

pytest.importorskip("faust", reason="the extra `stream` is not installed")
from detection.faust_app import FAILED_STATUS, App, Batch, Kept, _Consumer, app_of, credentials
from detection.stream import Streams
from detection.stream_serving import Watchdog
from engine.errors import WrongUse

PARTITIONS = 4
KAFKA = Kafka("127.0.0.1:1", "bank")
KEY = new_key(SYSTEM)
ROOT = Path(__file__).parents[1]
WATCHING = across.Watching(watches=(across.Watch("payee", "many_payers", "parties", 2, 600),))


class Sent(Batch):
    """A batch that remembers what it would have sent, and stores at once."""

    records: list[tuple[str, bytes, bytes, int | None, dict[str, bytes]]]
    rows: list[tuple[str, int, bytes]]
    ended: list[int]
    stored_at: int

    def __init__(self, app: App, log: Log) -> None:
        super().__init__(app, log.ended.append)
        self.log = log

    async def send(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        *,
        partition: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        if self.log.broken:
            raise OSError("The broker is gone.")
        self.log.records.append((topic, key, value, partition, dict(headers or ())))

    def put(self, table: Kept, partition: int, key: bytes, value: bytes) -> None:
        super().put(table, partition, key, value)
        self.log.rows.append((table.name, partition, key))

    async def stored(self) -> None:
        self._sent.clear()
        self.log.stored += 1


class Log:
    """What all batches led to."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes, bytes, int | None, dict[str, bytes]]] = []
        self.rows: list[tuple[str, int, bytes]] = []
        self.ended: list[int] = []
        self.stored = 0
        self.broken = False

    def to(self, topic: str) -> list[tuple[bytes, bytes]]:
        return [(key, value) for name, key, value, _, _ in self.records if name == f"bank.{topic}"]


Put = Callable[..., Awaitable[Any]]


def run(
    agent: str, records: Iterable[tuple[str, bytes, int]], *more: Iterable[tuple[str, bytes, int]]
) -> Any:
    """Have the agent work on records (key, value, partition), in batches; the streams and the log."""
    log = Log()

    async def work() -> Streams:
        app = app_of(KAFKA, "stream", PARTITIONS)
        streams = Streams(app, KAFKA, KEY, PARTITIONS, watching=WATCHING, batch=lambda: Sent(app, log))
        made = {one.name.rpartition(".")[2]: one for one in streams.agents.values()}
        async with made[agent].test_context() as tested:
            for batch in (records, *more):
                before = log.stored
                for key, value, partition in batch:
                    await tested.put(key=key.encode(), value=value, partition=partition)
                for _ in range(200):
                    if log.stored > before or log.ended:
                        break
                    await asyncio.sleep(0.02)
        return streams

    return asyncio.run(work()), log


def sighted(*sightings: Sighting, partition: int = 3) -> list[tuple[str, bytes, int]]:
    return [(one.key, msgspec.msgpack.encode(one), partition) for one in sightings]


def commands(log: Log) -> list[Command]:
    return [decode_command(value) for _, value in log.to("stream-asked")]


def test_events_become_sightings_keyed_by_what_was_seen() -> None:
    given(account("alice", balance=10_000), account("bob"))
    story().hear(transfer("alice", "bob", 100, origin=Origin(device="phone")))
    events = [("main", encode(event), 2) for event in story().events()]
    streams, log = run("read_events", events)
    keys = [key.decode().split("\n")[1:3] for key, _ in log.to("stream-subjects")]
    assert keys[-3:] == [["party", "p-alice"], ["device", "phone"], ["party", "p-bob"]]
    assert {(name, partition) for name, partition, _ in log.rows} == {("known", 2)}
    assert streams.known[b"main\nalice"] == b"p-alice"
    totals = log.to("stream-kinds")
    assert b'"count":2' in totals[-1][1], "the transfer, and the one that alice's balance is from"


def test_alerts_go_to_their_case_and_to_the_figures_of_their_kind() -> None:
    one = alert(1)
    _, log = run("read_alerts", [("a", encode_alert(one), 1)])
    assert log.to("stream-groups") == [(case_of(one).encode(), encode_alert(one))]
    assert [key for key, _ in log.to("stream-kinds")] == [b"kinds"]


def test_an_alert_in_shadow_goes_to_the_figures_of_its_kind_and_to_no_case() -> None:
    quiet = msgspec.structs.replace(alert(1), shadow=True)
    _, log = run("read_alerts", [("a", encode_alert(quiet), 1), ("a", encode_alert(alert(2)), 1)])
    assert [decode_alert(value) for _, value in log.to("stream-groups")] == [alert(2)]
    assert len(log.to("stream-kinds")) == 2


def test_a_payee_whom_many_pay_becomes_a_flag_and_an_alert_for_each_book() -> None:
    streams, log = run("see", sighted(paid("a", 1, 1, "x"), paid("b", 1, 2, "y")))
    raised = commands(log)
    assert [(type(one), one.book) for one in raised] == [(RaiseFlag, "a"), (RaiseFlag, "b")]
    assert [decode_alert(value).source for _, value in log.to("stream-groups")] == ["stream", "stream"]
    asked = [partition for topic, _, _, partition, _ in log.records if topic.endswith("asked")]
    assert asked == [partition_of(b"a", PARTITIONS), partition_of(b"b", PARTITIONS)]
    assert [(name, partition) for name, partition, _ in log.rows] == [("seeing", 3)]
    assert len(streams.seeing) == 1


def test_a_batch_heard_again_says_again_what_it_said_to_the_byte() -> None:
    batch = sighted(paid("a", 1, 1, "x"), paid("b", 1, 2, "y"))
    _, once = run("see", batch)
    _, twice = run("see", batch, batch)
    said = [value for _, value in once.to("stream-asked")]
    assert [value for _, value in twice.to("stream-asked")] == said * 2


def test_rows_of_a_batch_over_several_partitions_are_written_to_their_own() -> None:
    batch = [
        *sighted(paid("a", 1, 1, "x", of="k1"), partition=1),
        *sighted(paid("a", 2, 1, "x", of="k2"), partition=2),
    ]
    streams, log = run("see", batch)
    assert {(key.split(b"\n")[2], partition) for _, partition, key in log.rows} == {(b"k1", 1), (b"k2", 2)}
    kept = streams.seeing.data._key_partition
    assert sorted(kept.values()) == [1, 2]


def test_alerts_of_a_case_are_reported_with_what_is_at_stake_so_far() -> None:
    first, second = alert(1), alert(2)
    case = case_of(first)
    streams, log = run("triage", [(case, encode_alert(one), 0) for one in (first, second)])
    found = [one for one in commands(log) if isinstance(one, ReportAlerts)]
    assert [(one.case, one.alerts[0].id, one.priority) for one in found] == [
        (case, first.id, 500),
        (case, second.id, 1_000),
    ]
    assert list(streams.cases) == [case.encode()]


def report(number: int) -> tuple[str, bytes, int]:
    one: Alert = alert(number)
    command = ReportAlerts(
        id=f"alert-{one.id}", book="a", actor=SYSTEM, issued_at_ms=1, case="c", party="p", alerts=(one,)
    )
    return "a", encode(command), 2


def test_commands_are_proved_and_kept_until_they_are_answered() -> None:
    streams, log = run("bring", [report(1), report(2)])
    [first, _] = [record for record in log.records if record[0] == "bank.commands"]
    assert first[3] == partition_of(b"a", PARTITIONS)
    assert Keyring({SYSTEM: KEY}).proves(tuple(first[4].items()), first[2], SYSTEM)
    assert len(streams.open) == 2


def test_silence_is_met_by_asking_again_unless_the_outcome_may_stand_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams, log = run("bring", [report(1), report(2)])
    log.records.clear()
    later = time.monotonic() + 60
    monkeypatch.setattr(streams._courier, "_now", lambda: later)
    asyncio.run(streams._courier.ask_again(Sent(streams.app, log), lambda partition: True))
    assert log.records == []
    asyncio.run(streams._courier.ask_again(Sent(streams.app, log)))
    assert len(log.to("commands")) == 2
    asyncio.run(streams._courier.ask_again(Sent(streams.app, log)))
    assert len(log.to("commands")) == 2, "and then it waits longer"


def test_figures_count_an_alert_once_and_movements_by_their_newest_total() -> None:
    hit = b'{"type":"hit","alert":%s}' % encode_alert(alert(1))
    totals = [b'{"type":"moved","source":0,"day":19675,"count":%d}' % count for count in (10, 40, 40)]
    streams, _ = run("tell_kinds", [("kinds", value, 0) for value in (hit, hit, *totals)])
    shown = streams.views()["kinds"]({})["kinds"]
    assert [(one["kind"], one["hits"], one["share"]) for one in shown] == [("fan_in", 1, 25)]


def test_a_worker_that_fails_ends_before_anything_is_done() -> None:
    log = Log()
    log.broken = True

    async def work() -> None:
        app = app_of(KAFKA, "stream", PARTITIONS)
        streams = Streams(app, KAFKA, KEY, PARTITIONS, batch=lambda: Sent(app, log))
        [agent] = [one for one in streams.agents.values() if one.name.endswith("read_alerts")]
        async with agent.test_context() as tested:
            await tested.put(key=b"a", value=encode_alert(alert(1)))
            for _ in range(200):
                if log.ended:
                    break
                await asyncio.sleep(0.02)

    asyncio.run(work())
    assert log.ended == [FAILED_STATUS]
    assert log.stored == 0


def test_a_worker_that_is_stopped_in_the_midst_of_a_batch_ends_there() -> None:
    """Faust marks a batch as done also where its agent was cancelled."""
    ended: list[int] = []

    async def work() -> None:
        app = app_of(KAFKA, "stream", PARTITIONS)

        async def batch() -> None:
            with Batch(app, ended.append).ends("tests"):
                await asyncio.sleep(60)

        task = asyncio.ensure_future(batch())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    assert ended == [0]


def test_a_partition_that_much_waits_in_and_nothing_is_done_of_is_noticed() -> None:
    watchdog = Watchdog(60.0, most=100)
    assert watchdog.stuck(0.0, {"idle": (5, 6), "slow": (0, 500), "stuck": (7, 500)}) is None
    assert watchdog.stuck(50.0, {"idle": (5, 6), "slow": (1, 500), "stuck": (7, 500)}) is None
    assert watchdog.stuck(61.0, {"idle": (5, 6), "slow": (1, 500), "stuck": (7, 500)}) == "stuck"
    assert watchdog.stuck(62.0, {}) is None, "while partitions change hands nothing is stuck"
    assert watchdog.stuck(63.0, {"stuck": (7, 500)}) is None, "and then its time begins anew"


def test_a_gap_in_the_offsets_ends_where_it_ends() -> None:
    """Between transactions are markers. What stands behind one was not looked at only because it was read."""

    async def work() -> list[int | None]:
        app = app_of(KAFKA, "stream", PARTITIONS)
        consumer = app.consumer
        assert isinstance(consumer, _Consumer)
        place: Any = ("bank.events", 0)
        for before, after in ((0, 2), (2, 4), (4, 6)):
            await consumer._add_gap(place, before + 1, after)
        consumer._acked[place] = [0, 2]
        found = []
        for _ in range(2):
            found.append(consumer._new_offset(place))
            consumer._committed_offset[place] = found[0]
        return found

    assert asyncio.run(work()) == [3, None], "the record at 4 is not done, however often it is asked"


def test_the_views_show_what_is_kept() -> None:
    streams, _ = run("see", sighted(paid("a", 1, 1, "x"), paid("b", 1, 2, "y")))
    views = streams.views()
    [seen] = views["subjects"]({})["subjects"]
    assert (seen["subject"], seen["of"], seen["flags"], seen["books"]) == (
        "payee",
        "mule",
        ["many_payers"],
        ["a", "b"],
    )
    assert views["tables"]({})["rows"]["seeing"] == 1
    both = (alert(1), alert(1, party="q"))
    streams, _ = run("triage", [(case_of(one), encode_alert(one), 0) for one in both])
    cases = streams.views()["queue"]({"capacity": "1"})["cases"]
    assert [(one["place"], one["today"]) for one in cases] == [(1, True), (2, False)]


def test_security_is_said_to_fausts_client_or_refused(tmp_path: Path) -> None:
    assert credentials({}) is None
    found = credentials(
        {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "stream",
            "sasl.password": "secret",
        }
    )
    assert (found.username, found.mechanism.value) == ("stream", "SCRAM-SHA-512")
    for wrong in (
        {"ssl.engine.location": "x"},
        {"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"},
    ):
        with pytest.raises(WrongUse, match="cannot do"):
            credentials(wrong)


def test_the_example_agent_flags_a_payee_of_round_amounts() -> None:
    spec = importlib.util.spec_from_file_location("stream_agent", ROOT / "examples/stream_agent.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    log = Log()

    async def work() -> None:
        app = app_of(KAFKA, example.NAME, PARTITIONS)
        agent = example.watch(app, KAFKA, KEY, PARTITIONS, batch=lambda app: Sent(app, log))
        async with agent.test_context() as tested:
            for seq in range(1, 8):
                one = msgspec.structs.replace(paid("a", seq, 1), paid_out=20_000 if seq != 3 else 123)
                await tested.put(
                    key=one.key.encode(), value=msgspec.msgpack.encode(one), partition=1, wait=False
                )
            for _ in range(200):
                if log.stored:
                    break
                await asyncio.sleep(0.02)

    asyncio.run(work())
    [(_, value)] = log.to("commands")
    command = decode_command(value)
    assert isinstance(command, RaiseFlag)
    assert [one.seq for one in command.evidence] == [1, 2, 4, 5, 6]
