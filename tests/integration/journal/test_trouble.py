#!/usr/bin/env python3
"""A server with a journal whose disk fails or lies, and one that hands over to another process."""

import errno
import random
import threading

from common.faults import Faults
from common.harness import HELO, Server, case, equal, free_port, main, wait_for
from common.journal import wait_until_empty
from common.messages import HEADER
from common.daemons.next_hop import NextHop
from common.upgrade import Upgradable

JOURNAL = 'journal = "journal" journal_size = 24M journal_segment = 4M journal_retry_min = 100ms journal_retry_max = 200ms\n'


def text(number):
    return HEADER + b"number %d\r\n" % number + random.Random(number).randbytes(600).hex().encode() + b"\r\n"


def names(mails):
    """How often each text came; all of them whole."""
    times = {}
    for _, _, mail in mails:
        number = int(mail.partition(b"\r\nnumber ")[2].partition(b"\r\n")[0])
        assert mail.endswith(text(number)), f"{number} is not as it was sent"
        times[number] = times.get(number, 0) + 1
    return times


@case("a sync that fails is 451 and an alarm, never 250, and what was told 250 before and after is delivered")
def fails(directory):
    faults = Faults(directory)
    with NextHop() as hop:
        server = Server(directory, JOURNAL, deliver=hop.address, domain="journal = always")
        with server.start(faults.prefix()), server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            taken, refused = [], []
            for number in range(60):
                if number % 20 == 10:
                    faults.set("fdatasync", errno.EIO if number == 10 else errno.ENOSPC, count=2, thread="journal")
                client.begin(helo=None)
                client.raw(text(number) + b".\r\n")
                code, _ = client.reply()
                (taken if code == 250 else refused).append(number)
                assert code in (250, 451, 452), code
            faults.end_all()
            assert refused and 0 in taken, (taken, refused)
            wait_for("mail again", lambda: client.begin(helo=None) or client.raw(text(1000) + b".\r\n") or client.reply()[0] == 250)
            wait_for("mail", lambda: set(taken) <= set(names(hop.mails)))
            wait_for("an alarm", lambda: server.events("journal_failed"))
            assert not set(refused) & set(names(hop.mails)), "told that it was not taken"
            wait_for("counters", lambda: (found := server.counters())["journal_failures"] and found["journal_refused"] >= len(refused))


@case("who has a mail of which the journal cannot take the rest gets no second copy by the client's next try")
def parted(directory):
    faults = Faults(directory)
    both = ["alice@isp.example", "bob@isp.example"]
    with NextHop() as hop:
        hop.answers = {"DOT bob": "451 4.2.1 later"}
        server = Server(directory, JOURNAL, deliver=hop.address)
        with server.start(faults.prefix()), server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            faults.set("fdatasync", errno.EIO, thread="journal")
            client.envelope(recipients=both, helo=None)
            client.command("DATA", 354)
            client.finish(text(1), 451)
            equal([recipient for _, recipient, _ in hop.mails], both[:1], "who has it")
            faults.end_all()
            hop.answers = {}
            client.envelope(recipients=both, helo=None)
            client.command("DATA", 354)
            client.finish(text(1))
            wait_for("the rest", lambda: len(hop.mails) >= 2)
            equal(sorted(recipient for _, recipient, _ in hop.mails), both, "mails")


@case("flipped octets: what is damaged is counted and set aside, the rest is delivered, and nothing in part")
def flipped(directory):
    port = free_port()
    server = Server(directory, JOURNAL, deliver=f"lmtp://127.0.0.1:{port}", domain="journal = always").start()
    with server.client() as client:
        for number in range(40):
            client.begin(helo=None if number else HELO)
            client.finish(text(number))
    server.kill()
    path = directory / "journal/00000.segment"
    octets = bytearray(path.read_bytes())
    hit = (5, 11, 23)
    for number in hit:
        at = octets.index(b"number %d\r\n" % number) + 100
        octets[at] ^= 0x10
    path.write_bytes(octets)
    with NextHop(port=port) as hop, server.start():
        opened = wait_for("the journal", lambda: server.events("journal_opened")[1:])[0]
        equal((opened["damaged"], opened["waiting"]), (3, 37), "damaged, waiting")
        wait_for("mail", lambda: len(hop.mails) == 37)
        equal(names(hop.mails), {number: 1 for number in range(40) if number not in hit}, "mails")
        equal(len(list((directory / "journal/damaged").iterdir())), 3, "what was set aside")


@case("an upgrade: the old process gives the journal up, the new one has it, and nothing is lost or comes twice")
def upgraded(directory):
    told, is_over = {}, threading.Event()

    def send_on(server):
        number = 0
        while not is_over.is_set():
            with server.client() as client:
                client.begin()
                client.raw(text(number) + b".\r\n")
                code, _ = client.reply()
                if code == 250:
                    told[number] = code
            number += 1

    with NextHop() as hop, Upgradable(directory, JOURNAL, deliver=hop.address, domain="journal = always") as server:
        thread = threading.Thread(target=send_on, args=(server,))
        thread.start()
        wait_for("mail", lambda: len(told) > 10)
        server.upgrade()
        wait_for("the journal", lambda: len(server.events("journal_opened")) == 2)
        equal(len(wait_for("an event", lambda: server.events("journal_released"))), 1, "journal_released")
        before = len(told)
        wait_for("mail", lambda: len(told) > before + 10)
        is_over.set()
        thread.join()
        wait_until_empty(server)
        equal({number: 1 for number in told}, {number: times for number, times in names(hop.mails).items() if number in told}, "mails")


main()
