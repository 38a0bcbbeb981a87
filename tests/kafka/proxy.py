"""A TCP proxy between engine and broker, whose connections can be cut, delayed, half open or refused.

It runs in a thread of the test's process. What is half open swallows what one side says and keeps the
connection: neither side is told, which is what a lost route or a stalled firewall looks like.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Final, Literal, Self, TypeVar

Condition = Literal["open", "cut", "delayed", "half_open", "deaf"]
"""open: all passes.   cut: connections are reset and new ones refused.   delayed: every piece comes late.

half_open: what the broker says is swallowed, what it is told arrives.   deaf: the other way round.
"""
Result = TypeVar("Result")
CHUNK: Final = 1 << 16
DELAY_S: Final = 0.4


class Proxy:
    """Listens on a port of 127.0.0.1 and connects to `target`, a port of it as well.

    condition: holds for connections that there are and for new ones; assign with `become`.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.condition: Condition = "open"
        self.connections = self.refused = self.swallowed = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._in_loop(asyncio.start_server(self._pass_on, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._in_loop(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def become(self, condition: Condition) -> None:
        """From now on this is how the network is. Connections that were half open are reset when it heals:
        a stream with a hole in it cannot go on.
        """
        self._in_loop(self._become(condition))

    async def _become(self, condition: Condition) -> None:
        before, self.condition = self.condition, condition
        if condition == "cut" or before in {"half_open", "deaf"}:
            for writer in list(self._writers):
                writer.transport.abort()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._become("cut")
        for task in asyncio.all_tasks(self._loop):
            if task is not asyncio.current_task():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client has connected."""
        if self.condition == "cut":
            self.refused += 1
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self.refused += 1
            writer.transport.abort()
            return
        self.connections += 1
        mine = {writer, back}
        self._writers |= mine
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._flow(reader, back, "deaf"))
                both.create_task(self._flow(there, writer, "half_open"))
        except* OSError:
            pass
        finally:
            self._writers -= mine
            for one in mine:
                one.transport.abort()

    async def _flow(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, swallowed: Condition
    ) -> None:
        """One direction, until its end, which ends the other too."""
        while data := await source.read(CHUNK):
            if self.condition == "delayed":
                await asyncio.sleep(DELAY_S)
            if self.condition == swallowed:
                self.swallowed += len(data)
                continue
            sink.write(data)
            await sink.drain()
        sink.transport.abort()

    def _in_loop(self, what: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)
