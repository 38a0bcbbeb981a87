"""Keeps a site's processes alive as `daybook up` does: what ends is started again, a moment later."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.terminal import DAYBOOK

AGAIN_S: Final = 0.2
STOP_S: Final = 20.0


@dataclass
class Kept:
    """A process of ours. ends: how each one of it ended, in order."""

    name: str
    words: Sequence[str]
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    again_at: float = 0.0
    log_begins: int = 0
    ends: list[int] = field(default_factory=list)


class Keeper:
    """Starts every process, and again whatever ends; `kill`, `stop` and `go_on` are the faults."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, Kept] = {}
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for one in self._kept.values():
            if one.process is not None and one.process.poll() is None:
                one.process.send_signal(signal.SIGCONT)
                one.process.terminate()
        for one in self._kept.values():
            if one.process is None:
                continue
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(STOP_S)
            one.process.kill()
            one.process.wait()
            if one.process.stdin is not None:
                one.process.stdin.close()

    def start(self, name: str, *words: str, env: Mapping[str, str]) -> None:
        """A subcommand to keep alive."""
        with self._lock:
            self._kept[name] = one = Kept(name, words, env, self._folder / f"{name}.log")
            self._begin(one)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send it to the process that runs under the name now; where none does, wait for one."""
        deadline = time.monotonic() + STOP_S
        while True:
            with self._lock:
                one = self._kept[name]
                if one.process is not None and one.process.poll() is None:
                    one.process.send_signal(number)
                    return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the {name} does not run: {one.log.read_text()[-2_000:]}")
            time.sleep(0.02)

    def ends(self, name: str) -> list[int]:
        """With which statuses it ended so far."""
        with self._lock:
            return list(self._kept[name].ends)

    def said(self, name: str) -> str:
        """What the process that runs under the name has written so far; nothing where none does."""
        with self._lock:
            one = self._kept[name]
            if one.process is None or one.process.poll() is not None:
                return ""
            return one.log.read_bytes()[one.log_begins :].decode(errors="replace")

    def complaints(self) -> list[str]:
        """What no process may ever say."""
        found = []
        for one in self._kept.values():
            text = one.log.read_text(errors="replace")
            at = max(text.find("Traceback (most"), text.find("a bug in Daybook"))
            if at >= 0:
                found.append(f"{one.name}: {text[max(0, at - 200) : at + 3_000]}")
        return found

    def _begin(self, one: Kept) -> None:
        with one.log.open("ab") as log:
            one.log_begins = log.tell()
            one.process = subprocess.Popen(
                [*DAYBOOK, *one.words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**_bare(), **one.env},
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self._over.wait(0.02):
            with self._lock:
                for one in self._kept.values():
                    self._look(one)

    def _look(self, one: Kept) -> None:
        now = time.monotonic()
        if one.process is not None:
            status = one.process.poll()
            if status is None:
                return
            one.ends.append(status)
            if one.process.stdin is not None:
                one.process.stdin.close()
            one.process, one.again_at = None, now + AGAIN_S
        elif now >= one.again_at:
            self._begin(one)


def _bare() -> dict[str, str]:
    """An environment without anybody's settings of Daybook."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
