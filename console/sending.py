"""Commands in, from the command line: each line of a file or of standard input gets its outcome."""

from __future__ import annotations

import contextlib
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from console.identity import acting_user, identity_of
from console.outcomes import Outcome, outcome_of
from console.output import Output
from engine.embedded import Connection, connect
from engine.errors import Busy, EngineStopped, EngineUnreachable, OutcomeUnknown, Uncertain, WrongUse
from engine.home import Home
from engine.log.records import Out, wall_clock
from engine.pipeline import Answer
from engine.settings import Settings
from gateway.arriving import Arriving
from gateway.bounded_lines import HasLines
from gateway.lines import read_lines, stamps
from schemas.catalogue import encode
from schemas.message import Command

AT_ONCE = 1_000


def submit(
    output: Output, home: Home, settings: Settings, file: str, *, stamp: bool, named: str | None = None
) -> int:
    """Send the commands of an NDJSON file or of standard input; returns how many were rejected."""
    rejected = 0
    user = acting_user(home, settings, named)
    identity = identity_of(home, user)
    with contextlib.ExitStack() as stack:
        stream = _open(stack, file)
        connection = stack.enter_context(connect(home, settings, identity))
        for numbers, outs in _batches(stream, stamps(user, wall_clock) if stamp else None):
            answers = _outcomes(connection, numbers, outs)
            with _uninterrupted():
                for number, answer in zip(numbers, answers, strict=True):
                    outcome = outcome_of(answer)
                    rejected += outcome.rejected
                    try:
                        output.emit(line=number, **outcome.fields())
                        output.say(f"line {number}  {outcome.sentence()}")
                    except OSError as error:
                        raise OutcomeUnknown(
                            f"Lines {number} to {numbers[-1]} were decided, but not printed: {error}."
                        ) from error
    return rejected


def send(
    output: Output,
    home: Home,
    settings: Settings,
    kind: type[Command],
    named: str | None,
    book: str,
    made: Mapping[str, str] | None = None,
    /,
    **fields: object,
) -> Outcome:
    """Send one command of a person's, and say what came of it. made: ids that were chosen for the person."""
    user = acting_user(home, settings, named)
    command = kind(
        id=f"cli-{secrets.token_hex(8)}", book=book, actor=user, issued_at_ms=wall_clock(), **fields
    )
    with connect(home, settings, identity_of(home, user)) as connection:
        outcome = outcome_of(connection.submit([Out(book.encode(), encode(command))])[0])
    output.emit(**outcome.fields(), **(made or {}))
    output.say(outcome.sentence())
    if not outcome.rejected:
        for name, value in (made or {}).items():
            output.say(f"{name}  {value}")
    return outcome


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until this is over: what was decided is printed."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _open(stack: contextlib.ExitStack, file: str) -> HasLines:
    if file == "-":
        return Arriving(sys.stdin.fileno())
    try:
        return stack.enter_context(Path(file).open("rb"))
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}.", "Name a file, or - .") from None


def _batches(
    stream: HasLines, stamp: Callable[[bytes, int], bytes] | None
) -> Iterator[tuple[list[int], list[Out]]]:
    """Lines as they come: a full batch, or what there is when the next line would have to be waited for."""
    numbers: list[int] = []
    outs: list[Out] = []
    for number, out in read_lines(stream, stamp):
        numbers.append(number)
        outs.append(out)
        if len(outs) >= AT_ONCE or (isinstance(stream, Arriving) and not stream.holds_line()):
            yield numbers, outs
            numbers, outs = [], []
    if outs:
        yield numbers, outs


def _outcomes(connection: Connection, numbers: Sequence[int], outs: Sequence[Out]) -> Sequence[Answer]:
    """Send, and say from which line on the outcomes are unknown where they do not come back."""
    try:
        return connection.submit(outs)
    except (OutcomeUnknown, Uncertain) as error:
        raise OutcomeUnknown(f"From line {numbers[0]} on: {error.what}", error.advice) from error
    except (EngineUnreachable, EngineStopped, Busy) as error:
        if numbers[0] == 1:
            raise
        raise OutcomeUnknown(
            f"From line {numbers[0]} on nothing was taken: {error.what}",
            "Send those lines again; the ones before have their outcomes above.",
        ) from error
    except KeyboardInterrupt:
        raise OutcomeUnknown(f"Interrupted while lines {numbers[0]} to {numbers[-1]} were decided.") from None
