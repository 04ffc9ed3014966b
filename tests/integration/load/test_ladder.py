#!/usr/bin/env python3
"""The ladder of load with the real binary: each rung that connections lead to and the way back, with log and counters; clients that
are known to be listed; a worker that does not turn."""
# alone: load decides

import re
import shutil
import subprocess
import threading
import time

from common.dns_peers import A, ScriptedDns, address, framed
from common.harness import HELO, PATIENCE, SANITIZE, Server, Skip, case, equal, free_port, main, note, run_program, wait_for
from common.messages import HEADER
from common.tls import tls_options
from common.web import wait_for_status

MAX = 100
KNOWN = "127.0.0.200"
OFF = "".join(f"{check} {{ mode = off }}\n" for check in ("rhsbl", "sender_mx", "spf"))
ORDER = ["ease", "hurry", "terse", "turn", "cached", "known", "full"]
# Far above what this test greets in turn.
LADDER = f'connections_max = {MAX}\ntrusted_networks = {{"{KNOWN}"}}\nturn_rate = 100000\nsession_timeout = 1h\nidle_timeout = 5m\n'


class Crowd:
    """Connections that say nothing; trusted, so that they get in on every rung."""

    def __init__(self, server):
        self.server, self.clients = server, []

    def grow_to(self, count, banner=220):
        while len(self.clients) < count:
            self.clients.append(self.server.client(source=KNOWN, banner=banner))

    def shrink_to(self, count):
        while len(self.clients) > count:
            self.clients.pop().close()


def rungs(server):
    return [line["rung"] for line in server.events("load")]


def wait_for_rung(server, rung):
    wait_for(f"the rung {rung}", lambda: rungs(server)[-1:] == [rung], 30 * PATIENCE)


def banner(server, **options):
    """The code of the first line, and its text."""
    with server.client(banner=None, **options) as client:
        return client.reply()


@case("connections lead from rung to rung, and back again one at a time; the log has the figures, the counters the rung")
def connections(directory):
    with Server(directory, LADDER + "stress_timeout = 10m\n") as server:
        crowd = Crowd(server)
        for rung, count in (("hurry", 80), ("terse", 85), ("turn", 88), ("cached", 92), ("known", 96)):
            crowd.grow_to(count - 1)
            crowd.grow_to(count)
            wait_for_rung(server, rung)
            equal(server.counters()["load_rung"], ORDER.index(rung), "load_rung")
        code, text = banner(server)
        equal(code, 421, text)
        assert "serves those first whom it knows" in text, text
        equal(banner(server, source=KNOWN)[0], 220, "a known client")
        # Whoever has left may be in its place for a moment still: so nobody waits for the last banners.
        crowd.grow_to(MAX, banner=None)
        wait_for_rung(server, "full")
        with server.client(banner=None, source=KNOWN) as waiting:
            crowd.shrink_to(94)
            waiting.expect(220)
        wait_for_rung(server, "known")
        crowd.shrink_to(10)
        wait_for_rung(server, "ease")
        found = rungs(server)
        steps = [ORDER.index(rung) for rung in found]
        equal(steps[:6], [1, 2, 3, 4, 5, 6], "the way up")
        equal(steps[6:], [5, 4, 3, 2, 1, 0], "the way back")
        first, last = server.events("load")[0], server.events("load")[-1]
        equal((first["before"], first["cause"], last["before"], last["cause"]), ("ease", "connections", "hurry", "calm"), "causes")
        assert 80 <= first["connections"] <= 84 and last["connections"] < 75, (first, last)
        assert {"memory", "questions", "deliveries", "handshakes", "turns"} < set(first), first
        with server.client() as client:
            client.deliver(HEADER)
        told = server.counters()
        equal((told["load_rung"], told["load_changes"], told["clients_unserved"]), (0, len(found), 1), "counters")


def strangers(server, count):
    """They come at once, from as many addresses. Gives those that were greeted, and how many got 421."""
    clients = [server.client(source=f"127.1.{number // 250}.{number % 250 + 1}", banner=None) for number in range(count)]
    codes = [client.reply()[0] for client in clients]
    equal(set(codes), {220, 421}, "codes")
    return [client for client, code in zip(clients, codes) if code == 220], codes.count(421)


def acceptances(directory, options):
    """A server with acceptor threads, and one whose only worker accepts for itself."""
    for name, more in (("acceptors", ""), ("self", "acceptors = 0\nworkers = 1\n")):
        (directory / name).mkdir()
        with Server(directory / name, options + more) as server:
            yield server


