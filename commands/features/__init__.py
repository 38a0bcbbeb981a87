"""What a feature of a movement is worth at the moment it is decided. It only looks; `evolve` counts.

No state of a book makes a reader fail: what is not known has no value.
"""

from __future__ import annotations

from commands.features import movement, origins, payees, times, windows
from commands.features.reading import Read
from schemas.features import FEATURES

__all__ = ["READ", "Read"]

READ: dict[str, Read] = {**movement.READ, **windows.READ, **times.READ, **payees.READ, **origins.READ}
assert READ.keys() == FEATURES.keys(), "every feature that is named can be read"
