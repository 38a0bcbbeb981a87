"""The documents do what they say: their commands are run, and what is printed is compared."""

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import reference
from tests.documents import HERE, Reader, blocks, shape
from tests.kafka_servers import unused_prefix
from tests.terminal import ROOT

LONG = ("how-to.md", "working-cases.md")


@pytest.mark.parametrize(
    "name", ["tutorial.md", *(pytest.param(name, marks=pytest.mark.long) for name in LONG)]
)
def test_a_document_prints_what_it_shows(name: str, tmp_path: Path, postgres_dsn: str) -> None:
    reader = Reader(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn)
    commands = 0
    for block in blocks((ROOT / "docs" / name).read_text()):
        for step, printed in reader.do(block):
            commands += 1
            assert "Traceback" not in printed, printed
            said = shape("\n".join(step.expected))
            assert shape(printed.replace(str(reader.folder), HERE)) == said, f"{name}: {step.command}"
    assert commands > 10


@pytest.mark.long
def test_the_document_on_kafka_prints_what_it_shows(
    kafka_bootstrap: str, tmp_path: Path, postgres_dsn: str
) -> None:
    place = {"DAYBOOK_KAFKA_BOOTSTRAP": kafka_bootstrap, "DAYBOOK_TOPIC_PREFIX": unused_prefix()}
    reader = Reader(tmp_path, DAYBOOK_DATABASE_URL=postgres_dsn, **place)
    try:
        for block in blocks((ROOT / "docs/kafka.md").read_text()):
            for step, printed in reader.do(block):
                said = shape("\n".join(step.expected))
                assert shape(printed.replace(str(reader.folder), HERE)) == said, step.command
    finally:
        with contextlib.suppress(OSError):
            os.kill(int((reader.folder / "up.pid").read_text()), signal.SIGTERM)


@pytest.mark.parametrize("name", reference.PARTS)
def test_generated_parts_list_what_there_is(name: str) -> None:
    text = reference.path_of(name).read_text()
    assert reference.filled(text, name) == text, "run: python -m tests.reference"


def test_links_between_documents_lead_somewhere() -> None:
    documents: Sequence[Path] = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for part in document.read_text().split("](")[1:]:
            target = part.partition(")")[0].partition("#")[0]
            if target and "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}"
