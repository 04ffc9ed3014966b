#!/usr/bin/env python3
"""The end of a text waits for DNS, over real sockets: long messages on their way to the disk, a stop, clients that go. The
program has a check that asks for the address of text.SENDER-DOMAIN, see tests/dialogue/README.md."""

import pathlib
import signal
import struct
import socket
import time

from common import harness
from common.dns_peers import A, ScriptedDns, address
from common.dns_world import OFF
from common.harness import PATIENCE, Server, case, equal, main, wait_for, without_trace
from common.messages import HEADER

harness.PROGRAM = harness.PROGRAM.parent / "tests/gatepost-text-waits"

LONG = HEADER + b"0123456789abcdef" * 4 + b"\r\n" + (b"x" * 70 + b"\r\n") * 40000
SHORT = HEADER + b"short\r\n"
TIMES = "dns_timeout = {0}s\ndns_question_timeout = {0}s\ndns_attempt_timeout = {0}s\n"


class World:
    """Name server and program. What is asked about texts is answered when the test says so; other names do not exist."""

    def __init__(self, directory, options="", seconds=30):
        self.held = []
        self.dns = ScriptedDns(self.behave)
        checks = "".join(OFF[name] for name in ("dnsbl", "rhsbl", "sender_mx", "spf"))
        self.server = Server(directory, f'resolvers = {{"127.0.0.1:{self.dns.port}"}}\nsender_tld {{ mode = off }}\n{checks}'
                             f"bounce_reference {{ mode = enforce }}\n{TIMES.format(seconds)}{options}")

    def behave(self, query, is_tcp, send):
        if query.name.startswith("text.") and query.type == A:
            data = [address("127.0.0.2")] if "refused" in query.name else []
            octets = query.answer(*data) if data else query.negative()
            self.held.append(lambda: send(octets))
        else:
            send(query.negative())

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *about):
        self.server.__exit__(*about)
        self.dns.stop()

    def say(self, text, sender="me@good.example"):
        """A client whose text has been sent, dot and all, and whose question has arrived."""
        before = len(self.held)
        client = self.server.client()
        client.begin(sender=sender)
        client.raw(harness.dot_stuffed(text) + b".\r\n")
        wait_for("the question", lambda: len(self.held) > before)
        return client

    def answer(self):
        while self.held:
            self.held.pop(0)()

    def spooled(self):
        return list(self.server.directory.glob("mail/*/*/tmp/*"))


@case("a message, short and long, is stored when the answer is in, and not before")
def stored(directory):
    with World(directory) as world:
        for number, text in enumerate((SHORT, LONG), 1):
            with world.say(text, f"me@good{number}.example") as client:
                time.sleep(0.3)
                equal(len(world.server.mails()), number - 1, "mails before the answer")
                world.answer()
                client.expect(250, "the text")
                equal(without_trace(world.server.mails()[-1]), text, "mail")
                client.command("QUIT", 221)


@case("a refused one leaves nothing, short or long, and the session goes on")
def refused(directory):
    with World(directory) as world:
        for number, text in enumerate((SHORT, LONG)):
            with world.say(text, f"me@refused{number}.example") as client:
                world.answer()
                client.expect(550, "the text")
                client.command("NOOP", 250)
        equal(world.server.mails(), [], "mails")
        wait_for("an empty tmp/", lambda: not world.spooled())


@case("an answer that never comes: deferred after dns_timeout, long or short")
def never(directory):
    with World(directory, seconds=3) as world:
        for number, text in enumerate((SHORT, LONG)):
            with world.say(text, f"me@never{number}.example") as client:
                client.expect(451, "the text")
        equal(world.server.mails(), [], "mails")
        wait_for("an empty tmp/", lambda: not world.spooled())


@case("the client is gone while its text waits: nothing is stored, nothing is left")
def gone(directory):
    with World(directory) as world:
        for number, text in enumerate((SHORT, LONG), 1):
            client = world.say(text, f"me@gone{number}.example")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            wait_for("the end of the session", lambda: len(world.server.sessions()) == number)
        world.answer()
        wait_for("an empty tmp/", lambda: not world.spooled())
        equal(world.server.mails(), [], "mails")
        equal([line["end"] for line in world.server.sessions()], ["lost", "lost"], "ends")


@case("a client that has closed its side after the dot is answered")
def half_closed(directory):
    with World(directory) as world, world.say(LONG) as client:
        client.socket.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        world.answer()
        client.expect(250, "the text")
        equal(len(world.server.mails()), 1, "mails")


def unread(server, client):
    """How many octets of this client's the kernel has that the server has not taken."""
    ends = [f":{port:04X}" for port in (server.port, client.socket.getsockname()[1])]
    rows = (row.split() for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    return next(int(row[4].partition(":")[2], 16) for row in rows if [row[1][-5:], row[2][-5:]] == ends)


@case("octets behind the dot while it waits: the message is answered, then 554")
def early(directory):
    with World(directory) as world, world.say(SHORT) as client:
        client.raw(b"QUIT\r\n")
        wait_for("its arrival", lambda: unread(world.server, client) == len(b"QUIT\r\n"))
        world.answer()
        client.expect(250, "the text")
        client.expect(554, "QUIT before that")
        assert client.is_closed()


@case("SIGTERM: the answer is waited for, the message is stored and answered, 421")
def stopped(directory):
    with World(directory) as world, world.say(LONG) as client:
        world.server.signal(signal.SIGTERM)
        time.sleep(0.5)
        world.answer()
        client.expect(250, "the text")
        client.expect(421, "SIGTERM")
        equal(len(world.server.mails()), 1, "mails")


@case("SIGTERM and no answer: after shutdown_timeout it is judged by what is known, and answered")
def stopped_for_good(directory):
    with World(directory, "shutdown_timeout = 1s\n") as world, world.say(LONG) as client:
        world.server.signal(signal.SIGTERM)
        client.expect(451, "the text")
        client.expect(421, "SIGTERM")
        assert world.server.stop() < 5 * PATIENCE, "slow to end"
        equal(world.spooled(), [], "files in tmp/")


if __name__ == "__main__":
    main()
