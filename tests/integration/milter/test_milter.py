#!/usr/bin/env python3
"""Mail filters judge, change, hang, die and lie: what the client is told, what is delivered, and what it costs."""

import os
import socket
import struct

from common.harness import PATIENCE, Server, case, equal, main, run_program, wait_for, without_trace
from common.messages import HEADER
from common.milter import GO_AWAY, HANG, SILENT, Milter, body, frame, insertion, words
from common.next_hop import NextHop

TEXT = HEADER + b"text\r\n"
LONG = HEADER + (b"y" * 998 + b"\r\n") * 2000
# What hangs costs this each time; a filter that answers must be sooner also on a machine that is busy.
LIMIT = f"{400 * PATIENCE}ms"
QUICK = f"connect_timeout = {LIMIT} command_timeout = {LIMIT} end_timeout = {LIMIT} content_timeout = {2 * PATIENCE}s"


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
            client.command("MAIL FROM:<me@example.com> SIZE=100", 250)
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
        assert (("MAIL", b"<me@example.com>\0SIZE=100\0") in milter.told), milter.told
        equal(milter.texts, [TEXT, TEXT], "texts")
        equal((milter.macros["C"]["j"], milter.macros["R"]["{rcpt_addr}"]), ("mx1.isp.example", "alice@isp.example"), "macros")
        assert len(milter.macros["M"]["i"]) == 12, milter.macros
        equal([without_trace(mail) for mail in server.mails()], [TEXT, TEXT], "mails")
        counters = server.counters()
        equal((counters["milter.filter0.asked"], counters["milter.filter0.failed"]), (5, 0), "counters")


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
        reasons = [event["reason"] for event in wait_for("events", lambda: server.events("milter_edit_refused"))]
        assert "it is no recipient of ours" in reasons, reasons
        assert server.counters()["filter_edits_refused"] >= 2


@case("what a filter discards, or has no recipients any more, is told 250 and delivered to nobody")
def discarded(directory):
    with Milter() as milter, serve(directory, milter) as server:
        for answer in {"END": frame("d")}, {"RCPT": frame("d")}, {"END": frame("-", "<alice@isp.example>") + frame("c")}:
            milter.answers = answer
            ask(server, 250)
        equal(server.mails(), [], "mails")
        equal(server.counters()["messages_discarded"], 3, "counted")


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
            equal(server.counters()["milter.filter0.failed"], len(faults), "failures")
            wait_for("an event", lambda: server.events("milter_failed"))


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
        told = wait_for("the event", lambda: server.events("milter_edit_refused"))
        equal(told[0]["reason"], "the next hop has the envelope already", "an edit of the envelope")
        milter.answers = {"END": frame("r")}
        ask(server, 550, text=LONG)
        milter.answers = {"END": frame("d")}
        ask(server, 250, text=LONG)
        equal(len(hop.mails), 1, "mails")


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
        equal(server.counters()["milter.filter0.asked"], 4, "its counters are those of its name")
    for section, complaint in (('milter "a" { connect = "tcp:1" }', "connect must be inet:ADDRESS:PORT or unix:PATH"),
                               ('milter "a b" { connect = "unix:x" }', "a name has 1 to 32 letters"),
                               ('milter "a" { connect = "unix:x" }\nmilter "a" { connect = "unix:x" }', 'is given twice'),
                               ('milter "a" { connect = "unix:x" on_failure = accept }', "must be pass or defer"),
                               ('milter "a" { conect = "unix:x" }', 'did you mean "connect"?')):
        server.write_configuration(options=section)
        told = run_program("check-config", "--no-open", "-c", str(directory / "gatepost.conf"))
        assert complaint in told.stdout + told.stderr and "gatepost.conf:" in told.stdout + told.stderr, told
        equal(told.returncode, 1, "status")


main()
