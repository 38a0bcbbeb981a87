"""`daybook topics`: the topics of a site in Kafka, made once, and checked."""

from __future__ import annotations

import msgspec

from console.output import Output
from detection import stream_topics
from engine.errors import WrongUse
from engine.home import NoHome, find_home
from engine.kafka_settings import kafka_of
from engine.log.topic_settings import (
    PARTITIONS,
    REPLICATION,
    Problem,
    Wanted,
    check,
    create,
    stalled,
    wanted,
)
from engine.settings import Settings


def make(
    output: Output,
    settings: Settings,
    partitions: int | None,
    replication: int | None,
    *,
    stream: bool = False,
) -> bool:
    """Make the topics that are missing, then check all. False where something is wrong with them."""
    kafka = kafka_of(settings)
    count = _count(settings, partitions) or PARTITIONS
    problems = []
    for kind in _kinds(stream):
        for name in create(kafka, count, REPLICATION if replication is None else replication, kind):
            output.say(f"Made {name} with {count} partitions.")
            output.emit(made=name, partitions=count)
        problems += check(kafka, count, kind)
    return _report(output, problems)


def look(output: Output, settings: Settings, partitions: int | None, *, stream: bool = False) -> bool:
    """Check the topics' settings, and whether a transaction stands in the readers' way."""
    kafka = kafka_of(settings)
    count = _count(settings, partitions)
    problems = [problem for kind in _kinds(stream) for problem in check(kafka, count, kind)]
    return _report(output, problems + stalled(kafka))


def _kinds(stream: bool) -> list[Wanted]:
    """The topics of every site, and those of the stream workers where they are asked for."""
    return [wanted, stream_topics.wanted] if stream else [wanted]


def _report(output: Output, problems: list[Problem]) -> bool:
    for one in problems:
        output.emit(**msgspec.structs.asdict(one))
        output.say(f"{one.topic}: {one.what}.\n  Why it matters: {one.why}\n  To mend it:     {one.fix}")
    output.emit(ok=not problems, problems=len(problems))
    if not problems:
        output.say("The topics are as they must be.")
    return not problems


def _count(settings: Settings, asked: int | None) -> int | None:
    """How many partitions there must be: as the home records it, from the day when the topics were made."""
    try:
        recorded = find_home(settings).read().partitions
    except NoHome:
        recorded = 0
    if asked is not None and recorded and asked != recorded:
        raise WrongUse(
            f"This site has {recorded} partitions, and {asked} were asked for.",
            "The count is chosen once: books are placed by it.",
        )
    return asked or recorded or None
