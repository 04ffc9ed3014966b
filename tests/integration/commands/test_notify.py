#!/usr/bin/env python3
"""serve under a service manager: it says when it is ready, and no reload can come before."""

import os
import socket

from common.harness import SECONDS, Server, case, equal, is_listening, main


def listening(name):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(name)
    manager.settimeout(SECONDS)
    return manager


@case("serve tells the service manager that it is ready once it listens, by a path or an abstract name")
def ready(directory):
    for name in (str(directory / "notify"), f"\0gatepost-test-{os.getpid()}"):
        with listening(name) as manager, Server(directory).start(prefix=("env", "NOTIFY_SOCKET=" + name.replace("\0", "@"))) as server:
            equal(manager.recv(100), b"READY=1\n", "word")
            assert is_listening(server.port)
            assert "service manager" not in server.stderr(), server.stderr()


@case("a service manager that cannot be told is named, and the server runs all the same")
def nobody(directory):
    for name in (str(directory / "nobody"), "x", "/" + 200 * "x"):
        with Server(directory).start(prefix=("env", f"NOTIFY_SOCKET={name}")) as server, server.client() as client:
            client.command("QUIT", 221)
            assert "gatepost: cannot tell the service manager that it is ready" in server.stderr(), server.stderr()


if __name__ == "__main__":
    main()
