"""Credentials reset by somebody who then signs in with them."""
