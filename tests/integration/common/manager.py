"""A service manager for a server under test, which is told what that does."""

import contextlib
import socket
import time

from common.harness import SECONDS


class Manager:
    """Somebody with a socket for our words."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.settimeout(SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.socket.close()

    def serve(self, server, *environment):
        return server.start(prefix=("env", "NOTIFY_SOCKET=" + self.name.replace("\0", "@"), *environment))

    def word(self):
        """The next one, as {name: value}."""
        octets = self.socket.recv(4096).decode()
        assert octets.endswith("\n"), octets
        return dict(line.split("=", 1) for line in octets.splitlines())

    def beats(self, seconds):
        """How many words of a watchdog come meanwhile."""
        end, count = time.monotonic() + seconds, 0
        with contextlib.suppress(TimeoutError):
            while (rest := end - time.monotonic()) > 0:
                self.socket.settimeout(rest)
                count += self.word() == {"WATCHDOG": "1"}
        self.socket.settimeout(SECONDS)
        return count

    def forget(self):
        """What has come so far."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)
        self.socket.settimeout(SECONDS)
