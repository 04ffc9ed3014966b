#!/usr/bin/env python3
"""Domains whose recipients a daemon knows: it is asked at RCPT, and whatever it does nobody is unknown who has not been said to be."""

import subprocess
import time

from common.harness import HELO, PATIENCE, SENDER, Server, case, equal, free_port, main, need_program, run_program, wait_for
from common.messages import HEADER
from common.daemons.listening import GO_AWAY, HANG
from common.daemons.next_hop import NextHop
from common.web import get
from common.daemons.socketmap import ENDLESS, HALF, TWICE, Socketmap, netstring

TEXT = HEADER + b"text\r\n"
ALICE, BOB, CAROL = "alice@isp.example", "bob@isp.example", "carol@isp.example"
KNOWN = {ALICE: "OK /var/mail/alice"}


class Asking(Server):
    """Its domain asks the daemon, which may be an address."""

    def __init__(self, directory, daemon, options="", domain="", workers=2, **places):
        self.asked = daemon if isinstance(daemon, str) else daemon.address
        super().__init__(directory, f"workers = {workers}\n{options}", domain=domain, **places)

    def write_configuration(self, **changes):
        super().write_configuration(**{"recipients": f"socketmap:{self.asked}:virtual", **changes})

    def count(self, what):
        return self.counters()[f"socketmap.{self.asked}.{what}"]


def begin(client, sender=SENDER):
    client.command(f"EHLO {HELO}", 250)
    client.command(f"MAIL FROM:<{sender}>", 250)


def rcpt(server, address, code):
    with server.client() as client:
        begin(client)
        return client.command(f"RCPT TO:<{address}>", code)


@case("the daemon knows who is there; it is asked once, in lower case, by one name of its map")
def known(directory):
    with Socketmap(KNOWN) as daemon, Asking(directory, daemon) as server:
        for _ in range(3):
            with server.client() as client:
                begin(client)
                client.command("RCPT TO:<Alice@ISP.Example>", 250)
                assert client.command(f"RCPT TO:<{BOB}>", 550).startswith("5.7.1 recipient <bob@isp.example> unknown")
                client.command("RCPT TO:<postmaster@isp.example>", 250)
                client.command("DATA", 354)
                client.finish(TEXT)
        equal(daemon.asked, [("virtual", ALICE), ("virtual", BOB), ("virtual", "@isp.example")], "questions")
        equal(len(server.mails("alice")), 3, "mails")
        equal([server.count(what) for what in ("asked", "found", "absent", "failed")], [2, 1, 1, 0], "counters")
        equal((server.counters()["rulings_recalled"], server.counters()["recipient.refused"]), (4, 3), "recalled, refused")


@case("by a unix socket, for aliases by their domain, and with extensions and a catch-all in their order")
def mailboxes(directory):
    answers = {ALICE: "OK", "alice+own@isp.example": "OK"}
    domain = 'extension = "+" } domain "alias.example" { alias_of = "isp.example"'
    with Socketmap(answers, path=directory / "daemon") as daemon, Asking(directory, daemon, domain=domain) as server:
        for address in "alice+x@isp.example", "alice+own@isp.example", "Alice@alias.example":
            with server.client() as client:
                client.deliver(TEXT, recipients=[address])
        equal([key for _, key in daemon.asked], ["alice+x@isp.example", ALICE, "alice+own@isp.example", ALICE], "questions")
        equal((len(server.mails("alice")), len(server.mails("alice+own"))), (2, 1), "mails")
        rcpt(server, "bob+x@isp.example", 550)
        equal([key for _, key in daemon.asked[4:]], ["bob+x@isp.example", BOB, "@isp.example"], "questions")
    with Socketmap({"@isp.example": "OK"}, path=directory / "other") as daemon, Asking(directory, daemon) as server:
        for address in CAROL, BOB:
            with server.client() as client:
                client.deliver(TEXT, recipients=[address])
        with server.client() as client:
            client.deliver(TEXT, recipients=['""@isp.example'])  # an address of the catch-all, and not its key
        equal(len(server.mails("%2A")), 3, "mails of the catch-all")
        equal([key for _, key in daemon.asked], [CAROL, "@isp.example", BOB, "@isp.example"], "questions")


