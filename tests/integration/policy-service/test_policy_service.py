#!/usr/bin/env python3
"""Policy services answer, close, hang and lie: what the client is told, what is delivered, and what it costs."""

import os
import socket
import struct
import threading
import time

from common.harness import PATIENCE, Server, case, equal, free_port, main, run_program, wait_for, without_trace
from common.messages import HEADER
from common.daemons.listening import GO_AWAY, HANG
from common.daemons.milter import Milter, frame
from common.daemons.next_hop import NextHop
from common.daemons.policy_service import HALF, PolicyService, action

TEXT = HEADER + b"text\r\n"
LIMIT = f"{max(4, PATIENCE)}s"  # who answers does so in it, though the machine may stand still for a while
QUICK = f"connect_timeout = {LIMIT} answer_timeout = {LIMIT}"
HELD = max(8, 3 * PATIENCE)  # seconds that a question may wait
ALICE = "RCPT TO:<alice@isp.example>"


def serve(directory, service, options="", more="", **places):
    return Server(directory, "workers = 1\n" + service.section(options=options) + more, **places)


def mail(client, *recipients):
    """MAIL, and each of the recipients with the code that is expected; what they were told."""
    client.command("MAIL FROM:<me@example.com>", 250)
    return [client.command(f"RCPT TO:<{name}@isp.example>", code) for name, code in recipients]


def quit_mail(client):
    client.command("RSET", 250)


@case("a service is told what Postfix tells it, about each recipient that nothing else refuses, on one connection that is kept")
def told(directory):
    with PolicyService() as service, serve(directory, service, options='at = both policy_context = "mx"') as server:
        for number in range(3):
            with server.client() as client:
                client.command("EHLO client.example.com", 250)
                client.command("MAIL FROM:<me@example.com> SIZE=100", 250)
                client.command("RCPT TO:<nobody@isp.example>", 550)
                client.command("RCPT TO:<postmaster@isp.example>", 250)
                equal(len(service.asked), number * 3, "questions about who is refused, and postmaster")
                client.command(ALICE, 250)
                client.command("RCPT TO:<bob@isp.example>", 250)
                client.command("DATA", 354)
                client.finish(TEXT)
                client.command("QUIT", 221)
        equal((service.connections, len(service.asked)), (1, 9), "connections, questions")
        first, _, end = service.asked[:3]
        wanted = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP", "helo_name": "client.example.com",
                  "sender": "me@example.com", "recipient": "alice@isp.example", "recipient_count": "0", "client_address": "127.0.0.1",
                  "client_name": "unknown", "reverse_client_name": "unknown", "size": "100", "encryption_protocol": "", "sasl_username": "",
                  "policy_context": "mx", "server_address": "127.0.0.1", "server_port": str(server.port)}
        equal({name: first.get(name) for name in wanted}, wanted, "attributes")
        assert len(first["instance"]) == 12 and first["client_port"].isdigit() and first["queue_id"] == first["instance"], first
        equal(list(first)[:11], ["request", "protocol_state", "protocol_name", "helo_name", "queue_id", "sender", "recipient", "recipient_count",
                                 "client_address", "client_name", "reverse_client_name"], "order")
        equal((end["protocol_state"], end["recipient"], end["recipient_count"], end["size"]), ("END-OF-MESSAGE", "", "3", str(len(TEXT))), "at the end")
        assert service.asked[3]["instance"] != first["instance"], "one instance for two messages"
        counters = server.counters()
        equal((counters["filter.service.asked"], counters["filter.service.failed"]), (9, 0), "counters")


