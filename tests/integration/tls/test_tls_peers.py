#!/usr/bin/env python3
"""STARTTLS with clients that others have made: openssl s_client, swaks, Python's smtplib; and how much memory and time they cost."""

import re
import smtplib
import ssl
import subprocess
import threading

from common.harness import SANITIZE, SECONDS, SENDER, Server, case, equal, main, need_program, note, wait_for
from common.messages import HEADER, MESSAGES
from common.tls import TlsClient, context, tls_options


def tls_server(directory, options="", **server):
    return Server(directory, tls_options(directory, "", ("ecdsa", "rsa")) + options, **server)


def sessions(server, count):
    wait_for(f"{count} sessions in the log", lambda: len(server.sessions()) >= count)
    return server.sessions()


def wait_in(stream, octets):
    """Reads on until the octets have come."""
    said = b""
    while octets not in said:
        more = stream.read1(65536)
        assert more, f"no {octets!r} in {said[-2000:]!r}"
        said += more


@case("openssl s_client updates its keys")
def by_s_client(directory):
    with tls_server(directory) as server:
        command = [need_program("openssl"), "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{server.port}", "-tls1_3", "-crlf"]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        guard = threading.Timer(SECONDS, client.kill)
        guard.start()
        for _ in range(3):  # a line that is this letter alone is an order to it
            client.stdin.write(b"K\n")
            client.stdin.flush()
            wait_in(client.stderr, b"KEYUPDATE")
        client.communicate(b"quit\n")
        guard.cancel()
        line = sessions(server, 1)[0]
        equal((line["end"], line["tls"]["version"]), ("quit", "TLSv1.3"), "end")


@case("openssl s_client agrees on X25519MLKEM768 where both know it (OpenSSL 3.5), else on X25519, and the log names the group")
def groups(directory):
    first = ("X25519", "x25519") if ssl.OPENSSL_VERSION_INFO < (3, 5) else ("X25519MLKEM768", "X25519MLKEM768")
    with tls_server(directory) as server:
        for number, (wish, (seen, logged)) in enumerate((((), first), (("-groups", "P-384"), ("secp384r1", "secp384r1"))), 1):
            command = [need_program("openssl"), "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{server.port}", *wish]
            run = subprocess.run(command, input="quit\n", capture_output=True, text=True, timeout=SECONDS)
            line = re.search("^(Negotiated TLS1.3 group|(Server|Peer) Temp Key): .*$", run.stdout, re.M)
            assert line and seen in re.split("[:, ]+", line[0]), (line, run.stdout)
            equal(sessions(server, number)[number - 1]["tls"]["group"], logged, "group in the log")


@case("openssl s_client asks for renegotiation in TLS 1.2, and is told that there is none")
def renegotiation(directory):
    with tls_server(directory) as server:
        command = [need_program("openssl"), "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"]
        run = subprocess.run(command, input=b"R\n", capture_output=True, timeout=SECONDS)
        assert b"no renegotiation" in run.stderr, run.stderr
        equal(sessions(server, 1)[0]["tls"]["state"], "secured", "state")


@case("swaks --tls, and the same with RSA only")
def by_swaks(directory):
    with tls_server(directory) as server:
        for more in ((), ("--tls-cipher", "ECDHE-RSA-AES128-GCM-SHA256", "--tls-protocol", "tlsv1_2")):
            run = subprocess.run([need_program("swaks"), "--server", f"127.0.0.1:{server.port}", "--tls", "--helo", "client.example.com",
                                  "--from", SENDER, "--to", "alice@isp.example", *more],
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
            equal(run.returncode, 0, run.stdout + run.stderr)
        equal(len(server.mails()), 2, "mails")
        assert "RSA" in sessions(server, 2)[1]["tls"]["cipher"], server.sessions()


@case("Python's smtplib, every text octet for octet")
def by_smtplib(directory):
    with tls_server(directory) as server:
        with smtplib.SMTP("127.0.0.1", server.port, "client.example.com", timeout=SECONDS) as client:
            client.starttls(context=context())
            for text in MESSAGES.values():
                client.sendmail(SENDER, ["alice@isp.example"], text or b"\r\n")
        equal(len(server.mails()), len(MESSAGES), "mails")


# Since OpenSSL 3.2 the two halves of a connection's record layer take 4.3 KiB each, most of it for pipelines of records that a
# server does not use; the rest of the connection takes 1.5 KiB less, and nothing of all that can be given back while it lasts.
IDLE_MAX_KIB = 16 if ssl.OPENSSL_VERSION_INFO < (3, 2) else 16 + 7.2


@case(f"an idle client in TLS costs at most {IDLE_MAX_KIB} KiB more than a plain one")
def idle_memory(directory):
    count = 200
    with tls_server(directory, "workers = 1\nconnections_per_client = 0\nclient_rate { mode = off }\n") as server:
        memory = []
        for is_sealed in (False, True):
            for warm_up in (True, False):
                before = server.memory_kib("Private_Dirty")
                clients = [TlsClient(server.port) for _ in range(count)]
                for client in clients:
                    if is_sealed:
                        client.starttls()
                    client.command("EHLO client.example.com", 250)
                memory.append((server.memory_kib("Private_Dirty") - before) / count)
                if warm_up:
                    for client in clients:
                        client.close()
                    wait_for("no session", lambda: len(server.sessions()) == len(memory) * count)
        note(f"KiB for each of {count} clients: {memory[0]:.1f} plain, {memory[2]:.1f} in TLS")
        if not SANITIZE:
            assert memory[2] - memory[0] <= IDLE_MAX_KIB, memory
        for client in clients:
            client.close()


@case("a plain client is served while 300 others want a handshake")
def in_turn(directory):
    count = 300
    with tls_server(directory, "workers = 1\nconnections_per_client = 0\nclient_rate { mode = off }\n") as server:
        others = [TlsClient(server.port) for _ in range(count)]
        for other in others:
            other.command("STARTTLS", 220)
            other.begin_tls().step()
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            for other in others:
                other.send_sealed()
            client.deliver(HEADER, helo="")
        for other in others:
            other.incoming.write(other.socket.recv(65536))
            other.close()


main()
