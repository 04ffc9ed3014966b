#!/usr/bin/env python3
"""Mail goes to next hops that take it, refuse it, fail, lie and hang: what the client is told, and what they get."""

import contextlib
import socket
import time

from common.harness import HELO, PATIENCE, SENDER, Server, case, equal, free_port, main, wait_for
from common.messages import HEADER
from common.daemons.next_hop import GO_AWAY, HANG, NextHop, code_of_data

TEXT = HEADER + b"..dot\r\nend\r\n"
LONG = HEADER + (b"y" * 998 + b"\r\n") * 3000
BOTH = ("alice@isp.example", "bob@isp.example")


def serve(directory, *hops, options="", **places):
    names = " ".join(hop if isinstance(hop, str) else hop.address for hop in hops)
    return Server(directory, f"next_hops {{ {options} }}", deliver=names, **places)


def data(client, code, recipients=("alice@isp.example",)):
    """What DATA is told, which has this code."""
    client.envelope(recipients)
    return client.command("DATA", code)


@case("what is taken is told 250, by LMTP and SMTP, and connections are used again")
def delivered(directory):
    for protocol in "lmtp", "smtp":
        (directory / protocol).mkdir()
        with NextHop(protocol) as hop, serve(directory / protocol, hop) as server:
            for _ in range(3):
                with server.client() as client:
                    client.deliver(TEXT, recipients=BOTH)
            with server.client() as client:
                client.deliver(LONG)
            equal(hop.connections, 1, "connections")
            texts = [text for _, _, text in hop.mails]
            assert b"\r\nReceived: from " in b"\r\n" + texts[0] and texts[0].endswith(b"\r\n..dot\r\nend\r\n"), texts[0]
            assert texts[-1].endswith(LONG), texts[-1][:2000]
            told = [(sender, recipient) for sender, recipient, _ in hop.mails]
            alone = [(SENDER, "alice@isp.example"), (SENDER, "bob@isp.example")]
            expected = alone * 3 + alone[:1] if protocol == "lmtp" else [(SENDER, list(BOTH))] * 3 + [(SENDER, ["alice@isp.example"])]
            equal(told, expected, "envelopes")


@case("a next hop may be at a unix socket")
def at_a_path(directory):
    with NextHop(path=directory / "lmtp") as hop, serve(directory, hop) as server:
        with server.client() as client:
            client.deliver(TEXT)
        equal(len(hop.mails), 1, "mails")


@case("a unix socket whose queue is full is busy: it is tried again, and counts as down only where that lasts for connect_timeout")
def busy(directory):
    path = directory / "lmtp"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as burst:
        listener.bind(str(path))
        listener.listen(0)
        listener.settimeout(10 * PATIENCE)
        place = f"lmtp:unix:{path}"
        server = serve(directory, place, options=f"failures_max = 1 retry_after = 100ms connect_timeout = {2 + 3 * PATIENCE}s")
        with server, server.client() as client:
            first = burst.enter_context(socket.socket(socket.AF_UNIX))
            first.connect(str(path))
            client.envelope()
            client.raw(b"DATA\r\n")
            time.sleep(0.3)
            accepted, _ = listener.accept()  # the next one fits
            accepted.close()
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb", 0) as hop:
                for said in b"220 hop", b"250 hop", b"250 ok", b"250 ok":
                    hop.write(said + b"\r\n")
                    hop.readline()
                hop.write(b"354 go on\r\n")
                equal(client.reply()[0], 354, "DATA")
                equal(server.events("next_hop_down"), [], "a failure")
                client.close()
                hop.read()  # until the server gives it up, or else the hop would have broken off
            burst.enter_context(socket.socket(socket.AF_UNIX)).connect(str(path))
            with server.client() as client:
                equal(code_of_data(client), 451, "DATA")
            down = wait_for("next_hop_down", lambda: server.events("next_hop_down"))
            equal([line["reason"] for line in down], ["its queue of connections stays full"], "next_hop_down")


