"""`make simulate SECONDS=60`, or `make simulate SEED=1234` for just that history, twice, with its trace.

Ends with status 1 where something does not hold, a seed does not replay, or a fault was never reached.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time

from tests.simulation.faults import Fault
from tests.simulation.running import run, run_beside
from tests.simulation.site import COMMANDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--first", type=int, help="the first seed; by chance if not given")
    parser.add_argument("--seed", type=int, help="run just this one, twice, and print its trace")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    told = parser.parse_args()
    return one(told.seed) if told.seed is not None else many(told.seconds, told.first, told.jobs)


def one(seed: int) -> int:
    history, again = run(seed), run(seed)
    print("\n".join(history.trace))
    if history.trace != again.trace:
        at = next(n for n, pair in enumerate(zip(history.trace, again.trace)) if pair[0] != pair[1])  # noqa: B905
        print(f"seed {seed} does not replay: line {at + 1} of the trace was {again.trace[at]!r}")
        return 1
    print(f"seed {seed}, twice the same: {history.problem or 'all holds'}")
    return 1 if history.problem else 0


def many(seconds: float, first: int | None, jobs: int) -> int:
    first = secrets.randbelow(10**9) if first is None else first
    print(f"seeds from {first}, {COMMANDS} commands each, {jobs} processes, {seconds:g} s", flush=True)
    began = time.monotonic()
    told = run_beside(seconds, first, jobs)
    took_s = time.monotonic() - began
    for fault in Fault:
        print(f"{told.reached[fault.name]:9,}  {fault.value}")
    a_minute = told.histories / took_s * 60
    print(f"{told.histories:,} histories hold, {told.steps:,} steps, {a_minute:,.0f} histories a minute")
    if told.broken is not None:
        print(f"seed {told.broken.seed} is broken at {told.broken.problem}")
        print(f"replay it: make simulate SEED={told.broken.seed}")
        return 1
    if never := told.never():
        print("never reached: " + ", ".join(fault.value for fault in never))
        return 1
    return 0


sys.exit(main())
