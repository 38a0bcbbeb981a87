"""The engine as processes on the real broker: who owns what, and that nothing is lost or done twice.

Every test ends by folding the log: each command that was sent has one outcome, in order, and links and seqs
are whole. Seeds are not needed: the faults come at a place in the log or while the producer is busy. What the
group has a part in runs with both of its protocols.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from confluent_kafka import ConsumerGroupType

from console.sites import Topics, make_home
from engine.fold import Folded
from engine.home import HomeFile
from engine.kafka_settings import kafka_of
from engine.log.kafka import KafkaCommands
from engine.log.topic_settings import create
from engine.log.topics import TRANSACTION_MS
from engine.snapshots import load_newest, write_snapshot
from tests.kafka.brokers import Brokers
from tests.kafka_engines import USER, BankOnKafka, EngineProcess, Load
from tests.kafka_servers import unused_prefix
from tests.terminal import SOON_S, until

Bank = Callable[..., BankOnKafka]
CHECK_FAILED, WRONG_USE = 1, 2

newer = pytest.param("consumer", marks=pytest.mark.long)
both_protocols = pytest.mark.parametrize("protocol", ["classic", newer], indirect=True)


@pytest.fixture
def protocol(request: pytest.FixtureRequest) -> str:
    """The group's: the classic one as asked for, or what `auto` finds with KIP-848."""
    return str(getattr(request, "param", "classic"))


@pytest.fixture
def bank(request: pytest.FixtureRequest, protocol: str, tmp_path: Path) -> Iterator[Bank]:
    """Makes a bank of so many partitions; its engines end with the test, and had that protocol."""
    made: list[BankOnKafka] = []
    classic = protocol == "classic"
    own: str = request.getfixturevalue("kafka_bootstrap" if classic else "newer_groups")

    def make(partitions: int, bootstrap: str = own, **settings: str) -> BankOnKafka:
        asked = {"DAYBOOK_GROUP_PROTOCOL": "classic" if classic else "auto"}
        made.append(BankOnKafka(tmp_path, bootstrap, partitions, **asked, **settings))
        made[-1].open_books()
        return made[-1]

    yield make
    for one in made:
        one.end()
        if one.kafka.bootstrap == own:  # a test's own broker has ended
            meant = ConsumerGroupType.CLASSIC if classic else ConsumerGroupType.CONSUMER
            assert one.group_type() == meant


def ended(engine: EngineProcess) -> int:
    return engine.process.wait(SOON_S)


def works(engine: EngineProcess) -> bool:
    """Whether it has had a partition to decide for."""
    assert engine.process.poll() is None, engine.text()
    return "partition_taken" in engine.text()


def taken(engine: EngineProcess, partition: int, times: int = 1) -> Callable[[], bool]:
    return lambda: engine.has("partition_taken", partition, times)


@both_protocols
def test_commands_are_decided_and_a_killed_engine_is_taken_over_from(bank: Bank) -> None:
    site = bank(2)
    first = site.start()
    until(lambda: first.owns(0, 1))
    with Load(site) as load:
        until(load.goes_on())
        first.kill()
        second = site.start()
        until(lambda: second.owns(0, 1))
        until(load.goes_on())
    site.prove(load.sent)
    assert second.stop() == 0
    KafkaCommands(site.kafka).submit([site.transfer(0, "late")])
    assert not site.decided(0), "nobody is there to decide it"


@pytest.mark.long
def test_a_worker_that_hangs_ends_its_process_and_another_decides(bank: Bank) -> None:
    site = bank(1, DAYBOOK_WATCHDOG_S="1")
    hangs = site.start("hang")
    until(taken(hangs, 0))
    KafkaCommands(site.kafka).submit([site.transfer(0, "before"), site.transfer(0, "hang")])
    # A step of deciding may take as long as a commit and some.
    other = site.start()
    assert hangs.process.wait(120) == CHECK_FAILED
    assert "has hung for" in hangs.text()
    assert "kafka_hooks.py" in hangs.text(), "where it hung is said"
    until(lambda: other.owns(0))
    site.prove(2)


