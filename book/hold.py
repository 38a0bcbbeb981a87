"""What is known of a hold that is open."""

from __future__ import annotations

import msgspec

from schemas.fees import Fee
from schemas.reserves import Use


class Hold(msgspec.Struct, gc=False):
    """amount: of all of it, captured parts included.   captured: so far.   fees: for all of it.

    charged: of each of the fees, so far.   uses: all that it reserved under limits.
    """

    account: str
    amount: int
    expires_at_ms: int
    counterparty: str
    channel: str
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]
    charged: tuple[int, ...]
    captured: int = 0

    @property
    def left(self) -> int:
        """What can still be captured."""
        return self.amount - self.captured
