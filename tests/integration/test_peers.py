#!/usr/bin/env python3
"""Who the client is: PROXY v1 and v2, XCLIENT. And what comes from no mail client at all."""

import random
import select
import socket
import struct
import time

from common.harness import HELO, SENDER, Client, Server, case, equal, free_port, main, wait_for
from common.messages import HEADER

TRUST = 'proxy_networks = {"127.0.0.0/8"}'
V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxy_server(directory, trust=TRUST):
    port = free_port()
    return Server(directory, f'proxy_listen = {{"127.0.0.1:{port}"}}\n{trust}'), port


def v2(source, destination, family=socket.AF_INET):
    kind = 0x11 if family == socket.AF_INET else 0x21
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, destination) + struct.pack("!HH", 40000, 25)
    return V2_SIGNATURE + bytes([0x21, kind]) + struct.pack("!H", len(addresses)) + addresses


def client_in_log(server, number=1):
    wait_for(f"{number} log lines", lambda: len(server.sessions()) == number)
    return server.sessions()[-1]["client"]


@case("PROXY v1 and v2 name the client in log and Received")
def proxy(directory):
    server, port = proxy_server(directory)
    headers = [(b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n", "192.0.2.7", b"[192.0.2.7]"),
               (b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 25\r\n", "2001:db8::7", b"[IPv6:2001:db8::7]"),
               (v2("192.0.2.8", "192.0.2.1"), "192.0.2.8", b"[192.0.2.8]"),
               (v2("2001:db8::8", "2001:db8::1", socket.AF_INET6), "2001:db8::8", b"[IPv6:2001:db8::8]")]
    with server:
        for number, (header, address, received) in enumerate(headers, 1):
            with Client(port, before_banner=header) as client:
                client.deliver(HEADER)
                client.command("QUIT", 221)
            assert received in server.mails()[-1], server.mails()[-1]
            equal(client_in_log(server, number), address, "client in the log")


@case("PROXY headers octet by octet")
def proxy_slowly(directory):
    server, port = proxy_server(directory)
    with server:
        for header in (b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n", v2("192.0.2.8", "192.0.2.1")):
            with Client(port, banner=None) as client:
                for octet in header:
                    client.raw(bytes([octet]))
                client.expect(220, "header")
                client.deliver(HEADER)


@case("PROXY: nothing is said before the header")
def proxy_silence(directory):
    server, port = proxy_server(directory)
    with server, Client(port, banner=None) as client:
        equal(select.select([client.socket], [], [], 0.5)[0], [], "readable")


@case("PROXY is refused from strangers, and when malformed")
def proxy_refused(directory):
    server, port = proxy_server(directory, 'proxy_networks = {"192.0.2.0/24"}')
    with server:
        with Client(port, banner=None) as client:
            code = client.reply()[0] if select.select([client.socket], [], [], 0.5)[0] else None
            if code is None:
                client.raw(b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n")
                code = client.reply()[0]
            assert code is None or code >= 400, code
    directory = directory / "second"
    directory.mkdir()
    server, port = proxy_server(directory)
    with server:
        for header in (b"PROXY TCP4 nonsense\r\n", b"EHLO client.example.com\r\n", V2_SIGNATURE + b"\xff\xff\xff\xff" + bytes(50)):
            with Client(port, before_banner=header, banner=None) as client:
                code = client.reply()[0]
                assert code is None or code >= 400, code


@case("XCLIENT names the client, from proxy_networks only")
def xclient(directory):
    with Server(directory, TRUST) as server, server.client() as client:
        assert "XCLIENT" in client.command(f"EHLO {HELO}", 250)
        client.command("XCLIENT ADDR=192.0.2.9", 220)
        client.deliver(HEADER)
        client.command("QUIT", 221)
        assert b"[192.0.2.9]" in server.mails()[0], server.mails()[0]
        equal(client_in_log(server), "192.0.2.9", "client in the log")
    directory = directory / "second"
    directory.mkdir()
    with Server(directory) as server, server.client() as client:
        assert "XCLIENT" not in client.command(f"EHLO {HELO}", 250)
        client.command("XCLIENT ADDR=192.0.2.9", 550)


@case("HTTP and TLS get a defined reply")
def other_protocols(directory):
    hello = bytes.fromhex("160301007a010000760303") + bytes(range(111))
    with Server(directory) as server:
        for octets in (b"GET / HTTP/1.1\r\nHost: mx1.isp.example\r\n\r\n", hello, hello + b"\r\n"):
            with server.client() as client:
                client.raw(octets)
                client.socket.shutdown(socket.SHUT_WR)
                codes = replies_of(client)
                assert all(code >= 400 for code in codes), codes
        with server.client() as client:
            client.raw(b"GET / HTTP/1.1\r\n")
            equal(client.reply()[0], 421, "the reply to HTTP")
        serves(server)


@case("random octets before, between and after commands: defined replies, the server lives")
def garbage(directory):
    seed = 20261125
    dice = random.Random(seed)
    pieces = [b"EHLO client.example.com\r\n", b"MAIL FROM:<me@example.com>\r\n", b"RCPT TO:<alice@isp.example>\r\n", b"DATA\r\n",
              b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"\0", b"\r", b"\n", b"PROXY TCP4 ", V2_SIGNATURE, b"XCLIENT ADDR=", b"BDAT 5\r\n"]
    with Server(directory, TRUST) as server:
        for _ in range(300):
            with server.client() as client:
                for _ in range(dice.randrange(1, 12)):
                    octets = dice.choice(pieces) if dice.random() < 0.6 else dice.randbytes(dice.randrange(2000))
                    try:
                        client.raw(octets)
                    except OSError:
                        break
                    if dice.random() < 0.3:
                        time.sleep(0.002)
                replies_of(client)
        serves(server)


@case("a command line without end")
def endless_line(directory):
    with Server(directory) as server:
        with server.client() as client:
            try:
                for _ in range(100):
                    client.raw(b"x" * 65536)
            except OSError:
                pass
        serves(server)


@case("clients that vanish without a word, or reset")
def vanishing(directory):
    with Server(directory) as server:
        for number in range(200):
            client = server.client(banner=None)
            if number % 2:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        serves(server)
        wait_for("a log line of each", lambda: len(server.sessions()) >= 200)


def replies_of(client):
    """The codes until the connection ends; each reply is well-formed, or this fails."""
    codes = []
    try:
        client.socket.shutdown(socket.SHUT_WR)
        while (code := client.reply()[0]) is not None:
            codes.append(code)
    except OSError:
        pass
    return codes


def serves(server):
    with server.client() as client:
        client.deliver(HEADER, helo=HELO, sender=SENDER)


if __name__ == "__main__":
    main()
