"""What Windows' event numbers say: tables after Microsoft's description of security auditing.

An event of the Security log goes by its number, one of any other log by `log/number`: numbers mean something only
within their log. Numbers whose meaning depends on the record have a word behind them (`4663 write`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from audit.events import Activity

__all__ = [
    "ACTIVITIES", "ACTOR_IS_TARGET", "AT_THE_MACHINE", "BY_MASK", "DENIED_STATUS", "MEMBERSHIP", "POSITIONS",
    "SYSTEM_SIDS", "by_mask",
]  # fmt: skip

_A = Activity

ACTIVITIES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("4624", "4625"), _A.LOGIN),
        # A domain controller's view of a log-in; where it succeeds, the machine logged in to writes 4624.
        **dict.fromkeys(("4768 failure", "4771", "4776 failure"), _A.LOGIN),
        **dict.fromkeys(("4768", "4769", "4770", "4776"), _A.SECURITY_EVENT),
        **dict.fromkeys(("4634", "4647"), _A.LOGOUT),
        # 4740: an account is locked out; 4779: a remote session is left; 4802: the screen saver starts
        **dict.fromkeys(("4740", "4779", "4800", "4802"), _A.LOCK),
        **dict.fromkeys(("4767", "4778", "4801", "4803"), _A.UNLOCK),
        **dict.fromkeys(("4648", "4672", "4673", "4674", "4964", "6416"), _A.SECURITY_EVENT),
        # auditing itself stops, loses events or is full
        **dict.fromkeys(("1100", "1101", "1104", "1108", "4612", "4618"), _A.SECURITY_EVENT),
        **dict.fromkeys(("1102", "System/104"), _A.LOG_CLEAR),
        **dict.fromkeys(("4720", "4741"), _A.CREDENTIAL_ISSUE),
        **dict.fromkeys(("4723", "4724", "4794"), _A.CREDENTIAL_RESET),
        **dict.fromkeys(("4722", "4704", "4717"), _A.GRANT),
        **dict.fromkeys(("4728", "4732", "4756", "4746", "4751", "4761"), _A.GRANT),
        **dict.fromkeys(("4725", "4726", "4743", "4705", "4718"), _A.REVOKE),
        **dict.fromkeys(("4729", "4733", "4757", "4747", "4752", "4762"), _A.REVOKE),
        # accounts, groups, domain and audit policy, permissions, directory objects
        **dict.fromkeys(("4738", "4742", "4781", "4765", "4780"), _A.POLICY_CHANGE),
        **dict.fromkeys(("4727", "4730", "4731", "4734", "4735", "4737", "4754", "4755", "4758"), _A.POLICY_CHANGE),
        **dict.fromkeys(("4670", "4706", "4707", "4713", "4715", "4716", "4719", "4739"), _A.POLICY_CHANGE),
        **dict.fromkeys(("4817", "4902", "4904", "4905", "4906", "4907", "4912"), _A.POLICY_CHANGE),
        **dict.fromkeys(("5136", "5137", "5138", "5139", "5141"), _A.POLICY_CHANGE),
        # clock, registry, services, scheduled tasks, firewall, shares
        **dict.fromkeys(("4616", "4657", "4697", "System/7045"), _A.CONFIG_CHANGE),
        **dict.fromkeys(("4698", "4699", "4700", "4701", "4702"), _A.CONFIG_CHANGE),
        **dict.fromkeys(("4946", "4947", "4948", "4950", "4954", "5025", "5034"), _A.CONFIG_CHANGE),
        **dict.fromkeys(("5142", "5143", "5144"), _A.CONFIG_CHANGE),
        "4660": _A.DELETE,
        **{f"{number} read": _A.VIEW for number in ("4656", "4663", "5140", "5145")},
        **{f"{number} write": _A.UPDATE for number in ("4656", "4663", "5140", "5145")},
        **{f"{number} delete": _A.DELETE for number in ("4656", "4663", "5140", "5145")},
        **{f"{number} permissions": _A.POLICY_CHANGE for number in ("4656", "4663", "5140", "5145")},
        "*": _A.OPERATION,
    }
)

ACTOR_IS_TARGET = frozenset(
    {"4624", "4625", "4634", "4647", "4768", "4769", "4770", "4771", "4776", "4778", "4779"}
    | {"4800", "4801", "4802", "4803", "4964"}
)
"""Events in which `Target…` names who comes and goes; in the others it is whom something is done to."""
MEMBERSHIP = frozenset({"4728", "4729", "4732", "4733", "4746", "4747", "4751", "4752", "4756", "4757", "4761", "4762"})
"""Events in which `Target…` names a group, and `Member…` the account that enters or leaves it."""
AT_THE_MACHINE = frozenset({"4800", "4801", "4802", "4803"})
"""Events at a machine's own keyboard."""
BY_MASK = frozenset({"4656", "4663", "5140", "5145"})
"""Events about an object or a share, whose kind of access is a mask."""

DENIED_STATUS = frozenset(
    {
        "0xc000006e", "0xc000006f", "0xc0000070",  # restricted: account, hours, workstation
        "0xc0000071", "0xc0000072", "0xc0000193", "0xc0000234",  # password expired, disabled, expired, locked out
        "0xc000015b", "0xc0000413", "0x12",  # log-on type not granted; authentication policy; Kerberos: revoked
    }
)  # fmt: skip
"""Reasons for which somebody is refused who may well have known the password."""

SYSTEM_SIDS = ("S-1-5-7", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-80-", "S-1-5-82-", "S-1-5-90-", "S-1-5-96-")
"""Anonymous, the system, its services, and the accounts it makes for itself; with `-` at the end a prefix."""

_SUBJECT = ("SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId")
_TARGET = ("TargetUserName", "TargetDomainName", "TargetSid")
_ACCOUNT = (*_TARGET, *_SUBJECT)
_MEMBER = ("MemberName", "MemberSid", *_TARGET, *_SUBJECT)
_LEAVING = ("TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId")
_PACKAGE = ("LogonProcessName", "AuthenticationPackageName", "WorkstationName")
_FROM = ("TransmittedServices", "LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort")
POSITIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "4624": (*_SUBJECT, *_LEAVING, "LogonType", *_PACKAGE, "LogonGuid", *_FROM),
        "4625": (*_SUBJECT, *_LEAVING[:3], "Status", "FailureReason", "SubStatus", "LogonType", *_PACKAGE, *_FROM),
        "4634": (*_LEAVING, "LogonType"),
        "4647": _LEAVING,
        "4672": (*_SUBJECT, "PrivilegeList"),
        **dict.fromkeys(("4720", "4722", "4723", "4724", "4725", "4726", "4740", "4767"), _ACCOUNT),
        **dict.fromkeys(MEMBERSHIP, _MEMBER),
        **dict.fromkeys(("4800", "4801", "4802", "4803"), (*_LEAVING, "SessionId")),
    }
)
"""The order of the values in events whose exporter leaves out their names (`Get-WinEvent | ConvertTo-Json`)."""

_DELETE, _WRITE_DAC, _WRITE_OWNER = 0x10000, 0x40000, 0x80000
_DELETE_CHILD, _WRITES, _READS = 0x40, 0x2 | 0x4 | 0x10 | 0x100, 0x1


def by_mask(mask: int) -> str:
    """The strongest thing a mask of access to a file allows, as the word behind the event's number; empty for less."""
    if mask & (_DELETE | _DELETE_CHILD):
        return "delete"
    if mask & (_WRITE_DAC | _WRITE_OWNER):
        return "permissions"
    if mask & _WRITES:
        return "write"
    return "read" if mask & _READS else ""
