"""A service manager for a server under test, which is told what that does."""

import queue
import socket
import threading
import time

from common.harness import SECONDS


class Manager:
    """Somebody with a socket for our words. They are taken at once, as by systemd, since only a few find room in the socket."""

    def __init__(self, name):
        self.name, self.words = name, queue.Queue()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while octets := self.socket.recv(4096):
            self.words.put(octets.decode())

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.socket.shutdown(socket.SHUT_RD)
        self.reader.join()
        self.socket.close()

    def serve(self, server, *environment):
        return server.start(prefix=("env", "NOTIFY_SOCKET=" + self.name.replace("\0", "@"), *environment))

    def word(self, seconds=SECONDS):
        """The next one, as {name: value}; None where none comes in this time."""
        try:
            octets = self.words.get(timeout=seconds)
        except queue.Empty:
            return None
        assert octets.endswith("\n"), octets
        return dict(line.split("=", 1) for line in octets.splitlines())

    def beats(self, seconds):
        """How many words of a watchdog come meanwhile."""
        end, count = time.monotonic() + seconds, 0
        while (rest := end - time.monotonic()) > 0:
            count += self.word(rest) == {"WATCHDOG": "1"}
        return count
