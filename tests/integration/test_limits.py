#!/usr/bin/env python3
"""Limits and time-outs over real sockets: connections, descriptors, slow clients, early talkers; lines without
an end; other protocols; IPv6; idle memory."""

import contextlib
import http.client
import resource
import select
import socket
import ssl
import time

from common.harness import (HELO, PATIENCE, SANITIZE, SENDER, Client, Server, case, equal, main, note, raise_descriptor_limit, wait_for,
                     without_trace)
from common.messages import HEADER

IDLE_SESSIONS = 5000
IDLE_KIB_MAX = 1.5
KIB = 1024


@case("connections_per_client: the fourth gets 421, and one that leaves makes room")
def per_client(directory):
    with Server(directory, "connections_per_client = 3") as server:
        clients = [server.client() for _ in range(3)]
        with server.client(banner=421) as fourth:
            assert fourth.is_closed()
        with server.client(source="127.0.0.2") as other:
            other.command("NOOP", 250)
        clients[0].command("QUIT", 221)
        clients[0].close()
        wait_for("room", lambda: gets_banner(server))
        for client in clients[1:]:
            client.deliver(HEADER)


def gets_banner(server):
    with server.client(banner=None) as client:
        return client.reply()[0] == 220


@case("connections_max: the eleventh waits until one of ten leaves")
def connections_max(directory):
    with Server(directory, "connections_max = 10\nstress_at = 100") as server:
        clients = [server.client() for _ in range(10)]
        with server.client(banner=None) as eleventh:
            equal(select.select([eleventh.socket], [], [], 0.5)[0], [], "readable")
            clients[0].command("QUIT", 221)
            clients[0].close()
            eleventh.expect(220)
        for client in clients[1:]:
            client.deliver(HEADER)


def expect_quiet(server, seconds, most):
    """Where there was something to do, it is over after some such times; what spins is never quiet."""
    used = []
    for _ in range(10):
        before = server.cpu_seconds()
        time.sleep(seconds)
        used.append(server.cpu_seconds() - before)
        note(f"{used[-1]:.2f} s of CPU in {seconds} s")
        if used[-1] < most:
            return
    raise AssertionError(f"spins: {used} s of CPU in {seconds} s each")


@case("the descriptor limit: no spinning, and everybody is served in the end")
def descriptors(directory):
    server = Server(directory).start(limits=[(resource.RLIMIT_NOFILE, 128)])
    with server:
        # More than it can hold; what it does not accept waits in the kernel.
        clients = [Client(server.port, banner=None) for _ in range(200)]
        expect_quiet(server, 2, 0.2 * PATIENCE)
        for client in clients:
            client.close()
        wait_for("room", lambda: gets_banner(server))
        with server.client() as client:
            client.deliver(HEADER + b"recovered\r\n")
        equal(len(server.mails()), 1, "mails")


@case("at the descriptor limit those who got in still deliver")
def delivery_reserve(directory):
    server = Server(directory).start(limits=[(resource.RLIMIT_NOFILE, 128)])
    with server:
        first = server.client()
        crowd = [Client(server.port, banner=None) for _ in range(200)]
        time.sleep(0.5)
        first.deliver(HEADER + b"x" * 500_000 + b"\r\n")
        equal(len(server.mails()), 1, "mails")
        for client in crowd:
            client.close()


@case("idle_timeout: 421")
def idle_timeout(directory):
    with Server(directory, "idle_timeout = 500ms") as server:
        began = time.monotonic()
        with server.client() as client:
            client.expect(421, "silence")
            assert 0.4 < time.monotonic() - began < 10 * PATIENCE
            assert client.is_closed()


@case("data_timeout: 421, nothing delivered")
def data_timeout(directory):
    with Server(directory, "data_timeout = 500ms") as server, server.client() as client:
        client.begin()
        client.raw(b"half\r\n")
        client.expect(421, "silence")
        assert client.is_closed()
        equal(server.mails(), [], "mails")


@case("a client that sends an octet at a time is served")
def octets(directory):
    with Server(directory, "idle_timeout = 20s") as server, server.client() as client:
        for octet in b"EHLO client.example.com\r\n":
            client.raw(bytes([octet]))
            time.sleep(0.01)
        client.expect(250, "EHLO")


@case("a client that ends commands never is timed out")
def endless(directory):
    with Server(directory, "idle_timeout = 1s") as server, server.client() as client:
        code = None
        began = time.monotonic()
        while code is None and time.monotonic() - began < 20 * PATIENCE:
            client.raw(b"x")
            client.socket.settimeout(0.1)
            try:
                code = client.socket.recv(3)
            except TimeoutError:
                continue
        equal(code, b"421", "reply")


@case("greeting_pause: the quiet one gets the banner after it, the early one 554")
def greeting_pause(directory):
    with Server(directory, "greeting_pause = 3s") as server:
        began = time.monotonic()
        with server.client() as client:
            assert time.monotonic() - began > 2.95
            client.deliver(HEADER)
        with server.client(before_banner=b"EHLO client.example.com\r\n", banner=554) as early:
            assert early.is_closed()