@case("a flood of unknown clients takes no place of known ones: these get in at once, and more of it get 421 at once")
def places_for_known(directory):
    # Nobody's time is over while this lasts, and no pressure but connections leads anywhere.
    for server in acceptances(directory, LADDER + "stress_timeout = 30m\n"):
        idle, refused = strangers(server, 3 * MAX)
        equal((len(idle), refused), (96, 3 * MAX - 96), "strangers held, and refused")
        began = time.monotonic()
        known = [server.client(source=KNOWN) for _ in range(MAX - 96)]
        note(f"{len(known)} known clients are greeted after {1000 * (time.monotonic() - began):.0f} ms, all strangers still there")
        for client in known:
            client.deliver(HEADER)
        with server.client(source=KNOWN, banner=None) as waiting:
            wait_for_rung(server, "full")
            for client in known[1:]:
                client.command("QUIT", 221)
                client.close()
            waiting.expect(220)
            waiting.deliver(HEADER)
        equal(banner(server)[0], 421, "one more stranger")
        for client in idle:
            client.command("NOOP", 250)
        equal(server.counters()["sessions_timed_out"], 0, "sessions_timed_out")


@case("handshakes under way lead to the rung turn, those that are left hanging too, and back when they have ended")
def handshakes(directory):
    with Server(directory, LADDER + tls_options(directory, "handshakes_max = 10")) as server:
        hanging = [server.client(source=f"127.1.0.{number + 1}") for number in range(9)]
        for client in hanging:
            client.command(f"EHLO {HELO}", 250)
            client.command("STARTTLS", 220)
        wait_for_rung(server, "turn")
        line = server.events("load")[-1]
        equal((line["cause"], line["handshakes"]), ("handshakes", 90), "the line of the log")
        for client in hanging:
            client.close()
        wait_for_rung(server, "ease")


@case("unknown clients are deferred where DNS would have to be asked, known ones are not; on the way back both are served")
def cached(directory):
    with ScriptedDns(lambda query, is_tcp, send: send(framed(query.negative()) if is_tcp else query.negative())) as dns:
        options = LADDER + f'stress_timeout = 1m\nresolvers = {{"127.0.0.1:{dns.port}"}}\n{OFF}'
        with Server(directory, options) as server:
            crowd = Crowd(server)
            crowd.grow_to(93)
            wait_for_rung(server, "cached")
            asked = len(dns.queries)
            # Not from 127.0.0.1: that one has been asked about when somebody looked whether the server listens.
            with server.client(source="127.0.0.77") as unknown:
                unknown.command(f"EHLO {HELO}", 250)
                unknown.command("MAIL FROM:<a@example.com>", 250)
                text = unknown.command("RCPT TO:<alice@isp.example>", 451)
                assert "too busy to look this mail up" in text, text
                equal(len(dns.queries), asked, "questions")
                crowd.shrink_to(1)
                wait_for_rung(server, "ease")
                unknown.command("RCPT TO:<alice@isp.example>", 250)
            assert len(dns.queries) > asked
            equal(server.counters()["mails_unserved"], 1, "mails_unserved")


@case("greeting in turn: the known client at once, unknown ones so many in a second")
def turns(directory):
    with Server(directory, LADDER.replace("100000", "1") + "workers = 1\nstress_timeout = 30s\n") as server:
        crowd = Crowd(server)
        crowd.grow_to(88)
        wait_for_rung(server, "turn")
        unknown = [server.client(banner=None) for _ in range(3)]
        equal(banner(server, source=KNOWN)[0], 220, "a known client")
        for client in unknown:
            client.expect(220)
            client.close()
        assert server.counters()["clients_in_turn"] >= 3


def listing(query, is_tcp, send):
    is_listed = query.name.rstrip(".") == "66.0.0.127.list.example" and query.type == A
    octets = query.answer(address("127.0.0.2"), ttl=300) if is_listed else query.negative(ttl=300)
    send(framed(octets) if is_tcp else octets)


def listed_server(directory, dns, more):
    zone = 'dnsbl { zone "list.example" { self_test = no } }\n'
    options = f'{LADDER}{more}stress_timeout = 1m\nresolvers = {{"127.0.0.1:{dns.port}"}}\n'
    return Server(directory, f'{options}{OFF}{zone}policy_url = "https://isp.example/p"\n')


def expect_refusal_at_rcpt(server):
    with server.client(source="127.0.0.66") as client:
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<a@example.com>", 250)
        client.command("RCPT TO:<alice@isp.example>", 554)
        client.command("QUIT", 221)


def expect_explained(server, code, text):
    """What stands in the reply is found in the log, and told in sentences."""
    assert "client [127.0.0.66] is listed by list.example; see https://isp.example/p [" in text, text
    number = re.search(r"\[(\w+)\]$", text)[1]
    wait_for("the log line", lambda: any(line.get("reject_id") == number for line in server.events("client_refused")))
    line = next(line for line in server.events("client_refused") if line.get("reject_id") == number)
    equal((line["client"], line["check"], line["code"]), ("127.0.0.66", "dnsbl", code), "the log line")
    assert line["evidence"].startswith("list.example 127.0.0.2"), line
    told = run_program("explain", "-c", str(server.directory / "gatepost.conf"), f"{code} {text}")
    equal(told.returncode, 0, told.stderr)
    for words in ("the client [127.0.0.66]", f"({code})", "on a DNS blocklist", "list.example 127.0.0.2", "What the sender can do: "):
        assert words in told.stdout, (words, told.stdout)


