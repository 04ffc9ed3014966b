#!/usr/bin/env python3
"""What surrounds a start: descriptors that are closed, libraries that load others, a service manager that is slow."""

import os
import pathlib
import socket
import subprocess
import sys
import time

from common.harness import PROGRAM, SECONDS, Server, case, equal, main, sanitizer_environment, wait_for
from common.tls import TlsClient, tls_options

CLOSE = "import os, sys\nfor number in sys.argv[1].split(): os.close(int(number))\nos.execvp(sys.argv[2], sys.argv[2:])"


def closing(numbers):
    return [sys.executable, "-c", CLOSE, numbers]


@case("started without standard input, output and error: nothing that the program opens is taken for one of them")
def closed(directory):
    for numbers in ("0", "0 1 2"):
        place = directory / numbers.replace(" ", "")
        place.mkdir()
        server = Server(place, f'sender_store = "lmdb:{place}/state"\n')
        with server.start(closing(numbers)):
            with server.client() as client:
                client.deliver(b"Subject: x\r\n")
                client.command("QUIT", 221)
            server.reload()
            for number in numbers.split():
                equal(os.readlink(f"/proc/{server.process.pid}/fd/{number}"), "/dev/null", f"descriptor {number}")


@case("a log on a standard error that is closed is a fault at the start, and no log into nowhere")
def log_nowhere(directory):
    Server(directory)
    path = directory / "gatepost.conf"
    path.write_text(path.read_text().replace('log = "log"', 'log = "stderr"'))
    found = subprocess.run([*closing("2"), PROGRAM, "serve", "--as-root", "-c", path], env=sanitizer_environment(directory),
                           stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)
    equal(found.returncode, 1, "status")


@case("modules that openssl.cnf names are loaded before the sandbox closes, also where TLS comes by a reload alone")
def modules(directory):
    settings = directory / "openssl.cnf"
    settings.write_text("openssl_conf = init\n[init]\nproviders = providers\n[providers]\ndefault = on\nlegacy = on\n[on]\nactivate = 1\n")
    options = tls_options(directory)
    server = Server(directory)
    with server.start(["env", f"OPENSSL_CONF={settings}"]):
        server.write_configuration(options=options)
        server.reload()
        with TlsClient(server.port) as client:
            client.command("EHLO client.example.com", 250)
            client.starttls()
            client.command("QUIT", 221)
        maps = pathlib.Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "legacy.so" in maps, "the module is not there: the test proves nothing"


@case("a service manager that takes its word only in a moment is waited for")
def slow_manager(directory):
    path = str(directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
        manager.bind(path)
        others.setblocking(False)
        count = 0
        try:
            while True:
                others.sendto(b"X", path)
                count += 1
        except BlockingIOError:
            pass
        server = Server(directory)
        with server.start(["env", f"NOTIFY_SOCKET={path}"]):
            wait_for("ready", lambda: "gatepost: ready" in server.stderr())
            time.sleep(0.1)  # it is about to tell: a word that does not wait is lost then
            manager.settimeout(SECONDS)
            words = [manager.recv(100) for _ in range(count + 1)]
            equal(words[-1], b"READY=1\nSTATUS=serving\n", "the last word")
            assert "does not take it" not in server.stderr(), server.stderr()


if __name__ == "__main__":
    main()
