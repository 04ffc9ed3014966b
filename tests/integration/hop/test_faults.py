#!/usr/bin/env python3
"""Next hops that fail in any way, under load: nobody is told 250 whose mail no next hop has, and no mail comes twice without need."""

import collections
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

from common.harness import HELO, PATIENCE, Server, case, equal, free_port, main, note, wait_for
from common.messages import HEADER
from common.daemons.next_hop import ENDLESS, GO_AWAY, HANG, TAKE_AND_GO, Drip, NextHop, code_of_data

# A longer run: GATEPOST_HOP_MESSAGES=20000 python3 ...
MESSAGES = int(os.environ.get("GATEPOST_HOP_MESSAGES", "120"))
CLIENTS = 6
FILLER = b"..dots and a line\r\n" * 200
QUICK = "refusals_kept = 0s  retry_after = 100ms  failures_max = 1000  command_timeout = 5s  open_timeout = 10s  connections_max = 4"


def serve(directory, deliver, options=QUICK, **places):
    return Server(directory, f"next_hops {{ {options} }}", deliver=deliver, **places)


def text_of(name):
    return HEADER.replace(b"test", b"<%s>" % name.encode()) + FILLER


def name_of(text):
    return re.search(rb"^Subject: <(.*)>\r$", text, re.M)[1].decode()


class Load:
    """Clients that send one mail each in turn; `told` is what each mail was answered. With `again` it is sent until it is taken."""

    def __init__(self, server, messages=MESSAGES, again=False):
        self.server, self.again = server, again
        self.told, self.tries, self.faults = {}, collections.Counter(), []
        self.left = collections.deque(f"m{number}" for number in range(messages))
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        for thread in self.threads:
            thread.join(300)
        equal(self.faults, [], "faults of the clients")

    def run(self):
        try:
            with self.server.client() as client:
                client.command(f"EHLO {HELO}", 250)
                while self.left:
                    name = self.left.popleft()
                    self.tries[name] += 1
                    self.told[name] = self.send(client, name)
                    if self.again and self.told[name] != 250:
                        self.left.append(name)
                        time.sleep(0.01)
        except IndexError:
            pass  # another one has taken the last
        except Exception as fault:  # told to whoever waits
            self.faults.append(repr(fault))

    def send(self, client, name):
        code = code_of_data(client, helo=None)
        if code == 354:
            client.raw(text_of(name).replace(b"\r\n.", b"\r\n..") + b".\r\n")
            code = client.reply()[0]
        else:
            client.command("RSET", 250)
        return code


# What a hop does to a message: where, what, and how often of a hundred. Who has said this in a text closes.
TOO_MUCH = "552 5.3.4 too much"
FAULTS = (("MAIL", GO_AWAY, 2), ("MAIL", "451 4.3.0 not now", 3), ("MAIL", "999 what", 2), ("MAIL", ENDLESS, 1), ("MAIL", Drip("250 2.1.0 slowly"), 4),
          ("RCPT", "550 5.1.1 who?", 3), ("RCPT", GO_AWAY, 2), ("DATA", "452 4.3.1 full", 3), ("DATA", GO_AWAY, 2), ("DATA", Drip("354 slowly"), 4),
          ("TEXT", GO_AWAY, 5), ("TEXT", TOO_MUCH, 2), ("DOT", GO_AWAY, 4), ("DOT", TAKE_AND_GO, 4), ("DOT", "554 5.6.0 a virus", 3),
          ("DOT", "421 4.3.0 closing", 2), ("DOT", "250", 3), ("DOT", "nonsense", 2), ("DOT", ENDLESS, 1))


class Faulty(NextHop):
    """Throws dice for each message."""

    def __init__(self, seed, *arguments):
        self.random = random.Random(seed)
        self.taken_in_silence = []
        super().__init__(*arguments)
        self.answers = {"TEXT": ""}  # is asked for

    def to_say(self, connection, step, usual):
        verb = step.split()[0]
        if verb == "MAIL":
            dice = self.random.randrange(100)
            connection.fault = None
            for fault in FAULTS:
                if 0 <= dice < fault[2]:
                    connection.fault = fault
                dice -= fault[2]
        fault = getattr(connection, "fault", None)
        return fault[1] if fault and fault[0] == verb else usual

    def say(self, connection, said):
        said == "" or super().say(connection, said)
        if said == TOO_MUCH:
            super().say(connection, GO_AWAY)
        return said[:1] in ("2", "3")

    def take(self, connection, sender, recipients, text):
        super().take(connection, sender, recipients, text)
        if getattr(connection, "fault", None) and connection.fault[1] is TAKE_AND_GO:
            self.taken_in_silence.append(name_of(text))