@case("each action has its reply, its evidence and its place among the other filters")
def actions(directory):
    with PolicyService(path=directory / "policy") as service, Milter() as milter, \
            serve(directory, service, more=milter.section()) as server, server.client() as client:
        client.command("EHLO client.example.com", 250)
        milter.answers = {"RCPT bob": frame("r")}
        replies = {"DUNNO": (250, ""), "OK": (250, ""), "OK known": (250, ""), "warn odd": (250, ""), "INFO a": (250, ""),
                   "REJECT": (554, "5.7.1 refused by a mail filter ["), "REJECT go away": (554, "5.7.1 go away ["),
                   "DEFER": (450, "4.7.1 refused by a mail filter ["), "DEFER_IF_PERMIT Greylisted": (450, "4.7.1 Greylisted ["),
                   "550 5.1.1 no such user": (550, "5.1.1 no such user ["), "451 4.3.0 later %s": (451, "4.3.0 later %s [")}
        for said, (code, words) in replies.items():
            service.answers = {"": action(said)}
            reply = mail(client, ("alice", code))[0]
            assert reply.startswith(words), (said, reply)
            quit_mail(client)
        for said, code, words in (("DEFER_IF_PERMIT later", 550, "5.7.1 "), ("DEFER_IF_REJECT not yet", 450, "4.7.1 not yet ["), ("DUNNO", 550, "5.7.1 "),
                                  ("OK", 550, "5.7.1 ")):  # bob is one whom the milter behind it refuses
            service.answers = {"": action(said)}
            reply = mail(client, ("bob", code))[0]
            assert reply.startswith(words), (said, reply)
            quit_mail(client)
        service.answers = {"": action("DISCARD spam")}
        client.begin(helo=None)
        client.finish(TEXT)
        equal(server.mails(), [], "mails that were discarded")
        service.answers = {"": action("421 4.7.0 go away")}
        client.command("MAIL FROM:<me@example.com>", 250)
        client.command(ALICE, 421)
        assert client.is_closed()
        counters = server.counters()
        equal([counters[f"filter.service.{name}"] for name in ("refused", "deferred", "discarded", "failed")], [3, 5, 1, 0], "counters")
        session = wait_for("the session", server.sessions)[0]
        verdicts = [verdict for one in session["transactions"] for verdict in one.get("verdicts", [])]
        evidence = {verdict["evidence"] for verdict in verdicts}
        assert {"service refuses: go away", "service defers: Greylisted", "service defers: not yet", "service discards",
                "service closes the connection: go away"} <= evidence, evidence
        assert all(verdict["check"] == "mail_filter" and verdict["line"] > 0 for verdict in verdicts), verdicts


@case("a field that it prepends stands in front of the mail, in our name too, once for each recipient that is taken")
def prepended(directory):
    with PolicyService() as service, Milter() as milter, serve(directory, service, options="at = both", more=milter.section()) as server:
        service.answers = {"alice": action("PREPEND Received-SPF: pass (mx1.isp.example: a)"), "bob": action("PREPEND X-Greylist: delayed"),
                           "END": action("PREPEND Authentication-Results: mx1.isp.example; spf=pass")}
        milter.answers = {"RCPT bob": frame("t")}
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            mail(client, ("alice", 250), ("bob", 451))
            client.command("DATA", 354)
            client.finish(b"Received-SPF: pass (mx1.isp.example: forged)\r\nAuthentication-Results: mx1.isp.example; spf=fail\r\n" + TEXT)
        delivered = server.mails()[0]
        lines = delivered.split(b"\r\n")
        equal([line for line in lines if line.startswith((b"Received-SPF: p", b"X-Greylist", b"Authentication"))],
              [b"Received-SPF: pass (mx1.isp.example: a)", b"Authentication-Results: mx1.isp.example; spf=pass"], "fields")
        assert lines[0].startswith(b"Return-Path:") and lines.index(b"Received-SPF: pass (mx1.isp.example: a)") < \
            next(i for i, line in enumerate(lines) if line.startswith(b"Received:")), delivered
        equal(len(milter.texts), 1, "texts of the milter")
        service.answers = {"": action("HOLD a suspect"), "END": action("DUNNO")}
        with server.client() as client:
            client.deliver(TEXT)
        assert b"\r\nX-Quarantine: service: a suspect\r\n" in server.mails()[1], server.mails()[1]
        service.answers = {"": action("PREPEND X-Long: " + "y" * 980)}
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            mail(client, *[("alice", 250)] * 20)
            client.command("DATA", 354)
            client.finish(TEXT)
        assert server.mails()[2].count(b"X-Long") < 20, "fields have no bound"
        told = wait_for("the event", lambda: server.events("filter_edit_refused"))
        equal((told[0]["filter"], told[0]["reason"]), ("service", "no room is left for its field"), "event")
        service.answers = {"": action("PREPEND X-Long: " + "y" * 985)}
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            mail(client, *[("alice", 250)] * 16)
            service.answers = {"": action("HOLD " + "y" * 600)}
            client.command(ALICE, 451)
        equal(server.counters()["filter.service.failed"], 1, "a quarantine that finds no room")