@case("nobody is unknown because the daemon cannot say; nothing of it is kept, and the log says why")
def unsure(directory):
    options = f"socketmap_timeout = {max(4, PATIENCE)}s"  # who answers does so in it, though the machine may stand still for a while
    faults = (("TEMP later", "TEMP later"), ("TIMEOUT of ldap", "TIMEOUT of ldap"), ("PERM no such map", "PERM no such map"),
              (b"what?", "the length of its answer is no number"), (netstring(b"WHAT"), "its answer begins with none"),
              (TWICE, "it speaks unasked"), (ENDLESS, "its answer is too long"), (HALF, "it has closed the connection"),
              (GO_AWAY, "it has closed the connection"), (HANG, "no answer in time"), (b"4:OK x;", "its answer has no end"))
    for number, (said, reason) in enumerate(faults):
        folder = directory / f"case{number}"
        folder.mkdir()
        with Socketmap({None: said}) as daemon, Asking(folder, daemon, options) as server:
            assert "cannot look up" in rcpt(server, ALICE, 451), reason
            failed = wait_for("the event", lambda: server.events("socketmap_failed"))[0]
            assert reason in failed["reason"] and failed["to"] == ALICE and failed["socketmap"] == daemon.address, (reason, failed)
            told = wait_for("the session", server.sessions)[0]["transactions"][0]["rcpts"][0]
            assert told["reply"] == "recipient_unsure" and reason in told["reason"], told
            daemon.answers = {ALICE: "OK", None: said}
            time.sleep(0.2)
            rcpt(server, ALICE, 250)
            equal([server.count(what) for what in ("asked", "found", "absent", "failed")], [2, 1, 0, 1], reason)


@case("a dead daemon costs nobody's time and few connections, mail of other domains flows, and it is found again")
def dead(directory):
    port = free_port()
    domain = '} domain "other.example" { recipients = "recipients.txt" deliver = "maildir:mail/%d/%u"'
    with Asking(directory, f"inet:127.0.0.1:{port}", domain=domain) as server:
        began = time.monotonic()
        for _ in range(200):
            with server.client() as client:
                begin(client)
                client.command(f"RCPT TO:<{ALICE}>", 451)
                client.command("RCPT TO:<alice@other.example>", 250)
        took = time.monotonic() - began
        tries = server.count("connections")
        assert tries <= 2 * (3 + took / 0.1), (tries, took)
        assert len(server.events("socketmap_failed")) <= 2 * (1 + took + 1), len(server.events("socketmap_failed"))
        equal(server.count("failed"), 200, "failed")
        with Socketmap(KNOWN, port=port):
            wait_for("the daemon", lambda: "250" in rcpt_any(server, ALICE))
    assert all(event["reason"] == "it takes no connection" for event in server.events("socketmap_failed"))


def rcpt_any(server, address):
    with server.client() as client:
        begin(client)
        client.raw(f"RCPT TO:<{address}>\r\n".encode())
        return str(client.reply()[0])


@case("a question that the daemon cannot bear fails alone: others are answered, however often it is asked")
def unbearable(directory):
    for said in GO_AWAY, b"what?":
        folder = directory / f"case{said is GO_AWAY}"
        folder.mkdir()
        with Socketmap({None: said, **KNOWN}) as daemon, Asking(folder, daemon, "socketmap_found_kept = 0s\n") as server:
            for number in range(20):
                rcpt(server, f'"({number})"@isp.example', 451)
                rcpt(server, f'"({number}"@isp.example', 451)
                rcpt(server, ALICE, 250)


@case("a daemon that hangs holds up no more than its bounds say, equal questions join, and other mail goes on")
def hung(directory):
    domain = '} domain "other.example" { recipients = "recipients.txt" deliver = "maildir:mail/%d/%u"'
    options = f"socketmap_connections_max = 1 socketmap_waiting_max = 1 socketmap_timeout = {max(6, 2 * PATIENCE)}s"
    with Socketmap({None: HANG}) as daemon, Asking(directory, daemon, options, domain, workers=1) as server:
        with server.client() as first, server.client() as second, server.client() as third, server.client() as fourth:
            for client in first, second, third, fourth:
                begin(client)
            first.raw(f"RCPT TO:<{ALICE}>\r\n".encode())
            wait_for("the question", lambda: daemon.count(ALICE) == 1)
            second.raw(f"RCPT TO:<{ALICE}>\r\n".encode())
            wait_for("the join", lambda: server.count("joined") == 1)
            third.raw(f"RCPT TO:<{BOB}>\r\n".encode())
            wait_for("the third", lambda: server.count("asked") == 3)
            fourth.command(f"RCPT TO:<{CAROL}>", 451)
            fourth.command("RCPT TO:<alice@other.example>", 250)
            for client in first, second, third:
                client.expect(451, "RCPT")
        equal((daemon.count(ALICE), daemon.count(CAROL)), (1, 0), "questions")
        equal((server.count("failed"), server.count("joined")), (4, 1), "failed, joined")


