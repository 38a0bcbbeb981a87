"""What a document is: fields checked by pydantic, and what no single field can say checked by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
import msgspec
from msgspec import Meta
from pydantic import StringConstraints

from schemas.fields import END, NoNul
from schemas.message import Value

RATE = r"^-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,12})?$"
Rate = Annotated[str, Meta(pattern=RATE + END), StringConstraints(pattern=RATE)]
"""A rate as decimal text, such as "0.0125" for 1.25 %. Never a number, which readers would make a float."""
LINE_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
LineId = Annotated[
    str,
    Meta(min_length=1, max_length=40, pattern=LINE_ID + END),
    StringConstraints(min_length=1, max_length=40, pattern=LINE_ID),
]
"""A line of a document. It holds no slash, so that `document/line` names one line of one document."""
DocumentId = Annotated[str, Meta(min_length=1, max_length=64), at.Len(1, 64), NoNul]


class Problem(msgspec.Struct, frozen=True):
    """path: where, such as `lines[0].rate`; empty for the whole.   what: what is wrong or would be right."""

    path: str
    what: str


class Document(Value, frozen=True, kw_only=True):
    """A document's body. Its id and version stand in the command that publishes it."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it, as far as the document alone can tell."""
        return iter(())
