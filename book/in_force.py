"""The documents in force, decoded and compiled once when they take effect, so that decisions only look up.

Each kind has its field here; `book/documents.py` has the table of what fills them.
"""

from __future__ import annotations

import msgspec

from book.accruals import InterestInForce
from schemas.documents.counterparts import Counterpart
from schemas.documents.products import Product


class InForce(msgspec.Struct):
    """products: by id; an account names its product.

    interest: of a product in a currency, by `interest_key`; the newest last; days before keep theirs.
    counterparts: by the other book.
    """

    products: dict[str, Product] = {}
    interest: dict[str, list[InterestInForce]] = {}
    counterparts: dict[str, Counterpart] = {}
