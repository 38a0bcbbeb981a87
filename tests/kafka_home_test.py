"""A home on Kafka: made, made again, written to and read from over several partitions."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from book.state import SYSTEM_BOOK
from console import adopting
from console.output import Output
from console.sites import Topics, administrator, make_home
from engine.admission import Admission
from engine.embedded import InProcess, connect
from engine.errors import EngineUnreachable, NotInitialised, OutcomeUnknown, WrongUse
from engine.home import LOCAL_KEY, Home, HomeFile, HomeInUse
from engine.kafka_client import KafkaClient
from engine.log.records import BEFORE_FIRST, Out
from engine.proof import proof
from engine.settings import Settings
from engine.site import Site
from engine.worker import Worker
from schemas.books import OpenBook
from schemas.catalogue import decode_event, encode
from tests.kafka_servers import unused_prefix

NOW_MS = 1_767_225_600_000
SOON_S = 30.0


@pytest.fixture
def settings(kafka_bootstrap: str, tmp_path: Path) -> Settings:
    """Of a home that is not made yet."""
    return Settings(home=tmp_path / "home", kafka_bootstrap=kafka_bootstrap, topic_prefix=unused_prefix())


def made(settings: Settings, partitions: int) -> Site:
    assert settings.home is not None
    make_home(settings.home, settings, HomeFile(1, "admin", log="kafka"), Topics(partitions, 1))
    return Site(Home(settings.home), settings)


@contextlib.contextmanager
def deciding(site: Site, *partitions: int) -> Iterator[list[InProcess | Worker]]:
    """An engine for each of the partitions, in threads, while this lasts."""
    over = threading.Event()
    with contextlib.ExitStack() as stack:
        workers: list[InProcess | Worker] = []
        threads = []
        for partition in partitions:
            log = stack.enter_context(site.write(partition))
            worker = Worker(log, admission=Admission(site.home.keyring()))
            workers.append(worker)

            def work(worker: Worker = worker) -> None:
                while not over.is_set():
                    worker.step(0.1)

            threads.append(threading.Thread(target=work))
        for thread in threads:
            thread.start()
        try:
            yield workers
        finally:
            over.set()
            for thread in threads:
                thread.join(SOON_S)


def open_book(site: Site, name: str, id: str = "") -> Out:
    """The command, proved as the home's own command line would."""
    command = OpenBook(
        id=id or f"open-{name}",
        book=name,
        actor="admin",
        issued_at_ms=NOW_MS,
        name=name,
        currency="EUR",
        administrators=(administrator("admin"),),
        clock="commanded",
    )
    value = encode(command)
    return Out(name.encode(), value, proof(LOCAL_KEY, site.home.keyring().keys[LOCAL_KEY], value))


def test_every_partition_begins_with_its_system_book_and_a_second_init_changes_nothing(
    settings: Settings,
) -> None:
    site = made(settings, 3)
    assert site.count == 3 == site.home.read().partitions
    for partition, log in site.readers():
        (first,) = log.events(BEFORE_FIRST)
        assert first.key == SYSTEM_BOOK.encode(), partition
    with site.write(1) as engine:
        assert settings.home is not None
        assert not make_home(settings.home, settings, HomeFile(1, "admin", log="kafka"), Topics(3, 1))
        engine.commit([Out(b"b", b"{}")], BEFORE_FIRST, NOW_MS)  # it was not fenced


def test_what_an_interrupted_init_left_out_is_begun_by_the_next(settings: Settings) -> None:
    site = made(settings, 1)
    assert settings.home is not None
    file = HomeFile(1, "admin", log="kafka")
    site.home.file.write_bytes(msgspec.json.encode(file))  # as if no topic had been made
    other = settings.model_copy(update={"topic_prefix": unused_prefix()})
    assert not make_home(settings.home, other, file, Topics(2, 1))
    assert [len(list(log.events(BEFORE_FIRST))) for _, log in Site(site.home, other).readers()] == [1, 1]


