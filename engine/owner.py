"""One partition that is ours: claimed, folded and decided in a thread of its own, until it is taken away.

After `Uncertain` everything that knew the partition is dropped and it is recovered, here, as at the first
time; but only once the group says that it is still ours. What else ends the thread ends the process: the host
finds it in `failure`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from threading import BoundedSemaphore, Thread, get_ident
from threading import Event as Told
from typing import Final

import msgspec

from commands.decide import RELEASE
from engine import garbage
from engine.errors import LogUnavailable, Uncertain, WrongLog
from engine.fold import Folded
from engine.log.kafka import KafkaLog
from engine.log.topic_writer import CLAIM_S, COMMIT_S
from engine.log.topics import Kafka
from engine.logger import logger
from engine.membership import Membership
from engine.places import PlaceFailed
from engine.warm import Load, Warm
from engine.watchdog import Progress
from engine.worker import Worker

AT_ONCE: Final = 5_000
"""How many events are folded between two looks at whether the partition is still ours."""
LOAD_S: Final = 300.0
"""How long reading a snapshot may take."""
WAIT_S: Final = 0.25
REPORT_S: Final = 5.0
AGAIN_S: Final = 0.2
MOST_AGAIN_S: Final = 5.0
PATIENCE_S: Final = 120.0
"""How long the cluster may be away before the process ends and leaves it to whoever starts it again."""

Begin = Callable[[KafkaLog, Folded], "Deciding"]
"""Makes the worker of a partition that was claimed and folded; called in its owner's thread."""


class Deciding(msgspec.Struct):
    """A worker, what is to be done before each of its batches, and what when the partition is let go."""

    worker: Worker
    look: Callable[[], None]
    close: Callable[[], None]


_loading = BoundedSemaphore(2)
"""One folds while another waits for the cluster. More at once would only all be ready later."""


class Owner:
    """load: the newest snapshot.   begin: the worker.   warm: who followed the partition until now.

    before: who had the partition last in this process, and may not have let go of it yet.
    """

    def __init__(
        self,
        kafka: Kafka,
        partition: int,
        membership: Membership,
        load: Load,
        begin: Begin,
        *,
        warm: Warm | None = None,
        before: Owner | None = None,
    ) -> None:
        self.partition = partition
        self.progress = Progress(f"Partition {partition} of {kafka.events}")
        self.failure: BaseException | None = None
        self.decides = False
        """Whether it is recovered, and takes commands."""
        self._kafka = kafka
        self._membership = membership
        self._load = load
        self._begin = begin
        self._warm = warm
        self._before = before
        self._log: KafkaLog | None = None
        self._told = Told()
        self._well = time.monotonic()
        self._reported = 0.0
        self._began_from = ""
        self._thread = Thread(target=self._run, name=f"partition-{partition}", daemon=True)

    def start(self) -> None:
        """Begin to claim it."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to finish its batch and let go. From any thread."""
        self._told.set()
        log = self._log
        if log is not None:
            log.wake()

    def gone(self, within_s: float) -> bool:
        """Whether it has let go of the partition by then."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    # --- in its thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        self.progress.thread = get_ident()
        again_s = AGAIN_S
        try:
            self._wait_for_the_one_before()
            while not self._told.is_set():
                try:
                    self._hold()
                    again_s = AGAIN_S
                except (Uncertain, LogUnavailable, PlaceFailed) as error:
                    if time.monotonic() - self._well > PATIENCE_S:
                        raise
                    logger.warning("partition_recovers", partition=self.partition, what=error.what)
                    garbage.untie(error)
                self._log, self.decides = None, False
                self.progress.at("waiting to claim it again")
                self._told.wait(again_s)
                again_s = min(2 * again_s, MOST_AGAIN_S)
        except BaseException as error:  # noqa: BLE001 - the host raises it where it can be seen
            self.failure = error
        finally:
            self._log, self.decides = None, False

    def _wait_for_the_one_before(self) -> None:
        while self._before is not None and not self._before.gone(WAIT_S):
            self.progress.at("waiting until its last batch is finished", COMMIT_S)
            if self._told.is_set():
                return
        self._before = None

    def _hold(self) -> None:
        """Claim the partition and decide until told to stop."""
        if not self._begun():
            return
        self.progress.at("asking the group whether it is ours", CLAIM_S)
        if not self._membership.confirmed(self.partition):
            return
        began = time.monotonic()
        self.progress.at("claiming it", 2 * CLAIM_S)
        with KafkaLog(self._kafka, self.partition, writer=True) as log:
            self._log = log
            folded = self._folded(log)
            if folded is None:
                return
            self._refuse_newer(folded)
            deciding = self._begin(log, folded)
            worker = deciding.worker
            garbage.settle()
            self.decides = True
            logger.info(
                "partition_taken",
                partition=self.partition,
                offset=folded.offset,
                what=self._began_from,
                seconds=round(time.monotonic() - began, 3),
            )
            try:
                worker.work(lambda: self._stopping(deciding), WAIT_S)
            finally:
                deciding.close()
        logger.info("partition_released", partition=self.partition, offset=worker.position)

    def _refuse_newer(self, folded: Folded) -> None:
        """What a newer release has decided it goes on deciding: an upgrade does not go back and forth."""
        if folded.partition.release > RELEASE:
            raise WrongLog(
                f"Partition {self.partition} is decided by release {folded.partition.release}, and this "
                f"engine is of release {RELEASE}.",
                "Start the newer release here too.",
            )

    def _begun(self) -> bool:
        """Whether there is anything in it. Who begins a partition writes it, so it is not claimed before."""
        with KafkaLog(self._kafka, self.partition) as log:
            said = False
            self.progress.at("looking where it begins", CLAIM_S)
            if log.first_offset("events") > 0:
                return True  # what was at its beginning was archived, and removed (`daybook archive --trim`)
            while not self._told.is_set():
                self.progress.at("looking for its first event", CLAIM_S)
                if log.wait_events(-1, 0.0 if not said else 1.0):
                    return True
                if not said:
                    said = True
                    logger.warning(
                        "partition_not_begun",
                        partition=self.partition,
                        what=f"Partition {self.partition} of {self._kafka.events} holds no events; waiting.",
                        advice="Run `daybook init --log kafka`; a partition that was used has lost its log.",
                    )
                self._well = time.monotonic()
        return False

    def _folded(self, log: KafkaLog) -> Folded | None:
        """The state up to the end of the log, or None where it is to be let go of meanwhile."""
        warm, self._warm = self._warm, None
        self.progress.at("taking over what was kept warm", LOAD_S)
        folded = warm.take() if warm is not None else None
        self._began_from = "from what was kept warm"
        with _loading:
            if folded is None:
                self.progress.at("reading a snapshot", LOAD_S)
                folded = self._load(log)
                self._began_from = "from a snapshot"
            if folded is None:
                folded = Folded()
                self._began_from = "from the beginning"
            while not self._told.is_set():
                before = folded.offset
                self.progress.at(f"folding events behind offset {before}", CLAIM_S)
                folded.apply(islice(log.events(before), AT_ONCE))
                if folded.offset == before:
                    return folded
        return None

    def _stopping(self, deciding: Deciding) -> bool:
        """Between two batches: progress is made, keys are looked at, monitors are told."""
        self.progress.at("deciding", COMMIT_S + 5)
        deciding.look()
        self._well = now = time.monotonic()
        if now - self._reported > REPORT_S:
            self._reported = now
            self._membership.report(self.partition, deciding.worker.position + 1)
        return self._told.is_set()
