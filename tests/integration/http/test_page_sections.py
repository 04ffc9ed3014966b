#!/usr/bin/env python3
"""Sections of the status page that are there where there is something to tell: mail filters, daemons of recipients, the journal."""

import contextlib
import errno
import fcntl
import re
import threading
import time

from common.faults import Faults
from common.harness import HELO, case, equal, free_port, main, wait_for
from common.messages import HEADER
from common.daemons.milter import Milter, frame
from common.daemons.next_hop import NextHop
from common.web import page, row, text_of, web_server
from common.daemons.socketmap import Socketmap

TEXT = HEADER + b"text\r\n"
SECTIONS = ("Mail filters", "Daemons of recipients", "Journal")


def section(server, name):
    """Its HTML; "" where there is none."""
    found = re.search(rf"<section [^>]*>\n<h2[^>]*>{name}</h2>.*?</section>", page(server).text(), re.S)
    return found[0] if found else ""


def mean(html, name):
    return re.search(rf'<th scope="row">{re.escape(name)}</th>.*?<td class="number">([\d.]+ m?s)</td></tr>', html, re.S)[1]


def duration(ms):
    """As the page tells it."""
    return f"{ms} ms" if ms < 1000 else f"{ms // 1000} s" if ms % 1000 == 0 else f"{ms / 1000:.1f} s"


@case("a server that has none of them says nothing of filters, daemons and a journal")
def nothing(directory):
    with web_server(directory) as server:
        wait_for("samples", lambda: "Messages stored" in page(server).text() and "Questions to DNS" in page(server).text())
        equal([name for name in SECTIONS if section(server, name)], [], "sections")