@case("at the end of a text it refuses, defers or discards the whole, and a next hop has none of it before")
def text(directory):
    with NextHop() as hop, PolicyService() as service, serve(directory, service, options="at = end", deliver=hop.address) as server, \
            server.client() as client:
        client.command("EHLO client.example.com", 250)
        for said, code in ("554 5.7.1 no", 554), ("DEFER_IF_PERMIT later", 450), ("DISCARD", 250), ("PREPEND X-Seen: yes", 250), ("DUNNO", 250):
            service.answers = {"END": action(said)}
            client.begin(helo=None)
            client.finish(TEXT, code)
        equal([len(hop.mails), len(service.asked)], [2, 5], "mails, questions")
        assert b"\r\nX-Seen: yes\r\n" in hop.mails[0][2] and b"X-Seen" not in hop.mails[1][2], hop.mails
        service.answers = {"END": action("421 closing")}
        client.begin(helo=None)
        client.finish(TEXT, 421)


FAULTS = {
    "it closes": GO_AWAY,
    "it never answers": HANG,
    "it closes in the middle of an answer": HALF,
    "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "zero octets": bytes(100) + b"\n\n",
    "an endless line": b"action=" + b"x" * 20000,
    "too many lines": b"a=b\n" * 100 + b"\n",
    "no action": b"verdict=DUNNO\n\n",
    "two actions": b"action=DUNNO\naction=REJECT\n\n",
    "an empty answer": b"\n",
    "an unknown action": action("REDIRECT eve@example.net"),
    "a code that is no refusal": action("250 2.0.0 fine"),
    "an enhanced code of another class": action("550 4.7.1 no"),
    "CR at the end of lines": b"action=DUNNO\r\n\r\n",
    "a field with a line break": b"action=PREPEND A: b\rBcc: eve@example.net\n\n",
    "a field without a name": action("PREPEND : b"),
}


@case("one that closes, hangs or lies costs its own time: on_failure says what becomes of the mail, and the session goes on")
def failing(directory):
    for on_failure in "pass", "defer":
        folder = directory / on_failure
        folder.mkdir()
        with PolicyService() as service, serve(folder, service, options=f"on_failure = {on_failure} {QUICK}") as server, server.client() as client:
            client.command("EHLO client.example.com", 250)
            descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
            for said in FAULTS.values():
                service.answers = {"": said}
                mail(client, ("alice", 250 if on_failure == "pass" else 451))
                quit_mail(client)
            service.answers = {}
            mail(client, ("alice", 250))
            quit_mail(client)
            service.answers = {"": b"action=DUNNO\n\naction=OK\n\n"}  # the second one nobody has asked for
            mail(client, ("alice", 250))
            quit_mail(client)
            service.answers = {"": action("REJECT")}
            mail(client, ("alice", 554))
            found = len(os.listdir(f"/proc/{server.process.pid}/fd"))
            assert found <= descriptors + 1, (found, descriptors)
            equal(server.counters()["filter.service.failed"], len(FAULTS), "failures")
            told = wait_for("an event", lambda: server.events("filter_failed"))[0]
            equal((told["filter"], told["step"]), ("service", "ASKED"), "event")