@case("a kept connection that the daemon closes is asked again on another one, and connections serve many questions")
def kept(directory):
    answers = {f"user{number}@isp.example": "OK" for number in range(300)}
    with Socketmap(answers) as daemon, Asking(directory, daemon) as server:
        rcpt(server, "user0@isp.example", 250)
        for number in range(1, 20):
            daemon.hang_up()  # it may be noticed before the next question, or not
            rcpt(server, f"user{number}@isp.example", 250)
        before = daemon.connections
        with server.client() as client:
            begin(client)
            for number in range(20, 100):
                client.command(f"RCPT TO:<user{number}@isp.example>", 250)
        assert daemon.connections <= before + 2, (before, daemon.connections)
        equal(server.count("failed"), 0, "failed")
    with Socketmap(answers) as daemon:
        daemon.questions_max = 1  # as some do
        folder = directory / "once"
        folder.mkdir()
        with Asking(folder, daemon) as server:
            for number in range(50):
                rcpt(server, f"user{number}@isp.example", 250)
            equal((server.count("failed"), daemon.connections), (0, 50), "failed, connections")


@case("under load each connection serves a hundred questions and more")
def reuse(directory):
    with Socketmap({None: "OK"}) as daemon, Asking(directory, daemon, "recipients_max = 10000 socketmap_connections_max = 4") as server:
        clients = [server.client() for _ in range(10)]
        for client in clients:
            begin(client)
        for each in range(100):
            for number, client in enumerate(clients):
                client.raw(f"RCPT TO:<u{number}.{each}@isp.example>\r\n".encode())
            for client in clients:
                client.expect(250, "RCPT")
        for client in clients:
            client.close()
        equal(len(daemon.asked), 1000, "questions")
        assert daemon.connections <= 4, daemon.connections


@case("sessions that leave, reloads and a stop wait for no daemon, and nothing is answered wrongly")
def gone(directory):
    with Socketmap({None: HANG}) as daemon, Asking(directory, daemon, "socketmap_timeout = 1m shutdown_timeout = 1s") as server:
        with server.client() as leaving, server.client() as asking:
            for client in leaving, asking:
                begin(client)
                client.raw(f"RCPT TO:<{ALICE}>\r\n".encode())
            wait_for("the questions", lambda: server.count("asked") == 2)
            leaving.close()
            with Socketmap(KNOWN) as other:
                server.asked = other.address
                server.write_configuration()
                server.reload()
                rcpt(server, ALICE, 250)
                rcpt(server, BOB, 550)
                equal(len(other.asked), 3, "questions")
            server.stop()
            asking.expect(421, "RCPT")


@case("a daemon that is slow is waited for, and what is not kept is asked again")
def slow(directory):
    with Socketmap(KNOWN, delay=0.3) as daemon, Asking(directory, daemon, "socketmap_timeout = 10s socketmap_absent_kept = 0") as server:
        rcpt(server, ALICE, 250)
        rcpt(server, BOB, 550)
        rcpt(server, BOB, 550)
        equal((daemon.count(BOB), daemon.count(ALICE)), (2, 1), "questions")


@case("next hops are asked beside the daemon, and what they say of a recipient is theirs")
def hops(directory):
    with Socketmap({ALICE: "OK", BOB: "OK"}) as daemon, NextHop() as hop:
        with Asking(directory, daemon, deliver=hop.address) as server:
            hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
            with server.client() as client:
                client.deliver(TEXT)
            with server.client() as client:
                begin(client)
                client.command(f"RCPT TO:<{BOB}>", 250)
                client.command("DATA", 550)
            rcpt(server, BOB, 550)
            rcpt(server, CAROL, 550)
            equal((len(hop.mails), daemon.count(BOB), hop.asked(BOB)), (1, 1, 1), "mails, questions")


