#!/usr/bin/env python3
"""Next hops with TLS: what is verified, what a failed handshake leads to, and what is said in plain text."""

import collections
import errno
import os
import ssl

from common.faults import Faults
from common.harness import SANITIZE, Server, case, equal, free_port, main, note, wait_for
from common.messages import HEADER
from common.daemons.next_hop import GO_AWAY, HANG, code_of_data
from common.tls import make_certificate, make_expired
from common.daemons.tls_hop import TlsHop

TEXT = HEADER + b"text\r\n"
LONG = HEADER + (b"y" * 998 + b"\r\n") * 3000
HERE = ("127.0.0.1",)
CALLS = ("malloc", "calloc", "realloc")
IS_WHOLE = os.environ.get("GATEPOST_WHOLE", "") != ""


def serve(directory, hop, options="failures_max = 1", tls="must", ca="good", **places):
    options = f'next_hops {{ tls = {tls} tls_ca = "{ca}.pem" retry_after = 100ms {options} }}'
    deliver = hop if isinstance(hop, str) else hop.address
    return Server(directory, options, deliver=deliver, **places)


def deliver(server, text=TEXT):
    with server.client() as client:
        client.deliver(text)


def deliver_again(server):
    """As soon as the next hop is tried again."""
    def is_taken():
        with server.client() as client:
            return code_of_data(client) == 354 and client.finish(TEXT)
    wait_for("a next hop", is_taken)


def refused(server):
    """A message for which no next hop is ready."""
    with server.client() as client:
        equal(code_of_data(client), 451, "DATA")


def last(server, event, field="reason"):
    hop = server.places["deliver"].split()[0]  # the log has lines of the servers before
    return wait_for(event, lambda: [line for line in server.events(event) if line["next_hop"] == hop])[-1].get(field)


@case("with must all is said by TLS, by LMTP and SMTP, to a next hop that is verified, and connections are used again")
def secured(directory):
    make_certificate(directory, "good", hosts=HERE)
    for protocol in "lmtp", "smtp":
        with TlsHop(directory, "good", protocol) as hop, serve(directory, hop) as server:
            for text in TEXT, LONG, TEXT:
                deliver(server, text)
            equal((hop.connections, hop.texts_in_clear), (1, 0), "connections, texts in clear")
            equal(hop.secured, [(None, False, None)], "handshakes")
            assert hop.mails[1][2].endswith(LONG), len(hop.mails[1][2])
            equal((last(server, "next_hop_secured", "next_hop"), last(server, "next_hop_secured", "fault")), (hop.address, None), "the log")
            told = [line for line in server.events("next_hop_secured") if line["next_hop"] == hop.address]
            equal(len(told), 1, "lines")
            equal(hop.commands.count(hop.commands[0]), 2, "greetings")  # before and after


@case("next hops that single recipients alone have are spoken to by TLS, too")
def of_recipients(directory):
    make_certificate(directory, "good", hosts=HERE)
    with TlsHop(directory, "good") as hop, serve(directory, "maildir:mail/%d/%u", recipients=("alice", f"bob deliver={hop.address}")) as server:
        with server.client() as client:
            client.deliver(TEXT, recipients=("bob@isp.example",))
        equal((len(hop.mails), hop.texts_in_clear), (1, 0), "mails, texts in clear")


@case("what cannot be verified gets no mail where it must be, and gets it where it may; the log says why")
def unverified(directory):
    make_certificate(directory, "good", hosts=HERE)
    make_certificate(directory, "other", hosts=("127.0.0.2", "store.isp.example"))
    make_certificate(directory, "stranger", hosts=HERE)
    make_certificate(directory, "expired", hosts=HERE)
    make_expired(directory, "expired", HERE)
    for name, ca, fault in (("other", "other", "its certificate is not for this address"),
                            ("stranger", "good", "its certificate is signed by itself, and nobody else vouches for it"),
                            ("expired", "expired", "its certificate, or one above that, has expired")):
        with TlsHop(directory, name) as hop, serve(directory, hop, ca=ca) as server:
            refused(server)
            equal((hop.mails, hop.texts_in_clear), ([], 0), name)
            equal(last(server, "next_hop_down"), f"TLS handshake: {fault}", name)
            server.write_configuration(options=server.options.replace("must", "may"))
            server.reload()
            deliver_again(server)
            equal((len(hop.mails), hop.texts_in_clear), (1, 0), name)
            equal(last(server, "next_hop_secured", "fault"), fault, name)


@case("one that fails the handshake, by silence, closing, nonsense or a version: may goes in plain text next, must never")
def failed(directory):
    make_certificate(directory, "good", hosts=HERE)
    faults = {"it closed the connection": GO_AWAY, "what came is no TLS (wrong version number)": b"250 ok\r\n"}
    for tls in "may", "must":
        for fault, said in {"it took too long": HANG, **faults}.items() if tls == "may" else faults.items():
            timeout = "command_timeout = 5s" if said is HANG else ""
            with TlsHop(directory, "good") as hop, serve(directory, hop, f"failures_max = 1 {timeout}", tls=tls) as server:
                hop.answers = {"HANDSHAKE": said}
                (deliver if tls == "may" else refused)(server)
                equal((len(hop.mails), hop.texts_in_clear), (1, 1) if tls == "may" else (0, 0), f"{tls}: {fault}")
                event = "next_hop_plain" if tls == "may" else "next_hop_down"
                equal(last(server, event), f"TLS handshake: {fault}", f"{tls}: {fault}")
    with TlsHop(directory, "good") as hop, serve(directory, hop, "failures_max = 1 tls_minimum = 1.3") as server:
        hop.use("good", ssl.TLSVersion.TLSv1_2)
        refused(server)
        version = "TLS handshake: the next hop wants another version of TLS (alert protocol version)"
        wait_for(version, lambda: last(server, "next_hop_down") == version)


