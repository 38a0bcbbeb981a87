"""`daybook dev kafka`: a Kafka of one's own in the foreground."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from console.output import Output
from engine.broker import BrokerFailed, Cluster

LOOK_S = 0.5


def kafka(output: Output, nodes: int, port: int, folder: Path) -> int:
    """Run it until told to stop. Raises WrongUse, BrokerFailed where a broker ends by itself."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: told.set())
    output.say(f"Starting Kafka with {nodes} {'node' if nodes == 1 else 'nodes'} in {folder} ...")
    with Cluster(folder.resolve(), nodes, port=port) as cluster:
        processes = [node.process.pid for node in cluster.nodes if node.process is not None]
        output.emit(bootstrap=cluster.bootstrap, folder=str(folder.resolve()), processes=processes)
        output.say(f"Kafka takes connections at {cluster.bootstrap}; Ctrl-C ends it. To use it elsewhere:")
        output.say(f"  export DAYBOOK_KAFKA_BOOTSTRAP={cluster.bootstrap}")
        replication = "" if nodes == 3 else f" --replication {nodes}"
        output.say(f"  daybook topics create{replication}    or daybook init --log kafka")
        ended: set[int] = set()
        while not told.wait(LOOK_S):
            for node in cluster.nodes:
                if node.process is None or node.process.poll() is None or node.number in ended:
                    continue
                ended.add(node.number)
                if 2 * len(ended) >= nodes:
                    raise BrokerFailed(f"Broker {node.number} has ended.", f"{node.log_file} says why.")
                output.say(f"Broker {node.number} has ended; the others go on.")
    output.say("Stopped.")
    return 0
