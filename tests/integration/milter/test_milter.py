#!/usr/bin/env python3
"""Mail filters judge, change, hang, die and lie: what the client is told, what is delivered, and what it costs."""

import contextlib
import errno
import os
import socket
import struct
import time

from common.dns_peers import DnsStub
from common.dns_world import client_from, dns_server
from common.faults import Faults
from common.harness import PATIENCE, ROOT, SECONDS, Server, case, equal, main, run_program, wait_for, without_trace
from common.messages import HEADER
from common.daemons.listening import GO_AWAY, HANG
from common.daemons.milter import SILENT, Milter, body, frame, insertion, words
from common.daemons.next_hop import NextHop

TEXT = HEADER + b"text\r\n"
LONG = HEADER + (b"y" * 998 + b"\r\n") * 2000
# What hangs costs this each time; a filter that answers must be sooner also on a machine that is busy.
LIMIT = f"{2 + PATIENCE}s"
QUICK = f"connect_timeout = {LIMIT} command_timeout = {LIMIT} end_timeout = {LIMIT} content_timeout = {4 + 2 * PATIENCE}s"
QUEUED = 3 + PATIENCE  # seconds


def serve(directory, *milters, options="", more="", **places):
    sections = "".join(one.section(f"filter{number}", options) for number, one in enumerate(milters))
    return Server(directory, "workers = 1\n" + sections + more, **places)


def ask(server, code, recipients=("alice@isp.example",), text=TEXT):
    """What the end of data is told."""
    with server.client() as client:
        client.begin(recipients=recipients)
        return client.finish(text, code)


@case("a filter is told of the session, and asked about each recipient and the text, and no later than that")
def told(directory):
    with Milter() as milter, serve(directory, milter) as server:
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com> SIZE=100 body=8bitMIME", 250)
            client.command("RCPT TO:<nobody@isp.example>", 550)
            equal(milter.connections, 0, "connections of a session that our own policy refuses")
            for recipient in "alice", "bob":
                client.command(f"RCPT TO:<{recipient}@isp.example>", 250)
            client.command("DATA", 354)
            client.finish(TEXT)
            client.deliver(TEXT, helo=None)
            client.command("QUIT", 221)
        wait_for("the end", lambda: milter.open == 0)
        equal([step for step, _ in milter.told],
              ["OPTIONS", "CONNECT", "HELO", "MAIL", "RCPT", "RCPT", "DATA", "HEADER", "HEADER", "END_OF_HEADER", "BODY", "END",
               "MAIL", "RCPT", "DATA", "HEADER", "HEADER", "END_OF_HEADER", "BODY", "END", "Q"], "steps")
        data = dict(milter.told)
        assert data["CONNECT"].startswith(b"[127.0.0.1]\x004") and data["CONNECT"].endswith(b"127.0.0.1\0"), data["CONNECT"]
        equal((data["HELO"], data["MAIL"]), (b"client.example.com\0", b"<me@example.com>\0"), "HELO, MAIL")
        assert (("MAIL", b"<me@example.com>\0SIZE=100\0BODY=8BITMIME\0") in milter.told), milter.told
        equal(milter.texts, [TEXT, TEXT], "texts")
        equal((milter.macros["C"]["j"], milter.macros["R"]["{rcpt_addr}"]), ("mx1.isp.example", "alice@isp.example"), "macros")
        assert len(milter.macros["M"]["i"]) == 12, milter.macros
        equal([without_trace(mail) for mail in server.mails()], [TEXT, TEXT], "mails")
        counters = server.counters()
        equal((counters["filter.filter0.asked"], counters["filter.filter0.failed"]), (5, 0), "counters")


@case("a filter is told the client's name in DNS where that leads back to it, and else its address")
def named(directory):
    with DnsStub(ROOT / "conf/example.zone") as dns, Milter() as milter, dns_server(directory, [dns.port], "dynamic_client { mode = off }\n" + milter.section()) as server:
        for client, name, both, pointer in (("192.0.2.7", "mail.example.com", "mail.example.com [192.0.2.7]", "mail.example.com"),
                                            ("192.0.2.79", "[192.0.2.79]", "[192.0.2.79]", "nowhere.example.net"),
                                            ("192.0.2.5", "[192.0.2.5]", "[192.0.2.5]", "[192.0.2.5]")):
            milter.told.clear()
            with client_from(server, client) as session:
                session.command("EHLO mail.example.com", 250)
                session.command("MAIL FROM:<me@example.com> BODY=7bit SMTPUTF8", 250)
                session.command("RCPT TO:<alice@isp.example>", 250)
            data = dict(milter.told)
            equal(data["CONNECT"].split(b"\0")[0].decode(), name, "CONNECT")
            equal(data["MAIL"], b"<me@example.com>\0BODY=7BIT\0SMTPUTF8\0", "MAIL")
            macros = milter.macros["C"]
            equal((macros["_"], macros["{client_name}"], macros["{client_ptr}"]), (both, name, pointer), "macros")


