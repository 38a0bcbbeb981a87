"""The bound of a backlog: when so much waits that a book answers `busy`, so that nobody waits for ever.

How long a command waited and what waits behind it are not in the log, so this is decided once, by the engine,
and what came of it is recorded like any outcome: redecide takes it from there. A book of commanded time is
never refused, since its history must be the same on every machine.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from book.state import Partition
from engine.log.records import Measured, Record

FAR: int = 2
"""So many times over a bound, fairness is over too."""
GLANCES: int = 256
"""So many arrivals say how far the engine's clock is ahead of the log's."""


class Backlog:
    """Which books are refused all but urgent commands.

    most_s: how old the oldest undecided command may be.   most_commands: how many may wait in the partition.

    The log's clock is another machine's. How old a command is that came while nothing waited says how far
    apart the two are, at the least seen lately, and is taken off: a clock that runs ahead refuses nobody.
    """

    def __init__(self, log: Measured, most_s: float, most_commands: int) -> None:
        self._log = log
        self._most_ms = most_s * 1_000
        self._most_commands = most_commands
        self._apart_ms: deque[int] = deque(maxlen=GLANCES)

    def now_ms(self, records: Sequence[Record], clock_ms: int, *, fresh: bool) -> int:
        """The engine's clock, as the log's would be. records: what is to be decided next.   fresh: they came
        while nothing waited.
        """
        if fresh:
            self._apart_ms.append(clock_ms - records[-1].time_ms)
        return clock_ms - min(self._apart_ms, default=0)

    def crowding(self, partition: Partition, records: Sequence[Record], now_ms: int) -> frozenset[bytes]:
        """The keys of the books that are refused what they have among these records, the oldest that wait.

        Over a bound these are the books that take at least their share of the batch, so that who sends little
        is not made to pay for who sends much; at twice the bound, all.
        """
        over = max(
            (now_ms - records[0].time_ms) / self._most_ms,
            self._log.commands_behind(records[0].offset - 1) / self._most_commands,
        )
        if over <= 1:
            return frozenset()
        counts = Counter([record.key for record in records])
        share = 0 if over > FAR else len(records) / len(counts)
        books = partition.books
        return frozenset(
            key
            for key, count in counts.items()
            if count >= share
            and (book := books.get(key.decode("utf-8", "replace"))) is not None
            and book.clock == "wall"
        )
