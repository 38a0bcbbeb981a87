"""The faults: what is done to a site under load, each a function that returns when the fault itself is over.

A fault may leave everything broken that a site has to mend by itself; it repairs only what no Daybook
process could (a broker is started again, a network heals, a stopped process goes on).
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from engine.broker import Node
from tests.kafka.brokers import ENGINES
from tests.kafka.proxy import Condition
from tests.kafka.rig import PARTITIONS, SESSION_MS, TRANSACTION_MS, Rig

Fault = Callable[[Rig, random.Random], None]

OUTAGE_S: Final = (0.5, 2.5)
"""How long a network is broken: sometimes shorter than the session time, sometimes longer."""


def kill_engine(rig: Rig, chance: random.Random) -> None:
    """kill -9 of an engine that decides."""
    rig.keeper.signal(rig.busy(chance), signal.SIGKILL)


def kill_both_engines(rig: Rig, chance: random.Random) -> None:
    """kill -9 of both engines, at one moment."""
    for engine in ENGINES:
        rig.keeper.signal(engine, signal.SIGKILL)


def kill_projector(rig: Rig, chance: random.Random) -> None:
    """kill -9 of a projector."""
    rig.keeper.signal(chance.choice(("projector-1", "projector-2")), signal.SIGKILL)


def kill_relay(rig: Rig, chance: random.Random) -> None:
    """kill -9 of the relay."""
    rig.keeper.signal("relay", signal.SIGKILL)


def kill_publisher(rig: Rig, chance: random.Random) -> None:
    """kill -9 of the publisher."""
    rig.keeper.signal("publisher", signal.SIGKILL)


def kill_follower(rig: Rig, chance: random.Random) -> None:
    """kill -9 of the follower."""
    rig.keeper.signal("follower", signal.SIGKILL)


def zombie(rig: Rig, chance: random.Random) -> None:
    """SIGSTOP of an engine past the session and transaction timeouts; another takes over; SIGCONT."""
    engine = rig.busy(chance)
    rig.keeper.signal(engine, signal.SIGSTOP)
    time.sleep((max(SESSION_MS, TRANSACTION_MS) + chance.randrange(500, 2_000)) / 1_000)
    rig.keeper.signal(engine, signal.SIGCONT)


def short_stop(rig: Rig, chance: random.Random) -> None:
    """SIGSTOP of an engine for about its session time: it may or may not be given up; SIGCONT."""
    engine = rig.busy(chance)
    rig.keeper.signal(engine, signal.SIGSTOP)
    time.sleep(SESSION_MS / 1_000 * chance.uniform(0.7, 1.3))
    rig.keeper.signal(engine, signal.SIGCONT)


def kill_broker(rig: Rig, chance: random.Random) -> None:
    """kill -9 of the only broker, which is started again."""
    (node,) = rig.brokers.nodes
    _killed(rig, node, chance)


def kill_leader(rig: Rig, chance: random.Random) -> None:
    """kill -9 of the broker that leads a partition of the events, which is started again later."""
    partition = chance.randrange(PARTITIONS)
    _killed(rig, rig.brokers.leader_of(rig.kafka, rig.kafka.events, partition), chance)


def kill_coordinator(rig: Rig, chance: random.Random) -> None:
    """kill -9 of the broker that coordinates an engine's transactions, which is started again later."""
    name = f"{rig.prefix}-engine-{chance.randrange(PARTITIONS)}"
    _killed(rig, rig.brokers.coordinator_of(rig.kafka, name), chance)


def rolling_restart(rig: Rig, chance: random.Random) -> None:
    """Every broker is stopped in order and started again, one after the other."""
    for node in chance.sample(rig.brokers.nodes, len(rig.brokers.nodes)):
        node.stop()
        rig.brokers.again(node)


def _killed(rig: Rig, node: Node | None, chance: random.Random) -> None:
    assert node is not None, "every partition has a leader while all brokers are up"
    node.kill()
    time.sleep(chance.uniform(0.2, 1.5))
    node.start()


def _network(condition: Condition, *, everybody: bool = False) -> Fault:
    def broken(rig: Rig, chance: random.Random) -> None:
        engines = ENGINES if everybody else (rig.busy(chance),)
        for engine in engines:
            rig.brokers.network(engine, condition)
        time.sleep(chance.uniform(*OUTAGE_S) if condition != "delayed" else 2.0)
        for engine in engines:
            rig.brokers.network(engine, "open")

    return broken


ALONE: Final[Mapping[str, Fault]] = {
    "kill -9 engine": kill_engine,
    "kill -9 both engines": kill_both_engines,
    "kill -9 projector": kill_projector,
    "kill -9 relay": kill_relay,
    "kill -9 publisher": kill_publisher,
    "kill -9 follower": kill_follower,
    "SIGSTOP engine, takeover, SIGCONT": zombie,
    "SIGSTOP engine about the session time": short_stop,
    "kill -9 broker, restart": kill_broker,
    "network cut, one engine": _network("cut"),
    "network cut, both engines": _network("cut", everybody=True),
    "network delayed": _network("delayed", everybody=True),
    "network half open, answers lost": _network("half_open"),
    "network half open, requests lost": _network("deaf"),
}
"""On one broker."""
OF_THREE: Final[Mapping[str, Fault]] = {
    "3 nodes: kill -9 partition leader": kill_leader,
    "3 nodes: kill -9 transaction coordinator": kill_coordinator,
    "3 nodes: rolling restart": rolling_restart,
    "3 nodes: kill -9 engine": kill_engine,
    "3 nodes: SIGSTOP engine, takeover, SIGCONT": zombie,
    "3 nodes: network half open, answers lost": _network("half_open"),
}
"""On three brokers."""
TOGETHER: Final = frozenset({"kill -9 engine", "kill -9 projector", "kill -9 relay", "kill -9 publisher",
                             "kill -9 follower", "network cut, one engine", "network delayed",
                             "kill -9 broker, restart", "3 nodes: kill -9 engine",
                             "3 nodes: kill -9 partition leader"})  # fmt: skip
"""What may also happen at the same time as another."""