@case("a domain's mail is shown to those filters alone that the domain wants")
def of_domain(directory):
    domain = 'domain "some.example" { alias_of = "isp.example" mail_filters = " filter1  filter2 " }\n'
    with Milter() as first, Milter() as second, Milter() as third, serve(directory, first, second, third, more=domain) as server:
        ask(server, 250, ["alice@some.example"])
        equal([len(milter.texts) for milter in (first, second, third)], [0, 1, 1], "texts")
        equal(first.connections, 0, "connections")
        second.answers = {"END": frame("+", "<bob@isp.example>") + frame("c")}
        ask(server, 250, ["alice@some.example"])
        told = wait_for("the event", lambda: server.events("filter_edit_refused"))
        equal(told[0]["reason"], "its domain wants other filters", "a recipient of another domain")
        ask(server, 250)
        equal([len(milter.texts) for milter in (first, second, third)], [1, 3, 3], "texts")
        equal((len(server.mails("alice")), len(server.mails("bob"))), (3, 1), "mails")


@case("its words reach the client with our reject id, and the log has them as evidence")
def refused(directory):
    with Milter(path=directory / "milter") as milter, serve(directory, milter) as server:
        milter.answers = {"RCPT bob": words("550 5.7.9 bob %% me"), "END": words("554 5.6.0 a virus")}
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            assert client.command("RCPT TO:<bob@isp.example>", 550).startswith("5.7.9 bob % me ["), "RCPT"
            client.command("RCPT TO:<alice@isp.example>", 250)
            client.command("DATA", 354)
            said = client.finish(TEXT, 554)
            assert said.startswith("5.6.0 a virus ["), said
            for answer, code in (frame("r"), 550), (frame("t"), 451), (words("451 4.7.1 later"), 451):
                milter.answers = {"END": answer}
                client.begin(helo=None)
                client.finish(TEXT, code)
            for step in "MAIL", "DATA", "HEADER", "BODY":
                milter.answers = {step: frame("t")}
                client.command("MAIL FROM:<me@example.com>", 250)
                client.command("RCPT TO:<alice@isp.example>", 451 if step == "MAIL" else 250)
                if step != "MAIL":
                    client.command("DATA", 354)
                    client.finish(TEXT, 451)
                else:
                    client.command("RSET", 250)
            milter.answers = {}
            client.begin(helo=None)
            client.finish(TEXT)
            milter.answers = {"END": frame("4")}
            client.begin(helo=None)
            client.finish(TEXT, 421)
            assert client.is_closed()
        milter.answers = {"END": words("421 4.7.0 go away")}
        ask(server, 421)
        equal(len(server.mails()), 1, "mails")
        equal(milter.connections, 2, "connections")
        session = wait_for("the session", server.sessions)[0]
        first = session["transactions"][0]
        equal((first["code"], first["reply"], first["rcpts"][0]["code"], first["rcpts"][0]["check"]),
              ("554 5.6.0", "filter_refused", "550 5.7.9", "mail_filter"), "the log")
        evidence = [verdict["evidence"] for verdict in first["verdicts"]]
        assert "filter0 refuses: a virus" in evidence, first
        equal(first["verdicts"][0]["line"] > 0, True, "the line of its section")
        explained = run_program("explain", "-c", str(directory / "gatepost.conf"), first["reject_id"]).stdout
        assert "a mail filter at the recipient's provider refused it" in explained and "a virus" in explained, explained[:3000]


