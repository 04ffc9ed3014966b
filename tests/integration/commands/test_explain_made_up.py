#!/usr/bin/env python3
"""gatepost explain for a session that is made up: for each recipient what decides, from which line, what each check saw, what would
decide next; answers of DNS that are given; and the same as JSON, of which the manual names every key."""
# threads elsewhere: explain, and the pool that a server has

import contextlib
import json
import re
import socket
import time

from common.explained import assert_documented, explain, line_of
from common.harness import SECONDS, Server, case, equal, main

LIST = "7.2.0.192.zen.example"
OPTIONS = """resolvers = {"127.0.0.1:9"}
dynamic_client { mode = enforce }
dnsbl {
    threshold = 1
    zone "zen.example" { answers = {"127.0.0.[2..9]"} }
    zone "quiet.example" { }
}
bounce_reference { mode = enforce }
domain "soft.example" {
    recipients = "recipients.txt"
    deliver = "discard:"
    dnsbl { mode = observe }
}"""
# A client that is listed, has a generic name, and may not send for the domain.
FACTS = (f"{LIST} A=127.0.0.2", f"{LIST} TXT=for a test", "7.2.0.192.quiet.example A=absent", "example.com MX=10 mx.example.com",
         "mx.example.com A=192.0.2.99", "mx.example.com AAAA=absent", "example.com TXT=v=spf1 -all")
ASKED = ("--ip", "192.0.2.7", "--helo", "mail.example.com", "--from", "a@example.com", "--no-dns", "--ptr", "dyn-192-0-2-7.example.com",
         *(word for fact in FACTS for word in ("--fact", fact)))


@case("each recipient has a table under the modes of its own domain, its own decision, and what would decide next, to the end")
def recipients(directory):
    server = Server(directory, options=OPTIONS)
    said = explain(server, *ASKED, "--to", "alice@isp.example", "--to", "alice@soft.example", "--to", "nobody@isp.example")
    tables = re.findall(r"^For <(\S+)>:\n(.*?)(?=^For <|^GIVEN|^DNS|^C: )", said, re.M | re.S)
    equal([to for to, _ in tables], ["alice@isp.example", "alice@soft.example", "nobody@isp.example"], "tables")
    for (_, table), check, mode in zip(tables, ("dnsbl", "dynamic_client", "recipient"), ("enforce", "enforce", "always")):
        assert re.search(rf"^{check}\s+{mode}\s+refuse\b.*<== decides$", table, re.M), table
        equal(table.count("<== decides"), 1, "rows that decide")
    assert re.search(r"^dnsbl\s+observe\s+refuse\b", tables[1][1], re.M), tables[1]
    about = dict(re.findall(r"^About <(\S+)>:\n(.*?)(?=^About|\Z)", said, re.M | re.S))
    generic, spf = r"dynamic_client would refuse it \(dyn-192-0-2-7\S+ is a generic name.*?\)", r"spf would refuse it \(-all of example\.com.*?\) \(default\)"
    end = r"; after that nothing would refuse it\.$"
    assert re.search(rf"^Were dnsbl out of the way, {generic} \({line_of(server, 'dynamic_client')}\); then {spf}{end}", about["alice@isp.example"], re.M), said
    assert re.search(rf"^Were dynamic_client out of the way, {spf}{end}", about["alice@soft.example"], re.M), said
    assert re.search(rf"^Were recipient out of the way, dnsbl would refuse it \(.*\) \(default\); then {generic}.*; then {spf}{end}",
                     about["nobody@isp.example"], re.M), said
    for told in about.values():
        assert "Not known here: what bounce_reference would say, which looks at the text (--message).\n" in told, told
    assert "554 5.7.1 client [192.0.2.7] is listed by zen.example" in said and "<alice@soft.example> would be refused (550 5.7.1)" in said, said


@case("what would decide next is what does decide once the check before it is off")
def out_of_the_way(directory):
    expected = ["dnsbl", "dynamic_client", "spf"]
    off = ""
    for number, check in enumerate(expected):
        server = Server(directory, options=OPTIONS, domain=off)
        said = json.loads(explain(server, *ASKED, "--to", "alice@isp.example", "--json"))["mails"][0]
        equal(said["check"], check, "decides")
        equal([one["check"] for one in said["recipients"][0]["next"]], expected[number + 1:], "next")
        off += f"{check} {{ mode = off }}\n"
    said = explain(Server(directory, options=OPTIONS, domain=off), *ASKED, "--to", "alice@isp.example")
    assert "would be taken" in said and "out of the way" not in said, said


