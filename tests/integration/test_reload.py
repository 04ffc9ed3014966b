#!/usr/bin/env python3
"""SIGHUP under load: nobody is lost, a wrong configuration changes nothing, listeners come and go, a million recipients."""
# alone: a million recipients are read while others wait

import asyncio
import random
import re
import signal
import socket
import threading
import time

from common.harness import (HELO, PATIENCE, ROOT, SECONDS, Client, Server, case, equal, free_port, is_listening, main, note, wait_for,
                     without_trace)
from common.messages import HEADER

SESSIONS = 500
MESSAGES_EACH = 3
RELOADS = 20


def reload(server):
    """SIGHUP, and waits for its event."""
    return server.ask(signal.SIGHUP, "reload", "reload_failed")


class SlowClient:
    """A session in asyncio that takes its time between commands."""

    def __init__(self, server, dice, answered):
        self.server, self.dice, self.answered = server, dice, answered

    async def command(self, octets, code):
        self.writer.write(octets)
        line = await asyncio.wait_for(self.reader.readuntil(b"\n"), 3 * SECONDS)
        while line[3:4] == b"-":
            line = await self.reader.readuntil(b"\n")
        assert line.startswith(b"%d" % code), f"{octets[:80]!r}: {line!r}"
        await asyncio.sleep(self.dice.uniform(0, 0.6))
        return line.decode()

    async def deliver(self, user, text):
        await self.command(b"MAIL FROM:<me@example.com>\r\n", 250)
        await self.command(b"RCPT TO:<%s@isp.example>\r\n" % user.encode(), 250)
        await self.command(b"DATA\r\n", 354)
        said = await self.command(text + b".\r\n", 250)
        self.answered[re.search(r"accepted as (\S+)", said)[1]] = user, text

    async def run(self, number):
        await asyncio.sleep(self.dice.uniform(0, 2))
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        await self.command(b"", 220)
        await self.command(f"EHLO {HELO}\r\n".encode(), 250)
        for count in range(MESSAGES_EACH):
            await self.deliver(f"user{number % 50}", HEADER + b"client %d message %d\r\n" % (number, count))
        await self.command(b"QUIT\r\n", 221)
        self.writer.close()


async def change_things(server):
    """Recipients, a wrong configuration, a listener more, a listener less, in turn."""
    loop = asyncio.get_running_loop()
    users = [f"user{n}" for n in range(50)]
    for number in range(RELOADS):
        extra = free_port()
        if number % 4 == 0:
            server.write_recipients([*users, f"extra{number}"])
            server.write_configuration()
        elif number % 4 == 1:
            server.write_configuration(options="idle_timeout = never")
        elif number % 4 == 2:
            server.write_configuration(listen=[*server.listen, f"127.0.0.1:{extra}"])
        else:
            server.write_configuration()
        event = await loop.run_in_executor(None, reload, server)
        equal(event["event"], "reload_failed" if number % 4 == 1 else "reload", str(event))
        if number % 4 == 2:
            await loop.run_in_executor(None, wait_for, "the new listener", lambda port=extra: is_listening(port))
            await loop.run_in_executor(None, deliver_by, extra, f"extra{number - 2}")
            last_extra = extra
        elif number % 4 == 3:
            await loop.run_in_executor(None, wait_for, "the listener's end", lambda: not is_listening(last_extra))
        await asyncio.sleep(0.1)


def deliver_by(port, user):
    with Client(port) as client:
        client.deliver(HEADER, recipients=[f"{user}@isp.example"])


@case(f"{SESSIONS} sessions at a time and {RELOADS} SIGHUPs: none is lost, every 250 has its file")
def under_load(directory):
    answered = {}

    async def everybody(server):
        dice = random.Random(2)
        clients = [SlowClient(server, dice, answered).run(number) for number in range(SESSIONS)]
        await asyncio.gather(change_things(server), *clients)

    with Server(directory, recipients=[f"user{n}" for n in range(50)]) as server:
        asyncio.run(everybody(server))
        equal(len(answered), SESSIONS * MESSAGES_EACH, "answers 250")
        stored = {}
        for user in {user for user, _ in answered.values()}:
            for mail in server.mails(user):
                stored[re.search(rb"\sid (\S+)", mail)[1].decode()] = user, without_trace(mail)
        equal(stored, answered, "stored")


@case("a wrong configuration leaves the running one in force and is reported with its line")
def wrong(directory):
    with Server(directory) as server:
        server.write_recipients(["carol"])
        server.write_configuration(options="\n\nidle_timeout = never")
        event = reload(server)
        equal(event["event"], "reload_failed", str(event))
        line = (directory / "gatepost.conf").read_text().splitlines().index("idle_timeout = never") + 1  # sanitizers need one more
        assert f"gatepost.conf:{line}: " in str(event) + server.stderr(), event
        with server.client() as client:
            client.deliver(HEADER)
            client.command("MAIL FROM:<>", 250)
            client.command("RCPT TO:<carol@isp.example>", 550)
            client.command("QUIT", 221)
        server.write_configuration(options="recipients_shrink_max = 100")
        equal(reload(server)["event"], "reload", "event")
        with server.client() as client:
            client.deliver(HEADER, recipients=["carol@isp.example"])