@case("a service that is not there, or lets nobody in, has failed at once; a missing unix socket too")
def missing(directory):
    for number, address in enumerate((f"inet:127.0.0.1:{free_port()}", f"unix:{directory}/none")):
        folder = directory / str(number)
        folder.mkdir()
        with Server(folder, f'workers = 1\npolicy_service "a" {{ connect = "{address}" }}\npolicy_service "b" {{ connect = "{address}" on_failure = pass }}\n') as server:
            began = time.monotonic()
            with server.client() as client:
                client.command("EHLO client.example.com", 250)
                mail(client, ("alice", 451), ("alice", 451))
            assert time.monotonic() - began < 5 * PATIENCE, "it was waited for"
            equal(server.counters()["filter.a.failed"], 2, "failures")
            equal(wait_for("the session", server.sessions)[0]["transactions"][0]["verdicts"][0]["evidence"], "a failed: it takes no connection", "evidence")


@case("a connection that was kept and closed is asked again on another one, once, also where each answer ends it")
def again(directory):
    with PolicyService(answers_each=1) as service, serve(directory, service) as server, server.client() as client:
        client.command("EHLO client.example.com", 250)
        for _ in range(20):
            mail(client, ("alice", 250), ("bob", 250))
            quit_mail(client)
        equal((len(service.asked), server.counters()["filter.service.failed"]), (40, 0), "questions, failures")
    folder = directory / "closes"
    folder.mkdir()
    with PolicyService() as service, serve(folder, service) as server, server.client() as client:
        client.command("EHLO client.example.com", 250)
        mail(client, ("alice", 250))
        seen = []

        def once(attributes):  # on the connection that was kept, and then on a new one
            seen.append(attributes["recipient"])
            return GO_AWAY if len(seen) == 1 else action("REJECT seen")
        service.answers = {"bob": once}
        assert "seen" in client.command("RCPT TO:<bob@isp.example>", 554)
        equal(len(seen), 2, "questions")
        service.answers = {"bob": GO_AWAY}
        client.command(ALICE, 250)
        before = len(service.asked)
        client.command("RCPT TO:<bob@isp.example>", 451)
        equal(len(service.asked) - before, 2, "questions to one that always closes")
        equal(server.counters()["filter.service.failed"], 1, "failures")


def waiting_clients(server, count):
    clients = [server.client() for _ in range(count)]
    for client in clients:
        client.command("EHLO client.example.com", 250)
        client.command("MAIL FROM:<me@example.com>", 250)
        client.raw(ALICE.encode() + b"\r\n")
    return clients