@case("what filters change is what the next one sees, and what is delivered; nothing injects a line, and strangers speak in no name of ours")
def changed(directory):
    def do(*edits):
        return b"".join(edits) + frame("c")
    with Milter(steps=SILENT) as first, Milter() as second, serve(directory, first, second) as server:
        first.answers = {"END": do(
            frame("h", "X-Spam", "no\r\nX-Injected: yes"), insertion(1, "Authentication-Results", "mx1.isp.example; dkim=pass"),
            insertion(1, "Subject", "changed", "m"), body(b"another\nbody\n"), frame("q", "a suspect"),
            frame("+", "<bob@isp.example>"), frame("+", "<nobody@isp.example>"), frame("+", "<eve@example.net>"), frame("e", "<other@example.com>"))}
        second.answers = {"END": do(frame("-", "<alice@isp.example>"), frame("h", "X-Second", "seen"))}
        ask(server, 250, text=b"Authentication-Results: mx1.isp.example; dkim=fail\r\nReceived-SPF: pass\r\n" + TEXT)
        mail = wait_for("the mail", lambda: server.mails("bob"))[0]
        equal(server.mails("alice"), [], "mails of a recipient that was deleted")
        assert mail.startswith(b"Return-Path: <other@example.com>\r\nReceived: "), mail
        assert mail.endswith(b"\r\n\r\nanother\r\nbody\r\n"), mail
        lines = mail.split(b"\r\n")
        assert b"X-Injected: yes" not in lines and b"Subject: changed" in lines and b"X-Second: seen" in lines, mail
        equal([line for line in lines if line.startswith(b"Authentication-Results")],
              [b"Authentication-Results: mx1.isp.example; dkim=pass"], "in our name")
        assert b"X-Quarantine: filter0: a suspect" in lines, mail
        assert b"Subject: changed\r\n" in second.texts[0] and second.texts[0].endswith(b"another\r\nbody\r\n"), second.texts
        assert b"dkim=fail" not in first.texts[0], first.texts
        reasons = [event["reason"] for event in wait_for("events", lambda: server.events("filter_edit_refused"))]
        assert "it is no recipient of ours" in reasons, reasons
        assert server.counters()["filter_edits_refused"] >= 2


@case("a header that a line ends which is no field ends there for everybody: for each filter, and for the store")
def no_field(directory):
    with Milter() as first, Milter() as second, serve(directory, first, second) as server:
        for answers in {}, {"END_OF_HEADER": frame("a")}, {"END": frame("h", "X-Seen", "yes") + frame("c")}:
            first.answers = answers
            ask(server, 250, text=b"Subject: a\r\nno field\r\nContent-Type: text/html\r\n\r\ntext\r\n")
            seen = b"X-Seen: yes\r\n" if "END" in answers else b""
            wanted = b"Subject: a\r\n" + seen + b"\r\nno field\r\nContent-Type: text/html\r\n\r\ntext\r\n"
            equal((without_trace(server.mails()[-1]), second.texts[-1]), (wanted, wanted), "the mail, and what the second filter saw")


@case("a quarantine that finds no room is a failure of its filter")
def quarantined(directory):
    for on_failure, code in ("defer", 451), ("pass", 250):
        folder = directory / on_failure
        folder.mkdir()
        with Milter() as milter, serve(folder, milter, options=f"on_failure = {on_failure}") as server:
            milter.answers = {"END": frame("h", "X-N", "y") * 512 + frame("q", "a suspect") + frame("c")}
            ask(server, code)
            equal(server.counters()["filter.filter0.failed"], 1, "failures")
            equal([b"X-N" in mail for mail in server.mails()], [False] * (code == 250), "mails with what it wanted changed")
            reasons = [event["reason"] for event in wait_for("the event", lambda: server.events("filter_failed"))]
            equal(reasons, ["no room is left for its quarantine"], "reasons")


@case("mail in quarantine is in the folder that its domain has for that, and the next mail is not")
def folder(directory):
    with Milter() as milter, serve(directory, milter, domain="quarantine_folder = Junk.Held") as server:
        for edits in frame("q", "a suspect"), frame("h", "X-Seen", "yes"):
            milter.answers = {"END": edits + frame("c")}
            ask(server, 250)
        held = [path.read_bytes() for path in directory.glob("mail/isp.example/alice/.Junk.Held/new/*")]
        equal([b"\r\nX-Quarantine: filter0: a suspect\r\n" in mail for mail in held], [True], "mails in the folder")
        equal([b"X-Seen: yes" in mail for mail in server.mails()], [True], "mails in the mailbox")


