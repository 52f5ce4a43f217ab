"""Wait for docker's clients, but no longer than somebody is there to see what they say.

A client that has nothing to print never notices that its reader went away. sshd ends nothing that has no terminal, so
without this every `logs --tail` and every silent `run` would outlive the connection it came over.
"""

import os
import select

from dokku_min.dispatch import signal  # its C part, the rest of it costs every start

_LOST = select.POLLERR | select.POLLHUP | select.POLLNVAL
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(SystemExit):
    """We were told to end, by a signal or because our reader is gone; the code is 128 + the signal."""


def end_on_signals():
    """From now on INT, TERM and HUP raise Ended, so that `finally` gets its chance."""
    for number in ENDING:
        signal.signal(number, _raise)


def _raise(number, _frame):
    raise Ended(128 + number)


def ignore_signals():
    """While cleaning up: it takes as long as it takes, once."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def kill(processes):
    """End what is left of the processes, as the last thing we do."""
    ignore_signals()
    for process in processes:
        process.kill()
        process.wait()


def wait(process):
    """The exit status of a process; raises Ended when the reader of our output is gone before."""
    watched = select.poll()
    watched.register(1, 0)
    pid = os.pidfd_open(process.pid)
    watched.register(pid, select.POLLIN)
    try:
        while True:
            ready = dict(watched.poll())
            if pid in ready:
                status = process.wait()
                return status if status >= 0 else 128 - status
            if ready.get(1, 0) & _LOST:
                raise Ended(128 + signal.SIGHUP)
    finally:
        os.close(pid)


def lines(sources):
    """(label, line) of each of the (label, process) sources as they come; ends with the last, or with our reader."""
    watched = select.poll()
    watched.register(1, 0)
    labels, rests = {}, {}
    for label, process in sources:
        fd = process.stdout.fileno()
        labels[fd], rests[fd] = label, b""
        watched.register(fd, select.POLLIN)
    while labels:
        for fd, event in watched.poll():
            if fd == 1:
                if event & _LOST:
                    return
                continue
            data = os.read(fd, 65536)
            *whole, rests[fd] = (rests[fd] + data).split(b"\n")
            for line in whole if data else [rests[fd]] if rests[fd] else []:
                yield labels[fd], line
            if not data:
                watched.unregister(fd)
                del labels[fd]
