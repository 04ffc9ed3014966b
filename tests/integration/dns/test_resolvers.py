#!/usr/bin/env python3
"""Resolvers that fail, change, lie or dawdle, behind the real program: replies stay right, time and memory stay bounded."""

import contextlib
import os
import random
import resource
import socket
import struct
import threading
import time

from common.dns_peers import A, AAAA, MX, TXT, ScriptedDns, address, by_table, exchange, framed, text, wire_name
from common.dns_world import client_from, dns_server, envelope, expect_reply, options_with, verdicts
from common.harness import PATIENCE, SECONDS, Server, case, equal, free_port, main, note, wait_for

NO_SPF = ("dnsbl", "rhsbl", "spf")
GOOD, BAD = exchange("mx.example.com"), exchange("", 0)
# Patient enough for every attempt that the program makes for a question.
PATIENT = "dns_timeout = 30s\n"


def mail_world(query, is_tcp, send):
    """Every name has an MX record and an address, except below null.example.com."""
    data = {MX: (BAD,) if query.name.endswith("null.example.com") else (GOOD,), A: (address("192.0.2.25"),)}.get(query.type)
    octets = query.answer(*data) if data else query.negative(0)
    send(framed(octets) if is_tcp else octets)


def silence_of_all(query, is_tcp, send):
    del query, is_tcp, send


@contextlib.contextmanager
def silent_socket(port=0):
    """An address that swallows what comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", port))
        silent.setblocking(False)
        yield silent


def received(silent):
    count = 0
    with contextlib.suppress(BlockingIOError):
        while silent.recv(4096):
            count += 1
    return count


def in_parallel(*functions):
    """Runs them all; the first failure is raised."""
    failures = []

    def run(function):
        try:
            function()
        except BaseException as error:  # handed on below
            failures.append(error)
    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def reload(server, resolvers, checks, off=NO_SPF):
    text_now, _ = options_with(resolvers, checks, off)
    lines = [line for line in text_now.splitlines() if "proxy_listen" not in line]
    server.write_configuration(options="\n".join(lines) + f'\nproxy_listen = {{"127.0.0.1:{server.proxy_port}"}}\n')
    server.reload()


@case("several resolvers: the first silent, the second a dead port, the third answers; then only the first does")
def failover(directory):
    with ScriptedDns(silence_of_all) as first, ScriptedDns(mail_world) as third:
        with dns_server(directory, [first.port, free_port(), third.port], PATIENT, off=NO_SPF) as server:
            for number in range(40):
                expect_reply(server, 250, sender=f"a@d{number}.example.com")
                expect_reply(server, 550, "does not accept mail", sender=f"a@d{number}.null.example.com")
            lost = len(first.queries)
            note(f"{len(third.queries)} questions answered, {lost} asked of the silent resolver")
            # Three failures for each of two threads, then probes at growing intervals.
            assert 0 < lost <= 30 < len(third.queries), lost
            first.behaviour, third.behaviour = mail_world, silence_of_all
            for number in range(10):
                expect_reply(server, 250, sender=f"a@e{number}.example.com")
            assert len(first.queries) >= lost + 10, first.queries


@case("SIGHUP changes the resolvers, also for sessions that wait")
def changed(directory):
    refuses = by_table({})  # no name exists
    with ScriptedDns(refuses) as former, ScriptedDns(mail_world) as latter, silent_socket() as silent:
        with dns_server(directory, [former.port], PATIENT, off=NO_SPF) as server:
            expect_reply(server, 550, "cannot receive mail", sender="a@one.example.com")
            reload(server, [latter.port], PATIENT)
            asked = len(former.queries)
            expect_reply(server, 250, sender="a@two.example.com")
            expect_reply(server, 550, "cannot receive mail", sender="a@one.example.com")  # cached
            reload(server, [silent.getsockname()[1]], PATIENT)
            with client_from(server, "192.0.2.7") as client:
                client.command("EHLO mail.example.com", 250)
                client.command("MAIL FROM:<a@three.example.com>", 250)
                client.raw(b"RCPT TO:<alice@isp.example>\r\n")
                wait_for("a question to the silent resolver", lambda: received(silent))
                reload(server, [latter.port], PATIENT)
                client.expect(250, "RCPT while resolvers change")
            equal(len(former.queries), asked, "questions to the former resolver")


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def flood(server, round_number, count, code):
    """That many sessions at a time, each with a sender's domain of its own; returns the most descriptors seen."""
    clients, most = [], 0
    try:
        for number in range(count):
            client = client_from(server, "192.0.2.7", seconds=60 * PATIENCE)
            clients.append(client)
            client.command("EHLO mail.example.com", 250)
            client.command(f"MAIL FROM:<a@r{round_number}n{number}.example.com>", 250)
            client.raw(b"RCPT TO:<alice@isp.example>\r\n")
            if number % 20 == 0:
                most = max(most, descriptors(server))
        most = max(most, descriptors(server))
        for client in clients:
            client.expect(code, "RCPT")
    finally:
        for client in clients:
            client.close()
    return most


