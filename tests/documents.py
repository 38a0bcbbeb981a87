"""Documents that are executed: every `$` line of a `console` block is run, and its output compared.

A block with `file=NAME` behind its language is that file. What differs from run to run (digests, times, ids,
durations) is compared by its shape. `python -m tests.documents docs/tutorial.md` writes the real output of
each command into the document.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from projections.database import open_database
from tests.kafka_servers import unused_prefix
from tests.terminal import ROOT, Terminal

HERE = "/home/you/bank"
"""What stands in a document for the folder that its reader works in."""
_FENCE = re.compile(r"^```(\w*)(?: file=(\S+))?$")
_VARYING = [
    (r"\b[0-9a-f]{128}\b", "SIGNATURE"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b[0-9a-f]{32}\b", "EPOCH"),
    (r"\b[0-9a-f]{16}\b", "KEY"),
    (r"\b\d{13}\b", "MILLIS"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\d+\.\d s\b", "DURATION"),
    (r" +$", ""),
]


class Block(msgspec.Struct):
    """A fenced block. first: the number of the line behind its fence, counted from 0."""

    language: str
    file: str | None
    first: int
    lines: list[str]


class Step(msgspec.Struct):
    """A command, and what the document says that it prints."""

    command: str
    expected: list[str]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a document, in order."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        number += 1
        if fence is None:
            continue
        first = number
        while lines[number] != "```":
            number += 1
        yield Block(fence[1], fence[2], first, lines[first:number])
        number += 1


def steps(block: Block) -> list[Step]:
    """The commands of a `console` block; a line that ends with a backslash goes on."""
    found: list[Step] = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append(Step(line.removeprefix("$ "), []))
        elif found and found[-1].command.endswith("\\") and not found[-1].expected:
            found[-1].command += "\n" + line
        else:
            assert found, f"output before any command: {line}"
            found[-1].expected.append(line)
    return found


def shape(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text.strip()


class Reader:
    """Somebody who does what a document says, in a folder, with `daybook` on the path."""

    def __init__(self, folder: Path, **settings: str) -> None:
        programs = folder / "bin"
        programs.mkdir()
        self.folder = folder / "work"
        self.folder.mkdir()
        for name, words in (("daybook", " -m daybook"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
            (programs / name).chmod(0o755)
        shutil.copytree(ROOT / "examples", self.folder / "examples")
        self.env = Terminal(folder, **settings).env
        self.env["PATH"] = f"{programs}:{self.env['PATH']}"
        self.env["COLUMNS"] = "110"

    def do(self, block: Block) -> Iterator[tuple[Step, str]]:
        """Write the block's file, or run its commands: each one with what it printed."""
        if block.file is not None:
            (self.folder / block.file).write_text("\n".join(block.lines) + "\n")
        elif block.language == "console":
            for step in steps(block):
                done = subprocess.run(
                    ["/bin/sh", "-c", step.command],
                    cwd=self.folder,
                    env=self.env,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    timeout=120,
                    check=False,
                )
                yield step, done.stdout.decode()


def kafka_settings() -> dict[str, str]:
    """A place in the cluster that the environment names, for documents about it."""
    bootstrap = os.environ.get("DAYBOOK_KAFKA_BOOTSTRAP")
    if bootstrap is None:
        return {}
    return {"DAYBOOK_KAFKA_BOOTSTRAP": bootstrap, "DAYBOOK_TOPIC_PREFIX": unused_prefix()}


def rewrite(document: Path) -> None:
    """Write the output of every command into the document as it is now."""
    text = document.read_text()
    lines = text.splitlines()
    moved = 0
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        open_database(Path(folder) / "postgres", None) as database,
    ):
        reader = Reader(Path(folder), DAYBOOK_DATABASE_URL=database.dsn, **kafka_settings())
        for block in list(blocks(text)):
            done = list(reader.do(block))
            if not done:
                continue
            new = [
                line
                for step, printed in done
                for line in [
                    f"$ {step.command}",
                    *(one.rstrip() for one in printed.replace(str(reader.folder), HERE).splitlines()),
                ]
            ]
            first = block.first + moved
            lines[first : first + len(block.lines)] = "\n".join(new).split("\n")
            moved += sum(line.count("\n") + 1 for line in new) - len(block.lines)
    document.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
