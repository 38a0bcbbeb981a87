"""The Faust app: what needs another key than the book, over all books. Beside the decide path, never in it.

    events ──► read_events ──► .stream-subjects ──► across ──┬─► .stream-asked ──► courier ──► commands
    alerts ──► read_alerts ──► .stream-groups ────► triage ──┘        ▲
                          └──► .stream-kinds ─────► tell_kinds        └── outcomes, seen in events

Each agent runs a pure fold of this room over the record's key, in a table: by payee, device and party
(`across`), by case (`triage`), by kind of alert (`statistics`). Nothing is decided here: what it finds it
asks of the books, as the system `triage`, in commands that say the same when they are said again. It may be
killed anywhere; whatever was not stored whole is done anew. `detection/courier.py` brings the commands.

The same folds run without Faust in `detection/inline.py`, with the same flags, cases and ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from detection import across, statistics, stream_views, triage
from detection.courier import SILENCE_MS, Courier
from detection.faust_app import App, Batch, table
from detection.heard import MOVEMENTS, face_of, judgements, looked_at
from detection.inline import Moved, count, day_key, stale_days, stale_subjects
from detection.sightings import Sighter
from detection.stream_rows import (
    Hit,
    Rows,
    Total,
    day_of,
    group_of,
    kind_of,
    moved_of,
    pack,
    seeing_of,
    sighting_of,
    to_json,
    totals_of,
)
from detection.stream_serving import Behind
from detection.stream_topics import via
from engine.log.partitioning import partition_of
from engine.log.topics import Kafka
from engine.observer import UNHEARD, Progress
from engine.proof import Key
from schemas.alerts import Alert, decode_alert, encode_alert
from schemas.catalogue import encode
from schemas.message import Command

AT_ONCE: Final = 1_000
WITHIN_S: Final = 0.05
SWEEP_S: Final = 300.0
MUCH: Final = 500
"""Events that may be unread where silence still counts as one."""
KINDS: Final = b"kinds"
"""The one key of what is counted by kind: alerts are few, and their figures are wanted in one place."""


class Streams:
    """The app with its topics, tables and agents.

    key: of the system `triage`.   partitions: of the site.   batch: made for each batch of records.
    progress: who counts, by partition of the events.
    """

    def __init__(
        self,
        app: App,
        kafka: Kafka,
        key: Key,
        partitions: int,
        *,
        watching: across.Watching | None = None,
        batch: Callable[[], Batch] | None = None,
        actor: str = triage.SYSTEM,
        progress: Callable[[int], Progress] = lambda partition: UNHEARD,
    ) -> None:
        self.app = app
        self._kafka = kafka
        self._partitions = partitions
        self._watching = watching or across.Watching()
        self._batch = batch or (lambda: Batch(app))
        self.known = table(app, "known", partitions, "which party owns which account of a book")
        self.seeing = table(app, "seeing", partitions, "what was seen of a payee, device or party")
        self.cases = table(app, "cases", partitions, "the alerts of a party and day")
        self.days = table(app, "days", partitions, "alerts by kind and day, movements by day")
        self.open = table(app, "open", partitions, "commands whose outcome is not known yet")
        self._progress = progress
        self._heard: dict[int, Progress] = {}
        self._courier = Courier(self.open, kafka, partitions, actor, key)
        self._rows = Rows(self.known)
        self._sighter = Sighter(self._rows)
        agents = (
            (kafka.events, self._read_events),
            (kafka.alerts, self._read_alerts),
            (self._via("subjects"), self._see),
            (self._via("groups"), self._triage),
            (self._via("kinds"), self._tell_kinds),
            (self._via("asked"), self._courier.bring),
        )
        self.agents = {
            name: app.agent(
                app.topic(name, key_type=bytes, value_type=bytes, partitions=partitions),
                name=work.__name__.strip("_"),
            )(self._working(work))
            for name, work in agents
        }
        app.timer(SWEEP_S, on_leader=False)(self.sweep)
        stream_views.show(app, self.views())
        app.timer(SILENCE_MS / 1_000, on_leader=False)(self.ask_again)

    def _via(self, name: str) -> str:
        return via(self._kafka, name)

    def _working(self, work: Callable[[Batch, Any], Any]) -> Callable[[Any], Any]:
        """An agent: batches of records, each done when all that it led to is stored."""

        async def agent(stream: Any) -> Any:
            async for events in stream.take_events(AT_ONCE, within=WITHIN_S):
                batch = self._batch()
                with batch.ends(work.__name__.strip("_")):
                    await work(batch, events)
                    await batch.stored()

        agent.__name__ = work.__name__.strip("_")
        return agent

    # --- the agents -----------------------------------------------------------------------------------

    async def _read_events(self, batch: Batch, events: Iterable[Any]) -> None:
        """Events: who owns what, who was seen where, and what came of what was asked."""
        rows = self._rows
        rows.batch = batch
        counted: dict[int, Moved] = {}
        done: dict[int, tuple[int, int]] = {}
        for one in events:
            partition, value = one.message.partition, one.message.value
            face = face_of(value)
            if face.type in MOVEMENTS:
                if partition not in counted:
                    counted[partition] = self._moved(partition)
                count(counted[partition], face.at, one.message.offset)
            self._courier.hear(batch, partition, face)
            for judgement in judgements(face, value):
                await batch.send(self._via("kinds"), KINDS, to_json(judgement))
            rows.partition = partition
            event = looked_at(face, value)
            if event is not None:
                for sighting in self._sighter.see(event):
                    await batch.send(self._via("subjects"), sighting.key.encode(), pack(sighting))
            done[partition] = done.get(partition, (0, 0))[0] + 1, one.message.offset
        for partition, (number, offset) in done.items():
            self._heard.setdefault(partition, self._progress(partition)).step(number, offset)
        for partition, moved in counted.items():
            batch.put(self.known, partition, _moved_key(partition), pack(moved))
            day = max(moved.days)
            total = Total(partition, day, moved.days[day])
            await batch.send(self._via("kinds"), KINDS, to_json(total))

    async def _read_alerts(self, batch: Batch, events: Iterable[Any]) -> None:
        """Alerts: each to its case, unless it is in shadow, and to the figures of its kind."""
        for one in events:
            await self._noticed(batch, decode_alert(one.message.value))

    async def _see(self, batch: Batch, events: Iterable[Any]) -> None:
        """Sightings of payees, devices and parties: flags and alerts."""
        states: dict[bytes, across.Seeing] = {}
        partitions: dict[bytes, int] = {}
        for one in events:
            key = one.message.key
            state = states.get(key)
            if state is None:
                row = self.seeing.get(key)
                state = states[key] = across.nothing_seen() if row is None else seeing_of(row)
                partitions[key] = one.message.partition
            for telling in across.see(state, sighting_of(one.message.value), self._watching):
                await self._ask(batch, telling.flag)
                await self._noticed(batch, telling.alert)
        for key, state in states.items():
            batch.put(self.seeing, partitions[key], key, pack(state))

    async def _triage(self, batch: Batch, events: Iterable[Any]) -> None:
        """Alerts by case: each is reported to its book."""
        groups: dict[bytes, triage.Group] = {}
        partitions: dict[bytes, int] = {}
        for one in events:
            key = one.message.key
            group = groups.get(key)
            if group is None and (row := self.cases.get(key)) is not None:
                group = group_of(row)
            groups[key], command = triage.report(group, decode_alert(one.message.value))
            partitions[key] = one.message.partition
            await self._ask(batch, command)
        for key, group in groups.items():
            batch.put(self.cases, partitions[key], key, pack(group))

    async def _tell_kinds(self, batch: Batch, events: Iterable[Any]) -> None:
        """Alerts by kind, and movements: what the statistics are made of."""
        days: dict[str, statistics.Day] = {}
        totals: dict[str, statistics.Totals] = {}
        partition = 0
        for one in events:
            partition = one.message.partition
            told = kind_of(one.message.value)
            if isinstance(told, Total):
                key = f"\n{told.day}"
                if key not in totals:
                    row = self.days.get(key.encode())
                    totals[key] = statistics.Totals({}) if row is None else totals_of(row)
                statistics.moved(totals[key], told.source, told.count)
                continue
            about = told.alert if isinstance(told, Hit) else told
            key = day_key(about.kind, about.at)
            if key not in days:
                row = self.days.get(key.encode())
                days[key] = statistics.no_day() if row is None else day_of(row)
            if isinstance(told, Hit):
                statistics.hit(days[key], told.alert)
            else:
                statistics.judge(days[key], told)
        for rows in (days, totals):
            for key, state in rows.items():
                batch.put(self.days, partition, key.encode(), pack(state))

    def views(self) -> Mapping[str, Callable[[Mapping[str, str]], Mapping[str, Any]]]:
        """What is shown of the tables, by name."""
        capacity = stream_views.CAPACITY
        return {
            "queue": lambda words: stream_views.queue(
                self.cases, stream_views.whole(words, "capacity", capacity)
            ),
            "kinds": lambda words: stream_views.kinds(self.days),
            "subjects": lambda words: stream_views.subjects(self.seeing),
            "tables": lambda words: stream_views.tables(
                known=self.known, seeing=self.seeing, cases=self.cases, days=self.days, open=self.open
            ),
        }

    # --- what they share ------------------------------------------------------------------------------

    async def _noticed(self, batch: Batch, alert: Alert) -> None:
        if not alert.shadow:
            await batch.send(self._via("groups"), triage.case_of(alert).encode(), encode_alert(alert))
        await batch.send(self._via("kinds"), KINDS, to_json(Hit(alert)))

    async def _ask(self, batch: Batch, command: Command) -> None:
        key = command.book.encode()
        await batch.send(self._via("asked"), key, encode(command), partition=self._place(key))

    def _moved(self, partition: int) -> Moved:
        row = self.known.get(_moved_key(partition))
        return Moved() if row is None else moved_of(row)

    def lost(self, partitions: Iterable[int]) -> None:
        """Events of these are another worker's now."""
        for partition in partitions:
            if partition in self._heard:
                self._heard.pop(partition).close()

    # --- what the time calls for ----------------------------------------------------------------------

    async def ask_again(self) -> None:
        """Ask again what was met with silence."""
        batch = self._batch()
        with batch.ends("ask_again"):
            await self._courier.ask_again(batch, self._is_behind)
            await batch.stored()

    async def sweep(self) -> None:
        """Forget what nothing new can come of any more."""
        batch = self._batch()
        with batch.ends("sweep"):
            seen = [(key.decode(), seeing_of(row)) for key, row in list(self.seeing.items())]
            for name in list(stale_subjects(seen, self._watching)):
                batch.drop(self.seeing, self._place(name.encode()), name.encode())
            groups = [(key.decode(), group_of(row)) for key, row in list(self.cases.items())]
            for case in list(triage.stale(groups)):
                batch.drop(self.cases, self._place(case.encode()), case.encode())
            for name in list(stale_days(key.decode() for key in list(self.days))):
                batch.drop(self.days, self._place(KINDS), name.encode())
            await batch.stored()

    def _is_behind(self, partition: int) -> bool:
        return Behind(self.app, self._kafka.events, partition).is_far(MUCH)

    def _place(self, key: bytes) -> int:
        return partition_of(key, self._partitions)


def _moved_key(partition: int) -> bytes:
    return f"\n{partition}".encode()
