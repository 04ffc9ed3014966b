#!/usr/bin/env python3
"""What TLS holds for clients counts like all else that they make the server hold, and has the same bound."""

from common.harness import Server, case, equal, main, wait_for
from common.messages import HEADER
from common.tls import TlsClient, context, make_certificate, tls_options

KIB, MIB = 1 << 10, 1 << 20
HANDSHAKE = 74 * KIB  # what one counts for
CERTIFICATE = 14_000
IDLE_LEAST = 4 * KIB  # of a client that has shaken hands, of what OpenSSL keeps


def begin_if_let(server):
    """A client in the middle of its handshake, or None."""
    client = TlsClient(server.port)
    client.raw(b"STARTTLS\r\n")
    if client.reply()[0] == 220:
        return client
    client.close()
    return None


@case("clients that stall in their handshakes hold no more than client_memory_max; then 454, and room again when they have gone")
def stalled(directory):
    limits = "client_memory_max = 1M\nworkers = 1\nconnections_per_client = 0\nstress_timeout = 1h\ntls_no_go = 0\nclient_rate { mode = off }\n"
    with Server(directory, options=tls_options(directory) + limits) as server:
        clients = []
        while client := begin_if_let(server):
            clients.append(client)
            assert len(clients) < 100, "handshakes without a bound"
        count = server.counters()
        assert 0.7 * MIB < count["memory_held"] <= MIB and count["tls_not_ready"] == 1, count
        for client in clients:
            client.close()
        wait_for("their end", lambda: server.counters()["memory_held"] < MIB / 4)
        with TlsClient(server.port) as client:
            client.starttls()
            client.deliver(HEADER)
            client.command("QUIT", 221)
        equal(len(server.mails()), 1, "mails")


@case("a client's certificate counts as soon as it has come, though the handshake goes no further")
def certified(directory):
    tls_context = context()
    tls_context.load_cert_chain(*make_certificate(directory, "client", comment=CERTIFICATE))
    with Server(directory, options=tls_options(directory, 'client_certificates = "ask"')) as server:
        with TlsClient(server.port) as client:
            client.command("STARTTLS", 220)
            sends = iter((client.socket.sendall, lambda octets: client.socket.sendall(octets[:-1])))
            client.shake(tls_context, send=lambda octets: next(sends)(octets))
            wait_for("the certificate", lambda: server.counters()["memory_held"] >= HANDSHAKE + CERTIFICATE)
        wait_for("its end", lambda: server.counters()["memory_held"] < HANDSHAKE)


@case("what clients hold after their handshakes counts as well, and is given back")
def idle(directory):
    limits = "workers = 1\nconnections_per_client = 0\nclient_rate { mode = off }\n"
    with Server(directory, options=tls_options(directory) + limits) as server:
        before = server.counters()["memory_held"]
        clients = [TlsClient(server.port) for _ in range(40)]
        for client in clients:
            client.command("EHLO client.example.com", 250)
        plain = server.counters()["memory_held"]
        for client in clients:
            client.starttls().command("EHLO client.example.com", 250)
        held = server.counters()["memory_held"] - plain
        assert held >= len(clients) * IDLE_LEAST, f"{held} more than {plain}"
        for client in clients:
            client.close()
        wait_for("their end", lambda: server.counters()["memory_held"] <= before)


if __name__ == "__main__":
    main()
