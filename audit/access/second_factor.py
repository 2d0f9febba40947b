"""The second factor: time-based codes (RFC 6238), each good for one use.

No step before or after the present one is accepted: a code lives 30 seconds (ASVS 6.5.5). The step a code
belongs to is what is used up, not its text, because full-width digits are the same code. Widening the window
would need a decision; the remedy for a slow phone is its clock.
"""

import secrets
from base64 import b32encode
from datetime import datetime

import pyotp
from pyotp.exceptions import OTPVerificationError

__all__ = ["new_secret", "provisioning_uri", "step_of_code"]

ISSUER = "Mimamori"
_SECRET_BYTES = 20  # 160 bits: RFC 4226 recommends it, SP 800-63B asks for 112


def new_secret() -> str:
    """A random secret of 160 bits, in base32."""
    return b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def provisioning_uri(secret: str, login_id: str) -> str:
    """The `otpauth` address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login_id, issuer_name=ISSUER)


def step_of_code(secret: str, code: str, at: datetime) -> int | None:
    """The time step that a code proves, or None. Anything typed is answered, nothing raises."""
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=at, valid_window=0)
    except (OTPVerificationError, UnicodeEncodeError):  # the second: half a surrogate pair, from JSON
        return None
