"""Faust as the streams need it: what it is told, and what of it has to be otherwise.

Found by reading and running faust-streaming 0.15.3:

- It reads uncommitted records unless it writes transactions itself. The events topic is written by
  transactions, and what was aborted there never happened: `_Consumer` reads committed ones.
- It takes the record behind a gap in the offsets for a part of the gap, and what is in a gap for done. Behind
  every transaction is a gap, and gaps that touch become one: it committed what nobody had looked at, and a
  kill or a rebalance lost it (found by the test that kills it). `_Consumer` ends a gap where it ends.
- After a rebalance it goes back to what was committed, and nowhere where nothing was: what it had read and
  not looked at there is never read again. `_Consumer` goes back to the beginning then.
- Its own transactions do not fence a worker that was given up. So nothing here is exactly once: everything is
  done at least once, and says the same when it is said again.
- A table writes its changelog by the partition of the event that happens to be the current one, which is the
  wrong one in a batch over several partitions, and throws the outcome of that write away. `Kept` is told the
  partition, and remembers what it has written, so that a batch is over when all of it is stored (`Batch`).
- `take_events` marks a batch as done also where its agent has failed. So a worker that fails ends at once,
  before anything is committed (`Batch.ends`); whoever supervises it starts it anew.

Nothing here may know what the streams are for.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import faust
from aiokafka import TopicPartition  # type: ignore[import-untyped]
from faust.transport.drivers import aiokafka as driver
from yarl import URL

from engine.errors import WrongUse
from engine.log.topics import MAX_BYTES, Kafka
from engine.logger import logger

FAILED_STATUS: Final = 70
"""What a worker ends with that has failed (EX_SOFTWARE)."""
Headers = list[tuple[str, bytes]]


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Reads what was committed."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - there is no setting for it
        return consumer


class _Consumer(driver.Consumer):
    """Commits nothing that was not done."""

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        """offset_to: of the record behind the gap, which Faust counts as a part of it."""
        await super()._add_gap(tp, offset_from, offset_to - 1)

    async def perform_seek(self) -> None:
        """As Faust does, and back to the beginning where nothing is committed yet: it leaves those alone."""
        await super().perform_seek()
        changelogs = self.app.tables.changelog_topics
        fresh = [
            TopicPartition(one.topic, one.partition)
            for one in self.assignment()
            if one.topic not in changelogs and not self._committed_offset.get(one)
        ]
        if fresh:
            await self._thread.seek_to_beginning(*fresh)

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Producer(driver.Producer):
    """Neither doubles nor swaps what it sends again."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class _Transport(driver.Transport):
    Consumer: ClassVar[Any] = _Consumer
    Producer: ClassVar[Any] = _Producer


class App(faust.App):
    """A Faust app over a site's cluster. Its topics are there already: it makes none."""

    def _new_transport(self) -> Any:
        return _Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Any:
        return _Transport(self.conf.broker_producer, self)


class Kept(faust.Table[bytes, bytes]):
    """A table that is told the partition that a row belongs to."""

    partition = 0
    written: list[Awaitable[Any]]

    def partition_for_key(self, key: Any) -> int:
        """The partition that was told last, in the same step of the loop."""
        return self.partition

    def send_changelog(self, *args: Any, **more: Any) -> Any:
        """As Faust does, and remembered."""
        sent = super().send_changelog(*args, **more)
        self.__dict__.setdefault("written", []).append(sent)
        return sent

    def taken(self) -> list[Awaitable[Any]]:
        """What was written since it was asked last."""
        found = self.__dict__.pop("written", [])
        return list(found)


