"""Rights: applied for, approved in order, applied, reconciled, revoked."""
