"""Rules that a town has imported: their exact bytes, who brought them in and who agreed, and which are in force."""

from audit.rulebook.errors import RuleRefusedError
from audit.rulebook.model import ImportedRule
from audit.rulebook.service import RuleBook

__all__ = ["ImportedRule", "RuleBook", "RuleRefusedError"]
