"""auth.log: every kind of line, hostile names, repeats, and a second opinion on a real file."""

# A table of log lines is read best uncut, a row being one case.

# ruff: noqa: E501, ISC004

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.auth_log import MAX_REPEATS, decode_auth_log
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="host", name_ja="ホスト", name_en="host", format="auth_log", timezone="UTC")
REFERENCE = datetime(2026, 11, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[4] / "shared"))


def read(*lines: bytes) -> list[Record | Refused]:
    return list(decode_auth_log(enumerate(lines, 1), PROFILE, reference=REFERENCE))


def one(program: str, message: str) -> dict[str, Any]:
    (found,) = read(f"Oct  5 09:13:22 web {program}: {message}".encode())
    assert isinstance(found, Record)
    assert found.doc["unmapped"]["message"] == message
    assert check(found.doc, REFERENCE).faults == ()
    return found.doc


@pytest.mark.parametrize(
    ("program", "message", "activity", "outcome", "actor", "ip"),
    [
        ("sshd[7]", "Accepted password for taro from 10.1.2.3 port 22 ssh2", "login", "success", "taro", "10.1.2.3"),
        ("sshd[7]", "Failed password for taro from ::1 port 22 ssh2", "login", "failure", "taro", "::1"),
        ("sshd[7]", "Failed password for invalid user  from 10.1.2.3 port 22 ssh2", "login", "failure", None,
         "10.1.2.3"),
        ("sshd[7]", "Failed password for invalid user x from 1.2.3.4 port 22 ssh2 from 10.1.2.3 port 9 ssh2", "login",
         "failure", "x from 1.2.3.4 port 22 ssh2", "10.1.2.3"),
        ("sshd[7]", "Failed none for invalid user a b from 10.1.2.3 port 9 ssh2", "login", "failure", "a b", "10.1.2.3"),
        ("sshd[7]", "Accepted publickey for taro from 10.1.2.3 port 9 ssh2: ED25519 SHA256:abc", "login", "success",
         "taro", "10.1.2.3"),
        ("sshd[7]", "Invalid user x from 1.1.1.1 port 1 from 10.1.2.3 port 9", "security_event", "failure",
         "x from 1.1.1.1 port 1", "10.1.2.3"),
        ("sshd[7]", "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.1.2.3"
         "  user=root", "security_event", "failure", "root", "10.1.2.3"),
        ("sshd[7]", "pam_unix(sshd:session): session opened for user taro(uid=1) by (uid=0)", "operation", "success",
         "taro", None),
        ("sshd[7]", "pam_unix(sshd:session): session closed for user taro", "logout", "success", "taro", None),
        ("sshd[7]", "Connection closed by authenticating user root 10.1.2.3 port 9 [preauth]", "security_event",
         "failure", "root", "10.1.2.3"),
        ("sshd[7]", "User root from 10.1.2.3 not allowed because not listed in AllowUsers", "security_event", "denied",
         "root", "10.1.2.3"),
        ("login[7]", "pam_unix(login:session): session opened for user taro by LOGIN(uid=0)", "login", "success",
         "taro", None),
        ("login[7]", "FAILED LOGIN (1) on '/dev/tty1' FOR 'taro', Authentication failure", "login", "failure", "taro",
         None),
        ("sudo", "  taro : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "operation", "success", "taro", None),
        ("sudo", "taro : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "operation",
         "failure", "taro", None),
        ("sudo", "taro : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "operation", "denied",
         "taro", None),
        ("su[7]", "FAILED SU (to root) taro on pts/1", "operation", "failure", "taro", None),
        ("CRON[7]", "pam_unix(cron:session): session opened for user root by (uid=0)", "operation", "success", "root",
         None),
        ("CRON[7]", "(root) CMD (run-parts /etc/cron.hourly)", "job_run", None, "root", None),
        ("passwd[7]", "pam_unix(passwd:chauthtok): password changed for taro", "credential_reset", "success", None,
         None),
        ("useradd[7]", "new user: name=taro, UID=1001, GID=1001, home=/home/taro, shell=/bin/sh", "credential_issue",
         "success", None, None),
        ("usermod[7]", "add 'taro' to group 'sudo'", "grant", "success", None, None),
        ("gpasswd[7]", "user taro removed by root from group sudo", "revoke", "success", "root", None),
        ("userdel[7]", "delete user 'taro'", "revoke", "success", None, None),
        ("kernel", "something nobody knows", "operation", None, None, None),
    ],
)  # fmt: skip
def test_line(
    program: str, message: str, activity: str, outcome: str | None, actor: str | None, ip: str | None
) -> None:
    doc = one(program, message)
    assert (doc["activity"], doc.get("outcome"), doc["actor"].get("id")) == (activity, outcome, actor)
    assert doc.get("terminal", {}).get("ip") == ip


def test_what_is_kept() -> None:
    doc = one("sshd[7]", "Failed password for taro from 10.1.2.3 port 50022 ssh2")
    assert doc["time"] == "2026-10-05T09:13:22+00:00"
    assert doc["operation_name"] == "Failed password"
    assert doc["auth"] == {"factors": ["password"]}
    assert doc["session"] == "web/7"
    assert doc["unmapped"] == {
        "host": "web", "program": "sshd", "pid": "7", "port": "50022",
        "message": "Failed password for taro from 10.1.2.3 port 50022 ssh2",
    }  # fmt: skip
    sudo = one("sudo", "taro : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh -c 'a ; b'")
    assert sudo["target"] == {"id": "root"}
    assert sudo["unmapped"]["command"] == "/bin/sh -c 'a ; b'"
    group = one("usermod[7]", "add 'taro' to group 'sudo'")
    assert (group["target"], group["unmapped"]["group"]) == ({"id": "taro"}, "sudo")


def test_repeats_are_events() -> None:
    line = b"Oct  5 09:13:22 web sshd[7]: message repeated 3 times: [ Failed password for a from 10.1.2.3 port 9 ssh2]"
    found = read(line)
    assert [type(each) for each in found] == [Record] * 3
    assert {(each.line, each.raw) for each in found} == {(1, line)}
    assert all(isinstance(each, Record) and each.doc["actor"] == {"id": "a"} for each in found)
    first = b"Oct  5 09:13:22 web sshd[7]: Failed password for a from 10.1.2.3 port 9 ssh2"
    again = b"Oct  5 09:13:30 web last message repeated 2 times"
    assert [each.doc["activity"] for each in read(first, again) if isinstance(each, Record)] == ["login"] * 3
    (refused,) = read(line.replace(b" 3 ", b" %d " % (MAX_REPEATS + 1)))
    assert isinstance(refused, Refused)


def test_bad_lines_do_not_hurt_good_ones() -> None:
    good = b"Oct  5 09:13:22 web su: x"
    found = read(good, b"not syslog", b"\xff\xfe", good, b"<34>1 - h a p m - no time")
    assert [type(each) for each in found] == [Record, Refused, Refused, Record, Refused]
    assert [each.raw for each in found if isinstance(each, Refused)][1] == b"\xff\xfe"


@given(
    st.lists(st.binary(max_size=60).map(lambda tail: b"Oct  5 09:13:22 web sshd[1]: " + tail) | st.binary(max_size=40))
)
def test_one_answer_a_line_whatever_the_bytes(lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    answered = Counter(each.line for each in read(*lines))
    assert set(answered) == {number for number, line in enumerate(lines, 1) if line.strip()}


@given(st.text(st.characters(exclude_categories=["C"]), max_size=40))
def test_no_name_forges_the_address(name: str) -> None:
    doc = one("sshd[7]", f"Failed password for invalid user {name} from 10.1.2.3 port 9 ssh2")
    assert doc["terminal"]["ip"] == "10.1.2.3"
    assert doc["actor"].get("id", "") == name


@pytest.mark.shared
def test_second_opinion_on_a_real_file() -> None:
    folder = SHARED / "data" / "auth-log"
    if not folder.exists():
        pytest.skip(f"{folder} is absent")
    found = read(*(folder / "auth.log").read_bytes().split(b"\n"))
    expected = json.loads((folder / "expected_counts.json").read_text())
    assert not [each for each in found if isinstance(each, Refused)]
    docs = [each.doc for each in found if isinstance(each, Record)]
    assert len({each.line for each in found}) == expected["lines"]
    failed = Counter(doc["terminal"]["ip"] for doc in docs if doc["operation_name"] == "Failed password")
    assert failed == expected["failed_password"]["attempts_by_source_ip"]
    assert sum(failed.values()) == 1038
    accepted = [doc for doc in docs if doc["activity"] == "login" and doc["outcome"] == "success"]
    assert len(accepted) == expected["accepted"]["lines"]


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["sshd-logs", "sshd-success-logs", "pam-logs", "sshd-refused-conn", "ssh-generic-test"]
)
def test_second_opinion_on_odd_lines(name: str) -> None:
    folder = SHARED / "data" / "crowdsec" / name
    if not folder.exists():
        pytest.skip(f"{folder} is absent")
    for log in sorted(folder.glob("*.log")):
        found = read(*log.read_bytes().split(b"\n"))
        assert found
        assert not [each for each in found if isinstance(each, Refused)]
