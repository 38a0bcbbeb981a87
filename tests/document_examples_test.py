"""The examples of documents, and that every kind has what people need to write one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gateway.document_files import read_drafts
from schemas.documents.kinds import DOCUMENTS
from schemas.documents.wording import PATTERNS
from tests.terminal import ROOT

pytestmark = pytest.mark.long  # whoever adds a kind may bring its example in a change of its own


def test_every_pattern_of_a_field_has_its_words() -> None:
    schemas = json.dumps([msgspec.json.schema(kind) for kind in DOCUMENTS.values()])
    patterns = {
        one["pattern"].removesuffix(r"(?!\n)")
        for one in _objects(json.loads(schemas))
        if isinstance(one.get("pattern"), str)
    }
    assert patterns
    assert patterns <= PATTERNS.keys()


def _objects(value: Any) -> Any:
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(one)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_there_is_an_example_of_every_kind(kind: str) -> None:
    found = [
        draft
        for path in sorted((ROOT / "examples").glob("*.yaml"))
        if not path.name.startswith("amlsim")
        for draft in read_drafts(path)
    ]
    assert kind in {draft.kind for draft in found}