@case("what cannot be opened is the reason in the event too, whatever the configuration is warned of besides")
def reason_of_openings(directory):
    networks = ", ".join(f'"{number}.0.0.0/7"' for number in range(0, 80, 2))
    many_warnings = f"greylist {{ exceptions = {{{networks}}} }}"
    with Server(directory) as server, socket.create_server(("127.0.0.1", 0)) as taken:
        path = directory / "gatepost.conf"
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server.write_configuration(options=many_warnings, listen=[*server.listen, address])
        event = reload(server)
        equal(event["event"], "reload_failed", str(event))
        equal(event["complaints"], f"{path}: error: cannot listen on {address}: Address already in use\n", "complaints")
        assert event["complaints"] in server.stderr(), server.stderr()
        server.write_configuration(options="idle_timeout = 1m")
        path.write_text(path.read_text().replace('log = "log"', 'log = "nowhere/log"'))
        event = reload(server)
        equal(event["event"], "reload_failed", str(event))
        equal(event["complaints"], f"{path}: error: cannot open log {directory}/nowhere/log: No such file or directory\n", "complaints")
        assert event["complaints"] in server.stderr(), server.stderr()


def refused(server, expected):
    """A reload that changes nothing, for the expected reason."""
    event = reload(server)
    equal(event["event"], "reload_failed", str(event))
    assert expected in event["complaints"] and expected in server.stderr(), f"{event} {server.stderr()}"
    with server.client() as client:
        client.deliver(HEADER, recipients=["user0@isp.example", "user19@isp.example"])


@case("an emptied, cut or other recipients file is refused, and the option that allows it named")
def losses(directory):
    users = [f"user{n}" for n in range(20)]
    path = directory / "recipients.txt"
    with Server(directory, recipients=users) as server:
        path.write_text("")
        refused(server, "allow_no_recipients")
        path.write_text("".join(f"{user}\n" for user in users[:17]))
        refused(server, "recipients_shrink_max")
        path.write_text("".join(f"{user}\n" for user in users[:19]) + "user1")
        refused(server, "recipients_shrink_max")
        path.write_text("".join(f"other{n}\n" for n in range(30)))
        refused(server, "recipients_shrink_max")
        server.write_recipients(users[:18] + ["carol"])
        equal(reload(server)["event"], "reload", "two of twenty")
        server.write_recipients(["carol"])
        server.write_configuration(options="recipients_shrink_max = 95")
        equal(reload(server)["event"], "reload", "allowed")
        with server.client() as client:
            client.deliver(HEADER, recipients=["carol@isp.example"])


@case("a reload loses no domain, unless domains_shrink_max lets it")
def domain_lost(directory):
    other = 'domain "other.example" { recipients = "recipients.txt"  deliver = "discard:" }\n'
    users = [f"user{n}" for n in range(20)]
    with Server(directory, other, recipients=users) as server:
        (directory / "gatepost.conf").write_text("")
        refused(server, "allow_no_domains")
        server.write_configuration(options="")
        refused(server, "domains_shrink_max")
        server.write_configuration(options="domains_shrink_max = 50")
        equal(reload(server)["event"], "reload", "allowed")


@case("an open session keeps its configuration, the next has the new one")
def pinned(directory):
    with Server(directory, "recipients_shrink_max = 100") as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        server.write_recipients(["carol"])
        reload(server)
        client.deliver(HEADER, helo=None)
        with server.client() as later:
            later.command(f"EHLO {HELO}", 250)
            later.command("MAIL FROM:<>", 250)
            later.command("RCPT TO:<alice@isp.example>", 550)


@case("a session on a listener that goes away lives on")
def listener_goes(directory):
    with Server(directory) as server:
        port = free_port()
        server.write_configuration(listen=[*server.listen, f"127.0.0.1:{port}"])
        reload(server)
        with Client(port) as client:
            server.write_configuration()
            reload(server)
            wait_for("the listener's end", lambda: not is_listening(port))
            client.deliver(HEADER)
        equal(len(server.mails()), 1, "mails")


def rotated(server, number, event):
    """The lines that the log has after a rotation and a signal, which leads to the event, with those of a session that came later."""
    path = server.directory / "log"
    path.rename(server.directory / f"log.{time.monotonic_ns()}")
    server.signal(number)
    wait_for(f"{event} in a new log", lambda: server.events(event))  # a file that is there need not be written to yet
    before = len(server.sessions())
    with server.client() as client:
        client.command("QUIT", 221)
    wait_for("the session's line", lambda: len(server.sessions()) > before)
    return [line["event"] for line in server.log()]


