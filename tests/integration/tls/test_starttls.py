#!/usr/bin/env python3
"""STARTTLS octet for octet: segments, records, ends and floods, each with the end that it is to have."""

import contextlib
import hashlib
import pathlib
import signal
import socket
import ssl
import threading
import time

from common.dns_peers import ScriptedDns
from common.dns_world import options_with
from common.harness import PATIENCE, Server, case, equal, free_port, main, note, wait_for, without_trace
from common.messages import HEADER
from common.tls import KEY_UPDATE_WITH_ANSWER, Opened, RecordWriter, TlsClient, context, make_certificate, tls_options

BOTH = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def tls_server(directory, options="", tls="", **server):
    return Server(directory, tls_options(directory, tls) + options, **server)


def secure(server, tls_context=None, **options):
    """A client whose TLS stands; nothing is said in it yet."""
    client = TlsClient(server.port, **options)
    client.command("EHLO client.example.com", 250)
    return client.starttls(tls_context)


def session(server, number=1):
    """The log line of the session of this number."""
    wait_for(f"{number} sessions in the log", lambda: len(server.sessions()) >= number)
    return server.sessions()[number - 1]


def tls_reason(server, number):
    """Why TLS has failed in the session of this number, as the log says."""
    return session(server, number)["tls"].get("reason", "")


def read_to_end(client):
    """All that the server still says; the connection has ended then."""
    if isinstance(client.stream, Opened):
        return client.rest()[0]
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while octets := client.socket.recv(65536):
            found += octets
    return found


@case("a mail over TLS 1.2 and 1.3: log, Received, and close_notify behind the last word")
def mail(directory):
    with tls_server(directory) as server:
        for number, version in enumerate(BOTH, 1):
            with secure(server, context(version)) as client:
                client.deliver(HEADER + b"sealed\r\n")
                client.command("QUIT", 221)
                equal(client.rest(), (b"", "close_notify"), "the end")
            found = session(server, number)
            equal(found["tls"]["version"], ("TLSv1.2", "TLSv1.3")[number - 1], "version in the log")
            equal(found["end"], "quit", "end")
        for text in server.mails():
            assert b"with ESMTPS" in text, text
            assert text.endswith(b"sealed\r\n"), text


# ---- segments and records -----------------------------------------------------------------------------------------

@case("a handshake and a session octet by octet, in segments and in records")
def octet_by_octet(directory):
    def trickle(octets):
        for octet in octets:
            client.socket.sendall(bytes([octet]))

    with tls_server(directory) as server:
        for version in BOTH:
            with TlsClient(server.port) as client:
                client.starttls(context(version), send=trickle)
                trickle(client.seal(b"EHLO client.example.com\r\n"))
                client.expect(250)
                for octet in b"NOOP\r\n":
                    client.raw(bytes([octet]))
                client.expect(250)
                client.command("QUIT", 221)


@case("the first command comes in the segment of the handshake's last message")
def first_command(directory):
    with tls_server(directory) as server:
        for version in BOTH:
            with TlsClient(server.port) as client:
                client.command("STARTTLS", 220)
                client.begin_tls(context(version))
                while not client.step():
                    client.send_sealed()
                    client.incoming.write(client.socket.recv(65536))
                if version == ssl.TLSVersion.TLSv1_3:
                    client.raw(b"EHLO client.example.com\r\n")  # behind Finished
                client.stream = Opened(client)
                if version == ssl.TLSVersion.TLSv1_2:
                    client.raw(b"EHLO client.example.com\r\n")
                client.expect(250)
                client.deliver(HEADER, helo="")
        equal(len(server.mails()), 2, "mails")


@case("25 MB of text over TLS, and a mail whose connection ends before the dot, in each way")
def texts(directory):
    text = HEADER + b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab\r\n" * 400_000
    with tls_server(directory, "message_size_max = 64M\n") as server:
        with secure(server) as client:
            client.command("EHLO client.example.com", 250)
            client.deliver(text, helo="")
        mails = server.mails()
        equal(without_trace(mails[0]) == text, True, "the text as it was sent")
        for number, end in enumerate(("close_notify", "end of file"), 2):
            with secure(server) as client:
                client.begin()
                client.raw(HEADER + b"not whole\r\n")
                if end == "close_notify":
                    with contextlib.suppress(ssl.SSLWantReadError):
                        client.tls.unwrap()
                    client.send_sealed()
                client.socket.shutdown(socket.SHUT_WR)
                client.socket.recv(65536)
            equal(session(server, number)["end"], "lost", end)
        equal(len(server.mails()), 1, "mails")


