#!/usr/bin/env python3
"""Everything at once: all checks, both kinds of store, limits, watched lists, reloads, clients good and bad, and the end in the
midst of it. What must hold then holds however slow the machine is: mostly this is food for the sanitizers."""

import contextlib
import random
import re
import signal
import socket
import struct
import threading
import time

from common.dns_peers import DnsStub
from common.dns_world import client_from, options_with
from common.harness import ROOT, SECONDS, Server, case, equal, free_port, main, note, wait_for
from common.fleet import Redis

SESSIONS_EACH = 80
CLIENTS_EACH = 3  # of a kind
USERS = [f"user{number}" for number in range(8)]
CHECKS = """workers = 4
sender_store = "{store}"
sender_timeout = 200ms
greeting_pause = 20ms
dns_log_interval = 1s
connections_per_client = 50
bounce_reference {{ mode = enforce }}
dynamic_client {{ mode = enforce }}
dnsbl {{ on_failure = defer self_test_interval = 1s
    zone "zen.spamhaus.org" {{ self_test = no }}
    zone "list.dnswl.org" {{ weight = -1 }} }}
"""
GREYLIST = "greylist {{ mode = {} delay = 1s auto_allow_after = 2 auto_allow_interval = 0ms {} }}\n"
RATES = "client_rate {{ mode = {} unknown_recipients = {}/10m errors = 40/10m penalty = 1s memory = 64k }}\n"
VARIANTS = [GREYLIST.format("enforce", "") + RATES.format("enforce", 20),
            GREYLIST.format("enforce", "whole_message = yes") + RATES.format("observe", 20),
            GREYLIST.format("observe", "if_unverified = yes") + RATES.format("enforce", 5) + 'spf { mode = observe }\n',
            "idle_timeout = never\n",
            RATES.format("off", 20) + "sender_mx { mode = off }\nrhsbl { mode = off }\n"]


# Beside those of the zone that ships: mail servers in good order.
NAMES = """6.2.0.192.in-addr.arpa. 60 PTR mail6.example.com.
mail6.example.com. 60 A 192.0.2.6
8.2.0.192.in-addr.arpa. 60 PTR mail8.example.com.
mail8.example.com. 60 A 192.0.2.8
"""


def stub(directory):
    zone = directory / "zone"
    zone.write_text((ROOT / "conf/example.zone").read_text() + NAMES)
    return DnsStub(zone, "--latency", "3")


class Crowd:
    """Clients of all kinds in threads of their own; `answered`: id -> (user, text) of what got 250; `codes`: kind -> last codes."""

    def __init__(self, server):
        self.server, self.is_ending, self.errors, self.answered = server, False, [], {}
        self.codes = {kind: [] for kind in KINDS}
        self.threads = [threading.Thread(target=self.run, args=(kind, number), daemon=True)
                        for kind in KINDS for number in range(CLIENTS_EACH)]
        for thread in self.threads:
            thread.start()

    def is_busy(self):
        return any(thread.is_alive() for thread in self.threads)

    def run(self, kind, number):
        dice = random.Random(f"{kind} {number}")
        for _ in range(SESSIONS_EACH):
            if self.is_ending:
                return
            try:
                self.codes[kind].append(KINDS[kind](self, dice))
            except (ConnectionResetError, BrokenPipeError):  # after a 421 that was not read, or our end of it
                self.codes[kind].append(None)
            except OSError as error:  # the listener has gone
                if not self.is_ending:
                    self.errors.append(error)
            except Exception as error:  # told at the end
                self.errors.append(error)

    def join(self):
        for thread in self.threads:
            thread.join(3 * SECONDS)
        assert not self.is_busy(), "a client hangs"
        assert not self.errors, self.errors[:3]


def talk(client, *lines):
    """The first code that is neither 250 nor 354, or the last; None: the connection ended."""
    code = client.reply()[0]
    for line in lines if code == 220 else ():
        client.raw(line.encode() + b"\r\n")
        code = client.reply()[0]
        if code not in (250, 354):
            break
    return code


def connect(crowd, ip):
    return client_from(crowd.server, ip, banner=None, seconds=3 * SECONDS)


def good(crowd, dice):
    user = dice.choice(USERS)
    with connect(crowd, f"192.0.2.{dice.choice([6, 7])}") as client:
        code = talk(client, "EHLO mail.example.com", "MAIL FROM:<me@example.com>", f"RCPT TO:<{user}@isp.example>", "DATA")
        if code == 354:
            text = f"Subject: {dice.random()}\r\n\r\n".encode() + b"some text\r\n" * dice.randrange(2000)
            client.raw(text + b".\r\n")
            code, said = client.reply()
            if code == 250:
                crowd.answered[re.search(r"accepted as (\S+)", said)[1]] = user, text
                client.raw(b"QUIT\r\n")
    assert code in (250, 421, 451, None), f"a good client: {code}"
    return code


