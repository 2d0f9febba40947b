"""Programs as of `python -c`, each in a process of its own, without the second that our imports cost every time.

A process that has imported the command line forks for each program. The engine is loaded by the child alone; streams,
environment, exit code and end are its own: what is to be done at its end is done, but what it shares with its parent is
not taken apart piece by piece, which takes half a second.
"""

import atexit
import functools
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import NoReturn

__all__ = ["mimamori", "python"]

_COMMAND = "from api.cli import main; raise SystemExit(main())"
_PIPE = 65_536  # what a pipe takes before anybody reads
_SECONDS = 120


def mimamori(*words: str, given: str | bytes = b"", seconds: int = _SECONDS) -> subprocess.CompletedProcess[str]:
    """`mimamori` with these words, and this on its standard input."""
    return python(_COMMAND, *words, given=given, seconds=seconds)


def python(
    program: str, *words: str, given: str | bytes = b"", seconds: int = _SECONDS
) -> subprocess.CompletedProcess[str]:
    """A program with these arguments, and this on its standard input; killed by SIGALRM after so many seconds."""
    said = given.encode() if isinstance(given, str) else given
    assert len(said) <= _PIPE
    task = {
        "program": program,
        "words": words,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "seconds": seconds,
    }
    out, into = os.pipe()
    with (
        os.fdopen(out, "rb") as stdin,
        os.fdopen(into, "wb") as feed,
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        told.write(json.dumps(task).encode())
        told.seek(0)
        feed.write(said)
        feed.close()
        socket.send_fds(_nursery(), [b"!"], [each.fileno() for each in (told, stdin, stdout, stderr)])
        code = int(_nursery().recv(16))
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(words, code, stdout.read().decode(), stderr.read().decode())


@functools.cache
def _nursery() -> socket.socket:
    """The line to the process that forks; it ends with the line."""
    ours, theirs = socket.socketpair()
    with theirs:
        # One thread of the linear algebra: a fork must not happen while another thread holds a lock.
        quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], env=quiet
        )

    def end() -> None:
        ours.close()
        process.wait(timeout=20)

    atexit.register(end)
    return ours


def _fork(line: socket.socket) -> None:
    import api.cli  # noqa: F401 - what each program would import

    gc.freeze()  # a child's collections leave alone, and so do not copy, what is its parent's
    while True:
        asked, files, _, _ = socket.recv_fds(line, 1, 4)
        if not asked:
            return
        child = os.fork()
        if not child:
            line.close()
            _end(_code_of(*files))
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        line.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _code_of(*files: int) -> int:
    """How a life ends, as the interpreter says it of a program that is left by an exception."""
    try:
        _live(*files)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - a program's end is any
        traceback.print_exc()
        return 1
    return 0


def _end(code: int) -> NoReturn:
    """What the interpreter does at its end, and no more."""
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        code = 120
    sys.stderr.flush()
    os._exit(code)


def _live(told: int, *streams: int) -> None:
    with os.fdopen(told, "rb") as file:
        task = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(task["environment"])
    os.chdir(task["folder"])
    sys.argv = ["-c", *task["words"]]
    signal.alarm(task["seconds"])
    exec(task["program"], {"__name__": "__main__"})  # noqa: S102 - a test's own


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as opened:
        _fork(opened)
