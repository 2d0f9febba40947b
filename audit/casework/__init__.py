"""Casework matching: each look-up, what could have caused it, and how the two people in it are related."""

from audit.casework.model import (
    Because,
    LookUp,
    LookUpDimension,
    LookUpFilter,
    LookUpMeasure,
    LookUpSummary,
    Relation,
    Result,
)
from audit.casework.service import VERSION, Casework

__all__ = [
    "VERSION",
    "Because",
    "Casework",
    "LookUp",
    "LookUpDimension",
    "LookUpFilter",
    "LookUpMeasure",
    "LookUpSummary",
    "Relation",
    "Result",
]
