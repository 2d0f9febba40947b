"""Chromium's virtual authenticators: security keys without hardware, driven over the DevTools protocol."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

__all__ = ["VirtualKey"]


@dataclass
class VirtualKey:
    """One virtual security key on one page."""

    cdp: CDPSession
    id: str

    @classmethod
    def plug(cls, page: Page, *, verifies: bool = True, **options: Any) -> "VirtualKey":
        """A key that touches itself, and verifies its user or does not."""
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable", {"enableUI": False})
        wanted = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "usb",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": True,
        } | options
        added = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": wanted})
        return cls(cdp, added["authenticatorId"])

    def verifies(self, verified: bool) -> None:
        """Whether the user can show the key who they are."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": verified})

    def unplug(self) -> None:
        """Take it away."""
        self.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})

    def credentials(self) -> list[dict[str, Any]]:
        """What it holds, its private keys included."""
        found: list[dict[str, Any]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def take(self, credential: dict[str, Any], **changed: Any) -> None:
        """Put a credential into it: a copy of somebody's key."""
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": {**credential, **changed}})