@case("SIGUSR1 and SIGHUP open the log anew, SIGHUP when the configuration is broken too")
def log_opened(directory):
    with Server(directory) as server:
        assert "reload" not in rotated(server, signal.SIGUSR1, "log_opened")
        rotated(server, signal.SIGHUP, "reload")
        server.write_configuration(options="idle_timeout = never")
        rotated(server, signal.SIGHUP, "reload_failed")
        rotated(server, signal.SIGUSR1, "log_opened")
        (directory / "log").rename(directory / "log.last")
        (directory / "log").mkdir()
        server.signal(signal.SIGUSR1)
        wait_for("a complaint", lambda: "cannot open log" in server.stderr())
        with server.client() as client:
            client.deliver(HEADER)
        wait_for("its line in the open file", lambda: '"end":"lost"' in (directory / "log.last").read_text())
        (directory / "log").rmdir()


@case("SIGUSR2 writes every counter, log_interval (and its old name) each time, and so does the end")
def all_counters(directory):
    metrics = re.findall(r"^METRIC\((\w+),", (ROOT / "core/smtp/metrics.def").read_text(), re.M)
    checks = re.findall(r"^(?:RULE|SESSION_CHECK|CHECK)\((\w+),", (ROOT / "core/check/checks.def").read_text(), re.M)
    names = {*metrics, *(f"{check}.{kind}" for check in checks for kind in ("refused", "deferred", "observed")),
             "zone.zen.spamhaus.org.asked", "zone.zen.spamhaus.org.listed"}
    with Server(directory) as server:
        with server.client() as client:
            client.deliver(HEADER)
            client.command("MAIL FROM:<>", 250)
            client.command("RCPT TO:<nobody@isp.example>", 550)
            client.command("QUIT", 221)
        event = server.counters()
        equal(names - set(event), set(), "missing counters")
        equal(set(event) - names, {"time", "event"}, "unknown counters")
        equal([event[name] for name in ("sessions", "messages_accepted", "recipients_refused", "recipient.refused")], [1, 1, 1, 1], "counts")
        wait_for("the other counters", lambda: "dns" in [line["event"] for line in server.log()])
        for option in ("log_interval", "dns_log_interval"):
            server.write_configuration(options=f"{option} = 100ms")
            reload(server)
            before = len(server.events("counters"))
            wait_for(f"counters by {option}", lambda number=before: len(server.events("counters")) >= number + 2)
        server.write_configuration(options="log_interval = 0s")
        reload(server)

        def told_by_reload():
            """Each reload writes them too, behind its own line."""
            names = [line["event"] for line in server.log()]
            return "counters" in names[len(names) - names[::-1].index("reload"):]
        wait_for("the counters of the reload", told_by_reload)
        before = len(server.events("counters"))
    equal(len(server.events("counters")), before + 1, "lines with that of the end")


@case("no signal ends the server by accident")
def stray_signals(directory):
    strays = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR, signal.SIGPIPE,
              signal.SIGXFSZ, signal.SIGWINCH, signal.SIGCHLD, signal.SIGURG, signal.SIGRTMIN, signal.SIGRTMAX, 16]
    with Server(directory) as server:
        for number in strays:
            server.signal(number)
            time.sleep(0.02)
            equal(server.process.poll(), None, f"status after signal {number}")
        with server.client() as client:
            client.deliver(HEADER)


class StandStill:
    """A thread that sees for how long the machine, or this process, stood still while the block ran: `longest`, in seconds."""

    def __init__(self):
        self.longest, self.goes_on = 0, True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.goes_on:
            began = time.monotonic()
            time.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - began)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *ignored):
        self.goes_on = False
        self.thread.join()


@case("a million recipients load and reload while sessions run")
def a_million(directory):
    (directory / "recipients.txt").write_text("")
    server = Server(directory)
    server.write_recipients(f"user{n}" for n in range(1_000_000))
    began = time.monotonic()
    with server.start():
        note(f"started with a million recipients in {time.monotonic() - began:.2f} s")
        with server.client() as client:
            client.deliver(HEADER, recipients=["user999999@isp.example"])
            server.write_recipients(f"user{n}" for n in range(1, 1_000_001))
            began = time.monotonic()
            before = len(server.events("reload"))
            server.signal(signal.SIGHUP)
            slowest = 0
            with StandStill() as still:
                while len(server.events("reload")) == before:
                    asked = time.monotonic()
                    with server.client() as other:
                        other.command(f"EHLO {HELO}", 250)
                    slowest = max(slowest, time.monotonic() - asked)
                    time.sleep(0.02)
                    assert time.monotonic() - began < 30 * PATIENCE, "the reload takes too long"
            client.deliver(HEADER, helo=None, recipients=["user0@isp.example"])
        note(f"reloaded in {time.monotonic() - began:.2f} s; slowest greeting meanwhile {slowest * 1000:.1f} ms")
        assert slowest - still.longest < 1 * PATIENCE, f"sessions stall for {slowest} s, and all for {still.longest} s"
        with server.client() as client:
            client.deliver(HEADER, recipients=["user1000000@isp.example"])
            client.command("MAIL FROM:<>", 250)
            client.command("RCPT TO:<user0@isp.example>", 550)


if __name__ == "__main__":
    main()
