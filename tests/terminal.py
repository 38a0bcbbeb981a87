"""Daybook as people and machines meet it: real processes of the command line, in a folder of their own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).parent.parent
DAYBOOK = [sys.executable, "-m", "daybook"]
SOON_S = 60.0


class Done(msgspec.Struct):
    """How a process ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects on standard output, all of it."""
        found = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(one, dict) for one in found)
        return found

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]


class Terminal:
    """A folder to stand in, and an environment without anybody's DAYBOOK_* settings but those given."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
        self.env |= {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "COLUMNS": "120", **settings}

    def run(self, *words: str | Path, stdin: str | bytes = "", within: str = ".", **settings: str) -> Done:
        """Run a subcommand to its end. Never does one of them show a traceback."""
        done = subprocess.run(
            [*DAYBOOK, *map(str, words)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=self.folder / within,
            env=self.env | settings,
            timeout=SOON_S * 3,
            check=False,
        )
        found = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in found.err, found.err
        assert "a bug in Daybook" not in found.out + found.err, found.out + found.err
        if "--json" in words:
            assert found.lines or found.status == 2, "a machine is told something"
        return found

    def ok(self, *words: str | Path, stdin: str | bytes = "", **settings: str) -> Done:
        """Run a subcommand that must end well."""
        done = self.run(*words, stdin=stdin, **settings)
        assert done.status == 0, f"{words}: {done}"
        return done

    def start(self, *words: str, **settings: str) -> "subprocess.Popen[bytes]":
        """Start a subcommand in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            [*DAYBOOK, *words],
            cwd=self.folder,
            env=self.env | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )


class Up:
    """`daybook up` of the home in the terminal's folder, started and ready."""

    def __init__(self, terminal: Terminal) -> None:
        self.said = terminal.folder / "up.txt"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [*DAYBOOK, "up"],
                cwd=terminal.folder,
                env=terminal.env,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                process_group=0,
            )
        self.me = psutil.Process(self.process.pid)
        try:
            until(lambda: "Ready for commands." in self.text() or self.process.poll() is not None)
            assert self.process.poll() is None, self.text()
        except BaseException:
            self.kill_all()
            raise

    def text(self) -> str:
        return self.said.read_text()

    def children(self) -> dict[str, psutil.Process]:
        """The supervised processes that run, by name."""
        found = {}
        for one in self.me.children():
            try:
                words = one.cmdline()
            except psutil.Error:
                continue
            if "run" in words:
                found[words[words.index("run") + 1]] = one
        return found

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop, and wait until it has; returns its exit status."""
        os.killpg(self.process.pid, number)
        return self.process.wait(SOON_S)

    def kill_all(self) -> None:
        """Kill -9 the supervisor and all that it supervises, at one moment."""
        try:
            everyone = [self.me, *self.me.children()]
        except psutil.NoSuchProcess:
            everyone = []
        for one in everyone:
            kill(one)
        self.process.wait(SOON_S)
        psutil.wait_procs(everyone[1:], SOON_S)


def kill(process: psutil.Process) -> None:
    """Kill -9, unless it is gone already."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def until(holds: Callable[[], object], within_s: float = SOON_S) -> None:
    """Wait until it holds. Fails where it never does."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def ndjson(commands: Sequence[dict[str, Any]]) -> str:
    """Commands as the lines that `submit` takes."""
    return "".join(json.dumps(one) + "\n" for one in commands)


def small_bank(customers: int = 2, deposit: int = 100_00) -> str:
    """Lines, to be stamped, of a nostro, a party, and accounts a1, a2... with a deposit each."""
    names = [f"a{number}" for number in range(1, customers + 1)]
    made: list[dict[str, Any]] = [
        {"type": "OpenAccount", "account": "nostro", "kind": "nostro", "currency": "EUR"},
        {"type": "RegisterParty", "party": "p1", "kind": "person", "name": "Ada", "status": "active"},
        *({"type": "OpenAccount", "account": one, "party": "p1", "currency": "EUR"} for one in names),
        *(
            {"type": "Transfer", "debit": "nostro", "credit": one, "amount": deposit, "currency": "EUR"}
            for one in names
        ),
    ]
    return ndjson([{"id": f"set-up-{n}", "book": "main", **one} for n, one in enumerate(made)])
