"""Socket activation: a server under test gets listening sockets that the test has opened, and keeps, as systemd does."""

import socket
import sys

from common.harness import Server, wait_for

# As systemd: the descriptors from 3 on, and the number of the process that they are for.
LAUNCH = """
import fcntl, os, sys
numbers, names, pid, command = sys.argv[1].split(), sys.argv[2], sys.argv[3], sys.argv[4:]
high = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in numbers]
for place, number in enumerate(high):
    os.dup2(number, 3 + place)
    os.close(number)
os.environ.update(LISTEN_FDS=str(len(high)), LISTEN_FDNAMES=names, LISTEN_PID=pid or str(os.getpid()))
os.execv(command[0], command)
"""


def listening(address="127.0.0.1", port=0, shares=False, only6=True):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shares:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only6))
    found.bind((address, port))
    found.listen(128)
    return found


def port_of(found):
    return found.getsockname()[1]


def start(server, sockets, names="", pid="", environment=None):
    numbers = [each.fileno() for each in sockets]
    before = len(server.events("ready"))
    assigned = [f"{name}={value}" for name, value in (environment or {}).items()]
    server.start(["env", *assigned, sys.executable, "-c", LAUNCH, " ".join(map(str, numbers)), names, pid], descriptors=numbers)
    wait_for("the program", lambda: server.process.poll() is not None or len(server.events("ready")) > before)  # its port listens before
    return server


def server_for(directory, port, options="", kind=Server):
    server = kind(directory, options=options)
    server.port, server.listen = port, [f"127.0.0.1:{port}"]
    server.write_configuration()
    return server