@pytest.mark.long
def test_kill_9_under_load_again_and_again(bank: Bank) -> None:
    site = bank(2)
    engines = [site.start(), site.start()]
    with Load(site) as load:
        for number in range(4):
            until(lambda: any(one.owns(0) for one in engines))
            until(load.goes_on())
            engines.pop(number % 2).kill()
            engines.append(site.start())
        until(load.goes_on())
    site.prove(load.sent)
    for one in engines:
        assert one.stop() == 0, one.text()


@pytest.mark.long
@pytest.mark.parametrize(
    ("protocol", "longer_s"),
    [("classic", 0), ("classic", TRANSACTION_MS / 1_000 + 1), ("consumer", 0)],
    indirect=["protocol"],
)
def test_a_zombie_with_a_batch_in_its_hands_is_refused(bank: Bank, longer_s: float) -> None:
    """Stopped past its session, its commit is fenced and its process ends. Stopped for longer than its own
    client waits for a record to be stored, that may be what it hears first: it drops everything, and the
    group tells it that the partition is another's.
    """
    site = bank(1)
    zombie = site.start("sleep-long")
    until(taken(zombie, 0))
    stops = psutil.Process(zombie.process.pid)
    with Load(site) as load:
        until(load.goes_on())
        KafkaCommands(site.kafka).submit([site.transfer(0, "sleep-long")])
        until(lambda: stops.status() == psutil.STATUS_STOPPED)
        stopped = time.monotonic()
        second = site.start()
        until(lambda: second.owns(0))
        until(load.goes_on())
        time.sleep(longer_s)
        zombie.signal(signal.SIGCONT)
        slept_s = time.monotonic() - stopped
        until(lambda: zombie.process.poll() is not None or "partition_recovers" in zombie.text())
        if slept_s < TRANSACTION_MS / 2_000:
            assert ended(zombie) == CHECK_FAILED
        if zombie.process.poll() is not None:
            assert "Fenced" in zombie.text()
        until(load.goes_on())
    site.prove(load.sent + 1)


@pytest.mark.long
@both_protocols
def test_partitions_move_in_mid_batch_when_engines_come_and_go(bank: Bank) -> None:
    site = bank(4)
    first, second = site.start(), site.start()

    until(lambda: works(first) and works(second))
    with Load(site, 1_000) as load:
        until(load.goes_on())
        third = site.start()
        until(lambda: works(third))
        until(load.goes_on())
        assert second.stop() == 0, "it leaves in order"
        until(load.goes_on())
        fourth = site.start()
        until(lambda: works(fourth))
        assert first.stop() == 0
        until(load.goes_on())
    site.prove(load.sent)
    assert third.stop() == 0, third.text()
    assert fourth.stop() == 0, fourth.text()
    said = first.text() + second.text() + third.text() + fourth.text()
    assert "partition_recovers" not in said, "nobody fenced anybody"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_broker_and_the_network_may_go_away(bank: Bank, tmp_path: Path) -> None:
    with Brokers(tmp_path / "broker", 1) as brokers:
        node = brokers.nodes[0]
        site = bank(1, brokers.bootstrap)
        engine = site.start(DAYBOOK_KAFKA_BOOTSTRAP=brokers.bootstrap_of("engine-a"))
        until(taken(engine, 0))
        times = 1
        with Load(site) as load:
            until(load.goes_on())
            brokers.network("engine-a", "cut")
            time.sleep(2)
            brokers.network("engine-a", "open")
            until(load.goes_on())
            brokers.network("engine-a", "half_open")
            until(lambda: "partition_recovers" in engine.text(), 120)
            brokers.network("engine-a", "open")
            times += 1
            until(taken(engine, 0, times), 120)
            until(load.goes_on())
        threads = psutil.Process(engine.process.pid).num_threads()
        node.kill()
        time.sleep(1)
        brokers.again(node)
        with Load(site) as more:
            more.sent = load.sent
            until(more.goes_on(), 120)
        site.prove(more.sent)
        grown = psutil.Process(engine.process.pid).num_threads() - threads
        assert grown < 10, "clients that were given up are gone"
        assert engine.stop() == 0, engine.text()


