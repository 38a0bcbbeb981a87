"""`daybook topics`: what is made is right, and each setting that is not is refused with what mends it."""

import json
import subprocess
import time

import pytest
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions
from typer.testing import CliRunner

from daybook import app
from engine.broker import java_command
from engine.errors import LogUnavailable, WrongUse
from engine.home import Home, HomeFile
from engine.kafka_service import serve
from engine.log.kafka import KafkaLog
from engine.log.records import Out
from engine.log.topic_settings import WrongTopics, check, create, ensure, stalled
from engine.log.topics import Kafka
from engine.settings import Settings
from tests.kafka_servers import elsewhere, made


def set_to(kafka: Kafka, topic: str, name: str, value: str) -> None:
    """Have somebody set it so."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = kafka.admin()
    for done in admin.incremental_alter_configs([resource]).values():
        done.result()


def eventually(found: object, expected: object) -> None:
    """Brokers hear of a change a moment after it was made."""
    deadline = time.monotonic() + 10
    while (seen := found()) != expected:  # type: ignore[operator]
        assert time.monotonic() < deadline, f"{seen} is not {expected}"
        time.sleep(0.05)


def test_topics_are_made_once_and_are_right(kafka_bootstrap: str) -> None:
    kafka = elsewhere(kafka_bootstrap)
    names = [kafka.commands, kafka.events, kafka.outcomes, kafka.alerts]
    assert create(kafka, 3, 1) == names
    assert create(kafka, 3, 1) == []
    assert [kafka.partitions(name) for name in names] == [3, 3, 3, 3]
    assert check(kafka) == check(kafka, 3) == []
    ensure(kafka, 3)


@pytest.mark.parametrize(
    ("topic", "name", "wrong", "why"),
    [
        ("commands", "message.timestamp.type", "CreateTime", "when its command reached the log"),
        ("events", "message.timestamp.type", "LogAppendTime", "the engine which decided it"),
        ("events", "cleanup.policy", "compact", "all but a book's last record"),
        ("commands", "cleanup.policy", "delete,compact", "all but a book's last record"),
        ("events", "retention.ms", "604800000", "removed by age"),
        ("events", "retention.bytes", "1000000", "removed for room"),
        ("commands", "max.message.bytes", "1048588", "would be refused"),
        ("events", "unclean.leader.election.enable", "true", "fallen behind"),
        ("events", "compression.type", "gzip", "compress every page once more"),
    ],
)
def test_a_wrong_setting_is_named_with_its_reason_and_its_command(
    kafka: Kafka, topic: str, name: str, wrong: str, why: str
) -> None:
    topic = f"{kafka.prefix}.{topic}"
    set_to(kafka, topic, name, wrong)
    eventually(lambda: len(check(kafka)), 1)
    [problem] = check(kafka)
    assert problem.topic == topic
    assert problem.what.startswith(f"{name} is {wrong}, not ")
    assert why in problem.why
    right = problem.what.removeprefix(f"{name} is {wrong}, not ")
    assert problem.fix == (
        f"kafka-configs.sh --bootstrap-server {kafka.bootstrap} --alter --entity-type topics "
        f"--entity-name {topic} --add-config {name}={right}"
    )
    with pytest.raises(WrongTopics, match=why):
        ensure(kafka)
    set_to(kafka, topic, name, right)
    eventually(lambda: check(kafka), [])


def test_what_the_cluster_cannot_have_is_said_with_what_it_can(kafka_bootstrap: str) -> None:
    kafka = elsewhere(kafka_bootstrap)
    with pytest.raises(
        WrongUse, match=r"only \d broker.*Start more brokers, or say --replication \d "
    ) as told:
        create(kafka, 1, 9)
    assert ".." not in str(told.value)
    for count in (0, 100_001):
        with pytest.raises(WrongUse, match=f"{count} partitions are not possible"):
            create(kafka, count, 1)


def test_more_than_what_is_needed_is_well(kafka: Kafka) -> None:
    set_to(kafka, kafka.events, "max.message.bytes", str(16 << 20))
    set_to(kafka, kafka.commands, "max.message.bytes", str(9 << 20))
    eventually(lambda: check(kafka), [])


def test_too_few_partitions_and_other_counts_are_refused(kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 2)
    assert {problem.what for problem in check(kafka, 32)} == {"it has 2 partitions, not 32"}
    admin = kafka.admin()
    for done in admin.create_partitions([NewPartitions(kafka.commands, 4)]).values():
        done.result()
    eventually(lambda: kafka.partitions(kafka.commands), 4)
    others = [kafka.events, kafka.outcomes, kafka.alerts]
    assert [problem.topic for problem in check(kafka)] == others, "all have as many"
    [problem] = check(kafka, 2)
    assert (problem.topic, problem.what) == (kafka.commands, "it has 4 partitions, not 2")
    assert "another count sends it elsewhere" in problem.why


def test_missing_topics_are_named(kafka_bootstrap: str) -> None:
    kafka = elsewhere(kafka_bootstrap)
    assert [(problem.what, problem.fix) for problem in check(kafka, 5)] == [
        ("there is no such topic", "daybook topics create --partitions 5")
    ] * 4
    with pytest.raises(WrongTopics, match=r"And 3 more: `daybook topics check`"):
        ensure(kafka)


def test_a_transaction_that_is_not_ended_is_shown_to_the_operator(kafka: Kafka) -> None:
    """The engine waits in front of it, since it may still be aborted."""
    producer = kafka.producer(transactional_id=f"{kafka.prefix}-upstream")
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(kafka.commands, b"in it", b"book", 0)
    producer.flush()
    with KafkaLog(kafka, writer=True) as log:
        log.submit([Out(b"book", b"behind it")])
        assert log.commands(-1, 10, 0.3) == []
        [problem] = stalled(kafka)
        assert problem.topic == kafka.commands
        assert problem.what == "partition 0: offsets from 0 on wait behind an open transaction"
        assert f"describe-producers --topic {kafka.commands} --partition 0" in problem.fix
        producer.abort_transaction(30)
        assert [record.value for record in log.commands(-1, 10, 10.0)] == [b"behind it"]
    assert stalled(kafka) == []


def test_the_command_line_makes_and_checks(kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = elsewhere(kafka_bootstrap)
    monkeypatch.setenv("DAYBOOK_KAFKA_BOOTSTRAP", kafka_bootstrap)
    monkeypatch.setenv("DAYBOOK_TOPIC_PREFIX", kafka.prefix)

    def run(*words: str) -> tuple[int, list[dict[str, object]]]:
        done = CliRunner().invoke(app, ["topics", *words, "--json"])
        return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]

    status, said = run("check", "--partitions", "2")
    assert (status, len(said)) == (1, 5)
    status, said = run("create", "--partitions", "2", "--replication", "1")
    assert status == 0
    names = [kafka.commands, kafka.events, kafka.outcomes, kafka.alerts]
    assert [one.get("made") for one in said] == [*names, None]
    assert run("check") == (0, [{"ok": True, "problems": 0}])
    status, said = run("check", "--partitions", "3")
    assert (status, said[0]["what"]) == (1, "it has 2 partitions, not 3")


def test_the_count_that_the_home_records_is_the_one(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    kafka = made(kafka_bootstrap, 2)
    home = Home(tmp_path / "home")  # type: ignore[operator]
    home.create(HomeFile(version=1, user="ada", log="kafka", partitions=4))
    monkeypatch.setenv("DAYBOOK_KAFKA_BOOTSTRAP", kafka_bootstrap)
    monkeypatch.setenv("DAYBOOK_TOPIC_PREFIX", kafka.prefix)
    monkeypatch.setenv("DAYBOOK_HOME", str(home))
    done = CliRunner().invoke(app, ["topics", "check"])
    assert done.exit_code == 1
    assert "it has 2 partitions, not 4" in done.stdout
    done = CliRunner().invoke(app, ["topics", "check", "--partitions", "2"])
    assert "This site has 4 partitions, and 2 were asked for." in str(done.exception)
    with pytest.raises(WrongTopics, match="it has 2 partitions, not 4"):
        serve(home, Settings())


def test_nobody_there_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.log.topic_settings.ANSWER_S", 0.5)
    with pytest.raises(LogUnavailable, match="Check DAYBOOK_KAFKA_BOOTSTRAP"):
        check(Kafka("127.0.0.1:1", "nowhere"))


def test_who_makes_topics_hears_soon_that_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.log.topics.ANSWER_S", 0.5)
    begun = time.monotonic()
    with pytest.raises(LogUnavailable, match="Check DAYBOOK_KAFKA_BOOTSTRAP"):
        create(Kafka("127.0.0.1:1", "nowhere"))
    assert time.monotonic() < begun + 20


@pytest.mark.long
def test_the_commands_that_mend_do_mend(kafka: Kafka) -> None:
    """Kafka's own tools take them as they are printed."""
    set_to(kafka, kafka.events, "retention.ms", "1000")
    set_to(kafka, kafka.events, "unclean.leader.election.enable", "true")
    eventually(lambda: len(check(kafka)), 2)
    for problem in check(kafka):
        program, *words = problem.fix.split()
        assert program == "kafka-configs.sh"
        subprocess.run(
            [*java_command(), "kafka.admin.ConfigCommand", *words], check=True, capture_output=True
        )
    eventually(lambda: check(kafka), [])