@case("what comes before the banner and is not refused is kept up to 64 kB; then 421, and the server goes on")
def much_too_early(directory):
    for mode in ("observe", "off"):
        with Server(subfolder(directory, mode), f"greeting_pause = 4s\nearly_talker {{ mode = {mode} }}") as server:
            quiet = server.client(banner=None)
            with server.client(banner=None) as client:
                with contextlib.suppress(ConnectionError):
                    for _ in range(4):
                        client.raw(b"x" * 48 * 1024)
                        time.sleep(0.1)
                client.expect(421, "192 kB before the banner")
            with server.client(before_banner=f"EHLO {HELO}\r\nNOOP {'x' * 50000}\r\n".encode()) as client:
                client.expect(250, "EHLO before the banner")
                client.expect(500, "a long line before the banner")
            quiet.expect(220)
            quiet.close()


def subfolder(directory, name):
    (directory / name).mkdir()
    return directory / name


@case("two commands in one flight: 554")
def pipelining(directory):
    with Server(directory) as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<alice@isp.example>\r\n".encode())
        codes = []
        while (code := client.reply()[0]) is not None:
            codes.append(code)
        equal(codes[-1], 554, f"last of {codes}")
        equal(server.mails(), [], "mails")


@case("an IPv6 listener")
def ipv6(directory):
    if not socket.has_ipv6:
        return
    with Server(directory, host="::1") as server, server.client() as client:
        client.deliver(HEADER + b"over IPv6\r\n")
        equal(without_trace(server.mails()[0]), HEADER + b"over IPv6\r\n", "mail")
        assert b"[IPv6:::1]" in server.mails()[0], server.mails()[0]


@case(f"{IDLE_SESSIONS} idle sessions after EHLO take less than {IDLE_KIB_MAX} KiB each")
def idle_memory(directory):
    count = min(IDLE_SESSIONS, raise_descriptor_limit() - 500)
    with Server(directory) as server:
        open_idle(server, 300, close=True)
        wait_for("the log", lambda: len(server.sessions()) == 300)
        before = server.memory_kib("Rss")
        clients = open_idle(server, count)
        time.sleep(0.5)
        each = (server.memory_kib("Rss") - before) / count
        note(f"{each:.3f} KiB of user memory for each of {count} idle sessions")
        expect_quiet(server, 1, 0.1 * PATIENCE)
        # In portions: lines of a burst that the log's writer cannot follow may be dropped, and are counted then.
        for begin in range(0, count, 500):
            for client in clients[begin:begin + 500]:
                client.close()
            wait_for("the log", lambda ended=300 + min(begin + 500, count): len(server.sessions()) == ended)
        assert SANITIZE or each < IDLE_KIB_MAX, f"{each} KiB"
        assert count == IDLE_SESSIONS, f"the descriptor limit allows only {count} sessions"


def open_idle(server, count, close=False):
    clients = [server.client() for _ in range(count)]
    for client in clients:
        client.command(f"EHLO {HELO}", 250)
        if close:
            client.close()
    return clients


@case("a line of 256 KiB is answered once, and the session goes on")
def long_line(directory):
    with Server(directory, "errors_max = 1000") as server, server.client() as client:
        for length in (2 * KIB, 64 * KIB, 256 * KIB, 500 * KIB):
            client.raw(b"NOOP " + b"x" * length + b"\r\n")
            code, text = client.reply()
            equal((code, text[:28]), (500, "5.5.2 command line too long "), f"{length} octets")
            client.command("NOOP", 250)
        client.deliver(HEADER)
        client.command("QUIT", 221)
    equal(server.sessions()[0]["end"], "quit", "end")


@case("a line without an end is answered 421, which the client can read")
def endless_line(directory):
    with Server(directory) as server:
        for length in (513 * KIB, 700 * KIB, 2048 * KIB):
            with server.client() as client:
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    client.raw(b"x" * length)
                code, text = client.reply()
                equal((code, text[:6]), (421, "4.7.0 "), f"{length} octets")
                assert client.is_closed()
    equal([session["reply"] for session in server.sessions()], 3 * ["line_endless"], "replies")


@case("TLS and HTTP are told off and closed at once")
def foreign(directory):
    with Server(directory) as server:
        began = time.monotonic()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with contextlib.suppress(ssl.SSLError), socket.create_connection((server.host, server.port), 20) as plain:
            context.wrap_socket(plain)
            raise AssertionError("TLS was spoken")
        connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        with contextlib.suppress(http.client.BadStatusLine, ConnectionError):
            connection.request("POST", "/", b"EHLO x\r\n" * 20000)
            connection.getresponse()
            raise AssertionError("HTTP was spoken")
        connection.close()
        with server.client() as client:
            client.raw(b"\x16\x03\x01")
            client.expect(421)
            assert client.is_closed()
        sessions = wait_for("three log lines", lambda: len(server.sessions()) == 3 and server.sessions())
        assert time.monotonic() - began < 10 * PATIENCE, "too slow"
        equal(sorted(session["foreign"] for session in sessions), ["HTTP POST", "TLS ClientHello", "TLS ClientHello"], "foreign")
        equal({session["reply"] for session in sessions}, {"foreign_protocol"}, "reply")
        equal(server.counters()["sessions_foreign"], 3, "sessions_foreign")


if __name__ == "__main__":
    main()
