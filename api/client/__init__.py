"""For records services in Python: ask Mimamori whether somebody may do something, and take no for an answer.

Needs httpx and nothing else of the server. docs/integrate.md says how to use it.
"""

from api.client.asgi import Guard
from api.client.client import Mimamori
from api.client.model import Access, ClientError, Decision

__all__ = ["Access", "ClientError", "Decision", "Guard", "Mimamori"]
