"""Loads as processes of their own: started, told what to do, asked how it went; and their books."""

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.kafka.client import partition_of, producer
from tests.kafka.load import Plan
from tests.kafka.words import opening, proof, value_of
from tests.terminal import ROOT

SYSTEMS: Final = ("load-1", "load-2")
SOON_S: Final = 90.0


def books_on(partitions: int, count: int) -> list[str]:
    """Names of books, each on another partition as long as there are any left."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        name = f"book-{number}"
        if partition_of(name.encode(), partitions) == len(found) % partitions:
            found.append(name)
        number += 1
    return found


def secrets_of(keyring: Path) -> dict[str, bytes]:
    """The secrets of a home's keys, by the key's id."""
    return {name: base64.b64decode(key["secret"]) for name, key in json.loads(keyring.read_bytes()).items()}


async def open_books(
    bootstrap: str, topic: str, partitions: int, books: Sequence[str], secret: bytes
) -> None:
    """Send what makes the books, as the home's administrator; an engine has to decide it."""
    sender = producer(bootstrap, "set-up")
    await sender.start()
    try:
        for book in books:
            others = [one for one in books if one != book]
            for command in opening(book, others, "admin", list(SYSTEMS)):
                value = value_of(command)
                key = book.encode()
                partition = partition_of(key, partitions)
                headers = proof("local", secret, value)
                await sender.send_and_wait(topic, value, key=key, partition=partition, headers=headers)
    finally:
        await sender.stop()


class Offering:
    """One load in a process of its own."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.written = Path(plan.written)
        file = folder / f"{plan.system}.json"
        file.write_text(json.dumps(asdict(plan)))
        self.complaints = folder / f"{plan.system}.err"
        with self.complaints.open("wb") as complaints:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.kafka.load", str(file)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )

    def tell(self, word: str) -> None:
        """`go`, `pause`, `report` or `end`."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next line that it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the load ended: {self.complaints.read_text()[-2_000:]}"
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End it, by force if need be."""
        with contextlib.suppress(OSError):
            self.tell("end")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class Offerings:
    """Two loads, as one."""

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        prefix: str,
        partitions: int,
        books: Sequence[str],
        secrets: Mapping[str, bytes],
        *,
        seed: int,
        rate: float,
        watched: str,
    ) -> None:
        self.each = [
            Offering(
                folder,
                Plan(
                    bootstrap=bootstrap,
                    commands=f"{prefix}.commands",
                    watched=f"{prefix}.{watched}",
                    partitions=partitions,
                    system=system,
                    secret=secrets[system].hex(),
                    books=list(books),
                    rate=rate / len(SYSTEMS),
                    seed=seed * 10 + number,
                    written=str(folder / f"{system}.written"),
                ),
            )
            for number, system in enumerate(SYSTEMS)
        ]
        for one in self.each:
            assert "ready" in one.hear()

    @property
    def written(self) -> list[Path]:
        return [one.written for one in self.each]

    def go(self) -> None:
        self._tell("go")

    def pause(self) -> int:
        """Offer no more, and wait until all is acknowledged; how much was sent so far."""
        return sum(int(one["sent"]) for one in self._asked("pause"))

    def longest_ms(self) -> int:
        """The longest time without an answer since `go`."""
        return max(int(one["longest_ms"]) for one in self._asked("report"))

    def close(self) -> None:
        for one in self.each:
            one.close()

    def _tell(self, word: str) -> None:
        for one in self.each:
            one.tell(word)

    def _asked(self, word: str) -> list[dict[str, Any]]:
        self._tell(word)
        return [one.hear() for one in self.each]


def now(bootstrap: str, topic: str, partitions: int, books: Sequence[str], secret: bytes) -> None:
    """`open_books`, and wait until the broker has them."""
    asyncio.run(open_books(bootstrap, topic, partitions, books, secret))
