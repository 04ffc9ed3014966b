#!/usr/bin/env python3
"""Clients that ask and take back: MAIL and RSET without end, with senders whose domains never answer. Others notice nothing."""
# alone: it measures

import contextlib
import multiprocessing
import socket
import time

from common.dns_peers import DnsStub
from common.dns_world import client_from, dns_server
from common.harness import case, equal, main, note, wait_for

SESSIONS = 40
PROCESSES = 2
SECONDS_BEFORE, ROUNDS = 4, 10
# Domains whose names are short enough to be taken for those below a registry.
ZONE = """
*.abc.de. 60 A 192.0.2.1
*.abc.de. !silent
*.xyz.de. 60 A 192.0.2.1
*.xyz.de. !silent
*.honest.example.net. 60 MX 10 mx.honest.example.net.
mx.honest.example.net. 60 A 203.0.113.1
*.honest.example.net. 60 TXT "v=spf1 +all"
*.113.0.203.zen.example.org. 60 A 127.0.0.4
zen.example.org. 60 SOA ns.example.org. nobody.example.org. 1 60 60 60 60
"""
CHECKS = """dnsbl { threshold = 1  zone "zen.example.org" { answers = {"127.0.0.4"}  self_test = no } }
sender_tld { mode = off }
"""


def stub(directory):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "zone").write_text(ZONE)
    return DnsStub(directory / "zone")


class Asker:
    """A session that takes back whatever it has asked; a new one when the server has had enough of it."""

    def __init__(self, port, address):
        self.port, self.address, self.socket = port, address, None

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.socket.sendall(f"PROXY TCP4 {self.address} 192.0.2.1 40000 25\r\n".encode())
        self.socket.recv(512)
        self.socket.sendall(b"HELO x.example.com\r\n")
        self.socket.recv(512)

    def give_up(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def say(self, line):
        try:
            if self.socket is None:
                self.open()
            self.socket.sendall(line)
        except OSError:
            self.give_up()

    def hear(self):
        try:
            if self.socket is not None and not self.socket.recv(512).startswith(b"250"):
                self.give_up()
        except OSError:
            self.give_up()


def flood(port, addresses, number, is_over, count):
    """Sessions that go on together: each waits for its replies."""
    askers = [Asker(port, addresses[session % len(addresses)]) for session in range(number, PROCESSES * SESSIONS, PROCESSES)]
    while not is_over.is_set():
        for asker in askers:
            count.value += 1
            domain = "abc.de" if count.value % 2 else "xyz.de"
            asker.say(f"MAIL FROM:<a@p{number}-{count.value}.{domain}>\r\n".encode())
        for asker in askers:
            asker.hear()
        for asker in askers:
            asker.say(b"RSET\r\n")
        for asker in askers:
            asker.hear()


@contextlib.contextmanager
def flooded(port, addresses):
    is_over, counts = multiprocessing.Event(), [multiprocessing.Value("i") for _ in range(PROCESSES)]
    processes = [multiprocessing.Process(target=flood, args=(port, addresses, number, is_over, counts[number]), daemon=True)
                 for number in range(PROCESSES)]
    begin = time.monotonic()
    for process in processes:
        process.start()
    try:
        yield
    finally:
        is_over.set()
        for process in processes:
            process.join(30)
        note(f"{sum(count.value for count in counts) / (time.monotonic() - begin):.0f} MAIL/s that were taken back")


def code_for(server, address, sender):
    with client_from(server, address) as client:
        client.command("EHLO mail.example.com", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        client.raw(b"RCPT TO:<alice@isp.example>\r\n")
        return client.reply()[0]


def counters(server):
    return server.counters() | server.dns_counters()


def serve_through_flood(directory, addresses, checks="", wanted=None):
    """Floods; listed and honest clients must be served. Returns the counters, as soon as the wanted one is not 0 any more."""
    with stub(directory / "dns") as resolver, \
            dns_server(directory, [resolver.port], CHECKS + checks, off=("rhsbl",)) as server, flooded(server.proxy_port, addresses):
        time.sleep(SECONDS_BEFORE)
        listed, honest, slowest = [], [], 0
        for number in range(ROUNDS):
            begin = time.monotonic()
            listed.append(code_for(server, f"203.0.113.{number}", f"a@l{number}.honest.example.net"))
            slowest = max(slowest, time.monotonic() - begin)
        note(f"the slowest refusal took {slowest * 1000:.0f} ms")
        equal(set(listed), {554}, "replies to listed clients")
        for number in range(ROUNDS):
            honest.append(code_for(server, f"192.0.2.{number + 20}", f"a@h{number}.honest.example.net"))
        equal(set(honest), {250}, "replies to honest clients")
        if wanted:
            wait_for(wanted, lambda: counters(server)[wanted] > 0)
        return counters(server)


@case("two domains that never answer, asked for by MAIL and RSET: listed clients are refused, honest ones are served")
def taken_back(directory):
    serve_through_flood(directory, [f"198.51.{number}.{session}" for number in range(PROCESSES) for session in range(SESSIONS)])


FEW = ["198.51.100.1", "198.51.100.2", "198.51.101.1"]


@case("the same from three addresses without client_rate: they wait, and nobody else does")
def three_addresses(directory):
    found = serve_through_flood(directory, FEW, "client_rate { mode = off }\n", "commands_held")
    note(f"{found['commands_held']} commands waited, {found['pool_waiting']} questions wait for a place")
    equal(found["pool_overloaded"], 0, "questions without a place")


@case("the same where client_rate is enforced: transactions over the limit are put off")
def three_addresses_rated(directory):
    checks = "client_rate { mode = enforce  transactions = 200/1m  connections = off }\n"
    found = serve_through_flood(directory, FEW, checks, "client_rate.deferred")
    equal(found["pool_overloaded"], 0, "questions without a place")


if __name__ == "__main__":
    main()
