#!/usr/bin/env python3
"""Runs a command on a terminal of 100 columns and prints what the terminal was sent.

usage: run_in_terminal.py [--error-only] COMMAND ARGUMENT...

--error-only puts only standard error on the terminal, and standard output nowhere. The exit code is the command's.
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def main(arguments):
    error_only = arguments[0] == "--error-only"
    command = arguments[1:] if error_only else arguments
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    output = subprocess.DEVNULL if error_only else terminal
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    while True:
        try:
            data = os.read(controller, 65536)
        except OSError:  # how Linux tells that nobody has the other end open any more
            break
        if not data:
            break
        sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
