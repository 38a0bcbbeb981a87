"""Every command answered exactly once, whatever was killed: the commands against the events, and the loads'
own files against both.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.kafka.client import Seen
from tests.kafka.evidence import REFUSED, REPEATED, Problem, Said, answers_of, decoded

UNREMEMBERED = frozenset(
    {"undecodable", "too_large", "unknown_book", "wrong_partition", "actor_unproven", "issued_in_future",
     "clock_unconfirmed", "not_permitted", "id_reused", "too_old", "busy", "internal_error"}
)  # fmt: skip
"""Refusals that decide nothing: the same command may be decided when it comes again."""


def answered(partition: int, commands: list[Seen], events: list[Said]) -> Iterator[Problem]:
    """Finds: unanswered, answered_twice, answer_torn, answer_out_of_order, answer_without_command,
    answer_of_another.
    """
    asked = {record.offset: record for record in commands}
    done: set[int] = set()
    newest = -1
    for run in answers_of(events):
        first = run[0]
        cause = int(first.says["cause"])
        if cause not in asked:
            yield Problem("answer_without_command", first.where, f"of offset {cause}")
            continue
        if cause in done or _several(run):
            yield Problem("answered_twice", first.where, f"command {partition}/{cause}")
        elif cause < newest:
            yield Problem("answer_out_of_order", first.where, f"{cause} follows {newest}")
        if run[-1].page != first.page:
            yield Problem("answer_torn", first.where, f"command {partition}/{cause} lies in two commits")
        if (name := first.says.get("command")) and name != _named(asked[cause]):
            yield Problem("answer_of_another", first.where, f"{name!r} is not {_named(asked[cause])!r}")
        done.add(cause)
        newest = max(newest, cause)
    for offset in sorted(asked.keys() - done):
        yield Problem("unanswered", f"commands {partition}/{offset}", repr(asked[offset].value[:80]))


def _several(run: list[Said]) -> bool:
    """Whether what stands side by side is more than one outcome."""
    alone = any(event.type in {REFUSED, REPEATED} for event in run)
    return len(run) > 1 and (alone or any(event.says.get("fingerprint") for event in run[1:]))


def _named(command: Seen) -> Any:
    return (decoded(command.value) or {}).get("id")


def repeated(events: Iterable[Said]) -> Iterator[Problem]:
    """A command that stands in the log again gets its first outcome again.

    Finds: done_twice, repeat_not_told, repeat_of_another.
    """
    outcomes: dict[tuple[int, str, str, str], list[Said]] = defaultdict(list)
    for run in answers_of(events):
        told = next((event for event in run if event.says.get("fingerprint")), run[0])
        says = told.says
        if says.get("command"):
            # Every partition has a system book, which answers what belongs to no other.
            key = told.partition, str(says["book"]), str(says["actor"]), str(says["command"])
            outcomes[key].append(told)
    for (_, book, actor, name), found in outcomes.items():
        first: Said | None = None
        for one in found:
            where = f"{book}, {name} of {actor} ({one.where})"
            if first is None:
                if one.type == REPEATED:
                    yield Problem("repeat_of_another", where, "it was never decided")
                elif one.type != REFUSED or one.says["reason"] not in UNREMEMBERED:
                    first = one
            elif one.type == REPEATED:
                if one.says["first_seq"] != first.says["seq"]:
                    yield Problem(
                        "repeat_of_another", where, f"{one.says['first_seq']} for {first.says['seq']}"
                    )
            elif one.says.get("fingerprint"):
                yield Problem("done_twice", where, f"seq {first.says['seq']} and {one.says['seq']}")
            elif one.type != REFUSED or one.says["reason"] not in UNREMEMBERED:
                yield Problem("repeat_not_told", where, one.type)


def stored(written: Iterable[dict[str, Any]], commands: dict[int, list[Seen]]) -> Iterator[Problem]:
    """What the broker acknowledged is there, to the byte. Finds: acknowledged_lost, acknowledged_altered,
    never_acknowledged.
    """
    at = {(partition, one.offset): one for partition, records in commands.items() for one in records}
    digests: dict[str, str] = {}
    waiting: dict[str, int] = defaultdict(int)
    for line in written:
        if "sent" in line:
            digests[line["sent"]] = line["sha256"]
            waiting[line["sent"]] += 1
        elif "stored" in line:
            name, place = line["stored"], (line["partition"], line["offset"])
            waiting[name] -= 1
            record = at.get(place)
            if record is None:
                yield Problem("acknowledged_lost", f"commands {place[0]}/{place[1]}", name)
            elif hashlib.sha256(record.value).hexdigest() != digests.get(name):
                yield Problem("acknowledged_altered", f"commands {place[0]}/{place[1]}", name)
    for name, count in waiting.items():
        if count > 0:
            yield Problem("never_acknowledged", name, f"{count} times")
