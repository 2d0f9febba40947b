"""Inquiries and provisions without what permits them."""
