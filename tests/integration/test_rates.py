#!/usr/bin/env python3
"""client_rate over real sockets: harvesters are sent away at accept, others beside them are served, and SIGHUP changes limits."""

import select

from common.harness import HELO, SENDER, Client, Server, case, equal, free_port, main, run_program, wait_for
from common.messages import HEADER
from common.senders import connect, harvest

HARVESTER, GOOD = "127.0.1.1", "127.0.2.1"


def reload(server, options):
    server.write_configuration(options=options)
    server.reload()


@case("a harvester gets 421 in its session and then at accept; a good sender beside it is untouched, also after SIGHUP")
def harvester(directory):
    options = "client_rate { mode = enforce  unknown_recipients = 5/10m  penalty = 1h }"
    with Server(directory, options) as server:
        equal(harvest(server, HARVESTER, 6), [550] * 5 + [421], "guesses")
        for _ in range(20):
            with server.client(source=HARVESTER, banner=None) as client:
                code, text = client.reply()
                equal(code, 421, text)
                assert "too many errors from [127.0.1.1]" in text, text
                assert client.is_closed()
            with server.client(source=GOOD) as client:
                client.deliver(HEADER)
        equal(len(server.mails()), 20, "mails")
        reload(server, options + "\nhelo_name { mode = observe }")
        equal(connect(server, HARVESTER), 421, "after a reload that does not concern it")
        reload(server, "client_rate { mode = observe }")
        equal(connect(server, HARVESTER), 220, "when it is only observed")
        wait_for("the log", lambda: len(server.sessions()) == 22)
        first, last = (line for line in server.sessions() if line["client"] == HARVESTER)
        equal(first["client_rate"]["evidence"], "unknown_recipients 6 of 5/10m from 127.0.1.1, penalty 1h", "evidence")
        equal(first["client_rate"]["line"] > 0, True, "a line of the configuration")
        assert last["client_rate"]["evidence"].startswith("unknown_recipients from 127.0.1.1, penalty "), last
        refused = wait_for("the event", lambda: server.events("client_refused"))
        assert refused[0]["client"] == HARVESTER and "client_rate: unknown_recipients" in refused[0]["reason"], refused


@case("connections over the limit get 421 at accept; SIGHUP raises and lowers the limit")
def connections(directory):
    def limit(count):
        return f"client_rate {{ mode = enforce  connections = {count}/1h  prefix4 = 32 }}"
    with Server(directory, limit(5)) as server:
        equal([connect(server, HARVESTER) for _ in range(7)], [220] * 5 + [421] * 2, "replies")
        equal(connect(server, GOOD), 220, "another client")
        reload(server, "client_rate { mode = enforce  connections = off }")
        equal({connect(server, HARVESTER) for _ in range(20)}, {220}, "without a limit")
        reload(server, limit(2))
        equal(connect(server, HARVESTER), 421, "its bucket is as empty as it was")
        equal([connect(server, "127.0.3.1") for _ in range(3)], [220, 220, 421], "replies")
        wait_for("the log", lambda: len(server.sessions()) == 5 + 1 + 20 + 2)


@case("a message limit defers, and the same client's postmaster mail gets through")
def messages(directory):
    with Server(directory, "client_rate { mode = enforce  messages = 2/1h }") as server, server.client() as client:
        client.deliver(HEADER)
        client.deliver(HEADER, helo=None)
        client.command(f"MAIL FROM:<{SENDER}>", 250)
        client.command("RCPT TO:<alice@isp.example>", 451)
        client.command("RCPT TO:<postmaster@isp.example>", 250)


@case("many errors in many sessions add up, whichever worker has them")
def offenders(directory):
    with Server(directory, "workers = 3\nclient_rate { mode = enforce  errors = 30/1h }") as server:
        for done in range(1, 12):
            with server.client(source=HARVESTER) as client:
                for _ in range(3):
                    client.command("NONSENSE", 500)
            wait_for("the log", lambda: len(server.sessions()) == done)
        equal(connect(server, HARVESTER), 421, "after 33 errors")
        equal(connect(server, GOOD), 220, "another client")
        equal(server.sessions()[-1]["client_rate"]["evidence"], "errors 33 of 30/1h from 127.0.1.1, penalty 1m", "evidence")


