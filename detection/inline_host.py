"""The host of the streams in one process: reads events and alerts of all partitions, and asks the books.

Nothing is missed or said twice with effect, wherever it is killed: what it keeps is written whole,
with the places in the logs that it stands for and the commands that have no outcome yet. From an older state
it says again what it said. What is asked stays asked until its outcome stands in the log (engine/reactor.py).

For a site without Faust, and for embedded ones. It reads every partition, so it does not scale: that is what
the Faust app is for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from threading import Event as Told
from typing import Final

import msgspec

from detection.inline import Inline, Kept, asked_key
from engine.derivation import Events
from engine.errors import LogCorrupt
from engine.files import write_whole
from engine.log.records import BEFORE_FIRST, Clock, Out, wall_clock
from engine.observer import UNHEARD, Progress
from engine.reactor import LONGEST_SILENCE_MS, LOST, SILENCE_MS, Submit
from schemas.alerts import decode_alert
from schemas.catalogue import encode
from schemas.message import Command

AT_ONCE: Final = 5_000
"""How many records of a log are looked at before what they led to is sent."""
SAVE_S: Final = 60.0
SAVE_RECORDS: Final = 50_000
"""What is kept is written whole, so how long that takes grows with the bank: whichever of the two is first.

The longer ago, the more is read and said again after a kill.
"""
SWEEP_S: Final = 300.0

_decode = msgspec.msgpack.Decoder(Kept).decode
_encode = msgspec.msgpack.Encoder().encode


class _Sent(msgspec.Struct):
    """times: how often a command was sent.   next_ms: when it is sent again."""

    times: int = 0
    next_ms: int = 0


class Host:
    """Runs the folds over the logs of a site.

    events, alerts: by partition.   submit: sends commands; what it raises of `LOST` is silence.
    state: the file that is kept.   progress: by partition, who counts.
    """

    def __init__(
        self,
        events: Mapping[int, Events],
        alerts: Mapping[int, Events],
        submit: Submit,
        state: Path,
        *,
        progress: Mapping[int, Progress] | None = None,
        make: Callable[[Kept], Inline] = Inline,
        clock: Clock = wall_clock,
    ) -> None:
        """Raises LogCorrupt where the file is damaged."""
        self._events = events
        self._alerts = alerts
        self._submit = submit
        self._state = state
        self._progress = progress or {}
        self._clock = clock
        self.inline = make(read_state(state))
        self._sent: dict[str, _Sent] = {key: _Sent() for key in self.inline.kept.asked}
        self._saved_s = self._swept_s = time.monotonic()
        self._unsaved = 0

    def step(self) -> int:
        """Look at what is new and ask for what it calls for; returns how many records there were."""
        kept = self.inline.kept
        count = 0
        for partition, log in self._events.items():
            before = count
            for record in islice(log.events(kept.events.get(partition, BEFORE_FIRST)), AT_ONCE):
                self._ask(self.inline.event(record.value, partition, record.offset))
                count += 1
            told = self._progress.get(partition, UNHEARD)
            told.step(count - before, kept.events.get(partition, BEFORE_FIRST))
        for partition, log in self._alerts.items():
            for record in islice(log.events(kept.alerts.get(partition, BEFORE_FIRST)), AT_ONCE):
                self._ask(self.inline.alert(decode_alert(record.value)))
                kept.alerts[partition] = record.offset
                count += 1
        self._send()
        self._unsaved += count
        return count

    def run(self, told: Told, wait: Callable[[], object]) -> None:
        """Work until told to stop. wait: called where there was nothing to do."""
        try:
            while not told.is_set():
                count = self.step()
                now_s = time.monotonic()
                if now_s > self._swept_s + SWEEP_S:
                    self._swept_s = now_s
                    self.inline.sweep()
                if self._unsaved >= SAVE_RECORDS or (self._unsaved and now_s > self._saved_s + SAVE_S):
                    self.save()
                if count == 0:
                    wait()
        finally:
            self.save()

    def save(self) -> None:
        """Write what is kept, whole."""
        write_whole(self._state, _encode(self.inline.kept))
        self._saved_s = time.monotonic()
        self._unsaved = 0

    def _ask(self, commands: Iterable[Command]) -> None:
        for command in commands:
            key = asked_key(command.book, command.id)
            self.inline.kept.asked[key] = encode(command)
            self._sent[key] = _Sent()

    def _send(self) -> None:
        asked = self.inline.kept.asked
        now_ms = self._clock()
        ready: list[Out] = []
        for key in [key for key in self._sent if key not in asked]:
            del self._sent[key]
        for key, sent in self._sent.items():
            if now_ms < sent.next_ms <= now_ms + LONGEST_SILENCE_MS:
                continue
            sent.next_ms = now_ms + min(SILENCE_MS << min(sent.times, 10), LONGEST_SILENCE_MS)
            sent.times += 1
            ready.append(Out(key.partition("\n")[0].encode(), asked[key]))
        if ready:
            _sent(self._submit, ready)


def _sent(submit: Submit, outs: Sequence[Out]) -> None:
    try:
        submit(outs)
    except LOST:
        return  # whether they were taken is found in the log, or they are sent again


def read_state(file: Path) -> Kept:
    """What was kept; nothing, where there is no file. Raises LogCorrupt."""
    try:
        return _decode(file.read_bytes())
    except FileNotFoundError:
        return Kept()
    except (msgspec.MsgspecError, ValueError) as error:
        raise LogCorrupt(
            f"{file} cannot be read: {error}.", "Remove it: the logs are read from their beginning then."
        ) from error
