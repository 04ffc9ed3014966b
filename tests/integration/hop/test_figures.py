#!/usr/bin/env python3
"""What operators see of next hops: in the log and in explain, in the counters, at /metrics, on the status page, and from /ready."""

import re

from common.harness import HELO, Server, case, equal, free_port, main, run_program, wait_for
from common.messages import HEADER
from common.daemons.next_hop import GO_AWAY, HANG, NextHop, code_of_data
from common.web import get, web_server

TEXT = HEADER + b"text\r\n"
BOTH = ("alice@isp.example", "bob@isp.example")
SPACE = '\nnext_hops { retry_after = 200ms failures_max = 1 connections_max = 1 refusals_kept = 0s }\n'


def read(server, name, **labels):
    """Its value at /metrics, None where it is not there."""
    wanted = "".join(f'{key}="{value}"' for key, value in labels.items())
    found = re.search(rf"^gatepost_{name}{re.escape(f'{{{wanted}}}') if wanted else ''} (\S+)$", get(server.web, "/metrics").text(), re.M)
    return found and float(found[1])


def wait_for_value(server, number, name, **labels):
    wait_for(f"{name} {labels} = {number} ({read(server, name, **labels)})", lambda: read(server, name, **labels) == number)


def ask(client, code):
    """Up to DATA, which is told this code."""
    client.envelope(helo=None)
    client.command("DATA", code)


def is_let_in(client):
    client.command("RSET", 250)
    return code_of_data(client, helo=None) == 354


@case("the log of a session and explain tell which next hop took a message, and its words; of one that did not, which it was")
def told(directory):
    with NextHop("smtp") as hop, web_server(directory, SPACE, deliver=hop.address) as server:
        hop.answers = {"DOT": "250 2.0.0 Ok: queued as 4Zx1"}
        with server.client() as client:
            client.deliver(TEXT)
            hop.answers = {"MAIL": "451 4.3.0 later"}
            ask(client, 451)
            client.command("QUIT", 221)
        taken, deferred = wait_for("the session", server.sessions)[0]["transactions"]
        equal((taken["next_hop"], taken["hop_answer"]), (hop.address, "250 2.0.0 Ok: queued as 4Zx1"), "what was taken")
        equal((deferred["next_hop"], deferred["reason"]), (hop.address, "later"), "what was deferred")
        said = run_program("explain", "-c", str(directory / "gatepost.conf"), taken["id"]).stdout
        assert f"Next hop: {hop.address}\nWhat it said: 250 2.0.0 Ok: queued as 4Zx1\n" in said, said
        said = run_program("explain", "-c", str(directory / "gatepost.conf"), deferred["reject_id"]).stdout
        assert f"Next hop: {hop.address}\n" in said, said


@case("where no next hop takes mail, the log and explain tell why one does not, and that no check was against it")
def dead(directory):
    address = f"lmtp://127.0.0.1:{free_port()}"
    with Server(directory, "next_hops { failures_max = 2 }", deliver=address) as server:
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            for _ in range(3):  # the last one is not asked any more
                ask(client, 451)
                client.command("RSET", 250)
            client.command("QUIT", 221)
        deferred = wait_for("the session", server.sessions)[0]["transactions"]
        equal({mail["reason"] for mail in deferred}, {f"no next hop takes mail now: {address}: Connection refused"}, "reasons")
        for mail in deferred:
            said = run_program("explain", "-c", str(directory / "gatepost.conf"), mail["reject_id"]).stdout
            assert f"{address}: Connection refused" in said and "Not in the log" not in said, said


@case("messages, recipients and connections are counted, of all next hops and of each, and times are taken")
def counted(directory):
    with NextHop() as hop, web_server(directory, SPACE, deliver=hop.address) as server:
        with server.client() as client:
            for _ in range(3):
                client.deliver(TEXT, recipients=BOTH)
            hop.answers = {"DOT bob": "452 4.2.2 full"}
            client.begin(recipients=BOTH, sender="other@example.com")  # what this one's mail came to is remembered
            client.finish(TEXT, 452)
            hop.answers = {"RCPT": "550 5.1.1 who?"}
            ask(client, 550)
            hop.answers = {"DATA": GO_AWAY}
            client.command("RSET", 250)
            ask(client, 451)
        wait_for_value(server, 0, "hop_transfers")
        numbers = server.counters()
        counted_ones = ("hop_taken", "hop_deferred", "hop_refused", "hop_unready", "hop_abandoned", "hop_transfers", "hop_waiting", "hop_connections", "hop_reuses", "hop_downs")
        equal({name: numbers[name] for name in counted_ones}, dict(zip(counted_ones, (3, 1, 1, 1, 0, 0, 0, 2, 5, 1), strict=True)), "counters")
        for name, number in (("messages_total", 7), ("delivered_total", 7), ("deferred_total", 1), ("refused_total", 1), ("broken_total", 2), ("unknown_total", 0),
                             ("connections_made_total", 2), ("reuses_total", 5), ("downs_total", 1), ("down", 1)):
            wait_for_value(server, number, f"next_hop_{name}", next_hop=hop.address)
        for name, number in ("hop_open_duration", 4), ("hop_answer_duration", 4):
            equal(read(server, f"{name}_seconds_count"), number, name)


@case("messages that wait, connections, and a next hop that goes down and comes back are seen; /ready does not mind")
def seen(directory):
    with NextHop() as hop, web_server(directory, SPACE, deliver=hop.address) as server:
        hop.answers = {"MAIL": HANG}
        with server.client() as first, server.client() as second:
            for client in first, second:
                client.envelope()
                client.raw(b"DATA\r\n")
            for name in "waiting", "busy", "connections":
                wait_for_value(server, 1, f"next_hop_{name}", next_hop=hop.address)
            wait_for_value(server, 2, "hop_transfers")
            wait_for_value(server, 1, "hop_waiting")
        wait_for_value(server, 0, "hop_transfers")
        equal(server.counters()["hop_abandoned"], 2, "given up")
    port = free_port()
    address = f"lmtp://127.0.0.1:{port}"
    (directory / "dead").mkdir()
    with web_server(directory / "dead", SPACE, deliver=address) as server:
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            ask(client, 451)
            wait_for_value(server, 1, "next_hop_down", next_hop=address)
            page = get(server.web, "/").text()
            assert re.search(rf'{re.escape(address)}</th>.*?class="badge bad">down', page, re.S), page
            equal(get(server.web, "/ready").status, 200, "/ready")
            with NextHop(port=port):
                wait_for("the next hop is back", lambda: is_let_in(client))
                client.finish(TEXT)
                wait_for_value(server, 0, "next_hop_down", next_hop=address)
        wait_for("both events", lambda: [line["event"] for line in server.log() if line["event"].startswith("next_hop_")] == ["next_hop_down", "next_hop_up"])


if __name__ == "__main__":
    main()