def listed(crowd, dice):
    with connect(crowd, "192.0.2.66") as client:
        code = talk(client, "EHLO mail.example.com", "MAIL FROM:<me@example.com>", f"RCPT TO:<{dice.choice(USERS)}@isp.example>")
    assert code in (554, 421, 451, None), f"a listed client: {code}"
    return code


def harvester(crowd, dice):
    guesses = [f"RCPT TO:<guess{dice.randrange(10**6)}@isp.example>" for _ in range(5)]
    with connect(crowd, f"198.51.100.{dice.randrange(4)}") as client:
        code = talk(client, "EHLO mail.example.com", "MAIL FROM:<me@example.net>")
        for guess in guesses if code == 250 else ():
            code = talk_on(client, guess)
            assert code in (550, 421, 451, None), f"a harvester: {code}"
    return code


def talk_on(client, line):
    with contextlib.suppress(ConnectionError):
        client.raw(line.encode() + b"\r\n")
    return client.reply()[0]


def early(crowd, dice):
    with connect(crowd, f"203.0.113.{dice.randrange(4)}") as client:
        client.raw(b"EHLO mail.example.com\r\nMAIL FROM:<me@example.com>\r\n")
        code = client.reply()[0]
        if code == 220:  # the pause was over
            code = client.reply()[0]
    assert code in (554, 421, None), f"an early talker: {code}"
    return code


def backscatter(crowd, dice):
    with connect(crowd, "192.0.2.8") as client:
        code = talk(client, "EHLO mail.example.com", "MAIL FROM:<>", f"RCPT TO:<{dice.choice(USERS)}@isp.example>", "DATA",
                    "Subject: failed\r\nReferences: <x@nowhere.example.net>\r\n\r\ntext\r\n.")
    assert code in (550, 421, 451, None), f"a bounce of strangers' mail: {code}"
    return code


def vanishing(crowd, dice):
    with connect(crowd, f"192.0.2.{dice.choice([6, 7])}") as client:
        lines = ["EHLO mail.example.com", "MAIL FROM:<me@example.com>", f"RCPT TO:<{dice.choice(USERS)}@isp.example>", "DATA"]
        code = talk(client, *lines[:dice.randrange(5)])
        client.raw((b"x" * 70 + b"\r\n") * 200 if code == 354 else b"RCPT")
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST
    return code


KINDS = {"good": good, "listed": listed, "harvester": harvester, "early": early, "backscatter": backscatter,
         "vanishing": vanishing}


def change_configuration(server, variant, number):
    """Another one each time, each with a listener that comes and goes."""
    listen = [*server.listen, f"127.0.0.1:{free_port()}"] if number % 2 else server.listen
    server.write_configuration(options=variant, listen=listen)
    expected = "reload_failed" if "never" in variant else "reload"
    equal(server.ask(signal.SIGHUP, "reload", "reload_failed")["event"], expected, "event")


def check_mails(server, crowd):
    stored = {}
    for user in USERS:
        for mail in server.mails(user):
            stored[re.search(rb"\sid (\S+)", mail)[1].decode()] = user, mail
    lost = crowd.answered.keys() - stored.keys()
    assert not lost, f"250, and no file: {lost}"
    for name, (user, text) in crowd.answered.items():
        box, mail = stored[name]
        assert box == user and mail.endswith(b"\r\n" + text), f"{name} is not what was sent"


def everything(directory, store, disturb):
    with stub(directory) as dns:
        head, proxy_port = options_with([dns.port], CHECKS.format(store=store), off=())
        server = Server(directory, head + VARIANTS[0], recipients=USERS)
        server.proxy_port = proxy_port
        with server:
            crowd = Crowd(server)
            number = 0
            while crowd.is_busy() and number < 200:
                number += 1
                change_configuration(server, head + VARIANTS[number % len(VARIANTS)], number)
                disturb(number)
                time.sleep(0.1)
            crowd.join()
            for kind, wanted in {"good": 250, "listed": 554, "harvester": 550, "early": 554, "backscatter": 550}.items():
                assert wanted in crowd.codes[kind], f"{kind}: {crowd.codes[kind]}"
            last = Crowd(server)
            wait_for("mail of the last ones", lambda: last.answered or not last.is_busy())
            last.is_ending = True
            server.stop()
            last.join()
        last.answered |= crowd.answered
        note(f"{number} reloads, {len(last.answered)} mails")
        check_mails(server, last)


@case("all checks with LMDB, reloads, clients of all kinds, SIGTERM in the midst: nobody listed gets in, every 250 has its file")
def with_lmdb(directory):
    everything(directory, "lmdb:state", lambda number: None)


@case("the same with a Redis that dies and comes back")
def with_redis(directory):
    with Redis(directory / "redis") as redis:
        def disturb(number):
            if number % 6 == 3:
                redis.kill()
            elif number % 6 == 5:
                redis.start()
        everything(directory, f"redis://127.0.0.1:{redis.port}", disturb)


if __name__ == "__main__":
    main()
