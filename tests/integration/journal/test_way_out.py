#!/usr/bin/env python3
"""Mail that goes to next hops by way of the journal: when its client is told 250, and what the next hop gets when."""

from common.harness import HELO, SENDER, Server, case, configuration, equal, free_port, main, run_program, wait_for
from common.journal import listed, wait_until_empty
from common.messages import HEADER
from common.daemons.next_hop import GO_AWAY, NextHop

TEXT = HEADER + b"..dot\r\nend\r\n"
LONG = HEADER + (b"y" * 998 + b"\r\n") * 3000
BOTH = ("alice@isp.example", "bob@isp.example")
JOURNAL = 'journal = "journal" journal_size = 24M journal_segment = 4M journal_retry_min = 1s'


def serve(directory, *hops, use="when-down", options="", **places):
    names = " ".join(hop if isinstance(hop, str) else hop.address for hop in hops)
    return Server(directory, f"{JOURNAL} {options}", deliver=names, domain=f"journal = {use}", **places)


def dead_letters(server):
    return [path.read_bytes() for path in (server.directory / "journal/dead-letters/new").glob("*")]


@case("always: the client is told 250 while the next hop is away, and gets its mail when that is back, once, as it was sent")
def always(directory):
    port = free_port()
    with serve(directory, f"lmtp://127.0.0.1:{port}", use="always") as server:
        with server.client() as client:
            client.deliver(TEXT, recipients=BOTH)
            client.deliver(LONG, helo=None)
            client.deliver(TEXT, helo=None, recipients=("postmaster",), sender="")
        equal(len(listed(server)), 3, "messages that wait")
        with NextHop(port=port) as hop:
            wait_for("mail", lambda: len(hop.mails) == 4)
            wait_until_empty(server)
            equal(sorted((sender, recipient) for sender, recipient, _ in hop.mails),
                  [("", "postmaster@isp.example"), (SENDER, "alice@isp.example"), (SENDER, "alice@isp.example"), (SENDER, "bob@isp.example")], "envelopes")
            for _, _, text in hop.mails:
                trace, _, rest = text.partition(b"From:")
                assert trace.startswith(b"Received: from ") or b"\r\nReceived: from " in trace, trace
            texts = sorted((text[text.index(HEADER):] for _, _, text in hop.mails), key=len)
            equal([len(text) for text in texts], [len(TEXT)] * 3 + [len(LONG)], "lengths")
            equal((texts[0], texts[3]), (TEXT, LONG), "texts")
            assert hop.connections <= 3, hop.connections


@case("when-down: the next hop is asked first, and the journal takes what none takes now, or what breaks; its 4xx and 5xx are the client's")
def when_down(directory):
    with NextHop() as hop, serve(directory, hop, options="next_hops { retry_after = 100ms failures_max = 1000 refusals_kept = 1ms }") as server:
        with server.client() as client:
            client.deliver(TEXT)
        equal(len(hop.mails), 1, "at once")
        for step, said in ("MAIL", "553 5.1.7 not you"), ("DATA", "451 4.2.0 later"), ("DOT", "452 4.2.2 full"), ("DOT", "554 5.6.0 a virus"):
            hop.answers = {step: said}
            with server.client() as client:
                client.envelope()
                client.command("DATA", 354 if step == "DOT" else int(said[:3]))
                if step == "DOT":
                    client.finish(TEXT, int(said[:3]))
        equal(listed(server), [], "the answers of a next hop are the client's")
        for answers in {"MAIL": GO_AWAY}, {"TEXT": GO_AWAY}, {"DOT": GO_AWAY}:
            hop.answers = answers
            with server.client() as client:
                client.deliver(TEXT)
            equal(len(listed(server)), 1, f"{answers}: it waits")
            hop.answers = {}
            wait_until_empty(server)
        # What came to an end without an answer was taken, perhaps; this next hop had it.
        equal([without(text) for _, _, text in hop.mails], [TEXT] * 4, "mails")


def without(text):
    return text[text.index(HEADER):]


