#!/usr/bin/env python3
"""Mail that dkimpy signed comes to the real server: DMARC refuses, marks and saves it, Authentication-Results tells of it in the
Maildir and at the next hop, DNS lies or hangs, and `gatepost explain` says why."""

import os
import re
import sys
import time

try:
    import dkim
except ImportError:  # packages of Debian are there for its own Python
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])

from common.daemons.next_hop import NextHop
from common.dns_peers import NOERROR, TXT, DnsStub, ScriptedDns, by_table, text
from common.explained import explain
from common.harness import PATIENCE, SANITIZE, Server, case, equal, main, wait_for
from common.signing import key_record, rsa_key, with_crlf

OFF = "".join(f"{check} {{ mode = off }}\n" for check in ("dnsbl", "rhsbl", "sender_mx"))
DEADLINE_S = 5
TIMES = f"dns_timeout = {DEADLINE_S}s\ndns_question_timeout = {DEADLINE_S}s\ndns_attempt_timeout = {DEADLINE_S}s\n"
FIELDS = b"From: Joe <joe@d.example.com>\r\nTo: alice@isp.example\r\nSubject: a letter\r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\n\r\n"
SHORT = FIELDS + b"Hi.\r\n"
LONG = FIELDS + b"".join(b"%d and so on,  and so forth\t\r\n" % i for i in range(60000))
SIGNED_BY_D = "dkim=pass header.d=d.example.com header.s=s"


SECRET, PUBLIC = rsa_key()
ZONE = f"""{key_record("s._domainkey.d.example.com", PUBLIC)}
lies._domainkey.d.example.com 60 TXT "v=DKIM1; k=rsa; p=bm9uc2Vuc2U="
hangs._domainkey.d.example.com 60 TXT "x"
hangs._domainkey.d.example.com !silent
_dmarc.d.example.com 60 TXT "v=DMARC1; p=reject"
_dmarc.soft.example.com 60 TXT "v=DMARC1; p=quarantine; rua=mailto:r@soft.example.com"
_dmarc.hangs.example.com 60 TXT "x"
_dmarc.hangs.example.com !silent
d.example.com 60 TXT "v=spf1 -all"
plain.example.com 60 TXT "v=spf1 -all"
"""


def signed(message, selector=b"s", domain=b"d.example.com"):
    field = dkim.sign(message, selector, domain, SECRET, include_headers=[b"from", b"to", b"subject", b"date"])
    return with_crlf(field) + message


def start(directory, options, **places):
    (directory / "zone").write_text(ZONE)
    stub = DnsStub(directory / "zone")
    server = Server(directory, f'resolvers = {{"127.0.0.1:{stub.port}"}}\n{OFF}{TIMES}{options}', **places)
    return stub, server


def tell(server, message, code, sender="joe@x.example.com", **more):
    with server.client() as client:
        client.begin(sender=sender, **more)
        return client.finish(message, code)


def transaction(server, reply):
    """What the log has of the mail that was answered so: an id is at the end of the reply. Lines of several workers come in any order."""
    number = re.search(r"(\w+)\]?$", reply)[1]
    return wait_for("it in the log", lambda: [found for session in server.sessions() for found in session["transactions"]
                                             if number in (found["id"], found.get("reject_id"))])[0]


def results_of(mail):
    """Authentication-Results at the front of a copy, unfolded; and what follows it."""
    found = re.match(rb"(?:Return-Path: [^\n]*\n)?Authentication-Results: ((?:[^\r\n]*\r?\n[ \t])*[^\r\n]*)\r?\n", mail)
    assert found, mail[:600]
    return re.sub(r"\s+", " ", found[1].decode()), mail[found.end():]