@case("all resolvers dead: mail is deferred, or passes, as configured; nothing grows; recovery at once; stale answers serve")
def all_dead(directory):
    sessions, table = 250, {("stale.example.com", MX): (GOOD,), ("mx.example.com", A): (address("192.0.2.25"),)}
    with ScriptedDns(by_table(table, ttl=1)) as resolver:
        port, dead = resolver.port, free_port()
        server = dns_server(directory, [port, dead], PATIENT, off=NO_SPF)
        # 2048 descriptors: 128 of them at most for each of two resolver threads.
        with server.start(limits=[(resource.RLIMIT_NOFILE, 2048)]):
            expect_reply(server, 250, sender="a@stale.example.com")
            resolver.behaviour = silence_of_all
            flood(server, 0, sessions, 451)
            memory = server.memory_kib("Rss")
            for number in range(1, 4):
                most = flood(server, number, sessions, 451)
                assert most <= sessions + 2 * (128 + 32) + 100, f"{most} descriptors"
            grown = server.memory_kib("Rss") - memory
            note(f"descriptors at most {most}, grown by {grown} KiB in 3 rounds")
            assert grown < 16384 * PATIENCE, f"grown by {grown} KiB"
            expect_reply(server, 250, sender="")  # what needs no DNS flows
            expect_reply(server, 250, sender="a@stale.example.com")
            reload(server, [port, dead], PATIENT + "sender_mx { on_failure = pass }\n", off=NO_SPF[:1] + NO_SPF[2:])
            expect_reply(server, 250, sender="a@passes.example.com")
            reload(server, [port, dead], PATIENT)
            resolver.behaviour = mail_world
            expect_reply(server, 250, sender="a@recovered.example.com")
            # Its failure is remembered for a second.
            wait_for("recovery for a domain that was asked before",
                     lambda: envelope(server, sender="a@r3n1.example.com")[0] == 250)


# ---- lies ---------------------------------------------------------------------------------------------------------

EVIL = {}


def evil(code):
    """A behaviour by its function's name, and the reply to a sender whose domain begins with that name."""
    def register(function):
        EVIL[function.__name__] = function, code
        return function
    return register


def changed_octets(octets, at, *values):
    return octets[:at] + bytes(values) + octets[at + len(values):]


@evil(451)
def garbage(dns, query):
    dns.reply(query.packet[:2] + bytes(range(2, 90)))


@evil(451)
def short(dns, query):
    dns.reply(query.packet[:5])


@evil(451)
def header(dns, query):
    dns.reply(query.answer(BAD)[:12])


@evil(451)
def wrongname(dns, query):
    dns.reply(changed_octets(query.answer(BAD), 13, ord("z")))


@evil(451)
def wrongtype(dns, query):
    dns.reply(query.answer(BAD).replace(query.question, query.question[:-4] + struct.pack("!HH", TXT, 1)))


@evil(451)
def wrongid(dns, query):
    dns.reply(bytes([query.packet[0] ^ 1]) + query.answer(BAD)[1:])


@evil(451)
def noqr(dns, query):
    dns.reply(query.answer(BAD, flags=0x0100))


@evil(451)
def noquestion(dns, query):
    answer = query.answer(BAD)
    dns.reply(changed_octets(answer[:12], 5, 0) + wire_name(query.name) + answer[12 + len(query.question) + 2:])


@evil(451)
def loops(dns, query):
    """A name that points to itself."""
    head = query.header(answers=1) + query.question
    dns.reply(head + struct.pack("!H", 0xC000 | len(head)) + struct.pack("!HHIH", MX, 1, 60, len(BAD)) + BAD)


@evil(451)
def dataloops(dns, query):
    head = query.header(answers=1) + query.question
    at = len(head) + 12 + 2
    dns.reply(head + b"\xc0\x0c" + struct.pack("!HHIH", MX, 1, 60, 4) + struct.pack("!HH", 0, 0xC000 | at))


@evil(451)
def forward(dns, query):
    dns.reply(query.header(answers=1) + query.question + b"\xff\xff" + struct.pack("!HHIH", MX, 1, 60, len(BAD)) + BAD)


@evil(451)
def counts(dns, query):
    dns.reply(changed_octets(query.answer(BAD), 6, 255, 255))


@evil(451)
def otherowner(dns, query):
    dns.reply(query.header(answers=1) + query.question + wire_name("x.example.com") + struct.pack("!HHIH", MX, 1, 60, len(BAD)) + BAD)