@case("each mail filter has its row: its kind, what it was asked, what that came to, and how long it took")
def filters(directory):
    service = f"inet:127.0.0.1:{free_port()}"
    with Milter() as milter:
        options = milter.section("sieve") + f'policy_service "dead" {{ connect = "{service}" on_failure = pass }}\n'
        with web_server(directory, "workers = 1\n" + options) as server:
            page(server)
            milter.answers = {"RCPT bob": frame("r"), "END": frame("c")}
            with server.client() as client:
                client.deliver(TEXT)
                client.command("MAIL FROM:<me@example.com>", 250)
                client.command("RCPT TO:<bob@isp.example>", 550)
                client.command("RSET", 250)
                milter.answers = {"END": frame("t")}
                client.begin(helo=None)
                client.finish(TEXT, 451)
                milter.answers = {"END": frame("d")}
                client.begin(helo=None)
                client.finish(TEXT)
            counters = server.counters()
            for name, failed in ("sieve", 0), ("dead", counters["filter.dead.failed"]):
                counted = [counters[f"filter.{name}.{what}"] for what in ("asked", "refused", "deferred", "discarded", "failed")]
                equal(counted[1:], [0, 0, 0, failed] if failed else [1, 1, 1, 0], name)
                html = wait_for(f"{name} {counted}", lambda: (found := section(server, "Mail filters")) and row(found, name) == counted and found)
                equal(mean(html, name), duration(counters[f"filter.{name}.ms"] // max(counted[0], 1)), f"mean of {name}")
            assert counters["filter.dead.failed"] >= 3 and counters["filter.sieve.asked"] >= 3, html
            read = text_of(html)
            assert re.search(r"sieve milter \d.* dead policy service \d", read), read
            equal([name for name in SECTIONS if section(server, name)], ["Mail filters"], "sections")


@case("each daemon of recipients has its row: what it was asked, what that came to, its connections, and how long it took")
def daemons(directory):
    answers = {"alice@isp.example": "OK", "bob@isp.example": "TEMP later"}
    server = web_server(directory, "workers = 1")
    with Held(answers, delay=0.2) as daemon:
        server.write_configuration(recipients=f"socketmap:{daemon.address}:virtual")
        watch_daemon(server, daemon)


class Held(Socketmap):
    """Answers no sooner than it may."""

    def __init__(self, *answers, **options):
        self.may_answer = threading.Event()
        super().__init__(*answers, **options)

    def say(self, connection, said):
        self.may_answer.wait()
        super().say(connection, said)


def watch_daemon(server, daemon):
    with server:
        page(server)
        with server.client() as client, server.client() as other:
            for each in client, other:
                each.command(f"EHLO {HELO}", 250)
                each.command("MAIL FROM:<me@example.com>", 250)
            for each in client, other:
                each.raw(b"RCPT TO:<alice@isp.example>\r\n")
            wait_for("one that joins", lambda: server.counters()[f"socketmap.{daemon.address}.joined"] == 1)
            daemon.may_answer.set()
            equal([each.reply()[0] for each in (client, other)], [250, 250], "codes")
            client.command("RCPT TO:<bob@isp.example>", 451)
            client.command("RCPT TO:<nobody@isp.example>", 550)
        counters = server.counters()
        counted = [counters[f"socketmap.{daemon.address}.{what}"] for what in ("asked", "joined", "found", "absent", "failed", "connections")]
        equal(counted[:5], [4, 1, 2, 1, 1], "counters")
        html = wait_for(f"{counted}", lambda: (found := section(server, "Daemons of recipients")) and row(found, daemon.address) == counted and found)
        mean_ms = counters[f"socketmap.{daemon.address}.ms"] // 4
        assert mean_ms >= 150, mean_ms
        equal(mean(html, daemon.address), duration(mean_ms), "mean")
        equal([name for name in SECTIONS if section(server, name)], ["Daemons of recipients"], "sections")


def journal_server(directory, size="24M", **places):
    options = f'journal = "journal" journal_size = {size} journal_segment = 4M journal_retry_min = 100ms journal_retry_max = 200ms ' \
              "next_hops { retry_after = 100ms failures_max = 1 }"
    return web_server(directory, options, domain="journal = always", **places)


def send(server, text=TEXT, count=1):
    """The last code."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        for _ in range(count):
            client.begin(helo=None)
            client.raw(text + b".\r\n")
            code, _ = client.reply()
    return code


def wait_for_words(server, pattern):
    """In the section of the journal, which is returned."""
    found = []
    def look():
        found[:] = [section(server, "Journal")]
        return re.search(pattern, text_of(found[0])) and found[0]
    with contextlib.suppress(AssertionError):
        return wait_for(pattern, look)
    raise AssertionError(f"not seen: {pattern} in {text_of(found[0])}")


@case("the journal: what waits in it and since when, its room, what came in and went out, and dead letters")
def journal(directory):
    port = free_port()
    server = journal_server(directory, deliver=f"lmtp://127.0.0.1:{port}")
    with server:
        wait_for_words(server, r"takes mail 0 messages wait\. (4\.0 MiB of 24\.0 MiB, 17|0 octets of 24\.0 MiB, 0) percent, are in use\.")
        equal(send(server, count=3), 250, "code")
        html = wait_for_words(server, r"takes mail 3 messages wait[.,]")
        equal([row(html, name) for name in ("Messages in", "Messages out")], [[3, 3, 3], [0, 0, 0]], "in and out")
        assert "4.0 MiB of 24.0 MiB, 17 percent" in text_of(html), text_of(html)
        equal([name for name in SECTIONS if section(server, name)], ["Journal"], "sections")
        time.sleep(1.1)
    with server.start():
        wait_for_words(server, r"takes mail 3 messages wait, the oldest for \d+ s\.")
        with NextHop(port=port) as hop:
            hop.answers = {"RCPT": "550 5.1.1 who?"}
            wait_for_words(server, r"takes mail 0 messages wait\..* Messages out \d \d 3 .* Dead letters \d \d 3 ")
            hop.answers = {}
            equal(send(server), 250, "code")
            wait_for("mail", lambda: hop.mails)
            wait_for("one that is delivered", lambda: row(section(server, "Journal"), "Recipients delivered")[2] == 1)


@case("the journal: one that is full, one that cannot be written, and one that another process has, say so")
def journal_troubles(directory):
    dead = f"lmtp://127.0.0.1:{free_port()}"
    places = {name: directory / name for name in ("full", "fails", "taken")}
    for place in places.values():
        place.mkdir()
    with journal_server(places["full"], size="12M", deliver=dead) as server:
        # The third segment is for what the drain notes, which may be at it already; then mail has what it leaves.
        wait_for("a refusal", lambda: send(server, HEADER + (b"x" * 70 + b"\r\n") * 20_000) == 452)
        wait_for_words(server, r"full \d+ messages wait.* (8\.0 MiB of 12\.0 MiB, 67|12\.0 MiB of 12\.0 MiB, 100) percent")
    (places["taken"] / "journal").mkdir(mode=0o700)
    with (places["taken"] / "journal/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with journal_server(places["taken"], deliver=dead) as server:
            read = text_of(wait_for_words(server, "not open"))
            assert "percent" not in read and "wait." not in read.partition("What")[0], read
            fcntl.flock(lock, fcntl.LOCK_UN)
            wait_for_words(server, "takes mail 0 messages wait")
    faults = Faults(places["fails"])
    server = journal_server(places["fails"], deliver=dead)
    with server.start(faults.prefix()):
        wait_for_words(server, "takes mail")
        faults.set("fdatasync", errno.EIO, count=1, thread="journal")
        equal(send(server), 451, "code")
        faults.end_all()
        assert row(wait_for_words(server, r"fails \d+ messages? wait"), "Writes and syncs failed")[2] == 1


if __name__ == "__main__":
    main()
