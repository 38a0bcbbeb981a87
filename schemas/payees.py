"""The key of a payee or device across books: the same account at another bank has the same key everywhere.

A key stands where the account number itself would be personal data: in flags, alerts and the keys of streams.
"""

from __future__ import annotations

import hashlib

KEY_DIGITS = 32


def payee_key(account: str) -> str:
    """32 hex digits over an account as rails know it, whatever its spacing and case."""
    plain = "".join(account.split()).upper()
    return hashlib.blake2b(plain.encode(), digest_size=KEY_DIGITS // 2, person=b"daybook payee").hexdigest()
