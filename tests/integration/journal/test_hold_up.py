#!/usr/bin/env python3
"""What a message, or a next hop, may not do to the others that wait in the journal: hold them up."""

import time

from common.harness import HELO, PATIENCE, Server, case, equal, free_port, main, wait_for
from common.journal import wait_until_empty
from common.messages import HEADER
from common.daemons.next_hop import GO_AWAY, HANG, NextHop

ALWAYS = "journal = always"
JOURNAL = 'journal = "journal" journal_size = 256M journal_segment = 16M '
LARGE = HEADER + (b"x" * 70 + b"\r\n") * 60_000


def send(client, user, count=1, domain="isp.example", text=HEADER):
    for _ in range(count):
        client.deliver(text, recipients=[f"{user}@{domain}"], helo=None)


@case("a next hop that breaks off at a message holds that one up, and no other")
def broken_off(directory):
    options = JOURNAL + "journal_retry_min = 5s journal_retry_max = 5s"
    with NextHop() as hop:
        hop.answers = {"RCPT bob": GO_AWAY}
        with Server(directory, options, deliver=hop.address, domain=ALWAYS).start() as server, server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            send(client, "bob")
            wait_for("a first try", lambda: hop.asked("bob@isp.example"))
            send(client, "alice", 200)
            wait_for("the others", lambda: len(hop.mails) == 200, 10 * PATIENCE)
            equal({recipient for _, recipient, _ in hop.mails}, {"alice@isp.example"}, "who has mail")
            hop.answers = {}
            wait_until_empty(server)
            equal(len(hop.mails), 201, "mails")


@case("many messages for a mailbox of which a next hop breaks hold up themselves alone, and the hop does not count as down")
def many_broken_off(directory):
    options = JOURNAL + "journal_retry_min = 2s journal_retry_max = 20s"
    with NextHop() as hop:
        hop.answers = {"RCPT bob": GO_AWAY}
        with Server(directory, options, deliver=hop.address, domain=ALWAYS).start() as server, server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            send(client, "bob", 25)
            wait_for("first tries", lambda: hop.asked("bob@isp.example") >= 3)
            send(client, "alice", 200)
            wait_for("the others", lambda: len(hop.mails) == 200, 10 * PATIENCE)
            equal(server.events("next_hop_down"), [], "next_hop_down")


@case("where mail of many senders for many mailboxes breaks a next hop, each message costs the others the shortest wait once")
def many_of_many(directory):
    options = JOURNAL + "journal_retry_min = 1s journal_retry_max = 60s next_hops { retry_after = 100ms }"
    users = [f"user{number}" for number in range(9)]
    with NextHop() as hop:
        hop.answers = {f"RCPT {user}": GO_AWAY for user in users}
        with Server(directory, options, deliver=hop.address, domain=ALWAYS, recipients=("alice", *users)).start() as server, server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            for user in users:
                client.deliver(HEADER, sender=f"{user}@example.com", recipients=[f"{user}@isp.example"], helo=None)
            wait_for("a next hop that is down", lambda: server.events("next_hop_down"))
            send(client, "alice", 50)
            wait_for("the others", lambda: len(hop.mails) == 50, 20 * PATIENCE)


@case("a next hop that is back gets all that waits at once, not only the one message that was to show it")
def back(directory):
    options = JOURNAL + "journal_retry_min = 12s journal_retry_max = 12s next_hops { retry_after = 1s  failures_max = 1 }"
    port = free_port()
    with Server(directory, options, deliver=f"lmtp://127.0.0.1:{port}", domain=ALWAYS).start() as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        send(client, "alice", 40)
        wait_for("a next hop that is down", lambda: server.events("next_hop_down"))
        with NextHop(port=port) as hop:
            wait_for("mail", lambda: hop.mails)
            since = time.monotonic()
            wait_for("all mail", lambda: len(hop.mails) == 40)
            assert time.monotonic() - since < 9, "the rest has waited for another round"


@case("a next hop that hangs with large mails takes no other destination's share of memory")
def large(directory):
    with NextHop() as hop, NextHop() as other:
        hop.answers = {"DOT": HANG}
        domain = f"""{ALWAYS} }}
domain "other.example" {{ recipients = "recipients.txt"  deliver = "{other.address}"  {ALWAYS} """
        with Server(directory, JOURNAL, deliver=hop.address, domain=domain).start() as server, server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            send(client, "bob", 18, text=LARGE)
            wait_for("texts at the hop that hangs", lambda: hop.commands.count("DATA") >= 4)
            send(client, "alice", domain="other.example")
            wait_for("the other mail", lambda: other.mails, 10 * PATIENCE)


class Silent(NextHop):
    """Says nothing when it has a text."""

    has_text = False

    def to_say(self, connection, step, usual):
        self.has_text = self.has_text or step.startswith("DOT")
        return HANG if step.startswith("DOT") else usual


@case("a stop that waits for a next hop to answer for what it has says of no worker that it hangs")
def stop(directory):
    with Silent() as hop:
        server = Server(directory, JOURNAL, deliver=hop.address, domain=ALWAYS).start()
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            send(client, "bob")
            wait_for("a text at the next hop", lambda: hop.has_text)
        assert server.stop() > 3, "the stop waits for the next hop"
        equal(server.events("worker_stalled"), [], "stalls")


main()