@case("a slow service has so many connections and no more: questions wait in line, so many and for so long")
def queue(directory):
    options = f"connections_max = 2 questions_max = 3 answer_timeout = {HELD}s"
    with PolicyService() as service, serve(directory, service, options=options) as server:
        release = threading.Event()

        def held(attributes):
            release.wait()
            return action("DUNNO")
        service.answers = {"": held}
        clients = waiting_clients(server, 5)
        wait_for("two questions", lambda: len(service.asked) == 2)
        wait_for("all of them", lambda: server.counters()["filter.service.asked"] == 5)
        late = waiting_clients(server, 1)[0]
        late.expect(451)
        equal(service.connections, 2, "connections")
        clients[2].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, while it waits
        clients[2].close()
        clients[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # and one while it is asked
        clients[0].close()
        wait_for("their end", lambda: len(server.sessions()) == 2)
        release.set()
        for client in clients[1], clients[3], clients[4]:
            client.expect(250)
        equal((service.connections, len(service.asked)), (2, 4), "connections, questions")
        service.answers = {"": HANG}
        clients = waiting_clients(server, 5)
        began = time.monotonic()
        for client in clients:
            client.expect(451)
        took = time.monotonic() - began
        assert took < 2 * HELD, took  # all of them have waited for the same time
        counters = server.counters()
        equal((counters["filter.service.failed"]), 6, "failures")
        service.answers = {}
        with server.client() as client:
            client.deliver(TEXT)


@case("an idle connection ends in its time, a reload leads to another service, and a stop waits for no answer")
def ends(directory):
    with PolicyService() as service, PolicyService() as other, serve(directory, service, options="idle_timeout = 300ms",
                                                                      more="shutdown_timeout = 1s\n") as server:
        with server.client() as client:
            client.deliver(TEXT)
            wait_for("its end", lambda: service.open == 0)
            client.deliver(TEXT, helo=None)
            server.write_configuration(options="workers = 1\n" + other.section() + "shutdown_timeout = 1s\n")
            service.answers = {"": 0.3}
            client.command("MAIL FROM:<me@example.com>", 250)
            client.raw(ALICE.encode() + b"\r\n")
            server.reload()
            client.expect(250)
            client.command(ALICE, 250)
        equal((len(service.asked), len(other.asked)), (4, 0), "an open session keeps its service")
        with server.client() as client:
            client.deliver(TEXT)
        equal(len(other.asked), 1, "the new one")
        equal(server.counters()["filter.service.asked"], 5, "its counters are those of its name")
        other.answers = {"": HANG}
        clients = waiting_clients(server, 3)
        wait_for("the questions", lambda: len(other.asked) == 4)
        assert server.stop() < 15
        for client in clients:
            client.close()


@case("a reload makes a policy service of a milter by its name, and a milter of it: neither waits for connections of the other")
def other_kind(directory):
    with PolicyService() as service, Milter() as milter:
        sections = [daemon.section("filter", "connections_max = 1") for daemon in (milter, service)]
        for before, after in sections, sections[::-1]:
            with Server(directory, "workers = 1\n" + before) as server, server.client() as client:
                client.envelope()
                server.write_configuration(options="workers = 1\n" + after)
                server.reload()
                with server.client() as other:
                    other.envelope()
    equal((len(service.asked), milter.connections), (2, 2), "questions, connections")


@case("whom filters are not asked about a service is not, and check-config says what is wrong, where")
def configured(directory):
    with PolicyService() as service, serve(directory, service, options="on_failure = defer", more='network "127.0.0.0/8" { mail_filters = no }\n') as server:
        with server.client() as client:
            client.deliver(TEXT)
        equal(len(service.asked), 0, "questions")
        equal(without_trace(server.mails()[0]), TEXT, "mail")
    for section, complaint in (('policy_service "a" { connect = "tcp:1" }', 'policy_service "a": connect must be inet:ADDRESS:PORT or unix:PATH'),
                               ('policy_service "a b" { connect = "unix:x" }', "a name has 1 to 32 letters"),
                               ('milter "a" { connect = "unix:x" }\npolicy_service "a" { connect = "unix:x" }', 'policy_service "a" is given twice, first in'),
                               ('policy_service "a" { connect = "unix:x" on_failure = accept }', "must be pass or defer"),
                               ('policy_service "a" { connect = "unix:x" at = data }', "must be rcpt, end or both"),
                               ('policy_service "a" { connect = "unix:x" text_max = 1k }', "it stands in a milter section"),
                               ('milter "a" { connect = "unix:x" questions_max = 1 }', "it stands in a policy_service section"),
                               ('policy_service "a" { }', "connect must be"),
                               ("".join(f'policy_service "a{i}" {{ connect = "unix:x" }}\n' for i in range(9)), "there may be 8"),
                               ('policy_service "a" { conect = "unix:x" }', 'did you mean "connect"?')):
        server.write_configuration(options=section)
        told = run_program("check-config", "--no-open", "-c", str(directory / "gatepost.conf"))
        assert complaint in told.stdout + told.stderr and "gatepost.conf:" in told.stdout + told.stderr, told
        equal(told.returncode, 1, "status")
    server.write_configuration(options='policy_service "a" { connect = "unix:x" at = both }')
    printed = run_program("check-config", "--no-open", "--effective", "-c", str(directory / "gatepost.conf")).stdout
    assert 'policy_service "a" {\n' in printed and "    at = both\n" in printed and "answer_timeout = 100s    # default" in printed, printed


main()
