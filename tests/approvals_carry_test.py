"""Whatever waits is stored whole and comes back as it was, whichever type it is."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from commands.policy_documents import NEVER_WAIT
from schemas.catalogue import COMMANDS, Undecodable, decode_command
from schemas.message import Command
from tests.schemas_test import valid

CAN_WAIT = [kind for kind in COMMANDS if kind.__name__ not in NEVER_WAIT]


@pytest.mark.parametrize("kind", CAN_WAIT, ids=lambda kind: kind.__name__)
def test_what_waits_comes_back_as_it_was(kind: type[Command]) -> None:
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(valid(msgspec.inspect.type_info(kind)))
    def check(document: dict[str, object]) -> None:
        try:
            command = decode_command(json.dumps(document).encode())
        except Undecodable:
            return  # what the strategy cannot know, such as a control character in a name
        asked = msgspec.to_builtins(command)
        stored = msgspec.json.decode(msgspec.json.encode(asked))
        assert msgspec.convert(asked, kind) == command
        assert msgspec.convert(stored, kind) == command

    check()


def test_there_are_many() -> None:
    assert len(CAN_WAIT) > 30