@case("a client that the cache knows to be listed is told so at accept: by 421 under load, by 554 where that is wanted")
def listed(directory):
    for name, more in (("acceptors", ""), ("self", "acceptors = 0\n")):
        (directory / name).mkdir()
        with ScriptedDns(listing) as dns, listed_server(directory / name, dns, more) as server:
            expect_refusal_at_rcpt(server)
            # Without load recipients are in the log, every time.
            expect_refusal_at_rcpt(server)
            crowd = Crowd(server)
            crowd.grow_to(89)
            wait_for_rung(server, "turn")
            code, text = banner(server, source="127.0.0.66")
            equal(code, 421, text)
            expect_explained(server, "421 4.7.1", text)
            crowd.shrink_to(0)
            wait_for_rung(server, "ease")
            expect_refusal_at_rcpt(server)
            server.write_configuration(options=server.options + "refuse_listed_at = accept\n")
            server.reload()
            code, text = banner(server, source="127.0.0.66")
            equal(code, 554, text)
            expect_explained(server, "554 5.7.1", text)
            equal(server.counters()["clients_listed"], 2, "clients_listed")
            with server.client() as client:
                client.deliver(HEADER)


SLOW_CALL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* A call of the C library that does not come back for a while, when a client has said so. Two seconds are a stall; what the whole
 * machine stands still meanwhile does not count, and who looks at the server's health has the rest. */
ssize_t recv(int fd, void *buffer, size_t length, int flags)
{
        ssize_t (*real)(int, void *, size_t, int) = (ssize_t (*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
        ssize_t received = real(fd, buffer, length, flags);

        if (received > 0 && memmem(buffer, (size_t)received, "stall-for-eight-seconds", 23) != NULL)
                sleep(8);
        return received;
}

/* The same before a reply that only an answer of DNS, or a delivery report, leads to. */
ssize_t send(int fd, const void *buffer, size_t length, int flags)
{
        ssize_t (*real)(int, const void *, size_t, int) = (ssize_t (*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");

        if (memmem(buffer, length, "@stalls.example", 15) != NULL || memmem(buffer, length, "accepted as", 11) != NULL)
                sleep(8);
        return real(fd, buffer, length, flags);
}
"""


def slow_server(directory, options):
    compiler = shutil.which("cc")
    if compiler is None or SANITIZE:
        raise Skip("needs cc, and a library that is loaded before the sanitizer's")
    source, library = directory / "slow.c", directory / "slow.so"
    source.write_text(SLOW_CALL)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return Server(directory, "workers = 1\n" + options).start(prefix=("env", f"LD_PRELOAD={library}"))


@case("a worker that does not turn for two seconds is told of, with the session that it is at, and again when it turns")
def watchdog(directory):
    web = free_port()
    with slow_server(directory, f'http {{ listen = "127.0.0.1:{web}" }}') as server:
        with server.client(source="127.0.0.9") as slow, server.client(source="127.0.0.10") as other:
            port = slow.socket.getsockname()[1]
            slow.raw(b"NOOP stall-for-eight-seconds\r\n")
            wait_for("the stall in the log", lambda: server.events("worker_stalled"), 30)
            line = server.events("worker_stalled")[0]
            equal((line["worker"], line["client"], line["port"], line["state"]), (0, "127.0.0.9", port, "COMMAND"), "the stall")
            equal(wait_for_status(web, "/health", 503).json()["faults"], ["does not turn: worker 0"], "health")
            wait_for("its end in the log", lambda: server.events("worker_turns"), 30)
            line = server.events("worker_turns")[0]
            assert line["worker"] == 0 and line["ms"] >= 2000, line
            slow.expect(250)
            other.command("NOOP", 250)
        equal(server.counters()["workers_stalled"], 1, "workers_stalled")
        equal(len(server.events("worker_stalled")), 1, "stalls told")


def late_refusal(query, is_tcp, send):
    # So that the session waits, and goes on by the answer.
    threading.Timer(0.3, lambda: send(framed(query.negative()) if is_tcp else query.negative())).start()


@case("the session is named too when the worker is at it because of an answer of DNS, or of a delivery report")
def watchdog_at_answers(directory):
    with ScriptedDns(late_refusal) as dns, slow_server(directory, f'resolvers = {{"127.0.0.1:{dns.port}"}}\n') as server:
        with server.client(source="127.0.0.9") as slow, server.client(source="127.0.0.10") as other:
            slow.command(f"EHLO {HELO}", 250)
            slow.command("MAIL FROM:<a@stalls.example>", 250)
            text = slow.command("RCPT TO:<alice@isp.example>", 550)
            assert "@stalls.example" in text, text
            wait_for("the first stall in the log", lambda: len(server.events("worker_stalled")) == 1, 30)
            text = other.deliver(HEADER, sender="")
            wait_for("the second stall in the log", lambda: len(server.events("worker_stalled")) == 2, 30)
            answer, report = server.events("worker_stalled")
            equal((answer["client"], answer["id"]), ("127.0.0.9", ""), "the stall at an answer")
            equal(report["client"], "127.0.0.10", "the stall at a report")
            assert report["id"] and report["id"] in text, (report, text)


if __name__ == "__main__":
    main()
