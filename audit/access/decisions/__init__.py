"""Decisions: may this person do this, now? One pure function, its facts, its events, its ledgers."""

from audit.access.decisions.case import functions_of, is_output
from audit.access.decisions.errors import (
    ConfirmRefusedError,
    EmergencyRefusedError,
    EnvelopeRefusedError,
    LedgerRefusedError,
    MediumRefusedError,
)
from audit.access.decisions.facts import FactsReader
from audit.access.decisions.journal import GroupRecorder
from audit.access.decisions.model import Actor, Answer, Approval, BreakGlass, Effect, Facts, LiveSession, Question
from audit.access.decisions.policies import PolicyBook
from audit.access.decisions.policy import DecisionPolicy, PolicyError, parse_policy
from audit.access.decisions.reasons import TEXTS, Reason
from audit.access.decisions.rules import decide
from audit.access.decisions.service import DecisionService

__all__ = [
    "TEXTS",
    "Actor",
    "Answer",
    "Approval",
    "BreakGlass",
    "ConfirmRefusedError",
    "DecisionPolicy",
    "DecisionService",
    "Effect",
    "EmergencyRefusedError",
    "EnvelopeRefusedError",
    "Facts",
    "FactsReader",
    "GroupRecorder",
    "LedgerRefusedError",
    "LiveSession",
    "MediumRefusedError",
    "PolicyBook",
    "PolicyError",
    "Question",
    "Reason",
    "decide",
    "functions_of",
    "is_output",
    "parse_policy",
]
