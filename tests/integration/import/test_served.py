#!/usr/bin/env python3
"""Servers of imported configurations answer as Postfix would: beside a real one where no DNS is asked, and by the lists of the site."""
# threads elsewhere: what import writes

import re

from common.daemons.next_hop import NextHop
from common.dns_peers import DnsStub
from common.harness import Client, case, equal, free_port, is_listening, main, wait_for
from common.imported import Imported, site
from common.messages import HEADER
from common.postfix import Postfix, need_postfix

TEXT = HEADER + b"text\r\n"
CLIENT, TRUSTED, DENIED = "127.0.0.1", "127.0.0.9", "127.0.0.77"
HELO = "client.example.com"

ZONE = """
com. 60 NS ns.example.
net. 60 NS ns.example.
example. 60 NS ns.example.
invalid. 60 NS ns.example.
127.in-addr.arpa. 60 NS ns.example.
org. 60 NS ns.example.
example.com. 60 MX 10 mail.example.com.
mail.example.com. 60 A 192.0.2.7
client.example.com. 60 A 127.0.0.1
"""


def reverse(client):
    return ".".join(reversed(client.split(".")))


def named(client):
    """The client has a name that leads back to it."""
    name = f"host-{client.replace('.', '-')}.example.net."
    return f"{reverse(client)}.in-addr.arpa. 60 PTR {name}\n{name} 60 A {client}\n"


def listed(client, zone, answer):
    return f"{reverse(client)}.{zone}. 60 A {answer}\n"


def stub(directory, text=""):
    path = directory / "zone"
    path.write_text(ZONE + text)
    return DnsStub(path)


def answer(port, sender, *recipients, helo=HELO, source=CLIENT, data=False):
    """The code of the first reply that is none of 2xx and 3xx, or the last reply's."""
    with Client(port, source=source) as client:
        lines = [f"EHLO {helo}", f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), *(["DATA"] if data else [])]
        for line in lines:
            client.raw(line.encode() + b"\r\n")
            code, _ = client.reply()
            if code >= 400:
                break
        return code


# ---- beside a real Postfix

PAIR = """
myhostname = mx.pair.example
mydestination = pair.example, other.example
mynetworks = 127.0.0.9
smtpd_peername_lookup = no
local_recipient_maps = texthash:{directory}/etc/users
mailbox_transport = smtp:[127.0.0.1]:{port}
recipient_delimiter = +
smtpd_helo_required = yes
strict_rfc821_envelopes = yes
message_size_limit = 20000
smtpd_client_restrictions = check_client_access cidr:{directory}/etc/clients
smtpd_helo_restrictions = permit_mynetworks, check_helo_access texthash:{directory}/etc/helo,
    reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_restrictions = permit_mynetworks, check_sender_access texthash:{directory}/etc/senders, reject_non_fqdn_sender
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access texthash:{directory}/etc/refused
smtpd_data_restrictions = reject_multi_recipient_bounce
"""

SMTPD = """
127.0.0.1:{port} inet n - n - - smtpd
anvil unix - - n - 1 anvil
"""

TABLES = {
    "users": "alice x\nbob x\ngone x\npostmaster x\n",
    "clients": "127.0.0.77 REJECT not you\n127.0.0.78 DUNNO\n127.0.0.72/29 REJECT nor your neighbours\n",
    "helo": "mx.pair.example REJECT you are not me\n",
    "senders": "spam.example REJECT no spam\n",
    "refused": "gone@pair.example REJECT she has left\n",
}

ALICE, ME = "alice@pair.example", "me@example.com"

# What a client does, and the first digit of what both say of it.
SESSIONS = [
    ("an honest mail", dict(data=True), (ME, ALICE), 3),
    ("two recipients", dict(data=True), (ME, ALICE, "bob@other.example"), 3),
    ("an extension", {}, (ME, "alice+list@pair.example"), 2),
    ("letter case", {}, (ME, "ALICE@Pair.Example"), 2),
    ("the null sender", dict(data=True), ("", ALICE), 3),
    ("an unknown recipient", {}, (ME, "nobody@pair.example"), 5),
    ("somebody else's domain", {}, (ME, "alice@elsewhere.example"), 5),
    ("a domain below ours", {}, (ME, "alice@sub.pair.example"), 5),
    ("a recipient who is refused", {}, (ME, "gone@pair.example"), 5),
    ("the same in the other domain", {}, (ME, "gone@other.example"), 2),
    ("a bare host name in HELO", dict(helo="desktop"), (ME, ALICE), 5),
    ("a malformed name in HELO", dict(helo="a..b.example"), (ME, ALICE), 5),
    ("our name in HELO", dict(helo="mx.pair.example"), (ME, ALICE), 5),
    ("the client's literal in HELO", dict(helo="[127.0.0.1]"), (ME, ALICE), 2),
    ("a bare host name of a trusted client", dict(helo="desktop", source=TRUSTED), (ME, ALICE), 2),
    ("a refused sender", {}, ("me@spam.example", ALICE), 5),
    ("a sender below it", {}, ("me@sub.spam.example", ALICE), 5),
    ("a refused sender of a trusted client", dict(source=TRUSTED), ("me@spam.example", ALICE), 2),
    ("a sender without a whole domain", {}, ("me@localhost", ALICE), 5),
    ("a notification to two", dict(data=True), ("", ALICE, "bob@pair.example"), 5),
    ("a refused client", dict(source=DENIED), (ME, ALICE), 5),
    ("its neighbour", dict(source="127.0.0.76"), (ME, ALICE), 5),
    ("the exception between them", dict(source="127.0.0.78"), (ME, ALICE), 2),
]


