#!/usr/bin/env python3
"""Command lines over real sockets: lines without an end, long local parts down to the Maildir, other protocols."""

import contextlib
import http.client
import signal
import socket
import ssl
import time

from common.harness import HELO, PATIENCE, Server, case, equal, main, wait_for, without_trace
from common.messages import HEADER

KIB = 1024


@case("a line of 256 KiB is answered once, and the session goes on")
def long_line(directory):
    with Server(directory, "errors_max = 1000") as server, server.client() as client:
        for length in (2 * KIB, 64 * KIB, 256 * KIB, 500 * KIB):
            client.raw(b"NOOP " + b"x" * length + b"\r\n")
            equal(client.reply(), (500, "5.5.2 command line too long"), f"{length} octets")
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


@case("mailboxes of 252 octets, ASCII and not, have folders, and each its own")
def long_mailboxes(directory):
    users = ["l" * 250 + end for end in ("aa", "ab")] + ["ü" * 60, "ü" * 120 + "aa", "ü" * 120 + "ab"]
    # The shortest domain: a path has 256 octets.
    with Server(directory, options='domain "d" { recipients = "recipients.txt" deliver = "maildir:mail/%d/u-%u" }',
                recipients=users) as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        for number, user in enumerate(users):
            client.raw(b"MAIL FROM:<carol@example.com> SMTPUTF8\r\n")
            client.expect(250)
            client.raw(f"RCPT TO:<{user}@d>\r\n".encode())
            client.expect(250, user)
            client.command("DATA", 354)
            client.finish(HEADER + b"%d\r\n" % number)
        folders = sorted(path for path in (directory / "mail/d").iterdir())
        equal(len(folders), len(users), "folders")
        texts = sorted(without_trace(mail.read_bytes())[-3:] for folder in folders for mail in (folder / "new").iterdir())
        equal(texts, [b"%d\r\n" % number for number in range(len(users))], "texts")
        assert any(path.name == "u-" + "%C3%BC" * 25 + path.name[-34:] for path in folders), folders
    equal([line for line in server.log() if line["event"] == "store_failed"], [], "failures of the store")


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
        with contextlib.suppress(http.client.BadStatusLine):
            connection.request("POST", "/", b"EHLO x\r\n" * 20000)
            connection.getresponse()
            raise AssertionError("HTTP was spoken")
        connection.close()
        with server.client() as client:
            client.raw(b"\x16\x03\x01")
            client.expect(421)
            assert client.is_closed()
        sessions = wait_for("three log lines", lambda: len(server.sessions()) == 3 and server.sessions())
        assert time.monotonic() - began < 3 * PATIENCE, "too slow"
        equal(sorted(session["foreign"] for session in sessions), ["HTTP POST", "TLS ClientHello", "TLS ClientHello"], "foreign")
        equal({session["reply"] for session in sessions}, {"foreign_protocol"}, "reply")
        server.signal(signal.SIGUSR2)
        counters = wait_for("counters", lambda: [line for line in server.log() if line["event"] == "counters"])[-1]
        equal(counters["sessions_foreign"], 3, "sessions_foreign")


if __name__ == "__main__":
    main()
