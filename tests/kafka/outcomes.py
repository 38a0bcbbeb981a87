"""The public stream against the events: one record a command, in order, and nothing else in it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.kafka.client import Seen
from tests.kafka.evidence import SYSTEM, Problem, Said, answers_of, decoded

VERDICTS = {"CommandRejected": "rejected", "CommandRepeated": "repeated", "ApprovalRequested": "waiting"}


def published(partition: int, records: list[Seen], events: list[Said]) -> Iterator[Problem]:
    """Finds: outcome_missing, outcome_too_many, outcome_out_of_order, outcome_differs, outcome_tells."""
    wanted = {int(run[0].says["cause"]): run for run in answers_of(events)}
    told: set[int] = set()
    newest = -1
    for record in records:
        where = f"outcomes {partition}/{record.offset}"
        says = decoded(record.value) or {}
        cause = int(says.get("cause", -1))
        if cause in told or cause not in wanted:
            yield Problem("outcome_too_many", where, f"command {partition}/{cause}")
            continue
        if cause < newest:
            yield Problem("outcome_out_of_order", where, f"{cause} follows {newest}")
        told.add(cause)
        newest = max(newest, cause)
        right = _record_of(wanted[cause])
        found = {name: says.get(name, type(value)()) for name, value in right.items()}
        for name in right:
            if found[name] != right[name]:
                yield Problem("outcome_differs", where, f"{name}: {found[name]!r} for {right[name]!r}")
        if "restricted" in says or "fingerprint" in says:
            yield Problem("outcome_tells", where, "what only staff may know")
    for cause in sorted(wanted.keys() - told):
        yield Problem("outcome_missing", f"commands {partition}/{cause}")


def _record_of(run: list[Said]) -> dict[str, Any]:
    """What the public record of these events has to say, among others."""
    first = run[0].says
    verdict = VERDICTS.get(run[0].type, "accepted")
    accepted = verdict in {"accepted", "waiting"}
    later = [event.says["seq"] for event in run[1:] if event.says["book"] == first["book"]]
    return {
        "verdict": verdict,
        "book": first.get("book", SYSTEM),
        "cause": first["cause"],
        "seq": first["seq"],
        "last_seq": later[-1] if later else 0,
        "at": first["at"],
        "command": first.get("command", ""),
        "actor": first.get("actor", ""),
        "reason": "" if accepted else first.get("reason", ""),
        "figures": first.get("figures", {}) if verdict == "rejected" else {},
        "first_seq": first["first_seq"] if verdict == "repeated" else 0,
        "events": dict(Counter(event.type for event in run)) if accepted else {},
    }