@case("mail with a signature of its author is taken, short and long, as it was; without one, or altered, it is refused with the evidence")
def enforced(directory):
    stub, server = start(directory, "spf { mode = off }\ndmarc { mode = enforce }\nauthentication_results = yes\n")
    with stub, server:
        for message in (signed(SHORT), signed(LONG)):
            taken = tell(server, message, 250)
            field, rest = results_of(server.mails()[-1])
            assert "; iprev=permerror policy.iprev=127.0.0.1; spf=none smtp.mailfrom=joe@x.example.com" in field, field
            assert SIGNED_BY_D in field and "dmarc=pass header.from=d.example.com policy.dmarc=reject" in field, field
            assert rest.startswith(b"Received") and rest.endswith(message), rest[:500]
        said = tell(server, SHORT, 550)
        assert "5.7.1 rejected by the DMARC policy of d.example.com" in said, said
        altered = tell(server, signed(LONG).replace(b"59999 and", b"59998 and"), 550)
        equal(len(server.mails()), 2, "mails")
        passed, refused = transaction(server, taken), transaction(server, altered)
        equal((passed["dmarc"], passed["header_from"], passed["dmarc_aligned"], passed["dmarc_disposition"]),
              ("pass", "d.example.com", "dkim", "none"), "what the log has of mail that passed")
        equal((refused["dmarc"], refused["dmarc_disposition"], refused["dkim"][0]["result"], refused["dkim"][0]["reason"]),
              ("fail", "reject", "fail", "the body was altered"), "what the log has of mail that was refused")
        equal(server.counters()["dmarc.refused"], 2, "dmarc.refused")
        told = explain(server, refused["reject_id"])
        assert "DMARC" in told and "the body was altered" in told, told


@case("SPF leaves its refusal to DMARC: a signature saves mail that was forwarded, and without a policy SPF's word counts")
def forwarded(directory):
    stub, server = start(directory, "spf { on_fail = dmarc }\ndmarc { mode = off }\n")
    with stub, server:
        tell(server, signed(SHORT), 250, sender="joe@d.example.com")
        assert "5.7.23" in tell(server, SHORT, 550, sender="joe@d.example.com")
        plain = SHORT.replace(b"d.example.com", b"plain.example.com")
        assert "5.7.23" in tell(server, plain, 550, sender="joe@plain.example.com")


@case("a key that lies is no pass, and what hangs is 451 when the one deadline is over")
def dns(directory):
    stub, server = start(directory, "spf { mode = off }\ndmarc { mode = enforce }\n")
    with stub, server:
        tell(server, signed(SHORT, b"lies"), 550)
        began = time.monotonic()
        said = tell(server, signed(SHORT, b"hangs"), 451)
        took = time.monotonic() - began
        assert "4.4.3" in said and DEADLINE_S - 0.5 < took < (DEADLINE_S + 4) * PATIENCE, (said, took)
        said = tell(server, SHORT.replace(b"d.example.com", b"hangs.example.com"), 451)
        assert "hangs.example.com" in said, said
        tell(server, signed(SHORT), 250)


@case("a key in strings of one octet, or behind thousands of empty ones, is that key, and soon; one of 60 kB is none")
def huge_keys(directory):
    key = f"v=DKIM1; k=rsa; p={PUBLIC}"
    good = {"octets": text(key, 1), "empty": b"\0" * (6000 if SANITIZE == "address" else 60000) + text(key)}  # there getdns has malloc()
    bad = {"long": text(key + "A" * 62000), "many": text(key + "A" * 55000, 15), "filled": text(key.replace(";", ";" + " " * 30000))}
    answer = by_table({(f"{name}._domainkey.d.example.com", TXT): (data,) for name, data in (good | bad).items()} |
                      {("_dmarc.d.example.com", TXT): (text("v=DMARC1; p=reject"),)})

    def behave(query, is_tcp, send):
        answer(query, is_tcp, lambda octets: send(octets if is_tcp or len(octets) <= 1232 else query.header(NOERROR, flags=0x8380) + query.question))

    with ScriptedDns(behave) as dns, Server(directory, f'resolvers = {{"127.0.0.1:{dns.port}"}}\n{OFF}{TIMES}spf {{ mode = off }}\ndmarc {{ mode = enforce }}\n') as server:
        for name in good:
            tell(server, signed(SHORT, name.encode()), 250)
        for name in bad:
            said = tell(server, signed(SHORT, name.encode()), 550)
            assert "5.7.1 rejected by the DMARC policy" in said, said
            signature, = transaction(server, said)["dkim"]
            equal((signature["result"], signature["reason"]), ("permerror", "the key record is too long"), f"result of {name}")


