"""TLS that stalls, comes in fragments, never ends or is none: it must hold nobody else up and leave nothing behind."""

import os
import shutil
import ssl
import struct
import subprocess
import time

from attacks.client import harmless_context, ready
from attacks.target import attempt, together

ANSWER_SECONDS = 2
# Content types of records.
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23


def record(kind, octets, version=0x0301):
    return struct.pack("!BHH", kind, version, len(octets)) + octets


def client_hello():
    """The octets of a true one, as the library makes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = harmless_context().wrap_bio(incoming, outgoing)
    try:
        handshake.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def broken_beginnings():
    hello = client_hello()
    body = hello[5:]
    yield "a record of 65535 octets", struct.pack("!BHH", HANDSHAKE, 0x0301, 65535) + b"x" * 65535
    yield "records of no octets", record(HANDSHAKE, b"") * 5000
    yield "records of one octet", b"".join(record(HANDSHAKE, body[at:at + 1]) for at in range(len(body) - 1))
    yield "warnings without end", record(ALERT, b"\1\0") * 5000
    yield "ChangeCipherSpec without end", record(CHANGE_CIPHER_SPEC, b"\1") * 5000
    yield "data before the handshake", record(APPLICATION_DATA, b"NOOP\r\n") * 100
    yield "a handshake message of 16 MiB", record(HANDSHAKE, b"\1\xff\xff\xff" + b"x" * 16000) * 20
    yield "a hello of version 2", b"\x80\x2e\1\0\2\0\x15\0\0\0\x10" + bytes(37)
    yield "a hello, then another", hello + hello
    yield "a hello of version 9.9", record(HANDSHAKE, body, 0x0909)
    yield "random octets", os.urandom(4096)
    yield "plain SMTP", b"EHLO x\r\nMAIL FROM:<>\r\n" * 50


def try_broken(target, report):
    def one(beginning):
        with target.session() as peer:
            peer.need("STARTTLS", 220)
            peer.raw(beginning[1])
            # No answer is as good as an alert: the server may wait for more.
            octets = peer.socket.recv(4096) if ready(peer.socket, ANSWER_SECONDS) else b""
            if octets[:3] in (b"250", b"354"):
                report.found("attack", f"after STARTTLS {beginning[0]} is answered {octets[:40]!r}", "It was taken for commands",
                             "RFC 3207 4")

    together(report, one, broken_beginnings(), threads=4)


def try_octets(target, report):
    """A ClientHello octet by octet is one; segments mean nothing."""
    with target.session() as peer:
        peer.need("STARTTLS", 220)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = harmless_context().wrap_bio(incoming, outgoing)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for octet in outgoing.read():
                    peer.raw(bytes([octet]))
                incoming.write(peer.socket.recv(65536))
        for octet in outgoing.read():
            peer.raw(bytes([octet]))
        tls.write(b"NOOP\r\n")
        peer.raw(outgoing.read())
        while True:
            try:
                octets = tls.read(100)
                break
            except ssl.SSLWantReadError:
                incoming.write(peer.socket.recv(65536))
        if octets[:3] != b"250":
            report.found("rfc", f"a handshake octet by octet ends with {octets!r}", "TCP may cut anywhere", "RFC 8446 5.1")


def try_stalls(target, report):
    """Handshakes that are begun and not gone on with, in two ways, while the good client is served."""
    hello = client_hello()
    held = []
    for number in range(target.count(300, 40)):
        peer = attempt(report, target.session)
        if peer is None:
            break
        held.append(peer)
        if peer.say("STARTTLS").code == 220:
            peer.raw(hello if number % 2 else hello[:100])
    time.sleep(target.count(5, 1))
    report.note(f"{len(held)} handshakes were left hanging")
    for peer in held:
        peer.close()


def try_many(target, report):
    def one(_):
        with target.tls_session() as peer:
            peer.need(f"EHLO {target.helo}", 250)

    began = time.monotonic()
    made = together(report, one, range(target.count(400, 60)))
    report.note(f"{len(made) / (time.monotonic() - began):.0f} full handshakes a second")


def s_client(target, report, character, *options):
    """OpenSSL's own client obeys single characters: R renegotiates, K asks for new keys. Returns all it printed."""
    report.tried()
    host = f"[{target.host}]" if ":" in target.host else target.host
    command = ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{host}:{target.port}", *options]
    # Unbuffered: nothing is left to be written when the client has gone.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0) as client:
        try:
            for _ in range(target.count(300, 30)):
                client.stdin.write(character + b"\n")
                time.sleep(0.01)
            return client.communicate(timeout=10)[0]
        except (OSError, subprocess.TimeoutExpired):
            client.kill()
            return client.stdout.read()


def try_keys(target, report):
    if shutil.which("openssl") is None:
        report.leave_out("renegotiation and KeyUpdate", "there is no program openssl")
        return
    output = s_client(target, report, b"R", "-tls1_2")
    if output.count(b"verify return") > output.count(b"RENEGOTIATING") > 1:
        report.note("the server renegotiates (TLS 1.2) whenever a client asks: handshakes for the price of one connection")
    else:
        report.note("renegotiation (TLS 1.2) is refused" if b"RENEGOTIATING" in output else "TLS 1.2 is not to be had")
    output = s_client(target, report, b"K", "-tls1_3")
    report.note(f"{output.count(b'KEYUPDATE')} KeyUpdates in a row")


def attack(target, report):
    target.need_tls()
    try_broken(target, report)
    attempt(report, try_octets, target, report)
    try_stalls(target, report)
    try_many(target, report)
    try_keys(target, report)