@case("the words of a next hop reach the client: at DATA those on the envelope, and behind the text those on the text")
def refused(directory):
    with NextHop() as hop, serve(directory, hop, options="refusals_kept = 0s connections_max = 1") as server:
        for step, said in (("RCPT", "550 5.1.1 who is that?"), ("RCPT", "451 4.2.0 later"), ("MAIL", "553 5.1.7 not you"), ("DATA", "452 4.3.1 full")):
            hop.answers = {step: said}
            with server.client() as client:
                told = data(client, int(said[:3]))
                assert told.startswith(said[4:] + " ["), told
                client.command("QUIT", 221)
        for said in "554 5.6.0 a virus", "452 4.2.2 full":
            hop.answers = {"DOT": said}
            with server.client() as client:
                client.begin(recipients=BOTH)
                assert client.finish(TEXT, int(said[:3])).startswith(said[4:]), said
        hop.answers = {}
        with server.client() as client:
            client.deliver(TEXT)
        equal([recipient for _, recipient, _ in hop.mails], ["alice@isp.example"], "mails")
        equal(hop.connections, 1, "connections")
        sessions = wait_for("all sessions", lambda: len(server.events("session")) == 7 and server.events("session"))
        told = [(mail["code"], mail["reply"], mail["reason"]) for session in sessions for mail in session["transactions"] if "reason" in mail]
        assert ("550 5.1.1", "hop_refused", "who is that?") in told, told


@case("where the answers differ the client is told a temporary one, and no answer of LMTP is lost")
def mixed(directory):
    with NextHop() as hop, serve(directory, hop, options="refusals_kept = 0s") as server:
        hop.answers = {"RCPT bob": "550 5.1.1 who is bob?"}
        with server.client() as client:
            assert "who is bob?" in data(client, 451, BOTH)
        equal(hop.mails, [], "mails")
        hop.answers = {"DOT bob": "550 5.2.1 bob is away"}
        with server.client() as client:
            client.begin(recipients=BOTH)
            assert "bob is away" in client.finish(TEXT, 451)
        equal([recipient for _, recipient, _ in hop.mails], ["alice@isp.example"], "mails")


@case("one that is dead is passed over, and told of; without another one the client is told 451 before the text")
def dead(directory):
    port = free_port()
    with NextHop() as hop, serve(directory, f"lmtp://127.0.0.1:{port}", options="retry_after = 200ms failures_max = 1") as server:
        with server.client() as client:
            assert "cannot be reached" in data(client, 451)
        down = wait_for("next_hop_down", lambda: server.events("next_hop_down"))
        equal([line["next_hop"] for line in down], [f"lmtp://127.0.0.1:{port}"], "next_hop_down")
        with NextHop(port=port) as late:
            def is_taken():
                with server.client() as client:
                    return code_of_data(client) == 354 and client.finish(TEXT)
            wait_for("another try", is_taken)
            equal(len(late.mails), 1, "mails")
            wait_for("next_hop_up", lambda: len(server.events("next_hop_up")) == 1)
        server.write_configuration(deliver=f"lmtp://127.0.0.1:{port} {hop.address} weight=0")
        server.reload()
        with server.client() as client:
            client.deliver(TEXT)
        equal(len(hop.mails), 1, "mails")


@case("one that closes, before the go-ahead, in the text or behind it, or that talks nonsense: nobody is told 250")
def broken(directory):
    with NextHop() as hop, serve(directory, hop, options="retry_after = 100ms failures_max = 1000") as server:
        for answers in {"MAIL": GO_AWAY}, {"BANNER": "SSH-2.0-OpenSSH_9.2"}, {"MAIL": "999 what"}, {"BANNER": GO_AWAY}:
            hop.answers = answers
            with server.client() as client:
                data(client, 451)
        for answers in {"TEXT": GO_AWAY}, {"DOT": GO_AWAY}, {"DOT": "what?"}:
            hop.answers = answers
            with server.client() as client:
                client.begin()
                client.finish(LONG, 451)
        equal(hop.mails, [], "mails")
        hop.answers = {}
        with server.client() as client:
            client.deliver(TEXT)


