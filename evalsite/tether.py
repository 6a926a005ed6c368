"""Run a program that dies with its parent: ``python tether.py PARENT_PID SIGNAL PROGRAM ARGUMENT...``

Started by path, without the package, so that it costs a few milliseconds. Linux sends the signal when the
parent is gone, however it went; elsewhere the program simply runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death_signal, *program = sys.argv[1:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):  # the parent died before the wish was registered
            os.kill(os.getpid(), signal.SIGKILL)
    os.execvp(program[0], program)  # noqa: S606 - a list of the supervisor's own


if __name__ == "__main__":
    main()
