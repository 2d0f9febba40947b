"""Security keys and passkeys (WebAuthn Level 3), the policy for them, FIDO metadata, and recovery codes.

`AuthenticatorService`, one per installation (`installation.authenticators`):

```
begin_registration(account_id, login_id, display_name, *, bound_to) -> dict        options, JSON-able
check_registration(account_id, response, *, roles, bound_to, by) -> NewAuthenticator   proved, not stored: for a link
add(unit, new, *, name, by) -> Authenticator                                       stores it in the caller's unit
finish_registration(account_id, response, *, name, bound_to, by) -> Authenticator  both, for an existing account
begin_assertion(purpose, *, bound_to, account_id=None) -> dict                     options, JSON-able
finish_assertion(purpose, response, *, bound_to, account_id=None, by) -> Asserted
authenticators_of(account_id) -> tuple[Authenticator, ...]
revoke(account_id, authenticator_id, *, by)
revoke_all(unit, account_id) -> tuple[str, ...]                                    for a reset: in the caller's unit
recovery.issue(unit, account_id, *, by) -> tuple[str, ...]                         ten codes, shown once
recovery.use(unit, account_id, typed, *, by) -> bool · recovery.left(account_id) -> int
recovery.end(unit, account_id)
policies.current() -> AuthenticatorPolicy | None · metadata.state() -> MetadataState
```

- `bound_to` is what the ceremony belongs to and the browser holds: a session id, a ticket, a link's token, the
  anonymous cookie of the sign-in page. It must be the same at the beginning and at the end.
- The account id is the user handle: whoever enrols a new account's key before the account exists chooses its id first.
- Refusals (`RegistrationRefusedError`, `AssertionRefusedError`) are recorded before they are raised. A success of an
  assertion is not: the caller's own event (`login`, `unlock`, ...) tells it, with `Asserted.auth()`, before it commits.
"""

from audit.access.authenticators.errors import (
    AssertionRefusedError,
    AuthenticatorStateError,
    MetadataRefusedError,
    PolicyError,
    RegistrationRefusedError,
)
from audit.access.authenticators.model import (
    Asserted,
    Attested,
    Authenticator,
    By,
    MetadataState,
    Model,
    NewAuthenticator,
    Purpose,
    RelyingParty,
)
from audit.access.authenticators.policy import AuthenticatorPolicy, Conveyance, format_policy, parse_policy
from audit.access.authenticators.policy_book import read_policy_file
from audit.access.authenticators.service import AuthenticatorService

__all__ = [
    "Asserted",
    "AssertionRefusedError",
    "Attested",
    "Authenticator",
    "AuthenticatorPolicy",
    "AuthenticatorService",
    "AuthenticatorStateError",
    "By",
    "Conveyance",
    "MetadataRefusedError",
    "MetadataState",
    "Model",
    "NewAuthenticator",
    "PolicyError",
    "Purpose",
    "RegistrationRefusedError",
    "RelyingParty",
    "format_policy",
    "parse_policy",
    "read_policy_file",
]