@pytest.mark.long
def test_a_partition_that_was_not_begun_is_waited_for(kafka_bootstrap: str, tmp_path: Path) -> None:
    site = BankOnKafka(tmp_path, kafka_bootstrap, 1)
    other = site.settings.model_copy(update={"topic_prefix": unused_prefix()})
    kafka = Topics(1, 1)
    try:
        create(kafka_of(other), kafka.partitions, kafka.replication)
        engine = site.start(DAYBOOK_TOPIC_PREFIX=other.topic_prefix)
        until(lambda: engine.has("partition_not_begun", 0))
        assert other.home is not None
        make_home(other.home, other, HomeFile(1, USER, log="kafka"), kafka)
        until(taken(engine, 0))
        assert engine.stop() == 0
    finally:
        site.end()


@pytest.mark.long
def test_a_bug_in_evolve_ends_the_process_with_a_sentence(bank: Bank) -> None:
    site = bank(1)
    engine = site.start("damage")
    until(taken(engine, 0))
    KafkaCommands(site.kafka).submit([site.transfer(0, "damage")])
    assert ended(engine) == CHECK_FAILED
    assert "a bug in Daybook" in engine.text()
    other = site.start()
    until(lambda: other.owns(0))
    site.prove(1)


@pytest.mark.long
def test_a_warm_engine_takes_over_what_it_has_folded(bank: Bank) -> None:
    site = bank(1)
    first = site.start()
    until(taken(first, 0))
    second = site.start(DAYBOOK_WARM="all")
    with Load(site) as load:
        until(load.goes_on())
        first.kill()
        until(taken(second, 0))
        until(load.goes_on())
    site.prove(load.sent)
    (line,) = (json.loads(one) for one in second.text().splitlines() if "partition_taken" in one)
    assert line["what"] == "from what was kept warm"
    assert second.stop() == 0


@pytest.mark.long
def test_an_upgrade_goes_one_process_at_a_time(bank: Bank) -> None:
    site = bank(2)
    olds = [site.start(), site.start()]
    until(lambda: works(olds[0]) and works(olds[1]))
    with Load(site) as load:
        until(load.goes_on())
        news = [site.start("next-release")]
        until(lambda: "process_started" in news[0].text())
        assert olds[0].stop() == 0
        until(load.goes_on())
        news.append(site.start("next-release"))
        until(lambda: "process_started" in news[1].text())
        assert olds[1].stop() == 0
        until(lambda: works(news[0]) and works(news[1]))
        until(load.goes_on())
    site.prove(load.sent)
    for partition in range(2):
        with site.site.read(partition) as log:
            kinds = [json.loads(record.value)["type"] for record in log.events(-1)]
        assert kinds.count("ReleaseActivated") == 1, "each partition goes over once"
    for one in news:
        assert one.stop() == 0
    late = site.start()
    assert ended(late) == WRONG_USE
    assert "Start the newer release" in late.text()


@pytest.mark.long
def test_a_snapshot_saves_the_fold_and_one_of_another_history_is_passed_over(bank: Bank) -> None:
    site = bank(1)
    first = site.start()
    until(taken(first, 0))
    with Load(site) as load:
        until(load.goes_on())
    site.prove(load.sent)
    assert first.stop() == 0
    with site.site.read() as log:
        folded = Folded()
        folded.apply(log.events(-1))
        write_snapshot(site.site.snapshots(0), folded)
        loaded = load_newest(site.site.snapshots(0), log)
        assert loaded is not None
        assert loaded.offset == folded.offset
    second = site.start()
    until(taken(second, 0))
    (line,) = (json.loads(one) for one in second.text().splitlines() if "partition_taken" in one)
    assert line["what"] == "from a snapshot"
    assert second.stop() == 0
