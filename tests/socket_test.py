"""The engine's socket, with real sockets: a worker that answers `e-<command>`, clients, and rude guests."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from engine.errors import (
    BadFrame,
    Busy,
    EngineStopped,
    EngineUnreachable,
    LogLocked,
    LogUnavailable,
    OutcomeUnknown,
)
from engine.log.faults import Faults
from engine.log.memory import MemoryLog
from engine.log.records import Out
from engine.socket import EngineClient, EngineServer

HERE = Path(__file__).parent.parent


class Engine:
    """A worker's loop around a log in memory, which can be made to stand still."""

    def __init__(self, path: Path, log: MemoryLog, batch: int = 1_000) -> None:
        self.log, self.batch = log, batch
        self.server = EngineServer(path, log)
        self.server.start()
        self._running = threading.Event()
        self._running.set()
        self._pausing = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        position = -1
        while not self._stopping:
            if not self._running.is_set():
                self._pausing.set()
                self._running.wait()
            found = self.log.commands(position, self.batch, 0.5)
            if not found:
                continue
            answers = [tuple(b"e-" + part for part in record.value.split(b"+")) for record in found]
            self.log.commit(
                [Out(b"book", value) for answer in answers for value in answer], found[-1].offset, 1
            )
            position = found[-1].offset
            self.server.answered(found[0].offset, answers)

    def pause(self) -> None:
        self._pausing.clear()
        self._running.clear()
        self.log.wake()
        self._pausing.wait()

    def go_on(self) -> None:
        self._running.set()

    def stop(self) -> None:
        self._stopping = True
        self.go_on()
        self.log.wake()
        self._thread.join()
        self.server.close()
        self.log.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def starting(path: Path) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def start(log: MemoryLog | None = None, **options: int) -> Engine:
        engines.append(Engine(path, log or MemoryLog(), **options))
        return engines[-1]

    yield start
    for engine in engines:
        engine.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("engine socket")]


@pytest.fixture
def engine(starting: Callable[..., Engine]) -> Engine:
    return starting()


@pytest.fixture
def client(path: Path) -> Iterator[EngineClient]:
    with EngineClient(path) as client:
        yield client


def outs(*values: str) -> list[Out]:
    return [Out(b"book", value.encode(), (("mac", b"m"),)) for value in values]


def answers(*values: str) -> list[tuple[bytes, ...]]:
    return [tuple(b"e-" + part.encode() for part in value.split("+")) for value in values]


