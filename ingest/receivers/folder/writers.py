"""Whether somebody on this machine still has a file open for writing: best effort, and only Linux tells."""

import errno
import fcntl
import signal
import sys

__all__ = ["being_written"]


def being_written(descriptor: int) -> bool:
    """Ask for a read lease and give it back: the system grants none while anybody has the file open for writing.

    Leases are for the file's owner and the superuser, and not for network shares; where none can be had the answer is
    no. Somebody who opens the file in the moment we hold the lease makes the system signal us: SIGURG, which does
    nothing, instead of SIGIO, which ends the process.
    """
    if sys.platform != "linux":
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False
