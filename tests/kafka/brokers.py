"""Brokers that can be killed, and the network between them and each engine.

Every node listens three times: for whoever is not part of the fault, and once for each engine, behind a proxy
of its own. A broker tells its clients the address of the listener that they came by, so an engine never finds
a way around its proxy.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from engine.broker import Cluster, Node, free_ports
from engine.log.topics import Kafka
from tests.kafka.proxy import Condition, Proxy

ENGINES: Final = ("engine-a", "engine-b")
READY_S: Final = 90.0
TRANSACTION_STATES: Final = 8
"""Partitions of the topic in which coordinators keep transactions; `Cluster` makes it so."""
OPTIONS: Final[Mapping[str, str]] = {
    # What makes a death noticed soon, and a broker that is stopped quick to go. All are deployment's choices.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "2000",
    "group.consumer.heartbeat.interval.ms": "500",
    "group.consumer.min.heartbeat.interval.ms": "300",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    "controlled.shutdown.enable": "true",
}


class Brokers(Cluster):
    """One node or three, and for each engine a proxy to each node."""

    def __init__(self, folder: Path, nodes: int) -> None:
        super().__init__(folder, nodes, options=OPTIONS, heap_mb=384 if nodes > 1 else 512)
        self._stack = contextlib.ExitStack()
        self._listeners: dict[str, dict[int, Proxy]] = {engine: {} for engine in ENGINES}
        for engine in ENGINES:
            for node in self.nodes:
                self._listeners[engine][node.number] = self._stack.enter_context(Proxy(free_ports(1)[0]))

    def bootstrap_of(self, engine: str) -> str:
        """What the engine is given as its brokers."""
        return ",".join(proxy.address for proxy in self._listeners[engine].values())

    def network(self, engine: str, condition: Condition) -> None:
        """From now on this is how the network between the engine and every broker is."""
        for proxy in self._listeners[engine].values():
            proxy.become(condition)

    def leader_of(self, kafka: Kafka, topic: str, partition: int) -> Node | None:
        """Who leads the partition just now."""
        found = kafka.admin().list_topics(topic, 10).topics[topic].partitions[partition].leader
        return next((node for node in self.nodes if node.number == found), None)

    def coordinator_of(self, kafka: Kafka, transactional_id: str) -> Node | None:
        """Who coordinates the transactions of this id: leads the partition that the id's hash falls on."""
        at = java_hash(transactional_id) % TRANSACTION_STATES
        return self.leader_of(kafka, "__transaction_state", at)

    def again(self, node: Node) -> None:
        """Start a node that ended, and wait until it takes connections and every partition has its copies."""
        node.start()
        node.wait_ready(READY_S)
        self.wait_whole()

    def wait_whole(self) -> None:
        """Wait until all nodes are there and every copy of every partition is in step."""
        admin = Kafka(self.bootstrap).admin()
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            with contextlib.suppress(Exception):  # it is on its way
                found = admin.list_topics(timeout=5)
                partitions = [one for topic in found.topics.values() for one in topic.partitions.values()]
                if len(found.brokers) == len(self.nodes) and all(
                    one.leader >= 0 and len(one.isrs) == len(one.replicas) for one in partitions
                ):
                    return
            time.sleep(0.1)
        raise TimeoutError("the brokers did not become whole again")

    def close(self) -> None:
        """End everything."""
        self.stop()
        self._stack.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _configure(self, node: Node) -> None:
        super()._configure(node)
        names = {engine: engine.replace("-", "").upper() for engine in ENGINES}
        own = f"PLAINTEXT://127.0.0.1:{node.port}"
        controller = f"CONTROLLER://127.0.0.1:{node.controller_port}"
        near = [
            f"{name}://127.0.0.1:{self._listeners[engine][node.number].target}"
            for engine, name in names.items()
        ]
        far = [f"{name}://{self._listeners[engine][node.number].address}" for engine, name in names.items()]
        kinds = [
            "CONTROLLER:PLAINTEXT",
            "PLAINTEXT:PLAINTEXT",
            *(f"{name}:PLAINTEXT" for name in names.values()),
        ]
        with node.config.open("a") as file:  # the last line of a name counts
            file.write(f"listeners={','.join([own, controller, *near])}\n")
            file.write(f"advertised.listeners={','.join([own, *far])}\n")
            file.write(f"listener.security.protocol.map={','.join(kinds)}\n")
            file.write("inter.broker.listener.name=PLAINTEXT\n")


def java_hash(text: str) -> int:
    """`String.hashCode()` of Java, as Kafka makes it positive."""
    found = 0
    for character in text:
        found = (31 * found + ord(character)) & 0xFFFFFFFF
    return found & 0x7FFFFFFF
