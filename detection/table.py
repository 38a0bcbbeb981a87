"""The one table of typologies: the name of its parameters in a document, and what looks for it.

Add a typology by adding its parameters to `schemas/documents/typologies.py` and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from detection.flows import Typology
from detection.typologies.aggregation import AggregationFold
from detection.typologies.benford import BenfordFold
from detection.typologies.circular_flow import CircularFlowFold
from detection.typologies.collection_account import CollectionAccountFold
from detection.typologies.dormant_active import DormantActiveFold
from detection.typologies.fans import FanInFold, FanOutFold
from detection.typologies.high_risk_country import HighRiskCountryFold
from detection.typologies.layering import LayeringFold
from detection.typologies.new_account_velocity import NewAccountVelocityFold
from detection.typologies.pass_through import PassThroughFold
from detection.typologies.profile_then_payout import ProfileThenPayoutFold
from detection.typologies.repeated_amounts import RepeatedAmountsFold
from detection.typologies.round_amounts import RoundAmountsFold
from detection.typologies.spike import SpikeFold
from detection.typologies.structuring import StructuringFold

TYPOLOGIES: Final[Mapping[str, Callable[..., Typology]]] = {
    "structuring": StructuringFold,
    "aggregation": AggregationFold,
    "pass_through": PassThroughFold,
    "fan_in": FanInFold,
    "fan_out": FanOutFold,
    "dormant_active": DormantActiveFold,
    "spike": SpikeFold,
    "repeated_amounts": RepeatedAmountsFold,
    "round_amounts": RoundAmountsFold,
    "layering": LayeringFold,
    "new_account_velocity": NewAccountVelocityFold,
    "profile_then_payout": ProfileThenPayoutFold,
    "circular_flow": CircularFlowFold,
    "high_risk_country": HighRiskCountryFold,
    "benford": BenfordFold,
    "collection_account": CollectionAccountFold,
}
"""Made with parameters, the version of their document, and the state of the one before, if any."""


def state_type(name: str) -> Any:
    """The type of the state of a typology."""
    made: Any = TYPOLOGIES[name]
    return made.State
