"""The control socket of a server under test."""

import json
import socket

from common.harness import SECONDS, run_program

OPTIONS = 'control = "control"\n'


def command(server, name, *arguments, seconds=SECONDS):
    """`gatepost NAME` for this server."""
    return run_program(name, "-c", server.directory / "gatepost.conf", *arguments, seconds=seconds)


class Control:
    """A connection to the control socket: raw lines out, lines of JSON back."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(server.directory / "control"))
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stream.close()
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def line(self):
        """The next line; None when the server has closed."""
        octets = self.stream.readline()
        return json.loads(octets) if octets else None

    def answer(self):
        """All lines until the last one, which has "ok"."""
        lines = [self.line()]
        while lines[-1] is not None and "ok" not in lines[-1]:
            lines.append(self.line())
        return lines

    def ask(self, order):
        self.send(order.encode() + b"\n")
        return self.answer()