@case("a long reason of a quarantine is cut where a character ends")
def long_reason(directory):
    with Milter() as milter, serve(directory, milter) as server:
        milter.answers = {"END": frame("q", "€" * 2000) + frame("c")}
        ask(server, 250)
        field = next(line for line in server.mails()[0].split(b"\r\n") if line.startswith(b"X-Quarantine: filter0: "))
        reason = field.partition(b"filter0: ")[2].decode()
        assert len(reason) > 100 and set(reason) == {"€"}, reason


@case("what a filter discards, or has no recipients any more, is told 250 and delivered to nobody")
def discarded(directory):
    with Milter() as milter, serve(directory, milter) as server:
        for answer in {"END": frame("d")}, {"RCPT": frame("d")}, {"END": frame("-", "<alice@isp.example>") + frame("c")}:
            milter.answers = answer
            ask(server, 250)
        equal(server.mails(), [], "mails")
        equal(server.counters()["messages_discarded"], 3, "counted")


@case("postmaster gets what is discarded all the same, and alone: also from a next hop that has been told of others")
def postmaster(directory):
    with NextHop() as hop, Milter() as milter, serve(directory, milter, deliver=hop.address) as server:
        for step in "RCPT", "END":
            milter.answers = {step: frame("d")}
            ask(server, 250, recipients=("alice@isp.example", "postmaster@isp.example", "bob@isp.example"))
        equal([(recipients, mail.endswith(b"\r\n" + TEXT)) for _, recipients, mail in hop.mails],
              [("postmaster@isp.example", True)] * 2, "mails")
        equal(server.counters()["messages_discarded"], 0, "discarded for everybody")


@case("one that hangs, dies or lies costs its own time: on_failure says what becomes of the mail, and the session goes on")
def failing(directory):
    garbage = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    faults = [(step, answer) for step in ("OPTIONS", "CONNECT", "MAIL", "RCPT", "HEADER", "BODY", "END") for answer in (GO_AWAY, garbage)]
    faults += [(step, HANG) for step in ("OPTIONS", "RCPT", "HEADER", "END")] + [("END", struct.pack(">I", 1 << 31) + b"c"), ("HELO", frame("p") * 5)]
    for on_failure in "pass", "defer":
        folder = directory / on_failure
        folder.mkdir()
        with Milter() as milter, serve(folder, milter, options=f"on_failure = {on_failure} {QUICK}") as server:
            with server.client() as client:
                client.command("EHLO client.example.com", 250)
                descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
                for step, answer in faults:
                    milter.answers = {step: answer}
                    client.command("MAIL FROM:<me@example.com>", 250)
                    is_late = step in ("HEADER", "BODY", "END")
                    client.command("RCPT TO:<alice@isp.example>", 250 if is_late or on_failure == "pass" else 451)
                    if is_late or on_failure == "pass":
                        client.command("DATA", 354)
                        client.finish(TEXT, 250 if on_failure == "pass" else 451)
                    else:
                        client.command("RSET", 250)
                milter.answers = {}
                client.begin(helo=None)
                client.finish(TEXT)
                found = len(os.listdir(f"/proc/{server.process.pid}/fd"))
                assert found <= descriptors + 1, (found, descriptors)  # the milter's
            equal(len(server.mails()), len(faults) + 1 if on_failure == "pass" else 1, "mails")
            equal(server.counters()["filter.filter0.failed"], len(faults), "failures")
            equal(wait_for("an event", lambda: server.events("filter_failed"))[0]["step"], "OPTIONS", "the first step that fails")