def test_a_home_is_not_taken_for_another_that_was_asked_for(settings: Settings) -> None:
    made(settings, 2)
    assert settings.home is not None
    with pytest.raises(HomeInUse, match="it has 2 partitions"):
        make_home(settings.home, settings, HomeFile(1, "admin", log="kafka"), Topics(3, 1))
    with pytest.raises(HomeInUse, match="its log is in kafka"):
        make_home(settings.home, settings, HomeFile(1, "admin", log="postgres"))
    assert not make_home(settings.home, settings, HomeFile(1, "admin"))


def test_a_home_without_its_topics_says_what_to_do(settings: Settings) -> None:
    site = made(settings, 1)
    other = Site(site.home, settings.model_copy(update={"topic_prefix": unused_prefix()}))
    with pytest.raises(NotInitialised, match="daybook init --log kafka"):
        _ = other.count
    with pytest.raises(NotInitialised, match="DAYBOOK_KAFKA_BOOTSTRAP"):
        _ = Site(site.home, settings.model_copy(update={"kafka_bootstrap": None})).count


def test_outcomes_of_many_partitions_come_back_in_the_order_of_the_commands(settings: Settings) -> None:
    site = made(settings, 3)
    names = [f"book-{number}" for number in range(20)]
    assert {site.partition_of(name) for name in names} == {0, 1, 2}
    with deciding(site, 0, 1, 2), KafkaClient(site.kafka, SOON_S) as client:
        outs = [open_book(site, name) for name in names]
        first = client.submit(outs)
        for name, answer in zip(names, first, strict=True):
            events = [decode_event(value) for value in answer]
            assert [event.command for event in events] == [f"open-{name}"] * 2
            assert [event.book for event in events] == [SYSTEM_BOOK, name]
        again = client.submit(outs[::-1])
        kinds = {type(decode_event(answer[0])).__name__ for answer in again}
        assert kinds == {"CommandRepeated"}
        assert [decode_event(answer[-1]).command for answer in again] == [f"open-{n}" for n in names[::-1]]


def test_an_engine_that_died_leaves_the_outcome_unknown_and_the_next_one_gives_it(settings: Settings) -> None:
    site = made(settings, 2)
    out = open_book(site, "main")
    with KafkaClient(site.kafka, 1.0) as client, pytest.raises(OutcomeUnknown, match="1 of 1") as caught:
        client.submit([out])
    assert "same ids" in caught.value.advice
    with deciding(site, 0, 1), KafkaClient(site.kafka, SOON_S) as client:
        (answer,) = client.submit([out])
        assert type(decode_event(answer[0])).__name__ == "CommandRepeated"


def test_a_takeover_while_a_client_waits_is_no_matter_to_it(settings: Settings) -> None:
    site = made(settings, 1)
    found: list[str] = []

    def ask() -> None:
        with KafkaClient(site.kafka, SOON_S) as client:
            (answer,) = client.submit([open_book(site, "main")])
            found.extend(type(decode_event(value)).__name__ for value in answer)

    with site.write(0) as gone:
        asking = threading.Thread(target=ask)
        asking.start()
        while gone.last_command_offset() < 0:
            time.sleep(0.01)
        time.sleep(0.2)  # the one who owns it does nothing
        assert not found
        with deciding(site, 0):
            asking.join(SOON_S)
    assert found == ["BookRegistered", "BookOpened"]


def test_without_an_engine_nothing_is_sent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    site = made(settings, 1)
    monkeypatch.setattr("engine.embedded.PATIENCE_S", 0.1)
    with pytest.raises(EngineUnreachable, match="nothing was sent"), connect(site.home, settings):
        pass
    with site.read() as log:
        assert log.last_command_offset() == BEFORE_FIRST


def test_to_adopt_what_was_never_moved_disturbs_no_engine(settings: Settings) -> None:
    site = made(settings, 2)
    with site.write(1) as engine:
        with pytest.raises(WrongUse, match="nothing to adopt"):
            adopting.run(
                Output(json=True),
                site.home,
                settings,
                commands="anew",
                reason="by mistake",
                accept_loss=False,
            )
        engine.commit([Out(b"b", b"{}")], BEFORE_FIRST, NOW_MS)  # it was not fenced
