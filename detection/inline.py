"""The streams in one process: the folds that the Faust app runs, over the same events and alerts, without it.

For embedded sites, and the twin that tests compare the Faust app with: same flags, same cases, same ids.
What it keeps is one struct, written whole with the places it stands for. Read again from an older place it
says again what it said, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from detection import across, statistics, triage
from detection.heard import MOVEMENTS, answers, face_of, judgements, looked_at
from detection.sightings import Sighter, Sighting
from schemas.alerts import Alert
from schemas.message import Command

ACROSS_DAYS = 60
"""For how many days of movements a partition's counts are kept."""


class Moved(msgspec.Struct, array_like=True):
    """The movements of a partition. through: the offset up to which they are counted.   days: by day."""

    through: int = -1
    days: dict[int, int] = {}


class Kept(msgspec.Struct):
    """All that is kept. events, alerts: by partition, the offset that was looked at last."""

    events: dict[int, int] = {}
    alerts: dict[int, int] = {}
    known: dict[str, str] = {}
    seeing: dict[str, across.Seeing] = {}
    groups: dict[str, triage.Group] = {}
    days: dict[str, statistics.Day] = {}
    moved: dict[int, Moved] = {}
    asked: dict[str, bytes] = {}
    """By book and command: what has no outcome yet."""


class Inline:
    """kept: where it goes on; nothing, if it begins."""

    def __init__(self, kept: Kept | None = None, watching: across.Watching | None = None) -> None:
        self.kept = Kept() if kept is None else kept
        self._watching = watching or across.Watching()
        self._sighter = Sighter(self.kept.known)

    def event(self, value: bytes, partition: int, offset: int) -> Iterator[Command]:
        """An event of the log, and what it calls for. Raises LogCorrupt."""
        face = face_of(value)
        if face.type in MOVEMENTS:
            count(self.kept.moved.setdefault(partition, Moved()), face.at, offset)
        if answers(face, triage.SYSTEM):
            self.kept.asked.pop(asked_key(face.book, face.command), None)
        for judgement in judgements(face, value):
            key = day_key(judgement.kind, judgement.at)
            statistics.judge(self.kept.days.setdefault(key, statistics.no_day()), judgement)
        event = looked_at(face, value)
        if event is not None:
            for sighting in self._sighter.see(event):
                yield from self._see(sighting)
        self.kept.events[partition] = offset

    def alert(self, alert: Alert) -> Iterator[Command]:
        """An alert, and the report that it becomes; one in shadow is counted only."""
        if not alert.shadow:
            case = triage.case_of(alert)
            group, command = triage.report(self.kept.groups.get(case), alert)
            self.kept.groups[case] = group
            yield command
        key = day_key(alert.kind, alert.at)
        statistics.hit(self.kept.days.setdefault(key, statistics.no_day()), alert)

    def _see(self, sighting: Sighting) -> Iterator[Command]:
        seeing = self.kept.seeing.setdefault(sighting.key, across.nothing_seen())
        for telling in across.see(seeing, sighting, self._watching):
            yield telling.flag
            yield from self.alert(telling.alert)

    def sweep(self) -> int:
        """Forget what nothing new can come of any more; returns how much there was."""
        kept = self.kept
        subjects = list(stale_subjects(kept.seeing.items(), self._watching))
        groups = list(triage.stale(kept.groups.items()))
        days = list(stale_days(kept.days))
        for name in subjects:
            del kept.seeing[name]
        for name in groups:
            del kept.groups[name]
        for name in days:
            del kept.days[name]
        return len(subjects) + len(groups) + len(days)


def asked_key(book: str, command: str) -> str:
    """By which a command is known."""
    return f"{book}\n{command}"


def count(moved: Moved, at: int, offset: int) -> None:
    """A movement of a partition, counted once however often it is read."""
    if offset <= moved.through:
        return
    moved.through = offset
    day = statistics.WINDOW.hop(at)
    moved.days[day] = moved.days.get(day, 0) + 1
    while len(moved.days) > ACROSS_DAYS:
        del moved.days[min(moved.days)]


def day_key(kind: str, at: int) -> str:
    """Where the statistics of a kind of alert and the day of a book time are kept."""
    return f"{kind}\n{statistics.WINDOW.hop(at)}"


def stale_subjects(seeing: Iterable[tuple[str, across.Seeing]], watching: across.Watching) -> Iterator[str]:
    """Subjects last seen so long before the newest of the same clock that no window can hold them."""
    rows = [(name, name.partition("\n")[0], across.newest_of(state)) for name, state in seeing]
    newest: dict[str, int] = {}
    for _, clock, hop in rows:
        newest[clock] = max(newest.get(clock, hop), hop)
    return (name for name, clock, hop in rows if hop < watching.hopping.oldest(newest[clock]))


def stale_days(days: Iterable[str]) -> Iterator[str]:
    """Days that are in no window of statistics any more."""
    rows = [(name, int(name.rpartition("\n")[2])) for name in days]
    newest = max((day for _, day in rows), default=0)
    return (name for name, day in rows if day < statistics.WINDOW.oldest(newest))