@case("of each message that was answered 250 a next hop has one copy, exactly as it was sent, whatever else happens")
def at_random(directory):
    for protocol in "lmtp", "smtp":
        with Faulty(1, protocol) as one, Faulty(2, protocol) as other, serve(directory, f"{one.address} {other.address}") as server:
            with Load(server) as load:
                pass
            mails = one.mails + other.mails
            copies = collections.Counter(name_of(text) for _, _, text in mails)
            taken = {name for name, code in load.told.items() if code == 250}
            silent = set(one.taken_in_silence + other.taken_in_silence)
            note(f"{protocol}: {collections.Counter(load.told.values())}, {len(silent)} taken in silence")
            equal({name: copies[name] for name in taken if copies[name] != 1}, {}, "copies of what was answered 250")
            equal(set(copies) - taken - silent, set(), "mail that its client does not know to be there")
            assert len(taken) > len(load.told) / 3, "most go well"
            for _, _, text in mails:
                assert text.endswith(text_of(name_of(text))), text[:500]
            wait_for("nothing on its way", lambda server=server: server.counters()["hop_transfers"] == 0)


# The next hop as a process of its own: what it has said 250 to is in its folder, and a kill of it takes nothing back.
PEER = """
import itertools, pathlib, sys, threading
from common.daemons.next_hop import NextHop
folder, count = pathlib.Path(sys.argv[2]), itertools.count()
class Keeper(NextHop):
    def take(self, connection, sender, recipients, text):
        (folder / f"{sys.argv[3]}-{next(count)}").write_bytes(text)
keeper = Keeper(port=int(sys.argv[1]))
threading.Event().wait()
"""


def start_peer(port, folder, number):
    path = str(pathlib.Path(__file__).resolve().parents[1])
    return subprocess.Popen([sys.executable, "-B", "-c", PEER, str(port), str(folder), str(number)], env=dict(os.environ, PYTHONPATH=path))


@case("kill -9 of the next hop under load loses nothing that was answered 250, and what comes twice was sent twice")
def killed(directory):
    port, folder = free_port(), directory / "kept"
    folder.mkdir()
    peer = start_peer(port, folder, 0)
    try:
        with serve(directory, f"lmtp://127.0.0.1:{port}") as server:
            with Load(server, again=True) as load:
                for number in range(1, 4):
                    kept = len(list(folder.iterdir()))
                    wait_for("more mail", lambda kept=kept: len(list(folder.iterdir())) >= kept + MESSAGES // 8 or not load.left)
                    peer.send_signal(signal.SIGKILL)
                    peer.wait()
                    peer = start_peer(port, folder, number)
            equal(set(load.told.values()), {250}, "answers in the end")
            copies = collections.Counter(name_of(path.read_bytes()) for path in folder.iterdir() if path.stat().st_size > len(FILLER))
            note(f"{sum(load.tries.values())} tries, {sum(copies.values()) - len(copies)} copies too many")
            equal(set(load.told) - set(copies), set(), "lost")
            equal({name: count for name, count in copies.items() if count > load.tries[name]}, {}, "copies that nobody sent")
    finally:
        peer.kill()
        peer.wait()


@case("a target that hangs takes none of another domain's time")
def hung(directory):
    def pace(server, count=20):
        times = []
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            for _ in range(count):
                began = time.monotonic()
                client.begin(["alice@other.example"], helo=None)
                client.finish(HEADER)
                times.append(time.monotonic() - began)
        return sorted(times)[count // 2]
    with NextHop() as hanging, NextHop() as other:
        domain = f'}} domain "other.example" {{ recipients = "recipients.txt" deliver = "{other.address}"'
        with serve(directory, hanging.address, "connections_max = 4  waiting_max = 10  open_timeout = 60s", domain=domain) as server:
            before = pace(server)
            hanging.answers = {"MAIL": HANG}
            waiting = [server.client() for _ in range(10)]
            for client in waiting:
                client.envelope()
                client.raw(b"DATA\r\n")
            wait_for("all wait", lambda: server.counters()["hop_transfers"] == 10)
            during = pace(server)
            equal(len(other.mails), 40, "mails")
            note(f"a message takes {before * 1000:.1f} ms, and {during * 1000:.1f} ms beside the one that hangs")
            assert during < 10 * before + 0.1 * PATIENCE, (before, during)
            for client in waiting:
                client.close()


@case("shares are by weight, a reserve gets nothing while others take mail, and a dead one's share goes to the others until it is back")
def shared(directory):
    port = free_port()
    with NextHop() as small, NextHop() as reserve:
        big = NextHop(port=port)
        places = f"{big.address} weight=3 {small.address} {reserve.address} weight=0"
        with serve(directory, places, "retry_after = 300ms  failures_max = 1") as server:
            with Load(server):
                pass
            share = len(big.mails) / MESSAGES
            note(f"{share:.2f} of the mail went to the one with weight 3 of 4")
            assert 0.55 < share < 0.95, share
            equal(len(reserve.mails), 0, "mail at the reserve")
            big.close()
            with Load(server) as load:
                pass
            equal(collections.Counter(load.told.values()), {250: MESSAGES}, "answers while it is dead")
            with NextHop(port=port) as back:
                wait_for("mail for the one that is back", lambda: send_one(server) == 250 and back.mails)


def send_one(server):
    with Load(server, messages=1) as load:
        pass
    return load.told["m0"]


if __name__ == "__main__":
    main()