@case("when-down: where LMTP takes it for some the rest goes into the journal, so that nobody gets it twice")
def mixed(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        hop.answers = {"DOT bob": "452 4.2.2 bob is full"}
        with server.client() as client:
            client.deliver(TEXT, recipients=BOTH)
        line, = listed(server)
        assert "recipients 1 of 1" in line, line
        hop.answers = {}
        wait_until_empty(server)
        equal([recipient for _, recipient, _ in hop.mails], ["alice@isp.example", "bob@isp.example"], "mails")


@case("the log follows mail of the journal by its id, and so does explain, also where the log was rotated meanwhile")
def followed(directory):
    with NextHop() as hop, serve(directory, hop, use="always") as server:
        hop.answers = {"DOT bob": "451 4.2.0 bob is busy"}
        with server.client() as client:
            client.begin(recipients=BOTH)
            told = client.finish(TEXT)
        wait_for("the first try", lambda: server.events("journal_tried"))
        wait_for("the session", lambda: server.events("session"))
        (directory / "log").rename(directory / "log.1")
        server.reload()
        hop.answers = {}
        wait_until_empty(server)
        wait_for("the last try", lambda: any(event["waiting"] == 0 for event in server.events("journal_tried")))
        run = run_program("explain", "-c", directory / "gatepost.conf", told)
        words = " ".join(run.stdout.split())
        for wanted in (hop.address, "451 4.2.0 bob is busy", '"delivered": 1', '"waiting": 1', '"waiting": 0'):
            assert wanted in words, run.stdout + run.stderr
        assert run.stdout.count("An event of the log") >= 2 and "was taken" in words, run.stdout


@case("what a next hop refuses becomes a dead letter, for those it refuses; who is put off is tried again alone")
def outcomes(directory):
    with NextHop() as hop, serve(directory, hop, use="always") as server:
        hop.answers = {"RCPT alice": "550 5.1.1 who is alice?", "DOT bob": "451 4.2.0 bob is busy"}
        with server.client() as client:
            client.deliver(TEXT, recipients=BOTH)
        wait_for("a dead letter", lambda: dead_letters(server))
        wait_for("a line", lambda: "recipients 1 of 2" in listed(server)[0])
        letter, = dead_letters(server)
        assert b"X-Dead-Letter-For: alice@isp.example\n" in letter and b"550 5.1.1 who is alice?" in letter, letter
        event, = wait_for("an event", lambda: server.events("journal_dead_letter"))
        equal((event["recipients"], event["reason"], event["next_hop"]), (1, "550 5.1.1 who is alice?", hop.address), "journal_dead_letter")
        hop.answers = {}
        wait_until_empty(server)
        equal([recipient for _, recipient, _ in hop.mails], ["bob@isp.example"], "mails")
        counted = wait_for("the counters", lambda: (found := server.counters())["journal_settled"] and not found["journal_waiting"] and
                           found)
        equal([counted[f"journal_{name}"] for name in ("messages", "waiting", "delivered", "dead", "damaged", "torn", "failures")], [1, 0, 1, 1, 0, 0, 0], "counters")
        assert counted["journal_deferred"] >= 1 and counted["journal_syncs"] >= 2 and counted["journal_free_segments"] >= 4, counted


@case("a full journal is 452, and goes on when there is room; a stop and a start lose nothing")
def full(directory):
    port = free_port()
    with serve(directory, f"lmtp://127.0.0.1:{port}", use="always", options="") as server:
        taken = 0
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            while True:
                client.begin(helo=None)
                client.raw(LONG + b".\r\n")
                code, told = client.reply()
                if code != 250:
                    break
                taken += 1
        equal(code, 452, told)
        assert 3 <= taken <= 8, taken
        wait_for("an event", lambda: server.events("journal_failed"))
        server.stop()
        with NextHop(port=port) as hop:
            server.start()
            equal(wait_for("the journal", lambda: server.events("journal_opened")[1:])[0]["waiting"], taken, "waiting")
            wait_for("mail", lambda: len(hop.mails) == taken)
            wait_until_empty(server)
            with server.client() as client:
                client.deliver(TEXT)
            wait_for("mail", lambda: len(hop.mails) == taken + 1)


@case("options of the journal wait for a restart, and domains that want one that is not there yet go on without")
def reloads(directory):
    with NextHop() as hop, Server(directory, deliver=hop.address, recipients=("alice", f"bob deliver={hop.address}")) as server:
        server.write_configuration(options=JOURNAL, domain="journal = always")
        server.reload()
        warnings = wait_for("warnings", lambda: len(found := server.events("restart_needed")) >= 5 and found)
        equal([line["option"] for line in warnings], ["journal_size", "journal_segment", "journal_retry_min", "journal", "journal_dead_letters"], "warnings")
        with server.client() as client:
            client.deliver(TEXT)
            client.deliver(TEXT, recipients=("bob@isp.example",), helo=None)
        equal(len(hop.mails), 2, "by cut-through")
        assert not (directory / "journal").exists()


@case("a domain says whether it has the journal: that needs one, and next hops")
def said(directory):
    hops, maildir = "lmtp://127.0.0.1:24", "maildir:mail/%d/%u"
    (directory / "recipients.txt").write_text("alice\n")
    for options, deliver, domain, fault in (
            ("", hops, "journal = always", "error: journal: needs the option journal"),
            (JOURNAL, maildir, "journal = when-down", "error: journal: needs next hops in deliver"),
            (JOURNAL, f"journal: {hops}", "", "journal = always in this domain, not journal: lmtp:"),
            (JOURNAL, " ".join(f"lmtp://h{number}.{'x' * 60}.example:24" for number in range(16)), "", "has 1023 octets at most"),
            ("", hops, "journal = never", None), (JOURNAL, maildir, "", None), (JOURNAL, hops, "", None)):
        (directory / "gatepost.conf").write_text(configuration(["127.0.0.1:2525"], options, domain, deliver=deliver))
        run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
        equal(run.returncode, 0 if fault is None else 1, run.stderr + run.stdout)
        assert fault is None or fault in run.stderr + run.stdout, (run.stdout, run.stderr)


main()
