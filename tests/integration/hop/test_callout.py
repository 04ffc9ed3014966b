#!/usr/bin/env python3
"""Domains whose recipients the next hop knows: it is asked at RCPT, and costs little however many are guessed."""

import json

from common.explained import assert_documented, explain
from common.harness import HELO, PATIENCE, SENDER, Server, case, equal, free_port, main, run_program, wait_for
from common.messages import HEADER
from common.daemons.next_hop import HANG, NextHop

TEXT = HEADER + b"text\r\n"
ALICE, BOB, CAROL = "alice@isp.example", "bob@isp.example", "carol@isp.example"


class Asking(Server):
    """Its domain asks the next hop."""

    def __init__(self, directory, hop, options="", domain=""):
        self.asked = hop if isinstance(hop, str) else hop.address
        super().__init__(directory, f"workers = 2 next_hops {{ {options} }}", domain=domain, deliver=self.asked)

    def write_configuration(self, **changes):
        super().write_configuration(**{"recipients": "callout:", **changes})


def begin(client, sender=SENDER):
    client.command(f"EHLO {HELO}", 250)
    client.command(f"MAIL FROM:<{sender}>", 250)


@case("the next hop says who is there; what it has said is remembered, and mail goes on the same connection")
def known(directory):
    # With one connection the next question waits until the hop has answered RSET, instead of coming by another one.
    with NextHop() as hop, Asking(directory, hop, "connections_max = 1") as server:
        hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
        for _ in range(2):
            with server.client() as client:
                begin(client)
                told = client.command(f"RCPT TO:<{BOB}>", 550)
                assert told.startswith("5.1.1 who is bob? ["), told
                client.command("RCPT TO:<Alice@ISP.example>", 250)
                client.command("RCPT TO:<postmaster@isp.example>", 250)
                client.command("DATA", 354)
                client.finish(TEXT)
        equal(hop.commands[:3], ["LHLO mx1.isp.example", "MAIL FROM:<>", f"RCPT TO:<{BOB}>"], "the first commands")
        assert "RSET" in hop.commands, hop.commands
        equal((hop.asked(BOB), hop.asked("Alice@ISP.example"), len(hop.mails)), (1, 3, 4), "bob, alice, mails")
        equal(hop.connections, 1, "connections")
        equal((server.counters()["callouts"], server.counters()["recipient.refused"]), (2, 2), "counters")


@case("explain tells the words by which the next hop has refused a recipient, alone and among others, and so does its JSON")
def words(directory):
    with NextHop() as hop, Asking(directory, hop) as server:
        hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
        with server.client() as client:
            begin(client)
            told = client.command(f"RCPT TO:<{BOB}>", 550)
            client.command(f"RCPT TO:<{ALICE}>", 250)
            client.command("DATA", 354)
            client.finish(TEXT)
            client.command("QUIT", 221)
        wait_for("the session", server.sessions)
        for what in (told, "--since=1h"):
            said = explain(server, what)
            assert "its words (who is bob?)" in said, said
        known = assert_documented(json.loads(explain(server, "--json", told)))
        assert "mails[].reason" in known, known


@case("nobody is unknown because the next hop cannot say: it is dead, it defers, or it does not like the question")
def unsure(directory):
    port = free_port()
    with Asking(directory, f"lmtp://127.0.0.1:{port}", "retry_after = 100ms failures_max = 1000") as server:
        with server.client() as client:
            begin(client)
            assert "cannot look up" in client.command(f"RCPT TO:<{ALICE}>", 451)
        with NextHop(port=port) as hop:
            for answers, words in (({"MAIL": "550 5.7.1 no probes"}, "cannot look up"), ({"RCPT": "452 4.2.2 full"}, "4.2.2 full"),
                                   ({"BANNER": "554 5.3.2 closed"}, "cannot look up"), ({"RCPT": "what?"}, "cannot look up")):
                hop.answers = answers
                with server.client() as client:
                    begin(client)
                    told = client.command(f"RCPT TO:<{ALICE}>", 452 if "full" in words else 451)
                    assert words in told, (answers, told)
                    client.command("DATA", 451)
                hop.hang_up()
            hop.answers = {}
            with server.client() as client:
                client.deliver(TEXT)
            equal(len(hop.mails), 1, "mails")


@case("while it hangs equal questions join, others beyond the bound are answered at once, and no other mail waits")
def hung(directory):
    with NextHop() as hanging, NextHop() as other:
        hanging.answers = {"RCPT": HANG}
        domain = f'}} domain "other.example" {{ recipients = "callout:" deliver = "{other.address}"'
        with Asking(directory, hanging, f"callouts_max = 1 callout_timeout = {4 + 2 * PATIENCE}s", domain) as server:
            with server.client() as first, server.client() as second, server.client() as third:
                for client in first, second, third:
                    begin(client)
                first.raw(f"RCPT TO:<{ALICE}>\r\n".encode())
                wait_for("the question", lambda: hanging.asked(ALICE) == 1)
                second.raw(f"RCPT TO:<{ALICE}>\r\n".encode())
                third.command(f"RCPT TO:<{BOB}>", 451)
                third.command("RCPT TO:<alice@other.example>", 250)
                third.command("DATA", 354)
                third.finish(TEXT)
                for client in first, second:
                    client.expect(451, "RCPT")
            equal((hanging.asked(ALICE), hanging.asked(BOB), len(other.mails)), (1, 0, 1), "alice, bob, mails")
            found = wait_for("the answers", lambda: server.counters()["callouts_failed"] == 3 and server.counters())
            equal((found["callouts"], found["callouts_joined"]), (4, 1), "callouts")


@case("a stop and a client that leaves wait for no callout")
def stop(directory):
    with NextHop() as hop:
        hop.answers = {"RCPT": HANG}
        with Asking(directory, hop, "callout_timeout = 10m } shutdown_timeout = 1s spf {") as server:
            with server.client() as leaving, server.client() as asking:
                for client in leaving, asking:
                    begin(client)
                    client.raw(f"RCPT TO:<{ALICE}>\r\n".encode())
                wait_for("the question", lambda: hop.asked(ALICE) == 1)
                leaving.close()
                server.stop()
                asking.expect(421, "RCPT")


@case("check-config demands next hops to ask, prints the option, and explain asks nobody")
def configured(directory):
    with NextHop() as hop:
        server = Asking(directory, hop)
        command = ["check-config", "--no-open", "-c", directory / "gatepost.conf"]
        equal(run_program(*command).returncode, 0, "status")
        printed = run_program("check-config", "--no-open", "--effective", "-c", directory / "gatepost.conf").stdout
        assert 'recipients = "callout:"' in printed, printed
        told = run_program("explain", "-c", directory / "gatepost.conf", "--no-dns", "--ip", "192.0.2.1", "--from", SENDER, "--to", ALICE).stdout
        assert "S: 250 2.1.5" in told, told
        equal(hop.commands, [], "commands")
        server.write_configuration(deliver="maildir:mail/%d/%u")
        found = run_program(*command)
        assert found.returncode == 1 and "callout: asks the next hops of deliver" in found.stdout + found.stderr, found


if __name__ == "__main__":
    main()