@case("the lines of the configuration that a refusal comes from are those in force: mode, threshold, zone, domain, recipients, limits")
def lines(directory):
    server = Server(directory, options=OPTIONS + '\nmessage_size_max = 2k\nhelo_impersonation { names = {"mx.old.example",\n"mx.older.example"} }')
    (directory / "large").write_text("x" * 70 + "\n" * 5000)
    said = explain(server, *ASKED, "--to", "alice@isp.example")
    assert (f"In force for dnsbl: mode = enforce (default), threshold = 1 ({line_of(server, 'threshold')}), "
            f"zone = zen.example ({line_of(server, 'zen.example')}).\n") in said, said
    said = explain(server, *ASKED, "--to", "nobody@isp.example")
    section = line_of(server, 'domain "isp.example"')
    assert f"domain = isp.example ({section}), recipients = recipients.txt (" in said, said
    assert "In force for recipient: no section `domain` is for the recipient's.\n" in explain(server, *ASKED, "--to", "x@other.example")
    ask = ("--ip", "192.0.2.8", "--no-dns", "--from", "<>", "--to", "alice@isp.example")
    said = explain(server, *ask, "--helo", "mx.older.example")
    assert f"names = mx.older.example ({line_of(server, 'mx.older.example')})" in said, said
    said = explain(server, *ask, "--helo", "mx1.isp.example")
    assert f"hostname = mx1.isp.example ({line_of(server, 'hostname')})" in said, said
    said = explain(server, *ask, "--message", str(directory / "large"))
    assert f"In force: message_size_max = 2k ({line_of(server, 'message_size_max')})" in said, said
    # An included file is named itself.
    (directory / "more.conf").write_text("\nsender_tld { mode = enforce }\n")
    server = Server(directory, options='include("more.conf")')
    said = explain(server, "--ip", "192.0.2.8", "--from", "a@b.nowhere", "--to", "alice@isp.example")
    assert f"In force for sender_tld: mode = enforce ({directory}/more.conf:2)" in said, said


@case("each check tells what it has asked and whether that was found, absent or failed; what is given is told from what is asked")
def facts(directory):
    server = Server(directory, options=OPTIONS)
    said = explain(server, *ASKED, "--to", "alice@isp.example")
    assert f"  saw {LIST} A found, {LIST} TXT found, 7.2.0.192.quiet.example A absent\n" in said, said
    assert re.search(r"^dynamic_client .*\n  saw .*7\.2\.0\.192\.in-addr\.arpa PTR found, dyn-192-0-2-7\.example\.com A found$", said, re.M), said
    assert f'GIVEN: {LIST} TXT found, 1 record, ttl 0 s, 0 ms: "for a test"' in said, said
    said = explain(server, *ASKED[:6], "--no-dns", "--fact", "example.com MX=failed", "--fact", "example.com MX=absent", "--to", "alice@isp.example")
    assert re.search(r"^sender_mx .*\n  saw example\.com MX absent$", said, re.M), said
    assert f"DNS: {LIST} A failed" in said, said
    for fact, words in (("x", "is not \"NAME TYPE=VALUE\""), ("x.example SRV=1", "is not \"NAME TYPE=VALUE\""), ("x.example A=::1", "no IPv4 address"),
                        ("x.example MX=mx.example", "PREFERENCE NAME"), ("a..b A=192.0.2.1", "begins with no name"), ("x.example PTR=a..b", "no name")):
        assert words in explain(server, *ASKED, "--fact", fact, status=2), fact
    assert "--ptr \"a..b\" is no name" in explain(server, *ASKED[:6], "--ptr", "a..b", status=2)


@case("without a greeting, a sender and recipients a session can be made up as well; --tls and --listener are what they say")
def little(directory):
    server = Server(directory, options="""tls { certificate = {"mx.pem"} }
dnsbl { mode = off }""")
    said = explain(server, "--ip", "192.0.2.8", "--to", "alice@isp.example")
    assert "C: EHLO [192.0.2.8]\n" in said and "C: MAIL FROM:<>\n" in said and "would be taken" in said, said
    assert "C: EHLO [IPv6:2001:db8::1]\n" in explain(server, "--ip", "2001:db8::1")
    assert "C: EHLO mx.example.com\n" in explain(server, "--ip", "2001:db8::1", "--ptr", "mx.example.com")
    assert "(both speak TLS from here on)" in explain(server, "--ip", "192.0.2.8", "--tls", "--to", "alice@isp.example")
    listener = re.search(r'listen = \{"([^"]+)"', (directory / "gatepost.conf").read_text())[1]
    server = Server(directory, options=f'listener "{listener}" {{ starttls = off }}\ntls {{ certificate = {{"mx.pem"}} }}')
    listener = re.search(r'listen = \{"([^"]+)"', (directory / "gatepost.conf").read_text())[1]
    (directory / "gatepost.conf").write_text(re.sub(r'listener "[^"]+"', f'listener "{listener}"', (directory / "gatepost.conf").read_text()))
    said = explain(server, "--ip", "192.0.2.8", "--tls", "--listener", listener)
    assert "STARTTLS" not in said.split("C: STARTTLS")[0] and "both speak TLS" not in said, said
    assert "250-STARTTLS" in explain(server, "--ip", "192.0.2.8")
    assert "none of the addresses of `listen`" in explain(server, "--ip", "192.0.2.8", "--listener", "127.0.0.1:1", status=1)
    assert "is not ADDRESS:PORT" in explain(server, "--ip", "192.0.2.8", "--listener", "nowhere", status=2)
    assert "--ip ADDRESS" in explain(server, "--tls", "--to", "alice@isp.example", status=2)


