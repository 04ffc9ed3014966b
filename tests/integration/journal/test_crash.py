#!/usr/bin/env python3
"""The server is killed under load, again and again, and what it has said 250 to reaches the next hop as it was sent.

    test_crash.py [KILLS]     8 of them without a number; 200 take four minutes
"""

import random
import re
import sys
import threading
import time

from common.harness import Client, HELO, SENDER, Server, case, equal, main, note, wait_for
from common.journal import wait_until_empty
from common.daemons.next_hop import NextHop

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 8
CLIENTS = 6
IN_FLIGHT = 20  # journal_in_flight: as many may be at the next hop when the server dies
OPTIONS = """workers = 2
journal = "journal" journal_size = 64M journal_segment = 4M journal_retry_min = 100ms journal_retry_max = 200ms
next_hops { retry_after = 100ms failures_max = 1000 }
connections_per_client = 200
connections_per_network = 1000
client_rate { mode = off }
"""
RANDOM = random.Random(2033)


class Load:
    """Clients that send for as long as there is a server, and note what was told 250."""

    def __init__(self, server):
        self.server, self.sent, self.acknowledged = server, {}, set()
        self.is_over = False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.send_on, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()

    def text(self, name, chance):
        """Short ones, most of them; long ones go to the journal in pieces."""
        lines = chance.choice((1, 5, 40, 40, 40, 400, 4000))
        body = b"".join(b"%x %s\r\n" % (chance.getrandbits(256), b"." * (number % 3)) for number in range(lines))
        return b"From: <a@client.example>\r\nSubject: %s\r\n\r\n." % name.encode() + body

    def send_on(self, number):
        chance, count = random.Random(number), 0
        while not self.is_over:
            try:
                with Client(self.server.port, seconds=10) as client:
                    client.command(f"EHLO {HELO}", 250)
                    while not self.is_over:
                        count += 1
                        name = f"mail-{number}-{count}"
                        self.sent[name] = self.text(name, chance)
                        client.begin(helo=None, recipients=("alice@isp.example", "bob@isp.example")[:chance.choice((1, 1, 2))])
                        client.raw(re.sub(rb"(?m)^\.", b"..", self.sent[name]) + b".\r\n")
                        code, _ = client.reply()
                        if code == 250:
                            with self.lock:
                                self.acknowledged.add(name)
            except (AssertionError, OSError):
                time.sleep(0.01)  # it is down, or was killed


def name_of(text):
    return re.search(rb"\r\nSubject: (mail-\d+-\d+)\r\n", text)[1].decode()


def check(load, mails):
    """Everything that was told 250 is there, whole; what nobody was told 250 for is whole as well, if it came. Returns how many came
    more than once."""
    times = {}
    for sender, recipient, text in mails:
        equal(sender, SENDER, "sender")
        name = name_of(text)
        assert text.endswith(b"\r\n" + load.sent[name]), f"{name} is not as it was sent"
        times[name, recipient] = times.get((name, recipient), 0) + 1
    missing = load.acknowledged - {name for name, _ in times}
    assert not missing, f"{len(missing)} mails of {len(load.acknowledged)} are lost: {sorted(missing)[:10]}"
    return sum(number - 1 for number in times.values())


@case(f"killed {KILLS} times under load: each 250 is at the next hop, as it was sent")
def killed(directory):
    with NextHop() as hop:
        server = Server(directory, OPTIONS, deliver=hop.address, domain="journal = always").start()
        load = Load(server)
        for _ in range(KILLS):
            before = len(load.acknowledged)
            wait_for("mail", lambda: len(load.acknowledged) > before)
            time.sleep(RANDOM.uniform(0, 0.4))
            if RANDOM.random() < 0.3:  # the next hop is away when that happens
                hop.answers = {"DOT": "451 4.3.0 not now"}
                time.sleep(0.1)
            server.kill()
            hop.answers = {}
            server.start()
        load.end()
        with server:
            wait_until_empty(server)
        opened = server.events("journal_opened")
        equal([line["damaged"] for line in opened], [0] * (KILLS + 1), "damaged records")
        doubled = check(load, hop.mails)
        torn = sum(line["torn"] for line in opened)
        note(f"{len(load.acknowledged)} mails told 250 of {len(load.sent)}, {doubled} came twice, {torn} torn records")
        assert doubled <= KILLS * IN_FLIGHT * 2, f"{doubled} mails came twice"


@case("without a crash nothing comes twice, whatever the next hop does")
def not_killed(directory):
    with NextHop() as hop, Server(directory, OPTIONS, deliver=hop.address, domain="journal = always") as server:
        load = Load(server)
        for answers in {"MAIL": "421 4.3.0 away"}, {}, {"RCPT bob": "451 4.2.0 later"}, {}, {"DOT alice": "452 4.2.2 full"}, {}:
            hop.answers = answers
            before = len(load.acknowledged)
            wait_for("mail", lambda: len(load.acknowledged) >= before + 10)
        server.reload()
        load.end()
        server.stop()
        server.start()
        wait_until_empty(server)
        equal(check(load, hop.mails), 0, "mails that came twice")
        note(f"{len(load.acknowledged)} mails")


main()