@case("what the daemon says may be settings, where the domain says so; what cannot be understood is told, and other words are none")
def settings(directory):
    answers = {ALICE: "OK helo_name=off", BOB: "OK /var/mail/bob", CAROL: "OK helo_nmae=off", "dora@isp.example": "OK deliver=maildir:/tmp/%u"}
    def answer(server, address, code):
        with server.client() as client:
            client.command("HELO nonsense", 250)
            client.command(f"MAIL FROM:<{SENDER}>", 250)
            return client.command(f"RCPT TO:<{address}>", code)
    with Socketmap(answers) as daemon:
        web = free_port()
        server = Asking(directory, daemon, f'http {{ listen = "127.0.0.1:{web}" }}', "socketmap_settings = yes")
        with server:
            for _ in range(2):
                answer(server, ALICE, 250)
                answer(server, BOB, 504)
                answer(server, CAROL, 451)
                answer(server, "dora@isp.example", 451)
            event = wait_for("the event", lambda: server.events("socketmap_failed"))[0]
            assert event["to"] == CAROL and "no setting, helo_nmae" in event["reason"], event
            equal((daemon.count(ALICE), daemon.count(BOB), daemon.count(CAROL)), (1, 1, 2), "questions")
            metrics = get(web, "/metrics").body.decode()
            assert f'gatepost_socketmap_questions_total{{socketmap="{daemon.address}",what="failed"}} 2' in metrics, metrics[-3000:]
        server.write_configuration(domain="")
        with server.start():
            answer(server, ALICE, 504)


@case("what is remembered was said of a domain that is asked about as it is now")
def asked_otherwise(directory):
    with Socketmap({ALICE: "OK no=settings", None: "NOTFOUND"}) as daemon, Asking(directory, daemon) as server:
        rcpt(server, ALICE, 250)
        rcpt(server, "alice+x@isp.example", 550)
        server.write_configuration(domain='extension = "+"')
        server.reload()
        rcpt(server, "alice+x@isp.example", 250)
        daemon.answers["@isp.example"] = "OK no=settings"
        server.write_configuration(domain="socketmap_settings = yes")
        server.reload()
        for address in ALICE, BOB:
            rcpt(server, address, 451)


@case("the server of these tests speaks the protocol as Postfix does, which asks it by postmap")
def postfix(directory):
    need_program("postmap")
    (directory / "main.cf").write_text("compatibility_level = 3.6\n")
    with Socketmap({ALICE: "OK /var/mail/alice", CAROL: "TEMP later"}) as daemon:
        def ask(key):
            return subprocess.run(["postmap", "-c", directory, "-q", key, f"socketmap:{daemon.address}:virtual"],
                                  capture_output=True, text=True, timeout=60, check=False)
        found, absent, failed = ask(ALICE), ask(BOB), ask(CAROL)
        equal((found.returncode, found.stdout), (0, "/var/mail/alice\n"), "found")
        equal((absent.returncode, absent.stdout), (1, ""), "absent")
        assert failed.returncode != 0 and "later" in failed.stderr, failed
        equal(daemon.asked[:2], [("virtual", ALICE), ("virtual", BOB)], "questions")


@case("check-config says with file and line what is wrong, and --effective prints what is right")
def configured(directory):
    server = Asking(directory, "inet:[::1]:8463")
    command = ["check-config", "--no-open", "-c", directory / "gatepost.conf"]
    equal(run_program(*command).returncode, 0, "status")
    printed = run_program(*command, "--effective").stdout
    assert 'recipients = "socketmap:inet:[::1]:8463:virtual"' in printed, printed
    for text, complaint in (("socketmap:inet:ldap.isp.example:8463:virtual", "needs an IP address"), ("socketmap:inet:127.0.0.1:virtual", "what is missing in inet:127.0.0.1"),
                            ("socketmap:unix::virtual", "must be socketmap:inet:"), ("socketmap:inet:127.0.0.1:8463:", "the map has a name"),
                            ("socketmap:tcp:127.0.0.1:8463:virtual", "must be socketmap:inet:"), ("socketmap:", "must be socketmap:inet:"),
                            ("sockmap:inet:127.0.0.1:8463:virtual", "did you mean socketmap:?"), ("ldap:/etc/postfix/users.cf", "a daemon is asked by socketmap:"),
                            ("socketmap:unix:" + "x" * 200 + ":virtual", "107 octets at most")):
        server.write_configuration(recipients=text)
        found = run_program(*command)
        assert found.returncode == 1 and complaint in found.stdout + found.stderr and "gatepost.conf:" in found.stdout + found.stderr, (text, found)
    server.write_configuration(recipients="recipients.txt", domain="socketmap_settings = yes")
    found = run_program(*command)
    assert found.returncode == 1 and "socketmap_settings: needs recipients" in found.stdout + found.stderr, found


if __name__ == "__main__":
    main()
