"""An upstream system in a process of its own, on aiokafka: offers commands, sends again until each is stored.

`python -m tests.kafka.load PLAN`: PLAN is a JSON file (`Plan`). On standard input it is told `go`, `pause`
(nothing more is offered; answers "paused" when all is acknowledged), `report` (says how long it had to wait)
and `end`. What is sent and what was acknowledged is written to `plan.written`, a JSON object a line, for the
auditor. One in a hundred commands is sent twice, at once or later; what got no acknowledgement is sent again.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from tests.kafka.client import KafkaError, partition_of, producer
from tests.kafka.commands import Commands
from tests.kafka.waits import Waits
from tests.kafka.words import proof

TWICE: Final = 0.01
TICK_S: Final = 0.02
AGAIN_S: Final = 0.1


@dataclass(frozen=True)
class Plan:
    """system, secret: who it speaks as, and the key of that, in hex.   watched: the topic of the answers.

    rate: commands a second.   written: the file of what was sent.
    """

    bootstrap: str
    commands: str
    watched: str
    partitions: int
    system: str
    secret: str
    books: list[str]
    rate: float
    seed: int
    written: str


class Load:
    """Offers commands until told to pause, each until it is acknowledged."""

    def __init__(self, plan: Plan, sender: Any, written: TextIO) -> None:
        self._plan = plan
        self._sender = sender
        self._written = written
        self._secret = bytes.fromhex(plan.secret)
        self._commands = Commands(plan.system, plan.books, plan.seed)
        self._chance = random.Random(plan.seed + 1)
        self._recent: deque[tuple[str, str, bytes]] = deque(maxlen=500)
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent = self.acknowledged = self.failures = 0

    async def offer(self, told: asyncio.Event) -> None:
        """Offer at the plan's rate until told to pause, then wait for what is under way."""
        loop = asyncio.get_running_loop()
        began, offered = loop.time(), 0
        while not told.is_set():
            wanted = int((loop.time() - began) * self._plan.rate)
            for _ in range(min(wanted - offered, 200)):
                self._one()
                offered += 1
            if wanted - offered > 200:  # the machine was away; the load goes on from here
                offered = wanted
            await asyncio.sleep(TICK_S)
        while self._under_way:
            await asyncio.wait(self._under_way)
        self._written.flush()

    def _one(self) -> None:
        command = self._commands.next()
        self._send(*command)
        self._recent.append(command)
        if self._chance.random() < TWICE:
            self._send(*(command if self._chance.random() < 0.5 else self._chance.choice(self._recent)))

    def _send(self, id: str, book: str, value: bytes) -> None:
        self.sent += 1
        digest = hashlib.sha256(value).hexdigest()
        self._write({"sent": id, "actor": self._plan.system, "book": book, "sha256": digest})
        task = asyncio.create_task(self._until_stored(id, book, value))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _until_stored(self, id: str, book: str, value: bytes) -> None:
        headers = proof(self._plan.system, self._secret, value)
        key = book.encode()
        partition = partition_of(key, self._plan.partitions)
        while True:
            try:
                stored = await self._sender.send_and_wait(
                    self._plan.commands, value, key=key, partition=partition, headers=headers
                )
            except KafkaError as error:
                self.failures += 1
                self._write({"again": id, "because": type(error).__name__})
                await asyncio.sleep(AGAIN_S)
            else:
                self.acknowledged += 1
                self._write({"stored": id, "partition": stored.partition, "offset": stored.offset})
                return

    def _write(self, what: dict[str, Any]) -> None:
        self._written.write(json.dumps(what) + "\n")


async def run(plan: Plan, written: TextIO) -> None:
    """Do what standard input says until it ends."""
    sender = producer(plan.bootstrap, plan.system)
    words: asyncio.Queue[str] = asyncio.Queue()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _hear, words)
    offering: asyncio.Task[None] | None = None
    told = asyncio.Event()
    waits = Waits(
        plan.bootstrap, plan.watched, [partition_of(one.encode(), plan.partitions) for one in plan.books]
    )
    await sender.start()
    watching = asyncio.create_task(waits.watch())
    await waits.ready.wait()
    _say({"ready": plan.system})
    load = Load(plan, sender, written)
    while (word := await words.get()) != "end":
        match word:
            case "go":
                told.clear()
                waits.begin()
                offering = asyncio.create_task(load.offer(told))
            case "pause":
                told.set()
                if offering is not None:
                    await offering
                _say({"paused": plan.system, "sent": load.sent, "acknowledged": load.acknowledged})
            case "report":
                _say(
                    {
                        "longest_ms": waits.longest_ms(),
                        "answers": waits.answers,
                        "failures": load.failures,
                    }
                )
            case _:
                raise ValueError(word)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    await sender.stop()


def _hear(words: asyncio.Queue[str]) -> None:
    for word in os.read(sys.stdin.fileno(), 4096).decode().split() or ["end"]:
        words.put_nowait(word)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = Plan(**json.loads(Path(sys.argv[1]).read_text()))
    with Path(given.written).open("a") as file:
        asyncio.run(run(given, file))