@case("a hung filter has so many connections and no more, a client that leaves frees its own, and a stop waits for none")
def hung(directory):
    with Milter() as milter, Server(directory, "workers = 1\nshutdown_timeout = 1s\n" + milter.section(options="connections_max = 2")) as server:
        milter.answers = {"RCPT": HANG}
        clients = [server.client() for _ in range(3)]
        for client in clients[:2]:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            client.raw(b"RCPT TO:<alice@isp.example>\r\n")
        wait_for("two questions", lambda: milter.open == 2)
        clients[2].command("EHLO client.example.com", 250)
        clients[2].command("MAIL FROM:<me@example.com>", 250)
        clients[2].command("RCPT TO:<alice@isp.example>", 451)
        clients[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        clients[0].close()
        milter.answers = {}
        wait_for("its place", lambda: server.sessions())
        clients[2].command("RCPT TO:<alice@isp.example>", 250)
        assert server.stop() < 15
        for client in clients[1:]:
            client.close()


@case("a long text is held in memory and given whole; a next hop gets it when the verdict stands, as it was changed")
def long(directory):
    with NextHop() as hop, Milter() as milter, serve(directory, milter, deliver=hop.address) as server:
        milter.answers = {"END": frame("h", "X-Seen", "yes") + frame("+", "<bob@isp.example>") + frame("c")}
        ask(server, 250, text=LONG)
        equal(milter.texts, [LONG], "texts")
        assert hop.mails[0][2].endswith(LONG[len(HEADER):]) and b"\r\nX-Seen: yes\r\n" in hop.mails[0][2]
        equal(len(hop.mails), 1, "mails")
        told = wait_for("the event", lambda: server.events("filter_edit_refused"))
        equal(told[0]["reason"], "the next hop has the envelope already", "an edit of the envelope")
        milter.answers = {"END": frame("r")}
        ask(server, 550, text=LONG)
        milter.answers = {"END": frame("d")}
        ask(server, 250, text=LONG)
        equal(len(hop.mails), 1, "mails")


@case("a session that asks nothing now makes room for one that asks, and goes on where it was with another connection")
def shared(directory):
    with Milter() as milter, serve(directory, milter, options="connections_max = 1") as server:
        with server.client() as idle, server.client() as other:
            for client in idle, other:
                client.command("EHLO client.example.com", 250)
                client.command("MAIL FROM:<me@example.com>", 250)
                client.command("RCPT TO:<alice@isp.example>", 250)
            for client in idle, other:
                client.command("DATA", 354)
                client.finish(TEXT)
        equal((len(server.mails()), len(milter.texts)), (2, 2), "mails, texts")
        wait_for("the last of four connections", lambda: (milter.connections, milter.open) == (4, 0))
        equal(server.counters()["filter.filter0.failed"], 0, "failures")


@case("two that take a connection from each other have a filter told all again so often, then one is put off; texts are judged")
def told_again(directory):
    names = [f"user{number}" for number in range(60)]
    with Milter() as milter, serve(directory, milter, options="connections_max = 1 on_failure = pass", recipients=names) as server:
        with server.client() as one, server.client() as other:
            codes = {one: [], other: []}
            for client in codes:
                client.command("EHLO client.example.com", 250)
                client.command("MAIL FROM:<me@example.com>", 250)
            for name in names:
                for client in codes:
                    client.raw(f"RCPT TO:<{name}@isp.example>\r\n".encode())
                    codes[client].append(client.reply()[0])
            # From then on it takes no connection from the other, who has it to himself.
            taken = codes[one].index(451)
            assert 15 < taken < 25 and set(codes[one][taken:]) == {451}, codes[one]
            equal(codes[other], [250] * 60, "codes of the other")
            for client in codes:
                client.command("DATA", 354)
                client.finish(TEXT)
        told = sum(step == "RCPT" for step, _ in milter.told)
        assert told < 700, told  # without a bound it would be 3600
        equal(milter.texts, [TEXT, TEXT], "texts")
        failed = wait_for("events", lambda: server.events("filter_failed"))
        equal({event["reason"] for event in failed}, {"its connections were lost too often"}, "reasons")


@case("a header of 2000 fields is judged, and one with more is refused before a filter is asked about it")
def many_fields(directory):
    fields = b"".join(b"A:%d\r\n" % number for number in range(2000))
    with Milter() as milter, serve(directory, milter) as server:
        ask(server, 250, text=fields + b"\r\ntext\r\n")
        said = ask(server, 552, text=b"B: one more\r\n" + fields + b"\r\ntext\r\n")
        assert said.startswith("5.3.4 the header has too many fields"), said
        ask(server, 250, text=fields + b"no field\r\n" + fields)
        equal(len(milter.texts), 2, "texts")
        equal(len(server.mails()), 2, "mails")
        equal(server.counters()["filter.filter0.refused"], 1, "refused")


@case("a connection that was kept and is closed just as it is used is no failure: the question goes to a new one, once")
def let_go(directory):
    for steps in 0, SILENT:
        folder = directory / str(steps)
        folder.mkdir()
        with Milter(steps=steps) as milter, serve(folder, milter) as server, server.client() as client:
            answers = iter(())
            milter.answers = {"END" if steps else "MAIL": lambda: next(answers, frame("c"))}
            client.deliver(TEXT)
            answers = iter((GO_AWAY,))
            client.deliver(TEXT, helo=None)
            equal((milter.connections, len(server.mails())), (2, 2), "connections, mails")
            equal(server.counters()["filter.filter0.failed"], 0, "failures")
            answers = iter((GO_AWAY, GO_AWAY))
            if steps:
                client.begin(helo=None)
                client.finish(TEXT, 451)
            else:
                client.command("MAIL FROM:<me@example.com>", 250)
                client.command("RCPT TO:<alice@isp.example>", 451)
            equal((milter.connections, server.counters()["filter.filter0.failed"]), (3, 1), "connections, failures")


@case("where the queue of a filter's unix socket is full, a session waits for a place in it, for connect_timeout at most")
def queued(directory):
    path = str(directory / "milter")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as queue:
        listener.bind(path)
        listener.listen(0)
        listener.settimeout(SECONDS)
        queue.enter_context(socket.socket(socket.AF_UNIX)).connect(path)
        section = f'milter "filter0" {{ connect = "unix:{path}" connect_timeout = {QUEUED}s }}\n'
        with Server(directory, "workers = 1\n" + section) as server, server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            begun = time.monotonic()
            client.command("RCPT TO:<alice@isp.example>", 451)
            assert time.monotonic() - begun > QUEUED - 0.5, "it was not waited for"
            client.raw(b"RCPT TO:<alice@isp.example>\r\n")
            time.sleep(0.2)
            listener.accept()[0].close()
            with listener.accept()[0] as connection, contextlib.suppress(StopIteration):
                equal(connection.recv(4), b"\0\0\0\r", "the length of its first command")
            equal(client.reply()[0], 451, "it has closed")
            equal(server.counters()["filter.filter0.failed"], 2, "failures")


@case("what a filter wanted changed of a text that it then refuses is not kept")
def dropped(directory):
    with Milter() as milter, serve(directory, milter) as server:
        milter.answers = {"END": body(b"y" * 1_000_000) * 8 + frame("r")}
        with server.client() as client:
            client.begin()
            client.finish(TEXT, 550)
            wait_for("memory that was given back", lambda: server.counters()["memory_held"] < 1_000_000)


@case("a reload leaves open sessions their filters, and check-config says what is wrong")
def reloaded(directory):
    with Milter() as milter, Milter() as other, serve(directory, milter) as server:
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            client.command("RCPT TO:<alice@isp.example>", 250)
            server.write_configuration(options=other.section("filter0"))
            server.reload()
            client.command("DATA", 354)
            client.finish(TEXT)
        ask(server, 250)
        equal((len(milter.texts), len(other.texts)), (1, 1), "texts")
        equal(server.counters()["filter.filter0.asked"], 4, "its counters are those of its name")
    for section, complaint in (('milter "a" { connect = "tcp:1" }', "connect must be inet:ADDRESS:PORT or unix:PATH"),
                               ('milter "a b" { connect = "unix:x" }', "a name has 1 to 32 letters"),
                               ('milter "a" { connect = "unix:x" }\nmilter "a" { connect = "unix:x" }', 'is given twice'),
                               ('milter "a" { connect = "unix:x" on_failure = accept }', "must be pass or defer"),
                               ('domain "b.example" { alias_of = "isp.example" mail_filters = "a" }', 'there is no milter, and no policy_service, "a"'),
                               ('domain "b.example" { alias_of = "isp.example" mail_filters = "" }', "must be yes, no or names of filters"),
                               ('milter "a" { conect = "unix:x" }', 'did you mean "connect"?')):
        server.write_configuration(options=section)
        told = run_program("check-config", "--no-open", "-c", str(directory / "gatepost.conf"))
        assert complaint in told.stdout + told.stderr and "gatepost.conf:" in told.stdout + told.stderr, told
        equal(told.returncode, 1, "status")


@case("calls that a signal interrupts are made again: no filter fails for that")
def interrupted(directory):
    faults = Faults(directory)
    with Milter(path=directory / "milter") as at_path, Milter() as other:
        server = serve(directory, at_path, other)
        with server.start(faults.prefix()):
            for call in "connect", "send", "recv":
                faults.set(call, errno.EINTR, per_million=300_000, seed=1, thread="worker")
            for _ in range(10):
                ask(server, 250)
            equal([faults.counts(call)[1] > 0 for call in ("connect", "send", "recv")], [True] * 3, "interrupted")
            faults.end_all()
            counters = server.counters()
            equal([counters[f"filter.filter{number}.failed"] for number in (0, 1)], [0, 0], "failures")
            equal(len(server.mails()), 10, "mails")


main()
