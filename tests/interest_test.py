"""Interest: what a day is worth, to the exact minor unit; what is carried; when it is booked."""

from __future__ import annotations

from schemas.interest import InterestAccrued, InterestCapitalised
from tests.interest_words import BANK, bearing, interest, pass_days, product
from tests.story import account, balance, given, story


def test_thin() -> None:
    given(BANK, product(interest("0.0365")), account("alice", 1_000_000, product="savings"))
    pass_days()
    # 10,000.00 x 3.65 % / 365 = 1.00
    assert (bearing("alice").credit, bearing("alice").credit_rest) == (100, 0)
    assert (balance("payable"), balance("interest-paid")) == (100, -100)
    pass_days(16)
    print([e for e in story().events() if isinstance(e, InterestCapitalised|InterestAccrued)][-2:])
    assert balance("alice") == 1_000_000 + 1700