@evil(451)
def chain(dns, query):
    """CNAMEs without end, a new target each time."""
    name = wire_name(f"chain{random.randrange(1 << 30)}.example.com")
    dns.reply(query.header(answers=1) + query.question + b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, len(name)) + name)


@evil(451)
def otherport(dns, query):
    dns.server.other.sendto(query.answer(BAD), dns.server.peer)


@evil(250)
def spoof(dns, query):
    """A stranger is faster than the resolver."""
    dns.server.other.sendto(query.answer(BAD), dns.server.peer)
    dns.reply(query.answer(GOOD))


@evil(451)
def referral(dns, query):
    """What a server that does not ask for us says; it is no proof that there is no such record."""
    servers = wire_name("ns.example.com")
    dns.reply(query.header(authority=1) + query.question + wire_name("example.com")
              + struct.pack("!HHIH", 2, 1, 60, len(servers)) + servers)


@evil(250)
def letters(dns, query):
    dns.reply(query.answer(GOOD).replace(b"example", b"eXAMPle"))


@evil(451)
def silence(dns, query):
    del dns, query


@evil(451)
def servfail(dns, query):
    dns.reply(query.failure(2))


@evil(451)
def refused(dns, query):
    dns.reply(query.failure(5))


@evil(250)
def tcgood(dns, query):
    dns.by_tcp(query, framed(query.answer(GOOD)))


@evil(451)
def tcclose(dns, query):
    dns.by_tcp(query, b"")


@evil(451)
def tcmid(dns, query):
    dns.by_tcp(query, framed(query.answer(BAD))[:20])


@evil(451)
def tcprefix(dns, query):
    dns.by_tcp(query, b"\x01")


@evil(451)
def tczero(dns, query):
    dns.by_tcp(query, b"\0\0")


@evil(451)
def tcgarbage(dns, query):
    dns.by_tcp(query, framed(query.packet[:2] + bytes(200)))


@evil(451)
def tcagain(dns, query):
    dns.by_tcp(query, framed(query.header(flags=0x8380) + query.question))


@evil(451)  # more than is kept of an answer; a part of it is not taken for the whole
def tclong(dns, query):
    dns.by_tcp(query, framed(query.answer(*[GOOD] * 1500)))


def past_the_end(query, pad):
    """An answer of much text, whose last owner is a label that leads out of it."""
    records = [b"\xc0\x0c" + struct.pack("!HHIH", TXT, 1, 60, 251) + b"\xfa" + b"x" * 250 for _ in range(pad)]
    head = query.header(answers=len(records) + 1) + query.question + b"".join(records)
    return head + struct.pack("!HHHIH", 0xC000 | len(head) + 12, MX, 1, 60, 11) + b"\x3f" + b"y" * 10


@evil(451)
def pastend(dns, query):
    dns.reply(past_the_end(query, 4))


@evil(451)
def tcpastend(dns, query):
    dns.by_tcp(query, framed(past_the_end(query, 20)))


class EvilDns:
    """MX questions are answered as the first label says; all else is honest."""

    def __init__(self, seed=1):
        self.dice = random.Random(seed)
        self.server = ScriptedDns(self.behave)

    def behave(self, query, is_tcp, send):
        self.is_tcp, self.reply = is_tcp, send
        label = query.name.split(".")[0].rstrip("0123456789")
        if query.type != MX or label not in EVIL and label != "mutate":
            mail_world(query, is_tcp, send)
        elif label == "mutate":
            send(self.mutated(query.answer(*[GOOD] * self.dice.randint(1, 4))))
        else:
            EVIL[label][0](self, query)

    def by_tcp(self, query, octets):
        self.reply(octets if self.is_tcp else query.header(flags=0x8380) + query.question)

    def mutated(self, octets):
        changed = bytearray(octets)
        for _ in range(self.dice.randint(1, 5)):
            changed[self.dice.randrange(2, len(changed))] ^= 1 << self.dice.randrange(8)
        return bytes(changed[:self.dice.randint(13, len(changed))] if self.dice.random() < 0.1 else changed)


@case("a resolver that lies: no lie is believed, and honest answers are taken between them")
def lies(directory):
    dns = EvilDns()
    with dns.server, dns_server(directory, [dns.server.port], PATIENT, off=NO_SPF) as server:
        def one(name, code):
            expect_reply(server, code, sender=f"a@{name}.example.com")
            expect_reply(server, 250, sender=f"a@after-{name}.example.com")

        def by_tcp():
            # One after the other: questions share a stream, and the lies end it.
            for name, (_, code) in EVIL.items():
                if name.startswith("tc"):
                    one(name, code)
        in_parallel(by_tcp, *(lambda name=name, code=code: one(name, code)
                              for name, (_, code) in EVIL.items() if not name.startswith("tc")))
        found = [verdict for session in server.sessions() for transaction in session["transactions"]
                 for verdict in transaction.get("verdicts", []) if verdict["check"] != "sender_mx"]
        equal(found, [], "verdicts of other checks")