@case("good history spares a client the greeting pause")
def good_history(directory):
    options = "client_rate { mode = enforce  history = 3 }"
    with Server(directory, options) as server:
        with server.client(source=GOOD) as client:
            client.deliver(HEADER)
            client.deliver(HEADER, helo=None)
            client.deliver(HEADER, helo=None)
            client.command("QUIT", 221)
        wait_for("the log", lambda: len(server.sessions()) == 1)
        # So long that nobody here sees its end.
        reload(server, options + "\ngreeting_pause = 60s")
        with server.client(source=HARVESTER, banner=None) as stranger:
            equal(connect(server, GOOD), 220, "the known client")
            equal(select.select([stranger.socket], [], [], 0.5)[0], [], "what is said to a stranger")
        wait_for("the log", lambda: len(server.sessions()) == 3)
        told = sorted((session["client"], session.get("good_history", False)) for session in server.sessions())
        equal(told, [(HARVESTER, False), (GOOD, False), (GOOD, True)], "good_history")


@case("connections_per_network: the fourth of a network gets 421")
def per_network(directory):
    with Server(directory, "connections_per_network = 3") as server:
        clients = [server.client(source=f"127.0.1.{host}") for host in (1, 2, 3)]
        equal(connect(server, "127.0.1.4"), 421, "the fourth")
        equal(connect(server, GOOD), 220, "another network")
        clients.pop().close()
        wait_for("room", lambda: connect(server, "127.0.1.4") == 220)
        for client in clients:
            client.deliver(HEADER)


def balanced(server, header):
    client = Client(server.proxy_port, server.host, banner=None)
    client.raw(header)
    return client


@case("limits of open sessions count for whom a balancer names, by PROXY of both versions and by XCLIENT")
def balanced_clients(directory):
    header = b"PROXY TCP4 203.0.113.%d 192.0.2.1 40000 25\r\n"
    binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([203, 0, 113, 7, 192, 0, 2, 1]) + b"\x9c\x40\0\x19"
    for acceptors in ("auto", 0):
        place = directory / str(acceptors)
        place.mkdir()
        proxy_port = free_port()
        options = f"""workers = 3
acceptors = {acceptors}
proxy_listen = {{"127.0.0.1:{proxy_port}"}}
proxy_networks = {{"127.0.0.0/8"}}
connections_per_client = 2
connections_per_network = 3
"""
        with Server(place, options) as server:
            server.proxy_port = proxy_port
            first = [balanced(server, header % 7) for _ in range(6)]
            codes = sorted(client.reply()[0] for client in first)
            equal(codes, [220, 220] + [421] * 4, "six sessions of one client")
            with balanced(server, binary) as client:
                equal(client.reply()[0], 421, "one more by a header of version 2")
            with server.client() as client:
                client.command("XCLIENT ADDR=203.0.113.7", 421)
            others = [balanced(server, header % 8), balanced(server, header % 9)]
            equal(sorted(client.reply()[0] for client in others), [220, 421], "two more clients of the network")
            # The balancer itself is not limited, and what is refused takes no seat.
            probes = [balanced(server, b"PROXY UNKNOWN\r\n") for _ in range(6)]
            equal({client.reply()[0] for client in probes}, {220}, "the balancer's own")
            for client in first + others + probes:
                client.close()

            def is_let_in():
                with balanced(server, header % 7) as client:
                    return client.reply()[0] == 220
            wait_for("room", is_let_in)
            wait_for("the log", lambda: sum("limit" in session for session in server.sessions()) >= 7)
            equal({session["limit"] for session in server.sessions() if "limit" in session},
                  {"connections_per_client", "connections_per_network"}, "limits in the log")
            equal({session["client"] for session in server.sessions()} - {"203.0.113.7", "203.0.113.8", "203.0.113.9"}, set(),
                  "clients with a line in the log")


@case("explain tells of the limits")
def explain(directory):
    server = Server(directory, 'client_rate { mode = enforce  messages = 7/2m  exempt = {"192.0.2.0/24"} }')
    arguments = ("explain", "-c", server.directory / "gatepost.conf", "--helo", HELO, "--from", SENDER, "--ip")
    said = run_program(*arguments, "198.51.100.7").stdout
    row = next(line for line in said.splitlines() if line.startswith("client_rate"))
    assert "enforce" in row and "messages 7/2m" in row and "gatepost.conf:" in row, row
    row = next(line for line in run_program(*arguments, "192.0.2.7").stdout.splitlines() if line.startswith("client_rate"))
    assert "exempt" in row and "messages" not in row, row


if __name__ == "__main__":
    main()
