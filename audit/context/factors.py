"""The words for what somebody can prove themselves with; a policy is a choice among them."""

__all__ = ["FACTORS", "MODALITIES"]

MODALITIES = frozenset({"face", "finger_vein", "fingerprint", "iris", "palm_vein", "vein", "voice"})
"""What is inherent in a person, by the words of the source documents; `vein` where a document says no more."""
FACTORS = MODALITIES | {
    "biometric",
    "card_key",
    "device_bound",
    "ic_card",
    "key",
    "password",
    "pin",
    "recovery_code",
    "security_card",
    "totp",
    "webauthn",
}
