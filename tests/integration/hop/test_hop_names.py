#!/usr/bin/env python3
"""Next hops that have a name: where DNS says they are, which of their addresses is asked, and what is kept while DNS fails."""

from common.dns_peers import A, AAAA, MX, SERVFAIL, ScriptedDns, address, by_table, exchange
from common.harness import Server, case, equal, free_port, main, run_program, wait_for
from common.messages import HEADER
from common.daemons.next_hop import NextHop, code_of_data
from common.tls import make_certificate
from common.daemons.tls_hop import TlsHop

TEXT = HEADER + b"text\r\n"
NAME = "store.isp.example"


def serve(directory, dns, port, options="", behind="", **places):
    options = f"""resolvers = {{"127.0.0.1:{dns.port}"}} trusted_networks = {{"127.0.0.0/8"}} dns_attempt_timeout = 2s
next_hops {{ retry_after = 100ms failures_max = 1 transactions_max = 1 {options} }}"""
    return Server(directory, options, deliver=f"lmtp://{NAME}:{port} {behind}", **places)


def deliver(server):
    with server.client() as client:
        client.deliver(TEXT)


def try_to_deliver(server):
    """The code that DATA is told, or 250."""
    with server.client() as client:
        code = code_of_data(client)
        if code == 354:
            client.finish(TEXT)
            return 250
        return code


@case("all addresses of a name are asked in turn, those that fail are passed over, and nobody asks for MX")
def addresses(directory):
    port = free_port()
    first = NextHop(port=port)
    table = {(NAME, A): (address("127.0.0.1"), address("127.0.0.2"), address("127.0.0.3")), (NAME, AAAA): (address("::1"),),
             (NAME, MX): (exchange("127.0.0.1"),)}
    with first, NextHop(port=port, host="127.0.0.2") as second, ScriptedDns(by_table(table)) as dns, serve(directory, dns, port) as server:
        for _ in range(8):
            deliver(server)
        assert len(first.mails) >= 2 and len(second.mails) >= 2, (len(first.mails), len(second.mails))
        equal(sorted(set(kind for name, kind in dns.queries if name == NAME)), [A, AAAA], "questions")
        equal(server.events("next_hop_down"), [], "next_hop_down")
        first.close()
        second.close()
        equal(try_to_deliver(server), 451, "with no address left")
        down = wait_for("next_hop_down", lambda: server.events("next_hop_down"))
        equal(down[0]["next_hop"], f"lmtp://{NAME}:{port}", "the log")


@case("an address holds for its TTL, and connections to one that is gone are given up")
def moved(directory):
    first = NextHop()
    port = first.listener.server_address[1]
    table = {(NAME, A): (address("127.0.0.1"),)}
    with first, NextHop(port=port, host="127.0.0.2") as second, ScriptedDns(by_table(table, ttl=5)) as dns, \
            serve(directory, dns, port, "} dns_ttl_max = 5s next_hops {".replace("next_hops {", "spf {")) as server:
        server.write_configuration(options=server.options.replace("transactions_max = 1", "transactions_max = 0"))
        server.reload()
        deliver(server)
        deliver(server)
        equal((len(first.mails), first.connections, dns.queries.count((NAME, A))), (2, 1, 1), "mails, connections, questions")
        table[NAME, A] = (address("127.0.0.2"),)
        wait_for("mail at the new address", lambda: deliver(server) or second.mails)
        seen = len(first.mails)
        deliver(server)
        equal((len(first.mails), second.connections), (seen, 1), "mails at the former one, connections to the new one")
        wait_for("QUIT", lambda: "QUIT" in first.commands)


@case("DNS that fails, or that has no address: 451, and mail again when it answers; what was known serves while it fails")
def failing(directory):
    hop = NextHop()
    port = hop.listener.server_address[1]
    table = {(NAME, A): None}

    def behave(query, is_tcp, send):
        if table[NAME, A] == SERVFAIL:
            send(query.failure())
        else:
            by_table(table, ttl=1)(query, is_tcp, send)

    options = "} dns_stale = 0 dns_failure_ttl = 0 dns_negative_ttl_max = 1s dns_question_timeout = 1s spf {"
    with hop, ScriptedDns(behave) as dns, serve(directory, dns, port, options) as server:
        equal(try_to_deliver(server), 451, "silence")
        equal(wait_for("the log", lambda: server.events("next_hop_down"))[-1]["reason"], "DNS does not answer for its name", "reason")
        table[NAME, A] = (address("127.0.0.1"),)
        wait_for("an answer", lambda: try_to_deliver(server) == 250)
        before = server.dns_counters()["pool_failed"]
        table[NAME, A] = SERVFAIL

        def has_failed():  # past the TTL
            equal(try_to_deliver(server), 250, "the last known address")
            return server.dns_counters()["pool_failed"] > before
        wait_for("a failure of DNS", has_failed)
        for _ in range(3):
            equal(try_to_deliver(server), 250, "the last known address, behind the failure")


@case("TLS verifies the name that the configuration has, and asks for it")
def verified(directory):
    make_certificate(directory, "good", hosts=(NAME,))
    make_certificate(directory, "other", hosts=("127.0.0.1", "other.isp.example"))
    (directory / "both.pem").write_text((directory / "good.pem").read_text() + (directory / "other.pem").read_text())
    hop = TlsHop(directory, "good")
    port = hop.listener.server_address[1]
    table = {(NAME, A): (address("127.0.0.1"),)}
    with hop, ScriptedDns(by_table(table)) as dns, serve(directory, dns, port, 'tls_ca = "both.pem"', "tls=must") as server:
        deliver(server)
        equal(hop.secured[0][0], NAME, "server name")
        hop.use("other")
        server.reload()  # so that no session is resumed
        equal(try_to_deliver(server), 451, "another name")
        down = wait_for("the log", lambda: server.events("next_hop_down"))
        equal(down[0]["reason"], "TLS handshake: its certificate is for another name", "reason")


@case("check-config asks for names with --dns, and does not take names without resolvers")
def checked(directory):
    table = {(NAME, A): (address("127.0.0.1"), address("127.0.0.2"))}
    with ScriptedDns(by_table(table)) as dns:
        server = serve(directory, dns, 24, behind="lmtp://no.isp.example:24")
        (directory / "recipients.txt").write_text("alice\nbob deliver=lmtp://own.isp.example:24\n")
        run = run_program("check-config", "--dns", "-c", directory / "gatepost.conf")
        assert f"next hop: {NAME} A found, 2 records" in run.stdout and "127.0.0.1, 127.0.0.2" in run.stdout, run.stdout
        for name in ("no.isp.example", "own.isp.example"):
            assert f"error: next hop {name}: its name has no address" in run.stderr, run.stderr
        equal(run.returncode, 1, "status")
        server.write_configuration(options=server.options.replace(f'resolvers = {{"127.0.0.1:{dns.port}"}}', ""))
        run = run_program("check-config", "--no-open", "-c", directory / "gatepost.conf")
        assert f"deliver: needs resolvers, which say where {NAME} is" in run.stderr, run.stderr


if __name__ == "__main__":
    main()
