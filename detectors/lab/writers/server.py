"""The administrators' server: auth.log as Debian's rsyslog writes it (RFC 3164, no year)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random

from detectors.lab.acts import Act

__all__ = ["auth_log_lines"]

_HOST = "kanri01"
_ROOT = "root"
# rsyslog writes English months whatever the locale.
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def auth_log_lines(numbered: Sequence[tuple[int, Act]], rng: Random) -> Iterator[str]:
    """The lines of sshd, PAM, sudo, systemd-logind and cron, several per act."""
    pids: dict[str, tuple[int, int]] = {}
    acts = [act for _, act in numbered]
    pid, logins = 700, 0
    for number, act in enumerate(acts):
        if act.session not in pids or act.activity == "job_run":
            pid += rng.randint(1, 9)
            pids[act.session] = pid, rng.randint(32768, 60999)
        own, port = pids[act.session]
        sshd, where = f"sshd[{own}]", f"{act.address} port {port}"
        match act.activity, act.outcome:
            case "job_run", _:
                cron = f"CRON[{own}]: pam_unix(cron:session): session"
                yield _line(act.at, f"{cron} opened for user root(uid=0) by (uid=0)")
                yield _line(act.at, f"{cron} closed for user root")
            case "login", "failure":
                yield from (_line(act.at, f"{sshd}: {text}") for text in _failed(act, where, act.person is not None))
                if not _goes_on(acts, number):
                    who = "authenticating" if act.person is not None or act.actor == _ROOT else "invalid"
                    text = f"Connection closed by {who} user {act.actor}"
                    yield _line(act.at, f"{sshd}: {text} {where} [preauth]")
            case "login", _:
                logins += 1
                opened = f"session opened for user {act.actor}(uid={_uid(act.actor)}) by (uid=0)"
                yield _line(act.at, f"{sshd}: Accepted password for {act.actor} from {where} ssh2")
                yield _line(act.at, f"{sshd}: pam_unix(sshd:session): {opened}")
                yield _line(act.at, f"systemd-logind[512]: New session {logins} of user {act.actor}.")
            case "operation", _:
                opened = f"session opened for user root(uid=0) by {act.actor}(uid={_uid(act.actor)})"
                home = f"PWD=/home/{act.actor} ; USER=root ; COMMAND={act.detail}"
                yield _line(act.at, f"sudo:    {act.actor} : TTY=pts/0 ; {home}")
                yield _line(act.at, f"sudo: pam_unix(sudo:session): {opened}")
                yield _line(act.at, "sudo: pam_unix(sudo:session): session closed for user root")
            case _:
                yield _line(act.at, f"{sshd}: Received disconnect from {where}:11: disconnected by user")
                yield _line(act.at, f"{sshd}: Disconnected from user {act.actor} {where}")
                yield _line(act.at, f"{sshd}: pam_unix(sshd:session): session closed for user {act.actor}")


def _uid(staff_id: str) -> int:
    """Contractors have numbers of their own."""
    return (50_000 if staff_id.startswith("c") else 1_000) + int(staff_id[1:])


def _line(at: datetime, text: str) -> str:
    return f"{_MONTHS[at.month - 1]} {at.day:>2} {at:%H:%M:%S} {_HOST} {text}"


def _failed(act: Act, where: str, known: bool) -> Iterator[str]:
    pam = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
    pam += f"rhost={act.address} "
    if known or act.actor == _ROOT:
        yield f"{pam} user={act.actor}"
        yield f"Failed password for {act.actor} from {where} ssh2"
    else:
        yield f"Invalid user {act.actor} from {where}"
        yield "pam_unix(sshd:auth): check pass; user unknown"
        yield pam
        yield f"Failed password for invalid user {act.actor} from {where} ssh2"


def _goes_on(acts: Sequence[Act], number: int) -> bool:
    """Whether the same connection tries again: one connection allows several passwords."""
    session = acts[number].session
    return any(later.session == session for later in acts[number + 1 : number + 6])