@case("one that offers no STARTTLS or takes none: must is refused, may goes on in plain text; none does not ask")
def not_offered(directory):
    make_certificate(directory, "good", hosts=HERE)
    for answers in {"LHLO": "250 hop"}, {"STARTTLS": "454 4.7.0 not now"}:
        with TlsHop(directory, "good") as hop:
            hop.answers = answers
            with serve(directory, hop) as server:
                refused(server)
                equal(hop.mails, [], "mails")
                server.write_configuration(options=server.options.replace("must", "may"))
                server.reload()
                deliver_again(server)
                equal(len(hop.mails), 1, "mails")
    with TlsHop(directory, "good") as hop, serve(directory, hop, tls="none") as server:
        deliver(server)
        assert "STARTTLS" not in hop.commands, hop.commands


@case("octets behind the answer to STARTTLS are a fault, and what they say is not believed")
def injected(directory):
    make_certificate(directory, "good", hosts=HERE)
    for tls in "may", "must":
        with TlsHop(directory, "good") as hop, serve(directory, hop, tls=tls) as server:
            hop.answers = {"STARTTLS": "220 go\r\n250-hop\r\n250 XCLIENT NAME ADDR"}
            refused(server)
            equal((hop.mails, hop.texts_in_clear), ([], 0), "mails, texts in clear")
            equal(last(server, "next_hop_down"), "TLS handshake: octets follow its reply to STARTTLS", tls)


@case("a reload in the middle: new certificates hold for new connections, and what is under way goes on")
def reloaded(directory):
    make_certificate(directory, "good", hosts=HERE)
    make_certificate(directory, "next", hosts=HERE)
    with TlsHop(directory, "good") as hop, serve(directory, hop, "transactions_max = 1") as server:
        with server.client() as client:
            client.begin()
            hop.use("next")
            server.write_configuration(options=server.options.replace("good.pem", "next.pem"))
            server.reload()
            client.finish(TEXT)
        deliver(server)
        equal(len(hop.mails), 2, "mails")
        equal([resumed for _, resumed, _ in hop.secured], [False, False], "sessions that were resumed")
        (directory / "next.pem").write_text("no certificate")
        server.signal(1)
        failed_reload = wait_for("a failed reload", lambda: server.events("reload_failed"))
        assert "next.pem: error: holds no certificates in PEM" in failed_reload[0]["complaints"], failed_reload
        deliver(server)


@case("sessions are resumed by TLS 1.2 and 1.3, and our certificate is shown to one that asks")
def resumed(directory):
    make_certificate(directory, "good", hosts=HERE)
    make_certificate(directory, "ours", hosts=("mx1.isp.example",))
    ours = 'tls_certificate = "ours.pem" tls_key = "ours.key" transactions_max = 1'
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        with TlsHop(directory, "good", authority=directory / "ours.pem") as hop, serve(directory, hop, ours) as server:
            hop.use("good", version)
            for _ in range(3):
                deliver(server)
            equal([was_resumed for _, was_resumed, _ in hop.secured], [False, True, True], f"{version}: resumed")
            equal([subject for _, _, subject in hop.secured][:1], ["mx1.isp.example"], "our certificate")


@case("what stands behind a next hop holds for it alone, before the section; a unix socket has no TLS")
def behind_it(directory):
    make_certificate(directory, "good", hosts=HERE)
    with TlsHop(directory, "good") as hop, serve(directory, f"{hop.address} tls=must", tls="none") as server:
        deliver(server)
        equal((len(hop.secured), hop.texts_in_clear), (1, 0), "handshakes, texts in clear")
    with TlsHop(directory, "good") as hop, serve(directory, f"{hop.address} tls=none", tls="must") as server:
        deliver(server)
        equal((len(hop.secured), hop.texts_in_clear), (0, 1), "handshakes, texts in clear")


@case("nobody listens, and then a next hop with TLS: it is found again")
def late(directory):
    make_certificate(directory, "good", hosts=HERE)
    port = free_port()
    with serve(directory, f"lmtp://127.0.0.1:{port}") as server:
        refused(server)
        with TlsHop(directory, "good", port=port) as hop:
            deliver_again(server)
            equal(len(hop.secured), 1, "handshakes")


@case("whichever call for memory of ours fails in a handshake, nothing goes in plain text, then or later")
def no_memory(directory):
    make_certificate(directory, "good", hosts=HERE)
    faults, told = Faults(directory), collections.Counter()
    with TlsHop(directory, "good") as hop:
        server = serve(directory, hop, "transactions_max = 1 failures_max = 1000", tls="may")
        with server.start(faults.prefix()):
            for call in CALLS:
                for number in range(1 if IS_WHOLE else 12, 10000, 1 if IS_WHOLE else 61):
                    faults.set(call, errno.ENOMEM, first=number, count=1, thread="hop")
                    with server.client() as client:
                        code = code_of_data(client)
                        if code == 354:
                            client.raw(TEXT + b".\r\n")
                            code = client.reply()[0]
                        told[code] += 1
                    faults.end(call)
                    if faults.counts(call)[1] == 0:
                        break
                note(f"{call}: {number - 1} calls, {dict(told)}")
            deliver(server)
            equal((hop.texts_in_clear, server.events("next_hop_plain")), (0, []), "texts in clear, and the log")
        assert told[250] and (told[451] > 3 or SANITIZE == "thread"), told


if __name__ == "__main__":
    main()
