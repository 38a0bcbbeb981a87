"""What came of each fault: counted, as JSON and as the table that stands in the documentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Step:
    """One fault, or several at once, and the audit after it.

    commands: that were answered since the audit before.   aborted: events of transactions that were cut off,
    so far in the round.   pause_ms: the longest an upstream waited for the next answer of a partition.
    settled_s: how long it took, after the load had ended, until all was answered, published and shown.
    """

    round: int
    faults: tuple[str, ...]
    commands: int = 0
    lost: int = 0
    doubled: int = 0
    aborted: int = 0
    pause_ms: int = 0
    settled_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "ok" if not self.problems else f"{len(self.problems)} PROBLEMS"
        return (
            f"{' + '.join(self.faults)}: {self.commands} commands, lost {self.lost}, doubled {self.doubled}, "
            f"pause {self.pause_ms / 1_000:.1f} s, settled {self.settled_s:.1f} s, {verdict}"
        )


def rows(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """A row a fault; what happened at the same time as another counts for both."""
    names = sorted({name for step in steps for name in step.faults})
    return [_row(name, [step for step in steps if name in step.faults]) for name in names] + [
        _row("all", steps)
    ]


def _row(name: str, steps: Sequence[Step]) -> dict[str, Any]:
    return {
        "fault": name,
        "times": len(steps),
        "commands": sum(step.commands for step in steps),
        "lost": sum(step.lost for step in steps),
        "doubled": sum(step.doubled for step in steps),
        "pause_ms": max((step.pause_ms for step in steps), default=0),
    }


def table(steps: Sequence[Step]) -> str:
    """In Markdown."""
    lines = [
        "| fault | times | commands | lost | doubled | longest pause, s |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['fault']} | {row['times']} | {row['commands']:,} | {row['lost']} | {row['doubled']} "
        f"| {row['pause_ms'] / 1_000:.1f} |"
        for row in rows(steps)
    ]
    return "\n".join(lines)


def write(file: Path, steps: Sequence[Step], *, seed: int, rounds: int, took_s: float) -> None:
    """The table and every step, as JSON."""
    found = {"seed": seed, "rounds": rounds, "took_s": round(took_s), "faults": rows(steps)}
    file.write_text(json.dumps({**found, "steps": [asdict(step) for step in steps]}, indent=2) + "\n")
