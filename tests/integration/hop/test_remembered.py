#!/usr/bin/env python3
"""What next hops say of recipients is remembered: the next try gets it at RCPT, and the mail of the others arrives."""

from common.harness import HELO, SENDER, Server, case, equal, main, wait_for
from common.messages import HEADER
from common.daemons.next_hop import GO_AWAY, NextHop

TEXT = HEADER + b"text\r\n"
ALICE, BOB, CAROL = "alice@isp.example", "bob@isp.example", "carol@isp.example"


def serve(directory, hop, options="", **places):
    return Server(directory, f"workers = 2 next_hops {{ {options} }}", deliver=hop.address, recipients=("alice", "bob", "carol"), **places)


def attempt(server, answers, data, sender=SENDER, refused=250, text=TEXT):
    """A session of its own: each recipient of `answers` is told that code at RCPT, and DATA that of `data`, with 250 for 354, and the text
    that of `refused`; what they were told is returned, by recipient, and of the text under None."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        told = {recipient: client.command(f"RCPT TO:<{recipient}>", code) for recipient, code in answers.items()}
        if data == 250:
            client.command("DATA", 354)
            told[None] = client.finish(text, refused)
        elif data:
            told[None] = client.command("DATA", data)
        client.command("QUIT", 221)
        return told


def taken(hop):
    return sorted(recipient for _, recipient, _ in hop.mails)


@case("one whom the hop does not know is refused at RCPT in its words, whoever sends and from any worker, and the rest arrives")
def refused(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
        assert "who is bob?" in attempt(server, {ALICE: 250, BOB: 250}, 451)[None]
        told = [attempt(server, {ALICE: 250, BOB: 550, "BOB@ISP.example": 550}, 250, sender)[BOB] for sender in (SENDER, "you@example.com", "")]
        assert all(words.startswith("5.1.1 who is bob? [") for words in told), told
        equal((hop.asked(BOB), taken(hop)), (1, [ALICE] * 3), "times that bob was asked for, mails")
        lines = wait_for("all sessions", lambda: len(server.events("session")) == 4 and server.events("session"))
        # Sessions of two workers may change places in the log; of the first one bob was taken at RCPT.
        rcpt = next(rcpt for line in lines for rcpt in line["transactions"][0]["rcpts"] if rcpt.get("reply") == "hop_refused")
        equal((rcpt["code"], rcpt["check"], rcpt["reply"], rcpt["reason"]), ("550 5.1.1", "recipient", "hop_refused", "who is bob?"), "the log")
        assert any(words.endswith(f"[{rcpt['reject_id']}]") for words in told), (rcpt, told)


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


@case("of LMTP's answers behind the text who was taken gets no second copy, and the client comes again for the others alone")
def mixed(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        hop.answers = {"DOT bob": "452 4.2.2 bob is full"}
        for _ in range(2):
            assert "bob is full" in attempt(server, {ALICE: 250, BOB: 250}, 250, refused=452)[None]
        hop.answers = {}
        attempt(server, {ALICE: 250, BOB: 250}, 250)
        equal((taken(hop), hop.asked(ALICE)), ([ALICE, BOB], 1), "mails, times that alice was asked for")
        attempt(server, {ALICE: 250}, 250)
        equal(hop.asked(ALICE), 1, "times that alice was asked for, when she was alone")
        attempt(server, {ALICE: 250, BOB: 250}, 250, text=TEXT + b"another\r\n")
        attempt(server, {ALICE: 250}, 250, sender="you@example.com")
        equal(taken(hop), [ALICE] * 3 + [BOB] * 2, "mails")
        found = server.counters()
        equal((found["messages_parted"], found["recipients_left_out"]), (2, 3), "counters")


@case("whom the hop refuses behind the text gets that at RCPT, and who was taken is told 250 at once")
def refused_behind_the_text(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        hop.answers = {"DOT bob": "554 5.6.0 bob wants no such text"}
        assert "no such text" in attempt(server, {ALICE: 250, BOB: 250}, 250, refused=451)[None]
        told = attempt(server, {ALICE: 250, BOB: 554}, 250)
        assert "5.6.0 bob wants no such text [" in told[BOB], told
        equal((taken(hop), hop.asked(ALICE)), ([ALICE], 1), "mails, times that alice was asked for")
        lines = wait_for("both sessions", lambda: len(server.events("session")) == 2 and server.events("session"))
        # Sessions of two workers may change places in the log.
        reasons = [line["transactions"][0]["reason"] for line in lines]
        assert "all recipients had it already" in reasons, reasons


@case("where the hop breaks off among its answers nobody who was taken gets it again, and what is long is taken whole")
def broken(directory):
    long = HEADER + (b"y" * 998 + b"\r\n") * 1500
    with NextHop() as hop, serve(directory, hop, "retry_after = 100ms failures_max = 1000") as server:
        hop.answers = {"DOT bob": GO_AWAY}
        attempt(server, {ALICE: 250, BOB: 250, CAROL: 250}, 250, refused=451, text=long)
        attempt(server, {ALICE: 250, BOB: 250, CAROL: 250}, 250, refused=451, text=long)
        server.write_configuration(options=server_options("retry_after = 100ms failures_max = 999"))
        server.reload()
        hop.answers = {"MAIL": "451 4.3.2 not now"}
        attempt(server, {ALICE: 250, BOB: 250, CAROL: 250}, 250, refused=451, text=long)
        hop.answers = {}
        attempt(server, {ALICE: 250, BOB: 250, CAROL: 250}, 250, text=long)
        equal(taken(hop), [ALICE, BOB, CAROL], "mails")
        assert all(text.endswith(long) for _, _, text in hop.mails)


def server_options(options):
    return f"workers = 2 next_hops {{ {options} }}"


if __name__ == "__main__":
    main()
