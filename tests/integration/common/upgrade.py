"""A server under test that hands over to another process, which is nobody's child but ours then."""

import atexit
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import time

from common.control import OPTIONS, command
from common.harness import PROGRAM, SECONDS, Server, equal

# Whoever has lost his parent becomes our child (PR_SET_CHILD_SUBREAPER).
ctypes.CDLL(None).prctl(36, 1)


class Adopted:
    """A process of which we know the number alone, in the manner of subprocess.Popen."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None
        atexit.register(self.kill)

    def poll(self):
        """While its parent is the launcher it is not ours to wait for."""
        if self.returncode is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout=SECONDS):
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.send_signal(signal.SIGKILL)


def pid_of(server):
    shown = command(server, "status")
    equal(shown.returncode, 0, shown.stderr)
    return json.loads(shown.stdout.splitlines()[0])["pid"]


class Upgradable(Server):
    """Has a control socket, and remembers the processes that have handed over."""

    def __init__(self, directory, options="", **rest):
        super().__init__(directory, options=OPTIONS + options, **rest)
        self.before = []

    def upgrade(self):
        """It must succeed. Returns what is said of it."""
        done = command(self, "upgrade")
        equal(done.returncode, 0, done.stderr + self.stderr()[-2000:])
        self.follow()
        return done.stdout

    def follow(self):
        """Another process serves from now on."""
        self.before.append(self.process)
        self.process = Adopted(pid_of(self))
        assert self.process.pid != self.before[-1].pid, "the old process serves still"

    def await_former(self):
        """Those that have handed over must end by themselves, with status 0."""
        for process in self.before:
            equal(process.wait(SECONDS), 0, "status of the old process")
        self.before = []

    def stop(self, seconds=SECONDS):
        self.await_former()
        return super().stop(seconds)


def install(path, program=PROGRAM):
    """As a package does it: a new file takes the place of the one that runs."""
    new = path.with_suffix(".new")
    if isinstance(program, str):
        new.write_text(program)
    else:
        new.write_bytes(program.read_bytes())
    new.chmod(0o755)
    new.rename(path)