def raw(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(10)
    link.connect(str(path))
    return link


def said(link: socket.socket) -> list[object]:
    """Every frame that still comes, until the engine ends the connection."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while new := link.recv(65536):
            content += new
    frames = []
    while content:
        length = int.from_bytes(content[:4], "big")
        frames.append(msgspec.msgpack.decode(content[4 : 4 + length]))
        content = content[4 + length :]
    return frames


# --- outcomes -------------------------------------------------------------------------------------


def test_each_command_gets_its_outcome_in_their_order(engine: Engine, client: EngineClient) -> None:
    assert client.submit(outs("a", "b+c", "d")) == answers("a", "b+c", "d")
    assert client.submit(outs("x")) == answers("x")
    assert client.submit([]) == []


def test_headers_and_keys_arrive(engine: Engine, client: EngineClient) -> None:
    client.submit([Out(b"\x00key", b"v", (("key", b"k"), ("mac", b"\xff")))])
    record = engine.log.commands(-1, 1, 0)[0]
    assert (record.key, record.headers) == (b"\x00key", (("key", b"k"), ("mac", b"\xff")))


@pytest.mark.parametrize("batch", [1, 7, 100_000])
def test_requests_may_be_larger_or_smaller_than_a_commit(
    starting: Callable[..., Engine], client: EngineClient, batch: int
) -> None:
    starting(batch=batch)
    names = [f"{number}" for number in range(300 if batch == 1 else 20_000)]
    assert client.submit(outs(*names)) == answers(*names)


def test_large_commands_and_outcomes(engine: Engine, client: EngineClient) -> None:
    names = [letter * 3_000_000 for letter in "abcdef"]
    assert client.submit(outs(*names)) == answers(*names)


def test_many_threads_of_one_client_each_get_their_own(engine: Engine, client: EngineClient) -> None:
    wrong = []

    def talk(name: int) -> None:
        for number in range(30):
            mine = [f"{name}:{number}:{index}" for index in range(number)]
            if client.submit(outs(*mine)) != answers(*mine):
                wrong.append((name, number))

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_commands_that_others_submit_do_not_disturb(engine: Engine, client: EngineClient) -> None:
    stop = threading.Event()

    def relay() -> None:
        while not stop.is_set():
            engine.log.submit(outs("relayed", "relayed"))
            time.sleep(0.0005)

    thread = threading.Thread(target=relay)
    thread.start()
    for number in range(100):
        assert client.submit(outs(f"{number}", f"{number}'")) == answers(f"{number}", f"{number}'")
    stop.set()
    thread.join()


def test_a_command_that_is_delivered_twice_is_answered_once(
    starting: Callable[..., Engine], client: EngineClient
) -> None:
    starting(MemoryLog(faults=Faults(submit_rate=0.5)))
    for number in range(50):
        assert client.submit(outs(f"{number}", "b")) == answers(f"{number}", "b")


TALK = """
import sys
from engine.log.records import Out
from engine.socket import EngineClient

client = EngineClient(sys.argv[1])
for number in range(50):
    mine = [Out(b"book", b"%s:%d:%d" % (sys.argv[2].encode(), number, index)) for index in range(20)]
    assert client.submit(mine) == [(b"e-" + out.value,) for out in mine]
"""


def child(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdout=subprocess.PIPE,
    )


def test_several_processes_may_talk(engine: Engine, path: Path) -> None:
    children = [child(TALK, path, name) for name in "abc"]
    for process in children:
        process.communicate()
        assert process.returncode == 0
    assert engine.log.last_command_offset() == 3 * 50 * 20 - 1


# --- what may happen instead ----------------------------------------------------------------------


def test_no_engine(path: Path, client: EngineClient) -> None:
    assert not client.answers()
    with pytest.raises(EngineUnreachable):
        client.submit(outs("a"))


def test_a_late_outcome_is_unknown_and_the_client_goes_on(engine: Engine, client: EngineClient) -> None:
    engine.pause()
    with pytest.raises(OutcomeUnknown):
        client.submit(outs("a"), timeout_s=0.05)
    engine.go_on()
    assert client.submit(outs("b")) == answers("b")


def test_an_engine_that_ends_leaves_the_outcome_unknown(engine: Engine, client: EngineClient) -> None:
    engine.pause()
    threading.Timer(0.05, engine.server.close).start()
    with pytest.raises(OutcomeUnknown):
        client.submit(outs("a"))
    with pytest.raises(EngineUnreachable):
        client.submit(outs("a"))


def test_an_engine_that_ends_first_sends_what_was_decided(path: Path, client: EngineClient) -> None:
    log = MemoryLog()
    with EngineServer(path, log) as server:
        results: list[object] = []
        thread = threading.Thread(target=lambda: results.append(client.submit(outs("a"))))
        thread.start()
        assert log.commands(-1, 1, 10.0)
        server.answered(0, [(b"e-a",)])
    thread.join()
    assert results == [answers("a")]


def test_a_client_survives_a_restart_of_the_engine(
    starting: Callable[..., Engine], client: EngineClient
) -> None:
    for name in "abc":
        engine = starting()
        assert client.submit(outs(name)) == answers(name)
        engine.stop()


def test_a_full_queue_is_busy(starting: Callable[..., Engine], client: EngineClient) -> None:
    engine = starting(MemoryLog(queue_limit=1, submit_timeout_s=0.01))
    engine.pause()
    engine.log.submit(outs("first"))
    with pytest.raises(Busy):
        client.submit(outs("second"))
    engine.go_on()
    assert client.submit(outs("third")) == answers("third")


def test_a_stopped_log_is_said(engine: Engine, client: EngineClient) -> None:
    engine.pause()
    engine.log.close()
    with pytest.raises(EngineStopped):
        client.submit(outs("a"))


def test_a_command_above_the_limit_is_refused_before_it_is_sent(engine: Engine, client: EngineClient) -> None:
    with pytest.raises(BadFrame, match="too large"):
        client.submit([Out(b"book", bytes(65 << 20))])
    assert client.submit(outs("a")) == answers("a")


# --- rude guests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bytes_", "because"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "cannot have"),
        (b"\x00\x00\x00\x00", "cannot have 0 bytes"),
        (b"\x04\x00\x00\x01", "cannot have 67108865 bytes"),
        (b"\x00\x00\x00\x04\xff\xff\xff\xff", "cannot be read"),
        (b"\x00\x00\x00\x01\xc1", "cannot be read"),
        (b"\x00\x00\x00\x0a" + msgspec.msgpack.encode(["deleteall"])[:10], "cannot be read"),
        (b"\x00\x00\x00\x0a" + msgspec.msgpack.encode(["submit", 1, 7])[:10], "cannot be read"),
    ],
)
def test_rubbish_is_answered_by_one_clear_frame(
    engine: Engine, path: Path, client: EngineClient, bytes_: bytes, because: str
) -> None:
    with raw(path) as link:
        link.sendall(bytes_)
        [frame] = said(link)
    assert isinstance(frame, list)
    assert frame[:3] == ["failed", -1, "BadFrame"]
    assert because in frame[3]
    assert client.submit(outs("a")) == answers("a")


def test_a_guest_who_leaves_in_mid_frame_is_forgotten(
    engine: Engine, path: Path, client: EngineClient
) -> None:
    for count in (1, 4, 9):
        with raw(path) as link:
            link.sendall((b"\x00\x00\x00\x20" + b"x" * 32)[:count])
    assert client.submit(outs("a")) == answers("a")


def test_a_guest_who_does_not_listen_holds_up_nobody(
    engine: Engine, path: Path, client: EngineClient
) -> None:
    frame = msgspec.msgpack.encode(["submit", 1, [[b"book", b"x" * 1_000, []]] * 500])
    with raw(path) as link:
        link.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                link.sendall(len(frame).to_bytes(4, "big") + frame)
        began = time.monotonic()
        assert client.submit(outs("a")) == answers("a")
        assert time.monotonic() - began < 2


def test_a_guest_who_does_not_listen_is_dropped(
    starting: Callable[..., Engine], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.socket._SLOW_S", 1)
    engine = starting()
    frame = msgspec.msgpack.encode(["submit", 1, [[b"book", b"x" * 1_000, []]] * 500])
    with raw(path) as link, pytest.raises(ConnectionError):
        link.sendall((len(frame).to_bytes(4, "big") + frame) * 1_000)
    while engine.server._connections:
        time.sleep(0.01)


def test_a_client_that_is_killed_is_forgotten(engine: Engine, path: Path, client: EngineClient) -> None:
    engine.pause()
    process = child(TALK.replace("number in range(50)", "number in (1,)"), path, "killed")
    while not engine.server._asked:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    engine.go_on()
    assert client.submit(outs("a")) == answers("a")
    assert engine.log.last_command_offset() == 20, "what was taken is decided all the same"


def test_more_guests_than_seats_are_told(
    starting: Callable[..., Engine], path: Path, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.socket._CONNECTIONS", 3)
    starting()
    with raw(path), raw(path), raw(path), pytest.raises(Busy, match="3 clients"):
        client.submit(outs("a"))
    while True:
        with contextlib.suppress(Busy):
            assert client.submit(outs("b")) == answers("b")
            break


# --- the file -------------------------------------------------------------------------------------


def test_only_the_owner_may_connect(engine: Engine, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert list(path.parent.iterdir()) == [path]


def test_a_stale_file_is_replaced_and_a_live_one_is_not(path: Path, client: EngineClient) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left_behind:
        left_behind.bind(str(path))
    with EngineServer(path, MemoryLog()):
        assert client.answers()
        with pytest.raises(LogLocked):
            EngineServer(path, MemoryLog()).start()
        assert client.answers()
    assert not path.exists()


def test_closing_leaves_the_file_of_a_successor(path: Path, client: EngineClient) -> None:
    first = EngineServer(path, MemoryLog())
    first.start()
    path.unlink()
    with EngineServer(path, MemoryLog()):
        first.close()
        assert client.answers()


def test_closing_before_starting(path: Path) -> None:
    EngineServer(path, MemoryLog()).close()
    assert not path.exists()


def test_a_long_path_works_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 40) / ("longer" * 30) / "engine.sock"
    path.parent.mkdir(parents=True)
    with EngineServer(path, MemoryLog()), EngineClient(path) as client:
        assert client.answers()
        assert list(path.parent.iterdir()) == [path]
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable):
        EngineServer(tmp_path / "nowhere" / "engine.sock", MemoryLog()).start()
