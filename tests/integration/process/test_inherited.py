#!/usr/bin/env python3
"""Socket activation: listening sockets that somebody else has opened, and keeps, as systemd does. The test is that somebody."""

import contextlib
import pathlib
import pwd
import socket
import subprocess
import sys

from common.activation import listening, port_of, server_for, start
from common.harness import (IS_ROOT, PROGRAM, SECONDS, Client, Server, Skip, case, die_with_parent, equal, free_port, is_listening, low_port,
                            main, need_program, sanitizer_environment, wait_for)
from common.web import wait_for_status

def talk(port):
    with Client(port) as client:
        client.command("QUIT", 221)


def expect_no_answer(port):
    """Whoever connects is not even let into the queue, where nobody would come."""
    with socket.socket() as client:
        client.settimeout(0.4)
        with contextlib.suppress(TimeoutError):
            client.connect(("127.0.0.1", port))
            raise AssertionError("connected")


def reload(server, **changes):
    server.write_configuration(**changes)
    server.reload()


@case("a restart loses nobody: who connects meanwhile waits in the socket for the next process")
def restart(directory):
    with listening() as given:
        port = port_of(given)
        server = server_for(directory, port)
        with start(server, [given]):
            talk(port)
            equal(server.events("socket_unused"), [], "socket_unused")
        equal(server.events("clients_left"), [], "clients_left")
        assert is_listening(port), "the test has it still"
        with Client(port, banner=None) as early:
            with start(server, [given]):
                early.expect(220)
                early.command("QUIT", 221)
                talk(port)


@case("workers that accept for themselves, and several acceptors with one socket or with one for each")
def sharing(directory):
    for acceptors, count in ((0, 1), (3, 1), (3, 3), (2, 3)):
        place = directory / f"{acceptors}-{count}"
        place.mkdir()
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(listening(shares=count > 1))
            others = [stack.enter_context(listening(port=port_of(first), shares=True)) for _ in range(count - 1)]
            server = server_for(place, port_of(first), f"acceptors = {acceptors}\nworkers = 2")
            with start(server, [first, *others]):
                for _ in range(24):
                    talk(server.port)
                wait_for("all sessions", lambda: len(server.sessions()) == 24)
                equal(len(server.events("listener_opened")), 2 if acceptors < count and acceptors else 1, "listeners")


@case("what cannot be used is told with its reason: nobody's, of another kind, of both families, for another process")
def unused(directory):
    with listening() as given, listening() as nobodys, listening("::", only6=False) as both, socket.socket() as deaf, \
            socket.socket(socket.AF_UNIX) as local, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        local.bind(str(directory / "socket"))
        local.listen()
        server = server_for(directory, port_of(given))
        with start(server, [given, nobodys, both, deaf, local, datagrams], "mx::both:deaf:local:datagrams"):
            talk(server.port)
            told = {line["socket"]: line["reason"] for line in server.events("socket_unused")}
            expected = {f"127.0.0.1:{port_of(nobodys)}": "neither `listen` nor", f"[::]:{port_of(both)}": "BindIPv6Only",
                        "0.0.0.0:0": "", f"unix:{directory}/socket": "`http.listen` does not name it"}
            for name, words in expected.items():
                assert words in told.get(name, f"nothing of {name}"), told
            assert f"the inherited socket 127.0.0.1:{port_of(nobodys)} is not used" in server.stderr(), server.stderr()
            expect_no_answer(port_of(nobodys))
        with Client(port_of(nobodys), banner=None):  # after the end the socket is as it was
            pass
    port = free_port()
    with listening() as given:
        with start(server_for(directory, port), [given], pid="1"):
            talk(port)
    with listening("::", only6=False) as both:
        server = server_for(directory, port_of(both))
        server.write_configuration(listen=[f"[::]:{port_of(both)}"])
        server.process = None
        with contextlib.suppress(AssertionError):
            start(server, [both])
        equal(server.process.wait(SECONDS), 1, "status")
        assert "BindIPv6Only" in server.stderr() and "cannot listen" in server.stderr(), server.stderr()


@case("HTTP takes the inherited socket of its address, or of its path, and leaves it open for the next process")
def pages(directory):
    path = directory / "http.sock"
    with listening() as mail, listening() as web, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(path))
        local.listen()
        for number, (given, place, at) in enumerate(((web, f"127.0.0.1:{port_of(web)}", port_of(web)), (local, f"unix:{path}", path))):
            folder = directory / str(number)
            folder.mkdir()
            server = server_for(folder, port_of(mail), f'http {{ listen = "{place}" }}')
            with start(server, [mail, given]):
                wait_for_status(at, "/ready", 200)
                equal(server.events("socket_unused"), [], "unused sockets")
        assert path.exists(), "the socket's file is not ours to remove"


@case("a reload takes an inherited socket up and lets it go, also as proxy_listen, as often as it likes")
def reloads(directory):
    with listening() as given, listening() as other:
        first, second = port_of(given), port_of(other)
        server = server_for(directory, first)
        with start(server, [given, other]):
            for _ in range(2):
                expect_no_answer(second)
                reload(server, listen=[f"127.0.0.1:{first}", f"127.0.0.1:{second}"])
                talk(second)
                reload(server, options=f'proxy_listen = {{"127.0.0.1:{second}"}}\nproxy_networks = {{"127.0.0.1"}}')
                with Client(second, before_banner=b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 25\r\n") as client:
                    client.command("QUIT", 221)
                reload(server)
                wait_for("the listener's end", lambda: server.events("listener_closed"))
                talk(first)
        with Client(second, banner=None):
            pass


@case("systemd-socket-activate gives a low port to a user who may not bind it; the program starts with the first client")
def activated(directory):
    program = need_program("systemd-socket-activate")
    if not IS_ROOT:
        raise Skip("a low port takes root")
    port = low_port()
    server = server_for(directory, port, "acceptors = 1")
    user = pwd.getpwnam("nobody")
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", directory], check=True)
    environment = sanitizer_environment(directory)
    passed = [f"--setenv={name}={environment[name]}" for name in environment if name.endswith("SAN_OPTIONS")]
    command = [program, "-l", f"127.0.0.1:{port}", *passed, need_program("setpriv"), "--reuid", "nobody", "--regid", str(user.pw_gid),
               "--clear-groups", "--bounding-set", "-all", str(PROGRAM), "serve", "-c", str(directory / "gatepost.conf")]
    with (directory / "stderr").open("ab") as stderr:
        server.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, preexec_fn=die_with_parent)
    with server:
        wait_for("its socket", lambda: is_listening(port))
        with Client(port, seconds=SECONDS) as client:
            client.deliver(b"Subject: x\r\n")
            client.command("QUIT", 221)
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status and f"Uid:\t{user.pw_uid}\t" in status, status


if __name__ == "__main__":
    main()
