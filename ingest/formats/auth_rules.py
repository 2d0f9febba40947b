"""What the lines of auth.log say: one table from message to event.

One human attempt is one login event: sshd's `Failed …` and `Accepted …` lines are it; what PAM and sshd
write around them (`authentication failure`, `Invalid user`) are security events, so that nobody is counted
twice. In a pattern, `.*` before ` from ` is greedy and the end anchored: the address is the last one, for all
before it may have been chosen by an attacker as the name of a user.

Groups of a pattern: `actor` and `target` are ids, `ip` is where the actor came from, `method` is the factor;
every other group is kept under its own name.
"""

import re
from dataclasses import dataclass

from audit.events import Activity, Outcome

__all__ = ["RULES", "Rule", "find_rule"]

_A = Activity
_OK, _FAILED, _DENIED = Outcome.SUCCESS, Outcome.FAILURE, Outcome.DENIED


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of line.

    Attributes:
        programs: who writes it; empty for anybody.
        pattern: matched against the whole message.
        activity: what it is.
        outcome: how it ended; None where the line does not say.
        name: the operation's name in the log's own words; empty: the words the pattern captured as `word`.
        system: the actor is the machine, whoever it acts for.
    """

    programs: frozenset[str]
    pattern: re.Pattern[str]
    activity: Activity
    outcome: Outcome | None
    name: str = ""
    system: bool = False


def _rule(
    programs: str,
    pattern: str,
    activity: Activity,
    outcome: Outcome | None,
    name: str = "",
    *,
    system: bool = False,
) -> Rule:
    compiled = re.compile(pattern, re.DOTALL | re.ASCII)
    return Rule(frozenset(programs.split()), compiled, activity, outcome, name, system)


_SSHD = "sshd sshd-session sshd-auth"
_LOGIN = "login gdm gdm-password gdm-fingerprint lightdm sddm"
_USER = r"(?P<invalid>invalid user |illegal user )?(?P<actor>.*)"
_FROM = r" from (?P<ip>\S+) port (?P<port>[0-9]+)"
_KEY = r"(?: ssh[0-9]*)?(?:: (?P<key>.*))?(?: \[preauth\])?"
_AT = r"(?P<ip>\S+) port (?P<port>[0-9]+)"
_PAM = r"pam_[a-z0-9_]+\((?P<service>[^:()]+):(?P<stack>[a-z]+)\): "
_PAM_FACTS = (
    r"logname=(?P<logname>\S*) uid=(?P<uid>\S*) euid=(?P<euid>\S*) tty=(?P<tty>\S*) "
    r"ruser=(?P<ruser>\S*) rhost=(?P<ip>\S*)(?:\s+user=(?P<actor>.*))?"
)
_OPENED = _PAM + r"session (?P<word>opened|closed) for user (?P<{}>[^\s(]+)(?:\(uid=[0-9]+\))?"
_BY = r"(?: by (?P<actor>[^(]+)\(uid=(?P<by_uid>[0-9]+)\))"
_BY_NOBODY = r"(?: by \(uid=(?P<by_uid>[0-9]+)\))?"

RULES: tuple[Rule, ...] = (
    # sshd: the attempts
    _rule(_SSHD, rf"(?P<word>Accepted) (?P<method>\S+) for {_USER}{_FROM}{_KEY}", _A.LOGIN, _OK),
    _rule(_SSHD, rf"(?P<word>Failed) (?P<method>\S+) for {_USER}{_FROM}{_KEY}", _A.LOGIN, _FAILED),
    _rule(
        _SSHD,
        rf"(?P<word>Partial|Postponed) (?P<method>\S+) for {_USER}{_FROM}{_KEY}",
        _A.SECURITY_EVENT,
        None,
    ),
    # sshd: what surrounds them
    _rule(
        _SSHD,
        r"(?P<word>Invalid|Illegal) user (?P<actor>.*) from (?P<ip>\S+)(?: port (?P<port>[0-9]+))?",
        _A.SECURITY_EVENT,
        _FAILED,
        "Invalid user",
    ),
    _rule(
        _SSHD,
        r"User (?P<actor>.*) from (?P<ip>\S+) not allowed because (?P<because>.*)",
        _A.SECURITY_EVENT,
        _DENIED,
        "User not allowed",
    ),
    _rule(
        _SSHD,
        rf"(?:error: )?(?P<word>maximum authentication attempts exceeded) for {_USER}{_FROM}{_KEY}",
        _A.SECURITY_EVENT,
        _FAILED,
    ),
    _rule(
        _SSHD,
        rf"(?P<word>Disconnected from|Disconnecting|Connection closed by|Connection reset by)"
        rf"(?: (?P<state>\S+) user (?P<actor>.*))? {_AT}(?:: (?P<because>.*))? \[preauth\]\s*",
        _A.SECURITY_EVENT,
        _FAILED,
    ),
    _rule(
        _SSHD,
        r"(?P<word>Disconnected from|Connection closed by|Connection reset by)"
        rf"(?: user (?P<actor>.*))? {_AT}",
        _A.OPERATION,
        None,
    ),
    _rule(_SSHD, rf"(?P<word>Received disconnect) from {_AT}:(?P<because>.*)", _A.OPERATION, None),
    _rule(
        _SSHD,
        r"(?P<word>Starting session): (?P<kind>.*) for (?P<actor>.*)" + _FROM + r" id [0-9]+",
        _A.OPERATION,
        _OK,
    ),
    _rule(
        _SSHD,
        rf"(?P<word>Close session): user (?P<actor>.*){_FROM} id [0-9]+",
        _A.OPERATION,
        _OK,
    ),
    _rule(
        _SSHD,
        r"(?P<word>Bad protocol version identification) .* from (?P<ip>\S+)(?: port (?P<port>[0-9]+))?",
        _A.SECURITY_EVENT,
        _FAILED,
    ),
    _rule(
        _SSHD,
        r"(?P<word>refused connect) from (?P<remote_name>.*) \((?P<ip>[^()]+)\)",
        _A.SECURITY_EVENT,
        _DENIED,
    ),
    _rule(
        _SSHD,
        r"(?:fatal: |error: )?(?P<word>Did not receive identification string|Unable to negotiate|"
        r"Timeout before authentication|Magic value check failed|ssh_dispatch_run_fatal|banner exchange|"
        rf"kex_exchange_identification).*?(?:from|with|for) {_AT}(?:[: ].*)?",
        _A.SECURITY_EVENT,
        _FAILED,
    ),
    _rule(
        _SSHD,
        r"(?P<word>Did not receive identification string) from (?P<ip>\S+)",
        _A.SECURITY_EVENT,
        _FAILED,
    ),
    _rule(
        _SSHD,
        r"(?P<word>input_userauth_request): invalid user (?P<actor>.*) \[preauth\]",
        _A.SECURITY_EVENT,
        _FAILED,
    ),
    # PAM, whoever uses it
    _rule("gdm gdm-password", rf"{_PAM}(?P<word>authentication failure); {_PAM_FACTS}", _A.LOGIN, _FAILED),
    _rule("", rf"{_PAM}(?P<word>authentication failure); {_PAM_FACTS}", _A.SECURITY_EVENT, _FAILED),
    _rule(
        "",
        rf"PAM (?P<more>[0-9]+) (?P<word>more authentication failures?); {_PAM_FACTS}",
        _A.SECURITY_EVENT,
        _FAILED,
    ),
    _rule(
        "",
        rf"{_PAM}(?P<word>check pass); user unknown",
        _A.SECURITY_EVENT,
        _FAILED,
        "check pass; user unknown",
    ),
    _rule("", rf"{_PAM}(?P<word>password changed) for (?P<target>.+)", _A.CREDENTIAL_RESET, _OK),
    _rule(
        "",
        rf'{_PAM}user "(?P<target>.*)" does not exist in .*',
        _A.CREDENTIAL_RESET,
        _FAILED,
        "user does not exist",
    ),
    _rule(
        "cron CRON crond systemd systemd-user",
        _OPENED.format("actor") + r"(?: by .*)?",
        _A.OPERATION,
        _OK,
        "session {word}",
        system=True,
    ),
    _rule(
        _LOGIN,
        (_OPENED + r"(?: by .*)?").format("actor").replace("opened|closed", "opened"),
        _A.LOGIN,
        _OK,
        "session opened",
    ),
    _rule(
        f"{_LOGIN} {_SSHD}",
        _OPENED.format("actor").replace("opened|closed", "closed"),
        _A.LOGOUT,
        _OK,
        "session closed",
    ),
    _rule("", _OPENED.format("target") + _BY, _A.OPERATION, _OK, "session {word}"),
    _rule("", _OPENED.format("actor") + _BY_NOBODY, _A.OPERATION, _OK, "session {word}"),
    # becoming somebody else
    _rule(
        "sudo",
        r"\s*(?P<actor>\S+) : (?:(?!TTY=|PWD=|CWD=|HOST=)(?P<problem>[^;]*?) ; )?"
        r"(?:HOST=\S+ ; )?(?:TTY=(?P<tty>.*?) ; )?"
        r"(?:PWD|CWD)=(?P<pwd>.*?) ; USER=(?P<target>[^;]+?)(?: ; GROUP=(?P<group>[^;]+?))?"
        r"(?: ; TSID=(?P<tsid>\S+))?(?: ; ENV=(?P<env>.*?))? ; COMMAND=(?P<command>.*)",
        _A.OPERATION,
        _OK,
        "sudo",
    ),
    _rule("su", r"(?P<word>Successful su) for (?P<target>\S+) by (?P<actor>\S+)", _A.OPERATION, _OK, "su"),
    _rule("su", r"(?P<word>FAILED su) for (?P<target>\S+) by (?P<actor>\S*)", _A.OPERATION, _FAILED, "su"),
    _rule(
        "su",
        r"FAILED SU \(to (?P<target>[^)]*)\) (?P<actor>\S+) on (?P<tty>\S+)",
        _A.OPERATION,
        _FAILED,
        "su",
    ),
    _rule("su", r"\(to (?P<target>[^)]*)\) (?P<actor>\S+) on (?P<tty>\S+)", _A.OPERATION, _OK, "su"),
    _rule(
        "login",
        r"(?P<word>FAILED LOGIN) \((?P<attempt>[0-9]+)\) on '(?P<tty>[^']*)'(?: from '(?P<ip>[^']*)')? "
        r"FOR '(?P<actor>.*)', (?P<because>.*)",
        _A.LOGIN,
        _FAILED,
    ),
    _rule("login", r"(?P<word>LOGIN) ON (?P<tty>\S+) BY (?P<actor>\S+)(?: FROM (?P<ip>\S+))?", _A.OPERATION, _OK),
    # accounts
    _rule("useradd", r"(?P<word>new user): name=(?P<target>[^,]+), (?P<details>.*)", _A.CREDENTIAL_ISSUE, _OK),
    _rule(
        "useradd",
        r"(?P<word>failed adding user) '(?P<target>.*)'(?P<details>.*)",
        _A.CREDENTIAL_ISSUE,
        _FAILED,
    ),
    _rule("", r"(?P<word>new group): name=(?P<group>[^,]+), (?P<details>.*)", _A.CONFIG_CHANGE, _OK),
    _rule(
        "useradd usermod",
        r"(?P<word>add) '(?P<target>.*)' to group '(?P<group>.*)'",
        _A.GRANT,
        _OK,
        "add to group",
    ),
    _rule(
        "userdel usermod",
        r"(?P<word>delete) '(?P<target>.*)' from group '(?P<group>.*)'",
        _A.REVOKE,
        _OK,
        "delete from group",
    ),
    _rule("userdel", r"(?P<word>delete user) '(?P<target>.*)'", _A.REVOKE, _OK),
    _rule(
        "usermod",
        r"(?P<word>change user) '(?P<target>.*)' password",
        _A.CREDENTIAL_RESET,
        _OK,
        "change password",
    ),
    _rule("usermod passwd", r"(?P<word>lock|unlock) user '(?P<target>.*)' password", _A.CREDENTIAL_RESET, _OK),
    _rule("usermod", r"(?P<word>change user) '(?P<target>.*)' (?P<details>.*)", _A.CONFIG_CHANGE, _OK),
    _rule(
        "gpasswd",
        r"user (?P<target>\S+) (?P<word>added) by (?P<actor>\S+) to group (?P<group>\S+)",
        _A.GRANT,
        _OK,
        "add to group",
    ),
    _rule(
        "gpasswd",
        r"user (?P<target>\S+) (?P<word>removed) by (?P<actor>\S+) from group (?P<group>\S+)",
        _A.REVOKE,
        _OK,
        "delete from group",
    ),
    _rule(
        "passwd",
        r"password for '(?P<target>.*)' changed by '(?P<actor>.*)'",
        _A.CREDENTIAL_RESET,
        _OK,
        "password changed",
    ),
    # the machine at work
    _rule("cron CRON crond", r"\((?P<actor>.*?)\) CMD \((?P<command>.*)\)", _A.JOB_RUN, None, "CMD", system=True),
    _rule("crontab", r"\((?P<actor>.*?)\) (?P<word>REPLACE|DELETE|END EDIT) .*", _A.CONFIG_CHANGE, _OK),
    _rule(
        "systemd-logind",
        r"(?P<word>New session) (?P<session_id>\S+) of user (?P<actor>.*)\.",
        _A.OPERATION,
        _OK,
        system=True,
    ),
)


def find_rule(program: str, message: str) -> tuple[Rule, re.Match[str]] | None:
    """The first rule that a program's message fits."""
    for rule in RULES:
        if (not rule.programs or program in rule.programs) and (match := rule.pattern.fullmatch(message)):
            return rule, match
    return None
