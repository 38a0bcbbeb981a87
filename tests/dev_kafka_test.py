"""`daybook dev kafka`: it starts, keeps its data, and leaves nothing behind, however it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.broker import Cluster
from engine.errors import WrongUse
from engine.log.kafka import KafkaLog
from engine.log.records import Out
from engine.log.topic_settings import check, create
from engine.log.topics import Kafka

pytestmark = pytest.mark.long


def dev_kafka(folder: Path, *words: str) -> tuple[subprocess.Popen[str], str, list[int]]:
    """Started and ready: the process, where it is reached, its brokers."""
    started = subprocess.Popen(
        [sys.executable, "-m", "daybook", "dev", "kafka", "--json", "--folder", str(folder), *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    said = json.loads(started.stdout.readline())
    return started, said["bootstrap"], said["processes"]


def gone(process: int) -> bool:
    """Whether it has ended; whoever takes the orphan's place of a parent may be slow to look."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def all_gone(processes: list[int]) -> None:
    deadline = time.monotonic() + 20
    while not all(gone(one) for one in processes):
        assert time.monotonic() < deadline, f"{processes} go on"
        time.sleep(0.05)


def test_it_keeps_its_data_and_ends_with_ctrl_c_and_with_a_kill(tmp_path: Path) -> None:
    started, bootstrap, processes = dev_kafka(tmp_path / "k")
    kafka = Kafka(bootstrap, "kept")
    create(kafka, 1, 1)
    with KafkaLog(kafka, writer=True) as log:
        log.commit([Out(b"main", b"kept")], -1, 1)
    started.send_signal(signal.SIGINT)
    assert started.wait(60) == 0
    all_gone(processes)

    port = bootstrap.rpartition(":")[2]
    started, again, processes = dev_kafka(tmp_path / "k", "--port", port)
    assert again == bootstrap
    with KafkaLog(kafka) as log:
        assert [record.value for record in log.events(-1)] == [b"kept"]
    started.kill()
    started.wait()
    all_gone(processes)
    with pytest.raises(WrongUse, match="holds a cluster of 1 nodes, and 3 were asked for"):
        Cluster(tmp_path / "k", 3).start()


def test_a_folder_is_one_clusters_at_a_time(tmp_path: Path) -> None:
    with Cluster(tmp_path / "k"), pytest.raises(WrongUse, match=r"A cluster runs on .* already"):
        Cluster(tmp_path / "k").start()


def test_three_nodes_keep_each_record_three_times(tmp_path: Path) -> None:
    started, bootstrap, processes = dev_kafka(tmp_path / "k", "--nodes", "3")
    try:
        assert len(processes) == 3
        kafka = Kafka(bootstrap, "daybook")
        create(kafka, 2)
        assert check(kafka, 2) == []
        os.kill(processes[0], signal.SIGKILL)  # one may be lost
        with KafkaLog(kafka, 1, writer=True) as log:
            log.commit([Out(b"main", b"a")], -1, 1)
            assert [record.value for record in log.events(-1)] == [b"a"]
        os.kill(processes[1], signal.SIGKILL)  # without a majority nothing can be written any more
        assert started.wait(60) == 1
        all_gone(processes)
    finally:
        started.kill()
