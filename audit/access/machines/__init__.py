"""Which system is sending: credentials, tokens, certificates and signing keys of sources."""

from audit.access.machines.errors import (
    ClientRefusedError,
    DigestRefusedError,
    MachineRefusedError,
    MachineStateError,
    SourceRefusedError,
)
from audit.access.machines.keys import fingerprint_of
from audit.access.machines.model import (
    PERSONNEL,
    AccessToken,
    Binding,
    BindingKind,
    Client,
    Credential,
    CredentialInfo,
    Machine,
    MachineRules,
    Proof,
    Scope,
    scopes_of,
)
from audit.access.machines.service import MachineService

__all__ = [
    "PERSONNEL",
    "AccessToken",
    "Binding",
    "BindingKind",
    "Client",
    "ClientRefusedError",
    "Credential",
    "CredentialInfo",
    "DigestRefusedError",
    "Machine",
    "MachineRefusedError",
    "MachineRules",
    "MachineService",
    "MachineStateError",
    "Proof",
    "Scope",
    "SourceRefusedError",
    "fingerprint_of",
    "scopes_of",
]
