"""The one table of typologies: the name of its parameters in a document, and what looks for it.

Add a typology by adding its parameters to `schemas/documents/typologies.py` and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from detection.flows import Typology
from detection.typologies.structuring import StructuringFold

TYPOLOGIES: Final[Mapping[str, Callable[..., Typology]]] = {
    "structuring": StructuringFold,
}
"""Made with parameters, the version of their document, and the state of the one before, if any."""


def state_type(name: str) -> Any:
    """The type of the state of a typology."""
    made: Any = TYPOLOGIES[name]
    return made.State