@case("a real Postfix and a server of its imported configuration say the same of each client")
def pair(directory):
    need_postfix()
    listening = free_port()
    peer = Postfix(directory / "postfix", free_port(), PAIR.format(directory=directory / "postfix", port=free_port()),
                   SMTPD.format(port=listening))
    for name, text in TABLES.items():
        (directory / "postfix/etc" / name).write_text(text)
    with peer, stub(directory) as dns, Imported(directory, directory / "postfix/etc/main.cf", f"127.0.0.1:{dns.port}") as server:
        wait_for("smtpd", lambda: is_listening(listening))
        # RCPT alone: at DATA we ask the next hop, which is none.
        for title, options, words, digit in SESSIONS:
            theirs = answer(listening, *words, **options)
            ours = answer(server.port, *words, **{**options, "data": False} if digit == 3 else options)
            equal((theirs // 100, ours // 100), (digit, 2 if digit == 3 else digit), f"{title}: {theirs} and {ours}")
        with Client(listening) as theirs, Client(server.port) as ours:
            for client in theirs, ours:
                assert "SIZE 20000" in client.command(f"EHLO {HELO}", 250), "the size is not told"
                client.command(f"MAIL FROM:<{ME}> SIZE=20001", 552)


# ---- by lists

@case("postscreen's lists count with their weights, and who speaks first is sent away")
def screen(directory):
    clients = {
        "127.0.0.61": (["b.barracudacentral.org", "127.0.0.2"], 250),
        "127.0.0.62": (["bl.spamcop.net", "127.0.0.2"], 554),
        "127.0.0.63": (["zen.spamhaus.org", "127.0.0.4"], 554),
        "127.0.0.64": (["zen.spamhaus.org", "127.0.0.99"], 250),  # none of the answers that are listed there
        "127.0.0.65": (["zen.spamhaus.org", "127.0.0.4", "list.dnswl.org", "127.0.9.2"], 250),
        "127.0.0.66": (["zen.spamhaus.org", "127.255.255.254"], 250),
        "127.0.0.67": ([], 250),
        DENIED: ([], 554),
    }
    text = "".join(named(client) for client in clients)
    for client, (words, _) in clients.items():
        text += "".join(listed(client, zone, data) for zone, data in zip(words[::2], words[1::2]))
    for zone in ("zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org", "list.dnswl.org"):
        text += listed("127.0.0.2", zone, "127.0.5.1" if "dnswl" in zone else "127.0.0.2")
    text += "test.dbl.spamhaus.org. 60 A 127.0.1.2\nbad.example.com.dbl.spamhaus.org. 60 A 127.0.1.2\n"
    text += "bad.example.com. 60 MX 10 mail.example.com.\n"
    path = site(directory, "screen", words={"127.0.0.0/8": TRUSTED, "{4}": "{1}"})
    with (path.parent / "postscreen_access.cidr").open("a") as access:
        access.write(f"{DENIED} reject\n")
    with stub(directory, text) as dns, NextHop() as hop, \
            Imported(directory, path, f"127.0.0.1:{dns.port}", "--deliver", hop.address) as server:
        for client, (words, code) in clients.items():
            equal(answer(server.port, ME, "alice@isp.example", source=client), code, f"{client} {words}")
        equal(answer(server.port, "me@bad.example.com", "alice@isp.example", source="127.0.0.67"), 554, "a sender on dbl")
        equal(answer(server.port, ME, "nobody@isp.example", source="127.0.0.67"), 550, "nobody")
        equal(answer(server.port, ME, "alice@isp.example", source="127.0.0.68"), 550, "a client without a name")
        with Client(server.port, source="127.0.0.67", before_banner=b"EHLO early.example.com\r\n", banner=554):
            pass
        with Client(server.port, source="127.0.0.67") as client:
            client.deliver(TEXT)
        equal(len(hop.mails), 1, "mails at the next hop")


@case("where postgrey was asked the greylist defers, then takes; tables refuse, and SPF does")
def greylist(directory):
    text = named(CLIENT) + 'example.com. 60 TXT "v=spf1 ip4:127.0.0.0/24 -all"\n'
    text += 'forged.example. 60 TXT "v=spf1 -all"\nforged.example. 60 MX 10 mail.example.com.\n'
    path = site(directory, "greylist", words={"127.0.0.0/8": TRUSTED})
    with (path.parent / "clients.cidr").open("a") as access:
        access.write(f"{DENIED} REJECT\n")
    with stub(directory, text) as dns, \
            Imported(directory, path, f"127.0.0.1:{dns.port}", "--deliver", f"maildir:{directory}/mail/%d/%u") as server:
        conf = (server.directory / "gatepost.conf").read_text()
        assert re.search(r"greylist \{[^}]*delay = 60s", conf), conf
        equal(answer(server.port, ME, "alice@grey.example"), 451, "an unknown sender")
        equal(answer(server.port, "me@forged.example", "alice@grey.example"), 550, "a forged sender")
        equal(answer(server.port, "me@spammer.example", "alice@grey.example"), 554, "a refused sender")
        equal(answer(server.port, ME, "closed@grey.example"), 550, "a refused recipient")
        equal(answer(server.port, ME, "alice@grey.example", source=DENIED), 554, "a refused client")
        equal(answer(server.port, ME, "alice@grey.example", helo="mx.grey.example"), 550, "our name")
        equal(answer(server.port, ME, "alice@grey.example", source=TRUSTED), 250, "a trusted client")


@case("with --observe the same server refuses by no check, and the log has what it would have refused")
def observed(directory):
    path = site(directory, "greylist", words={"127.0.0.0/8": TRUSTED})
    with (path.parent / "clients.cidr").open("a") as access:
        access.write(f"{DENIED} REJECT\n")
    with stub(directory, named(CLIENT)) as dns, \
            Imported(directory, path, f"127.0.0.1:{dns.port}", "--observe", "--deliver", f"maildir:{directory}/mail/%d/%u") as server:
        equal(answer(server.port, "me@spammer.example", "alice@grey.example", helo="mx.grey.example", source=DENIED), 250, "all that is refused")
        equal(answer(server.port, ME, "closed@grey.example"), 550, "an unknown recipient, by the rule")
        # That of the other client may be in the log first.
        session = wait_for("the session", lambda: [line for line in server.sessions() if line.get("helo") == "mx.grey.example"])[0]
        verdicts = {(verdict["check"], verdict["result"], verdict["mode"]) for verdict in session["transactions"][0]["verdicts"]}
        for check in "helo_impersonation", "dnsbl", "rhsbl":
            assert (check, "refuse", "observe") in verdicts, verdicts


@case("an office: mail goes to the mail store, aliases to Postfix behind, and TLS is as it was")
def office(directory):
    path = site(directory, "office", words={"127.0.0.0/8": TRUSTED, "[::ffff:127.0.0.0]/104": "", "lmtp:unix:private/dovecot-lmtp": "lmtp:[127.0.0.1]:STORE",
                                            "smtpd_tls_cert_file": "#", "smtpd_tls_key_file": "#", "smtpd_tls_security_level": "#",
                                            "zen.spamhaus.org=127.0.0.[2..11]": "bl.example.com=127.0.0.[2..11]"})
    text = listed("127.0.0.2", "bl.example.com", "127.0.0.2") + listed(DENIED, "bl.example.com", "127.0.0.3")
    with stub(directory, text) as dns, NextHop() as store, NextHop(protocol="smtp") as behind:
        path.write_text(path.read_text().replace("STORE", store.endpoint.rpartition(":")[2]))
        with Imported(directory, path, f"127.0.0.1:{dns.port}", "--behind", behind.endpoint) as server:
            equal(answer(server.port, ME, "alice@office.example", source=DENIED), 554, "a listed client")
            equal(answer(server.port, ME, "nobody@office.example"), 550, "nobody")
            equal(answer(server.port, "me@nomail.example", "alice@office.example"), 550, "a sender without a domain")
            with server.client() as client:
                client.deliver(TEXT, recipients=["alice+x@office.example"])
            with server.client() as client:
                client.deliver(TEXT, recipients=["sales@office.example"])
        equal((len(store.mails), len(behind.mails)), (1, 1), "mails at the store and behind")


if __name__ == "__main__":
    main()