@case("a resolver whose answers are mangled at random: the program lives, and answers honest ones right")
def mangled(directory):
    dns = EvilDns(seed=7)
    codes = {}
    with dns.server, dns_server(directory, [dns.server.port], "dns_timeout = 1s\n", off=NO_SPF) as server:
        def some(first):
            for number in range(first, 400, 20):
                code = envelope(server, sender=f"a@mutate{number}.example.com")[0]
                codes[code] = codes.get(code, 0) + 1
        in_parallel(*(lambda first=first: some(first) for first in range(20)))
        note(f"codes {codes}")
        assert set(codes) <= {250, 451, 550} and codes[250] > 0, codes
        reload(server, [dns.server.port], PATIENT)
        for number in range(20):
            expect_reply(server, 250, sender=f"a@honest{number}.example.com")


# ---- a slow authority ---------------------------------------------------------------------------------------------

@case("a slow authority: SPF gives up at the deadline, and only that sender waits")
def slow(directory):
    late = []

    def send_late(send, octets):
        with contextlib.suppress(OSError):  # the test may be over
            send(octets)

    def behave(query, is_tcp, send):
        if query.name.endswith("slow.example.com"):
            number = int(query.name[1:].split(".")[0]) if query.name[0] == "s" and query.name[1].isdigit() else 0
            late.append(query.name)
            octets = query.answer(text(f"v=spf1 include:s{number + 1}.slow.example.com -all"))
            timer = threading.Timer(1.2, send_late, (send, octets))
            timer.daemon = True
            timer.start()
        elif query.type == TXT:
            send(query.answer(text("v=spf1 ip4:192.0.2.7 -all")))
        else:
            mail_world(query, is_tcp, send)
    with ScriptedDns(behave) as dns, dns_server(directory, [dns.port], "dns_timeout = 6s\n", off=("dnsbl", "rhsbl", "sender_mx")) as server:
        waiting = []
        for number in range(20):
            client = client_from(server, "192.0.2.7")
            waiting.append(client)
            client.command("EHLO mail.example.com", 250)
            client.command("MAIL FROM:<a@slow.example.com>", 250)
            client.raw(b"RCPT TO:<alice@isp.example>\r\n")
        began = time.monotonic()
        wait_for("the first question", lambda: late)
        for number in range(20):
            expect_reply(server, 250, sender=f"a@quick{number}.example.com")
        for client in waiting:
            client.expect(451, "RCPT")
            client.close()
        took = time.monotonic() - began
        note(f"slow senders were answered after {took:.1f} s, {len(late)} slow questions")
        # All ten includes would take 13 s.
        assert took < 11 * PATIENCE and len(set(late)) < 10, (took, late)


@case("more slow questions than the pool may have in flight: each gets one attempt while others wait")
def scarce(directory):
    def behave(query, is_tcp, send):
        if not query.name.endswith("slow.com"):
            mail_world(query, is_tcp, send)
    flooding = 400
    with ScriptedDns(behave) as dns:
        attempt = 1.5 * PATIENCE
        times = f"dns_attempt_timeout = {round(1000 * attempt)}ms\ndns_question_timeout = {5 * PATIENCE}s\n"
        server = dns_server(directory, [dns.port], PATIENT + times, off=NO_SPF)
        # 128 at most for each of two threads.
        with server.start(limits=[(resource.RLIMIT_NOFILE, 2048)]), contextlib.ExitStack() as stack:
            began = time.monotonic()
            for number in range(flooding):
                client = stack.enter_context(client_from(server, "192.0.2.7"))
                client.command("EHLO mail.example.com", 250)
                # Of many domains: one alone has a share of the places only.
                client.command(f"MAIL FROM:<a@n{number}.d{number % 20}-slow.com>", 250)
                client.raw(b"RCPT TO:<alice@isp.example>\r\n")
            wait_for("as many slow questions as may be", lambda: len(dns.queries) >= 200)
            in_parallel(*(lambda number=number: expect_reply(server, 250, sender=f"a@other{number}.example.com")
                          for number in range(10)))
            # Where all that took long, they are asked again by right.
            by_right = flooding * (1 + int((time.monotonic() - began) / attempt))
            slow_ones = sum(name.endswith("slow.com") for name, _ in dns.queries)
            note(f"{slow_ones} slow questions before the others were answered")
            assert slow_ones <= by_right + flooding // 4, (slow_ones, by_right)


if __name__ == "__main__":
    main()
