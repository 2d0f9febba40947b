"""Rights, credentials and the audit trail itself."""
