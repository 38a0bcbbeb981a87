"""`reporting`: documented views for whoever reads with SQL, and a role that can only read them."""

from __future__ import annotations

from projections.tables import digest_of

DIGEST = digest_of(())


def create(session: object, schema: str) -> None:
    """Make the views over the tables of `schema`."""