@case("a text that comes during reloads is judged by the configuration that its session began with, signature and all")
def reloads(directory):
    stub, server = start(directory, "spf { mode = off }\ndmarc { mode = enforce }\nauthentication_results = yes\n")
    configuration = directory / "gatepost.conf"
    with stub, server:
        for message, code in ((signed(LONG), 250), (signed(LONG).replace(b"59999 and", b"59998 and"), 550)):
            with server.client() as client:
                client.begin(sender="joe@x.example.com")
                step = len(message) // 5 + 1
                for at in range(0, len(message), step):
                    if at > 0:
                        configuration.write_text(re.sub(r"dmarc { mode = \w+ }", f"dmarc {{ mode = {'enforce' if at == 4 * step else 'off'} }}", configuration.read_text()))
                        server.reload()
                    client.raw(message[at:at + step])
                client.finish(b"", code)
        field, rest = results_of(server.mails()[-1])
        assert SIGNED_BY_D in field and rest.endswith(LONG), field
        equal(len(server.mails()), 1, "mails")


@case("a next hop gets the field in front of a text that it was not given before its end, and the mark of a quarantine")
def next_hop(directory):
    with NextHop("lmtp") as hop:
        stub, server = start(directory, "dmarc { mode = enforce }\nauthentication_results = yes\nspf { mode = off }\n", deliver=hop.address)
        with stub, server:
            tell(server, signed(LONG), 250)
            field, rest = results_of(hop.mails[-1][2])
            assert SIGNED_BY_D in field and rest.endswith(LONG), field
            tell(server, SHORT.replace(b"d.example.com", b"soft.example.com"), 250)
            assert hop.mails[-1][2].startswith(b"X-Quarantine: dmarc: the policy of soft.example.com asks for it\r\n"), hop.mails[-1]
            tell(server, SHORT, 550)
            equal(len(hop.mails), 2, "mails of the next hop")


@case("what DMARC wants in quarantine is in the folder that its domain has for that")
def folder(directory):
    stub, server = start(directory, "dmarc { mode = enforce }\nspf { mode = off }\n", domain="quarantine_folder = Junk")
    with stub, server:
        tell(server, SHORT.replace(b"d.example.com", b"soft.example.com"), 250)
        held, = (directory / "mail/isp.example/alice/.Junk/new").iterdir()
        assert b"\r\nX-Quarantine: dmarc: the policy of soft.example.com" in held.read_bytes(), held.read_bytes()
        equal(server.mails(), [], "mails in the mailbox")


@case("explain judges a message from a file by DMARC, and tells what it asked")
def explained(directory):
    stub, server = start(directory, "dmarc { mode = enforce }\nspf { on_fail = dmarc }\n")
    with stub:
        for name, message in (("good", signed(SHORT)), ("bad", SHORT)):
            (directory / name).write_bytes(message)
            said = explain(server, "--ip", "192.0.2.7", "--helo", "mail.example.com", "--from", "joe@x.example.com",
                           "--to", "alice@isp.example", "--message", str(directory / name))
            row = re.search(r"^dmarc +enforce +(\w+) ", said, re.M)
            equal(row and row[1], {"good": "pass", "bad": "refuse"}[name], said)
            assert "_dmarc.d.example.com TXT" in said, said


@case("what is taken with a mark of quarantine is told: in the log, by counters, and by explain of a mail that came or might come")
def marked(directory):
    stub, server = start(directory, "dmarc { mode = enforce }\nspf { mode = off }\n")
    mail = SHORT.replace(b"d.example.com", b"soft.example.com")
    (directory / "mail.eml").write_bytes(mail)
    made_up = ("--ip", "192.0.2.7", "--helo", "mail.example.com", "--from", "joe@x.example.com", "--to", "alice@isp.example",
               "--message", str(directory / "mail.eml"))
    with stub:
        with server:
            one, other = (transaction(server, tell(server, message, 250)) for message in (mail, signed(SHORT)))
            equal((one["quarantined"], one["dmarc_disposition"], other.get("quarantined")), (True, "quarantine", None), "the log")
            counters = server.counters()
            equal([counters[name] for name in ("messages_quarantined", "dmarc_none", "dmarc_quarantine", "dmarc_reject")], [1, 0, 1, 0], "counters")
            assert "which was taken, with a mark of quarantine." in explain(server, one["id"]), explain(server, one["id"])
        for option, result, outcome in (("", "mark", "taken, with a mark of quarantine."), ("dmarc_quarantine = no", "pass", "taken.\n"),
                                        ("dmarc_quarantine = refuse", "refuse", "refused (550 5.7.1).")):
            server.write_configuration(domain=option)
            said = explain(server, *made_up)
            assert re.search(rf"^dmarc +enforce +{result} ", said, re.M) and f"would be {outcome}" in said, said
            equal("dmarc would refuse it" in said, False, said)


main()