@case("for postmaster and for trusted clients the checks do not count, and nothing would decide next")
def exempt(directory):
    server = Server(directory, options=OPTIONS + '\ntrusted_networks = {"198.51.100.0/24"}')
    for arguments, words in ((("--to", "postmaster@isp.example"), "postmaster hears everybody"), (("--to", "postmaster"), "postmaster hears everybody")):
        said = explain(server, *ASKED, *arguments)
        assert f"{words}: the checks below do not count" in said and "would be taken" in said and "out of the way" not in said, said
    said = explain(server, "--ip", "198.51.100.1", *ASKED[2:], "--to", "alice@isp.example")
    assert "trusted_networks: the checks below do not count" in said and "out of the way" not in said, said


@case("resolvers that do not answer are waited for as the configuration says, and once; what they were asked has failed")
def deadline(directory):
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as mute:
        mute.bind(("127.0.0.1", 0))
        server = Server(directory, options=OPTIONS.replace("127.0.0.1:9", f"127.0.0.1:{mute.getsockname()[1]}") +
                        "\ndns_attempt_timeout = 200ms\ndns_question_timeout = 300ms")
        began = time.monotonic()
        said = explain(server, "--ip", "192.0.2.7", "--helo", "mail.example.com", "--from", "a@example.com", "--to", "alice@isp.example")
        assert time.monotonic() - began < SECONDS, time.monotonic() - began
    assert f"DNS: {LIST} A failed" in said and "451" in said, said


@case("the JSON of a made-up session has the same facts as the words, under keys that the manual describes")
def as_json(directory):
    server = Server(directory, options=OPTIONS)
    told = json.loads(explain(server, *ASKED, "--to", "alice@isp.example", "--to", "alice@soft.example", "--json"))
    equal((told["kind"], len(told["mails"])), ("made_up", 1), "kind")
    mail = told["mails"][0]
    equal([one["to"] for one in mail["recipients"]], ["alice@isp.example", "alice@soft.example"], "recipients")
    first, second = mail["recipients"]
    equal((first["outcome"], first["code"], first["check"]), ("refused", "554 5.7.1", "dnsbl"), "decision")
    assert first["why"].startswith("the client's address is on a DNS blocklist") and first["remedy"], first
    equal((mail["outcome"], mail["check"]), ("refused", "dnsbl"), "the mail's")
    both = json.loads(explain(server, *ASKED, "--to", "alice@isp.example", "--to", "postmaster@isp.example", "--json"))["mails"][0]
    equal([both["outcome"], *(one["outcome"] for one in both["recipients"])], ["taken", "refused", "taken"], "where one gets it")
    checks = {check["check"]: check for check in first["checks"]}
    dnsbl = checks["dnsbl"]
    equal((dnsbl["mode"], dnsbl["result"], dnsbl["default"]), ("enforce", "refuse", True), "dnsbl")
    equal([(fact["name"], fact["type"], fact["state"], fact["records"], fact.get("given")) for fact in dnsbl["facts"]],
          [(LIST, "A", "found", ["127.0.0.2"], True), (LIST, "TXT", "found", ['"for a test"'], True),
           ("7.2.0.192.quiet.example", "A", "absent", [], True)], "facts")
    zone = next(one for one in dnsbl["settings"] if one["option"] == "zone")
    equal((zone["value"], f"{zone['file']}:{zone['line']}"), ("zen.example", line_of(server, "zen.example")), "zone")
    equal([one["check"] for one in first["next"]], ["dynamic_client", "spf"], "next")
    equal(first["unknown"], ["bounce_reference"], "unknown")
    equal(next(one["mode"] for one in second["checks"] if one["check"] == "dnsbl"), "observe", "the other domain's mode")
    assert any(line.startswith("S: 554 5.7.1 client [192.0.2.7] is listed") for line in told["transcript"]), told["transcript"]
    assert_documented(told)


if __name__ == "__main__":
    main()