class Batch:
    """What a batch of records has led to: it is done when all of it is stored."""

    def __init__(self, app: faust.App, end: Callable[[int], Any] = os._exit) -> None:
        self._app = app
        self._end = end
        self._sent: list[Awaitable[Any]] = []

    async def send(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        *,
        partition: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        """Hand a record to the producer. It goes by its key, by murmur2, unless told otherwise."""
        sent = await self._app.producer.send(topic, key, value, partition, None, headers)
        self._sent.append(sent)

    def put(self, table: Kept, partition: int, key: bytes, value: bytes) -> None:
        """Set a row that belongs to the partition."""
        table.partition = partition
        table[key] = value
        store: Any = table.data
        store._key_partition[key] = partition  # noqa: SLF001 - else the row outlives the partition here
        self._sent += table.taken()

    def drop(self, table: Kept, partition: int, key: bytes) -> None:
        """Remove a row of the partition, if it is there."""
        if key in table:
            table.partition = partition
            del table[key]
            self._sent += table.taken()

    async def stored(self) -> None:
        """Until all of it is. Raises what kept a record from being stored."""
        sent, self._sent = self._sent, []
        await asyncio.gather(*sent)

    @contextmanager
    def ends(self, doing: str) -> Iterator[None]:
        """What fails in here ends the process at once, before Faust marks the batch as done; so does being
        told to stop in the midst of it.
        """
        try:
            yield
        except asyncio.CancelledError:
            logger.info("stream_stopped_within", what=doing)
            self._end(0)
            raise
        except BaseException as error:
            logger.exception("stream_failed", what=doing, error=str(error))
            self._end(FAILED_STATUS)
            raise


def _folder() -> str:
    """Where Faust makes folders that nothing is written into; gone with the process."""
    folder = tempfile.mkdtemp(prefix="daybook-stream-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def app_of(
    kafka: Kafka,
    name: str,
    partitions: int,
    *,
    session_ms: int = 10_000,
    port: int | None = None,
    host: str = "127.0.0.1",
) -> App:
    """The app `<prefix>.NAME`, which is also its group.

    partitions: of all its topics, those of the site.   port: of its web views; none, without one.
    Raises WrongUse where the security settings cannot be said to Faust's client.
    """
    app = App(
        f"{kafka.prefix}.{name}",
        broker=[URL(f"kafka://{one}") for one in kafka.bootstrap.split(",")],
        broker_credentials=credentials(kafka.options),
        store="memory://",
        datadir=_folder(),
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=partitions,
        topic_allow_declare=False,  # rights to make topics are nobody's here
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=2 * MAX_BYTES,
        broker_max_poll_records=2_000,
        broker_commit_interval=1.0,
        broker_session_timeout=session_ms / 1_000,
        broker_heartbeat_interval=session_ms / 4_000,
        broker_request_timeout=max(90.0, session_ms / 1_000 + 10),
        broker_max_poll_interval=600.0,
        producer_max_request_size=MAX_BYTES,
        producer_linger=0.005,
        stream_buffer_maxsize=8_192,
        stream_wait_empty=True,
        table_standby_replicas=0,
        web_enabled=port is not None,
        web_port=port or 6066,
        web_bind=host,
        web_host=host,
    )
    app.finalize()
    return app


def table(app: App, name: str, partitions: int, meaning: str) -> Kept:
    """A table of the app, of bytes by bytes, with its changelog in `<app>-NAME-changelog`."""
    made = Kept(
        app,
        name=name,
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        help=meaning,
        beacon=app.tables.beacon,
    )
    app.tables.add(made)
    return made


def credentials(options: Mapping[str, str]) -> Any:
    """The settings for security that librdkafka has, as Faust's client has them. Raises WrongUse."""
    known = {
        "security.protocol",
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.username",
        "sasl.password",
    }
    protocol = options.get("security.protocol", "plaintext").upper()
    unknown = sorted(options.keys() - known)
    mechanism = options.get("sasl.mechanism", options.get("sasl.mechanisms", "PLAIN"))
    if unknown or (protocol.startswith("SASL") and mechanism not in _MECHANISMS):
        raise WrongUse(
            f"The stream workers' client cannot do {', '.join(unknown) or mechanism}.",
            f"DAYBOOK_KAFKA_OPTIONS may hold for it: {', '.join(sorted(known))}; "
            f"sasl.mechanism is one of {', '.join(_MECHANISMS)}.",
        )
    context = None
    if protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=options.get("ssl.ca.location"))
        if "ssl.certificate.location" in options:
            context.load_cert_chain(
                options["ssl.certificate.location"],
                options.get("ssl.key.location"),
                options.get("ssl.key.password"),
            )
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=options.get("sasl.username"),
            password=options.get("sasl.password"),
            mechanism=mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