@case("who reads nothing for long gets every reply at last")
def reads_late(directory):
    count = 40_000
    options = "early_talker { mode = off }\njunk_max = 1000000\ncommands_max = 1000000\n"
    with tls_server(directory, options) as server, secure(server) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.command("EHLO client.example.com", 250)
        commands = b"".join(client.seal(b"NOOP\r\n" * 2000) for _ in range(count // 2000))
        sender = threading.Thread(target=client.socket.sendall, args=[commands])
        sender.start()
        sender.join(1)  # until nothing goes on any more, or all is sent
        lines = []
        while sum(map(len, lines)) < count:
            client.stream.fill()
            lines.append(client.stream.octets.split(b"\r\n")[:-1])
            client.stream.octets = client.stream.octets.rpartition(b"\n")[2]
        sender.join()
        equal({line for some in lines for line in some}, {b"250 2.0.0 ok"}, "replies")


def tasks(server):
    """The kernel's files of its threads."""
    return pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/stat")


def state(path):
    """Of a thread, such as T: stopped."""
    return path.read_text().rpartition(")")[2].split()[0]


# ---- what is not to be believed -----------------------------------------------------------------------------------

@case("octets behind STARTTLS are never taken for what is said under TLS, whatever early_talker says")
def injection(directory):
    with tls_server(directory, "early_talker { mode = off }\n") as server:
        for behind in (b"MAIL FROM:<me@example.com>\r\n", b"\x16\x03\x01", b"\0"):
            with TlsClient(server.port) as client:
                client.command("EHLO client.example.com", 250)
                client.raw(b"STARTTLS\r\n" + behind)
                client.expect(554)
                assert client.is_closed()
        with TlsClient(server.port) as client:
            client.command("EHLO client.example.com", 250)
            server.signal(signal.SIGSTOP)
            wait_for("a server that stands still", lambda: all(state(path) == "T" for path in tasks(server)))
            client.raw(b"STARTTLS\r\n")
            client.raw(b"X")
            server.signal(signal.SIGCONT)
            client.expect(554)
        with TlsClient(server.port) as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            client.command("RSET", 250)
            client.starttls()
            client.command("MAIL FROM:<me@example.com>", 503)


@case("plain text instead of a handshake, and instead of records: no word, and the reason in the log")
def plain(directory):
    with tls_server(directory) as server:
        with TlsClient(server.port) as client:
            client.command("STARTTLS", 220)
            client.raw(b"MAIL FROM:<me@example.com>\r\n")
            equal(client.stream.read(), b"", "what is said")
        assert "wrong version number" in tls_reason(server, 1)
        with secure(server, source="127.0.0.2") as client:
            client.socket.sendall(b"MAIL FROM:<me@example.com>\r\n")
            equal(client.rest()[0], b"", "what is said")
        assert tls_reason(server, 2), server.sessions()


@case("a record that was changed on its way ends the session, and the client is told by an alert")
def changed(directory):
    with tls_server(directory) as server:
        for number, version in enumerate(BOTH, 1):
            with secure(server, context(version)) as client:
                record = bytearray(client.seal(b"EHLO client.example.com\r\n"))
                record[-1] ^= 1
                client.socket.sendall(record)
                octets, end = client.rest()
                equal((octets, "BAD_RECORD_MAC" in end), (b"", True), f"the end ({end})")
            assert "bad record mac" in tls_reason(server, number), server.sessions()


# ---- handshakes that do not come about ----------------------------------------------------------------------------

@case("a handshake that stalls after each message has its time limit")
def stalls(directory):
    def say_nothing(client):
        pass

    def say_half(client):
        client.begin_tls().step()
        client.socket.sendall(client.outgoing.read()[:100])

    def say_hello(client):
        client.begin_tls().step()
        client.send_sealed()
        assert client.socket.recv(65536).startswith(b"\x16\x03") or time.monotonic() - began >= 0.5, "a flight of ours"

    with tls_server(directory, tls="handshake_timeout = 500ms") as server:
        for number, stall in enumerate((say_nothing, say_half, say_hello), 1):
            with TlsClient(server.port, source=f"127.0.0.{number}") as client:
                began = time.monotonic()
                client.command("STARTTLS", 220)
                stall(client)
                read_to_end(client)
            assert "time" in tls_reason(server, number), server.sessions()


@case("a client that refuses our certificate is told of in plain words, with the alert's name, and counts as such")
def refuses_certificate(directory):
    def refusing(version):
        made = context(version)
        made.verify_mode = ssl.CERT_REQUIRED
        return made

    with tls_server(directory, 'tls_no_go = 0\n') as server:
        for number, version in enumerate(BOTH, 1):
            with TlsClient(server.port) as client:
                try:
                    client.starttls(refusing(version))
                    raise AssertionError("nobody has signed this certificate")
                except ssl.SSLError:
                    client.send_sealed()
                    read_to_end(client)
            equal(tls_reason(server, number), "the client does not know who has signed our certificate (alert unknown ca)", version)
        equal(server.counters()["tls_failed_certificate"], 2, "counted as such")


@case("a client that goes away in its handshake, and one that cannot agree")
def fails(directory):
    with tls_server(directory, tls='minimum = "1.3"') as server:
        with TlsClient(server.port) as client:
            client.command("STARTTLS", 220)
            client.begin_tls().step()
            client.send_sealed()
            client.socket.shutdown(socket.SHUT_WR)
            read_to_end(client)
        assert "closed" in tls_reason(server, 1), server.sessions()
        with TlsClient(server.port, source="127.0.0.2") as client:
            try:
                client.starttls(context(ssl.TLSVersion.TLSv1_2))
                raise AssertionError("TLS 1.2 is too old here")
            except ssl.SSLError as error:
                assert "PROTOCOL_VERSION" in error.reason, error.reason
        assert "unsupported protocol" in tls_reason(server, 2), server.sessions()


@case("a ClientHello that announces 128 KiB is not waited for")
def long_hello(directory):
    with tls_server(directory) as server, TlsClient(server.port) as client:
        client.command("STARTTLS", 220)
        client.socket.sendall(b"\x16\x03\x01\x40\0\x01\x02\0\0")
        read_to_end(client)
        assert "too long" in tls_reason(server, 1), server.sessions()


@case("handshakes under way are counted: who comes then gets 454, and TLS when there is room again")
def too_many(directory):
    with tls_server(directory, tls="handshakes_max = 2") as server:
        stalled = [TlsClient(server.port) for _ in range(2)]
        for client in stalled:
            client.command("STARTTLS", 220)
        with TlsClient(server.port) as client:
            client.command("EHLO client.example.com", 250)
            client.command("STARTTLS", 454)
            client.command("MAIL FROM:<me@example.com>", 250)
            client.command("RSET", 250)
            stalled[0].shake().command("EHLO client.example.com", 250)
            client.starttls()
            client.deliver(HEADER)
        for client in stalled:
            client.close()
        wait_for("the sessions' ends", lambda: len(server.sessions()) == 3)
        with secure(server, source="127.0.0.2") as client:
            client.command("QUIT", 221)


@case("a client's certificate of 16 KiB is taken, and one of 40 KiB is not")
def client_certificates(directory):
    with tls_server(directory, tls='client_certificates = "ask"') as server:
        for number, octets in enumerate((0, 14_000), 1):
            tls_context = context()
            tls_context.load_cert_chain(*make_certificate(directory, f"client{number}", hosts=["client.example.com"], comment=octets))
            with secure(server, tls_context) as client:
                client.deliver(HEADER)
                client.command("QUIT", 221)
            assert "client.example.com" in str(session(server, number)["tls"]), server.sessions()
        tls_context = context()
        certificate, key = make_certificate(directory, "nameless", subject="/")
        tls_context.load_cert_chain(certificate, key)
        with secure(server, tls_context) as client:
            client.command("QUIT", 221)
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
        equal(session(server, 3)["tls"]["client_certificate"], f"sha256:{digest}", "a certificate without a subject")
        tls_context.load_cert_chain(*make_certificate(directory, "large", comment=36_000))
        with secure(server, tls_context) as client:
            try:
                client.raw(b"EHLO client.example.com\r\n")
                read_to_end(client)
            except OSError:
                pass  # the server has ended before all was sent
        assert "excessive message size" in tls_reason(server, 4), server.sessions()


# ---- floods -------------------------------------------------------------------------------------------------------

def written(server, directory, version=ssl.TLSVersion.TLSv1_3):
    """A client in TLS 1.3, and the writer of its records."""
    tls_context = context(version)
    keylog = directory / "keys"
    keylog.unlink(missing_ok=True)
    tls_context.keylog_filename = str(keylog)
    client = secure(server, tls_context)
    return client, RecordWriter(client, keylog)


@case("records that are of little use: some are taken, and a flood ends the session soon")
def floods(directory):
    def key_updates(writer):
        return [writer.key_update() for _ in range(2000)]

    def padded_key_updates(writer):
        return [writer.key_update(KEY_UPDATE_WITH_ANSWER, padding=1000) for _ in range(500)]

    def empty_records(writer):
        return [writer.record(b"") for _ in range(500)]

    def octets(writer):
        return [writer.record(b"x") for _ in range(4000)]

    with tls_server(directory) as server:
        client, writer = written(server, directory)
        with client:
            writer.send(writer.key_update(), writer.record(b""), writer.record(b"EHLO client.example.com\r\n", padding=300))
            client.expect(250)
            writer.send(writer.key_update(KEY_UPDATE_WITH_ANSWER), writer.record(b"NOOP\r\n"))
            client.expect(250)
            writer.send(writer.record(b"QUIT\r\n"))
            client.expect(221)
        session(server)
        for number, flood in enumerate((key_updates, padded_key_updates, empty_records, octets), 2):
            client, writer = written(server, directory)
            with client:
                records = flood(writer)
                before = server.cpu_seconds()
                with contextlib.suppress(OSError):
                    writer.send(*records)
                    read_to_end(client)
                reason = tls_reason(server, number)
                note(f"{flood.__name__}: {reason}, {server.cpu_seconds() - before:.2f} s of CPU")
                assert reason and reason != "record layer failure", server.sessions()


@case("records that are none of the session's are not early input; octets in one are")
def early_input(directory):
    with ScriptedDns(lambda query, is_tcp, send: None) as dns:
        options, _ = options_with([dns.port], f"dns_timeout = {max(4, PATIENCE)}s\n", off=("dnsbl", "rhsbl", "spf"))
        with tls_server(directory, options + "sender_mx { mode = enforce }\n") as server:
            for number, (early, code) in enumerate(((lambda writer: writer.key_update(), 451),
                                                    (lambda writer: writer.record(b""), 451),
                                                    (lambda writer: writer.record(b"RSET\r\n"), 554)), 1):
                client, writer = written(server, directory)
                with client:
                    writer.send(writer.record(b"EHLO client.example.com\r\n"))
                    client.expect(250)
                    writer.send(writer.record(b"MAIL FROM:<me@example%d.com>\r\n" % number))
                    client.expect(250)
                    writer.send(writer.record(b"RCPT TO:<alice@isp.example>\r\n"))
                    wait_for("a question", lambda: len(dns.queries) >= number)
                    writer.send(early(writer))
                    client.expect(code, number)


@case("what is no record ends a session that waits for DNS, and the log tells the reason")
def broken_while_parked(directory):
    with ScriptedDns(lambda query, is_tcp, send: None) as dns:
        options, _ = options_with([dns.port], "dns_timeout = 1m\n", off=("dnsbl", "rhsbl", "spf"))
        with tls_server(directory, options + "sender_mx { mode = enforce }\n") as server, secure(server) as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            client.raw(b"RCPT TO:<alice@isp.example>\r\n")
            wait_for("a question", lambda: dns.queries)
            client.socket.sendall(b"RSET\r\n")
            equal(read_to_end(client), b"", "what is said")
            assert tls_reason(server, 1), server.sessions()


# ---- ends ---------------------------------------------------------------------------------------------------------

@case("last words arrive, and close_notify behind them: of a refusal, of a stop, of QUIT in a half-closed connection")
def last_words(directory):
    with tls_server(directory, "early_talker { mode = enforce }\n") as server:
        with secure(server) as client:
            client.raw(b"EHLO client.example.com\r\n" + b"NOOP\r\n" * 5000)
            found = read_to_end(client)
            assert b"554 " in found and found.endswith(b"\r\n"), found[-200:]
            equal(client.stream.ended, "close_notify", "the end")
        with secure(server) as client:
            client.raw(b"QUIT\r\n")
            client.socket.shutdown(socket.SHUT_WR)
            client.expect(221)
            equal(client.rest(), (b"", "close_notify"), "the end")
        client = secure(server)
        stalled = TlsClient(server.port)
        stalled.command("STARTTLS", 220)
        stalled.begin_tls().step()
        client.command("EHLO client.example.com", 250)
        server.signal(signal.SIGTERM)
        client.expect(421)
        equal(client.rest(), (b"", "close_notify"), "the end")
        stalled.close()


@case("a client that says close_notify is answered by ours")
def closes(directory):
    with tls_server(directory) as server, secure(server) as client:
        client.command("EHLO client.example.com", 250)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.tls.unwrap()
        client.send_sealed()
        client.incoming.write(client.socket.recv(65536))
        client.tls.unwrap()  # fails without theirs
        equal(session(server)["end"], "lost", "end")


@case("PROXY header, then STARTTLS")
def proxy(directory):
    port = free_port()
    options = f'proxy_listen = {{"127.0.0.1:{port}"}}\nproxy_networks = {{"127.0.0.0/8"}}\n'
    with tls_server(directory, options) as server:
        with TlsClient(port, before_banner=b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n") as client:
            client.command("EHLO client.example.com", 250)
            client.starttls()
            client.deliver(HEADER)
            client.command("QUIT", 221)
        equal(session(server)["client"], "192.0.2.7", "client")
        assert session(server)["tls"], server.sessions()


main()
