"""Tuning with a net: exceptions and parameter changes, each previewed over the past and made by two people."""

from audit.tuning.errors import TuningError, TuningRefusedError, TuningUnknownError
from audit.tuning.model import (
    EVERY,
    Catalogue,
    Change,
    ChangeState,
    ExceptionTerms,
    Kind,
    ParameterTerms,
    Preview,
    PreviewState,
    Scope,
    Surroundings,
    Terms,
)
from audit.tuning.previews import Seen, preview_document
from audit.tuning.service import TuningService

__all__ = [
    "EVERY",
    "Catalogue",
    "Change",
    "ChangeState",
    "ExceptionTerms",
    "Kind",
    "ParameterTerms",
    "Preview",
    "PreviewState",
    "Scope",
    "Seen",
    "Surroundings",
    "Terms",
    "TuningError",
    "TuningRefusedError",
    "TuningService",
    "TuningUnknownError",
    "preview_document",
]
