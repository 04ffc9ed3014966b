#!/usr/bin/env python3
"""What next hops say of recipients is remembered: the next try gets it at RCPT, and the mail of the others arrives."""

from common.harness import HELO, SENDER, Server, case, equal, main, wait_for
from common.messages import HEADER
from common.next_hop import NextHop

TEXT = HEADER + b"text\r\n"
ALICE, BOB, CAROL = "alice@isp.example", "bob@isp.example", "carol@isp.example"


def serve(directory, hop, options="", **places):
    return Server(directory, f"workers = 2 next_hops {{ {options} }}", deliver=hop.address, recipients=("alice", "bob", "carol"), **places)


def attempt(server, answers, data, sender=SENDER):
    """A session of its own: each recipient of `answers` is told that code at RCPT, and DATA or the text that of `data`; what they were
    told is returned, by recipient, and of the text under None."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        told = {recipient: client.command(f"RCPT TO:<{recipient}>", code) for recipient, code in answers.items()}
        if data == 250:
            client.command("DATA", 354)
            told[None] = client.finish(TEXT)
        elif data:
            told[None] = client.command("DATA", data)
        client.command("QUIT", 221)
        return told


def asked(hop, recipient):
    return hop.commands.count(f"RCPT TO:<{recipient}>")


def taken(hop):
    return sorted(recipient for _, recipient, _ in hop.mails)


@case("one whom the hop does not know is refused at RCPT in its words, whoever sends and from any worker, and the rest arrives")
def refused(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
        assert "who is bob?" in attempt(server, {ALICE: 250, BOB: 250}, 451)[None]
        for sender in SENDER, "you@example.com", "":
            told = attempt(server, {ALICE: 250, BOB: 550, "BOB@ISP.example": 550}, 250, sender)[BOB]
            assert told.startswith("5.1.1 who is bob? ["), told
        equal((asked(hop, BOB), taken(hop)), (1, [ALICE] * 3), "times that bob was asked for, mails")
        lines = wait_for("all sessions", lambda: len(server.events("session")) == 4 and server.events("session"))
        rcpt = lines[1]["transactions"][0]["rcpts"][1]
        equal((rcpt["code"], rcpt["check"], rcpt["reply"], rcpt["reason"]), ("550 5.1.1", "recipient", "hop_refused", "who is bob?"), "the log")
        assert rcpt["reject_id"] in told or rcpt["reject_id"], rcpt


@case("one who is deferred, or refused for another reason, is so at the next try of this sender, and of nobody else")
def parted(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        hop.answers = {"RCPT bob": "452 4.2.2 bob is full", "RCPT carol": "554 5.7.1 carol wants none of this"}
        assert "bob is full" in attempt(server, {ALICE: 250, BOB: 250, CAROL: 250}, 452)[None]
        told = attempt(server, {ALICE: 250, BOB: 452, CAROL: 554}, 250)
        assert "4.2.2 bob is full [" in told[BOB] and "5.7.1 carol wants none of this [" in told[CAROL], told
        hop.answers = {}
        attempt(server, {BOB: 250, CAROL: 250}, 250, "you@example.com")
        equal(taken(hop), [ALICE, BOB, CAROL], "mails")


@case("where all are answered alike nothing is kept but that there is no such mailbox")
def alike(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        hop.answers = {"RCPT": "451 4.3.2 not now"}
        for _ in range(2):
            assert "not now" in attempt(server, {ALICE: 250, BOB: 250}, 451)[None]
        hop.answers = {"RCPT": "550 5.7.1 not you"}
        assert "not you" in attempt(server, {ALICE: 250, BOB: 250}, 550)[None]
        hop.answers = {}
        attempt(server, {ALICE: 250, BOB: 250}, 250)
        hop.answers = {"RCPT": "550 5.1.1 nobody"}
        attempt(server, {CAROL: 250}, 550)
        attempt(server, {CAROL: 550}, None)


@case("a refusal is forgotten after its time, and with another destination at once")
def forgotten(directory):
    with NextHop() as hop, NextHop() as other, serve(directory, hop, "refusals_kept = 1s") as server:
        hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
        attempt(server, {BOB: 250}, 550)
        hop.answers = {}
        def is_taken():
            with server.client() as client:
                client.command(f"EHLO {HELO}", 250)
                client.command(f"MAIL FROM:<{SENDER}>", 250)
                client.raw(f"RCPT TO:<{BOB}>\r\n".encode())
                return client.reply()[0] == 250
        wait_for("the end of a second", is_taken)
        server.write_configuration(options=server_options("refusals_kept = 1h"))
        server.reload()
        hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
        attempt(server, {BOB: 250}, 550)
        attempt(server, {BOB: 550}, None)
        server.write_configuration(options=server_options("refusals_kept = 1h"), deliver=other.address)
        server.reload()
        attempt(server, {BOB: 250}, 250)
        equal(taken(other), [BOB], "mails")


def server_options(options):
    return f"workers = 2 next_hops {{ {options} }}"


if __name__ == "__main__":
    main()
