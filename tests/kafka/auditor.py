"""The independent auditor: proves from outside, with its own client, decoder and fold, that nothing was lost
and nothing was doubled. It shares no code with what it audits, and an import contract keeps it so.

`python -m tests.kafka.auditor BOOTSTRAP PREFIX [--database DSN] [--written FILE ...]` audits a site whose
commands are all answered, prints what is wrong, and ends with 1 where something is.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.kafka import answers, money, outcomes, pages, shown
from tests.kafka.client import Place, Seen, ends, partitions_of, read
from tests.kafka.evidence import Evidence, Problem, Said

LOST: Final = frozenset(
    {"unanswered", "acknowledged_lost", "acknowledged_altered", "seq_gap", "outcome_missing", "row_missing"}
)
DOUBLED: Final = frozenset(
    {"answered_twice", "done_twice", "outcome_too_many", "row_too_many", "repeat_not_told"}
)


@dataclass
class Report:
    """What was audited and what is wrong."""

    problems: list[Problem] = field(default_factory=list)
    commands: int = 0
    events: int = 0
    refused: int = 0
    repeats: int = 0
    aborted: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def names(self) -> Counter[str]:
        return Counter(problem.name for problem in self.problems)

    @property
    def lost(self) -> int:
        return sum(problem.name in LOST for problem in self.problems)

    @property
    def doubled(self) -> int:
        return sum(problem.name in DOUBLED for problem in self.problems)


def audit(evidence: Evidence) -> Report:
    """Everything that can be proven from the evidence."""
    report = Report()
    problems = report.problems
    partitions = len(evidence.commands)
    folded = money.Money()
    everything: list[Said] = []
    for partition, records in sorted(evidence.events.items()):
        events = pages.pages(partition, records, problems)
        commands = evidence.commands[partition]
        problems += pages.counted(partition, partitions, events)
        problems += answers.answered(partition, commands, events)
        problems += money.fold(folded, events)
        if evidence.outcomes is not None:
            problems += outcomes.published(partition, evidence.outcomes[partition], events)
        report.commands += len(commands)
        everything += events
    problems += answers.repeated(everything)
    problems += answers.stored(evidence.written, evidence.commands)
    problems += money.conserved(folded, settled=True)
    if evidence.rows is not None:
        problems += shown.shown(evidence.rows, folded, everything)
    problems += [Problem("transaction_open", place) for place in evidence.open_transactions]
    report.events = len(everything)
    report.refused = sum(event.type == "CommandRejected" for event in everything)
    report.repeats = sum(event.type == "CommandRepeated" for event in everything)
    report.aborted = sum(map(len, evidence.aborted.values()))
    return report


class Recording:
    """The topics of a site as far as they were read; goes on where it was, so that nothing is read twice."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int, *, outcomes: bool = True) -> None:
        self.bootstrap = bootstrap
        self._names = {kind: f"{prefix}.{kind}" for kind in ("commands", "events", "outcomes")}
        if not outcomes:
            del self._names["outcomes"]
        self._after: dict[Place, int] = {
            (name, one): 0 for name in self._names.values() for one in range(partitions)
        }
        self._read: dict[Place, list[Seen]] = {place: [] for place in self._after}
        self._partitions = partitions

    async def catch_up(self) -> None:
        """Read what is committed by now."""
        for place, records in (await read(self.bootstrap, self._after)).items():
            self._read[place] += records

    def of(self, kind: str) -> dict[int, list[Seen]]:
        """The records of `commands`, `events` or `outcomes`, by partition."""
        return {one: self._read[self._names[kind], one] for one in range(self._partitions)}

    def topics(self) -> Evidence:
        """What was read so far, by itself."""
        published = self.of("outcomes") if "outcomes" in self._names else None
        return Evidence(self.of("commands"), self.of("events"), published)

    async def evidence(self, written: Sequence[Path] = (), dsn: str | None = None) -> Evidence:
        """All that there is to go by, once everything is answered and nobody writes any more."""
        await self.catch_up()
        everything = await read(self.bootstrap, {place: 0 for place in self._after if self._is_events(place)},
                                committed=False)  # fmt: skip
        aborted: dict[int, list[Seen]] = {}
        for place, records in everything.items():
            visible = {one.offset for one in self._read[place]}
            aborted[place[1]] = [one for one in records if one.offset not in visible]
        behind = await ends(self.bootstrap, self._after, committed=False)
        readable = await ends(self.bootstrap, self._after)
        evidence = self.topics()
        evidence.rows = None if dsn is None else shown.rows_of(dsn)
        evidence.written = [json.loads(line) for file in written for line in file.read_text().splitlines()]
        evidence.aborted = aborted
        evidence.open_transactions = [
            f"{topic} {partition}"
            for (topic, partition), end in behind.items()
            if readable[topic, partition] < end
        ]
        return evidence

    def _is_events(self, place: Place) -> bool:
        return place[0] == self._names["events"]


def say(report: Report, most: int = 20) -> dict[str, Any]:
    """The report, for a file."""
    return {
        "commands": report.commands,
        "events": report.events,
        "refused": report.refused,
        "repeats": report.repeats,
        "aborted": report.aborted,
        "lost": report.lost,
        "doubled": report.doubled,
        "problems": dict(report.names),
        "first": [str(problem) for problem in report.problems[:most]],
    }


async def main(given: argparse.Namespace) -> Report:
    """Audit a site from outside."""
    partitions = await partitions_of(given.bootstrap, f"{given.prefix}.commands")
    recording = Recording(given.bootstrap, given.prefix, partitions, outcomes=not given.without_outcomes)
    return audit(await recording.evidence(given.written, given.database))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Proves that nothing was lost and nothing was doubled.")
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("--database", help="where the read models are")
    parser.add_argument("--written", nargs="*", type=Path, default=[], help="what the loads wrote down")
    parser.add_argument("--without-outcomes", action="store_true", help="no publisher runs")
    done = asyncio.run(main(parser.parse_args()))
    sys.stdout.write(json.dumps(say(done), indent=2) + "\n")
    sys.exit(0 if done.ok else 1)