@case("one that breaks at all mail of one sender, or for one mailbox, takes that of the others all the same; at all mail it is down")
def broken_by_one(directory):
    with NextHop() as hop, serve(directory, hop, options="retry_after = 60s", recipients=("alice", "bob", "carol")) as server:
        senders = [f"{number}@example.com" for number in range(5)]
        for answers, envelopes in (({"MAIL": GO_AWAY}, [(senders[0], BOTH[:1])] * 4), ({"RCPT bob": GO_AWAY}, [(sender, BOTH[1:]) for sender in senders])):
            hop.answers = answers
            for sender, recipients in envelopes:
                with server.client() as client:
                    equal(code_of_data(client, sender=sender, recipients=recipients), 451, "DATA")
            hop.answers = {}
            with server.client() as client:
                client.deliver(TEXT)
        equal((len(hop.mails), server.events("next_hop_down")), (2, []), "mails, next_hop_down")
        hop.answers = {"MAIL": GO_AWAY}
        for sender, recipient in zip(senders, ("alice", "bob", "carol")):
            with server.client() as client:
                equal(code_of_data(client, sender=sender, recipients=[f"{recipient}@isp.example"]), 451, "DATA")
        wait_for("next_hop_down", lambda: server.events("next_hop_down"))


@case("one that hangs holds up no mail for another one, and its own is told 451 in time, or abandoned with its client")
def hung(directory):
    with NextHop() as hanging, NextHop() as other:
        hanging.answers = {"MAIL": HANG}
        domain = f'}} domain "other.example" {{ recipients = "recipients.txt" deliver = "{other.address}"'
        with serve(directory, hanging, options=f"open_timeout = {4 + PATIENCE}s connections_max = 1", domain=domain) as server:
            with server.client() as waiting, server.client() as leaving:
                for client in waiting, leaving:
                    client.envelope()
                    client.raw(b"DATA\r\n")
                leaving.close()
                for _ in range(3):
                    with server.client() as client:
                        client.deliver(TEXT, recipients=["alice@other.example"])
                waiting.expect(451, "DATA")
                waiting.command("QUIT", 221)
            equal(len(other.mails), 3, "mails")


@case("a recipient whose mail goes elsewhere is told to come in a message of its own")
def elsewhere(directory):
    with NextHop() as hop, NextHop() as other:
        domain = (f'}} domain "other.example" {{ recipients = "recipients.txt" deliver = "{other.address}"'
                  f'}} domain "same.example" {{ recipients = "recipients.txt" deliver = "{hop.address}"'
                  '} domain "here.example" { recipients = "recipients.txt" deliver = "maildir:mail/%d/%u"')
        with serve(directory, hop, domain=domain) as server, server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command(f"MAIL FROM:<{SENDER}>", 250)
            client.command("RCPT TO:<alice@isp.example>", 250)
            client.command("RCPT TO:<alice@other.example>", 452)
            client.command("RCPT TO:<alice@here.example>", 452)
            client.command("RCPT TO:<alice@same.example>", 250)
            client.command("RCPT TO:<postmaster>", 250)
            client.command("DATA", 354)
            client.finish(TEXT)
            for domain_name, refused_name in ("other.example", "isp.example"), ("here.example", "isp.example"):
                client.command(f"MAIL FROM:<{SENDER}>", 250)
                client.command(f"RCPT TO:<alice@{domain_name}>", 250)
                client.command(f"RCPT TO:<alice@{refused_name}>", 452)
                client.command("DATA", 354)
                client.finish(TEXT)
            equal([recipient for _, recipient, _ in hop.mails], ["alice@isp.example", "alice@same.example", "postmaster@isp.example"], "mails")
            equal((len(other.mails), len(server.mails(domain="here.example"))), (1, 1), "mails")


@case("a stop waits for no next hop longer than it may, and what a hop has not answered for is not told 250")
def stop(directory):
    with NextHop() as hop:
        hop.answers = {"MAIL": HANG}
        with serve(directory, hop, options="} shutdown_timeout = 1s spf {") as server:
            with server.client() as asking:
                asking.envelope()
                asking.raw(b"DATA\r\n")
                wait_for("MAIL at the hop", lambda: any(command.startswith("MAIL") for command in hop.commands))
                server.stop()
                asking.expect(421, "DATA")


@case("a reload says which options of next hops take a restart")
def restart(directory):
    with NextHop() as hop, serve(directory, hop) as server:
        server.write_configuration(options="hop_threads = 2 next_hops { rulings_memory = 1M delivered_memory = 2M }")
        server.reload()
        told = wait_for("three warnings", lambda: len(found := server.events("restart_needed")) >= 3 and found)
        equal(sorted(line["option"] for line in told), ["hop_threads", "next_hops.delivered_memory", "next_hops.rulings_memory"], "options")


if __name__ == "__main__":
    main()
