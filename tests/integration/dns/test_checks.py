#!/usr/bin/env python3
"""Every check that asks DNS, through SMTP: answers of NSD by way of unbound; the client comes from any address by PROXY."""

import re
import time

from common.dns_peers import A, AAAA, MX, PTR, TXT, ScriptedDns, address, by_table, exchange, framed, text, wire_name
from common.dns_world import dns_server, client_from, envelope, expect_reply, verdicts, world
from common.harness import case, equal, main, note, run_program, wait_for
from common.messages import HEADER

LISTS = """dnsbl { threshold = 2
    zone "bl.example" { weight = 2 answers = {"127.0.0.[2..11]"} dynamic = {"127.0.0.[10..11]"} }
    zone "weak.example" {}
    zone "quota.example" {}
    zone "white.example" { weight = -2 answers = {"127.0.[2..15].[0..3]"} errors = {"127.0.0.255"} }
    zone "broken.example.com" { weight = 2 }
    zone "names.example" { weight = 2 names = yes answers = {"127.0.1.[2..99]"} }
}
"""


@case("dnsbl: listed by answer, weight and chain; not by error codes, strangers' answers, failures, or with an allowlist")
def dnsbl(directory):
    with world(directory) as unbound, dns_server(directory, [unbound.port], LISTS, off=("rhsbl", "sender_mx", "spf")) as server:
        table = [("192.0.2.7", 250), ("192.0.2.66", 554), ("192.0.2.67", 250), ("192.0.2.68", 250), ("192.0.2.69", 250),
                 ("2001:db8::66", 554), ("192.0.2.70", 554), ("192.0.2.71", 250), ("192.0.2.72", 554), ("192.0.2.73", 250),
                 ("192.0.2.74", 554), ("192.0.2.75", 554), ("2001:db8::7", 250)]
        found = {}
        for number, (client, code) in enumerate(table, 1):
            pattern = rf"^5\.7\.1 client \[{re.escape(client)}\] is listed by (bl|weak)\.example \[" if code == 554 else ""
            expect_reply(server, code, pattern, ip=client)
            found[client] = verdicts(server, number)
        equal(found["192.0.2.7"], {}, "verdicts")
        result, mode, evidence = found["192.0.2.66"]["dnsbl"]
        equal((result, mode), ("refuse", "enforce"), "verdict")
        assert "bl.example" in evidence and "127.0.0.4" in evidence and "(see https://bl.example/ for 192.0.2.66)" in evidence, evidence
        assert "quota.example 127.0.0.2" in found["192.0.2.72"]["dnsbl"][2], found["192.0.2.72"]
        assert "white" not in found["192.0.2.74"]["dnsbl"][2], found["192.0.2.74"]
        expect_reply(server, 250, ip="192.0.2.66", recipient="postmaster@isp.example")


@case("dnsbl: what DNS says of a client's own names takes no room from what a list says of him, however late that comes")
def dnsbl_crowded(directory):
    held, is_held = [], True

    def behave(query, is_tcp, send):
        if query.name.endswith("bl.example"):
            octets = query.answer(address("127.0.0.2")) if query.type == A else query.negative()
            held.append(lambda: send(octets))
            if not is_held:
                send(octets)
            return
        data = {PTR: [wire_name(f"n{n}.hostile.example.com") for n in range(10)], MX: [exchange("n1.hostile.example.com")],
                AAAA: [address(f"2001:db8::{n + 1:x}") for n in range(128)], A: [address(f"203.0.113.{n}") for n in range(128)]}
        octets = query.answer(*data.get(query.type, []))
        if is_tcp:
            send(framed(octets))
        else:
            send(octets if len(octets) <= 1232 else query.header(flags=0x8380) + query.question)
    checks = ('dnsbl { zone "bl.example" { self_test = no } }\nhelo_name { must_resolve = yes }\n'
              "dns_attempt_timeout = 10s\ndns_question_timeout = 20s\ndns_timeout = 30s\n")
    with ScriptedDns(behave) as dns, \
            dns_server(directory, [dns.port], checks, off=("rhsbl", "sender_mx", "spf"),
                       domain="dynamic_client { mode = enforce }") as server, client_from(server, "2001:db8::66") as client:
        for number in range(20):
            client.command(f"EHLO h{number}.hostile.example.com", 250)
        client.command("MAIL FROM:<a@example.com>", 250)
        client.raw(b"RCPT TO:<alice@isp.example>\r\n")
        wait_for("the last name", lambda: ("h19.hostile.example.com", AAAA) in dns.queries and ("n9.hostile.example.com", AAAA) in dns.queries)
        time.sleep(0.5)
        is_held = False
        for answer in list(held):
            answer()
        code, said = client.reply()
        equal(code, 554, said)


@case("rhsbl: the sender's domain and HELO")
def rhsbl(directory):
    with world(directory) as unbound, dns_server(directory, [unbound.port], LISTS, off=("sender_mx", "spf")) as server:
        expect_reply(server, 554, r"^5\.7\.1 your domain is listed by names\.example", sender="a@bad.example.com")
        assert "(sells pills)" in verdicts(server, 1)["rhsbl"][2], verdicts(server, 1)
        expect_reply(server, 554, r"^5\.7\.1 your domain", helo="badhelo.example.com", sender="")
        expect_reply(server, 250, sender="a@good.example.com")


@case("dynamic_client and FCrDNS, for the domain that wants it")
def dynamic(directory):
    wanted = "dynamic_client { mode = enforce }"
    with world(directory) as unbound, dns_server(directory, [unbound.port], LISTS.replace("threshold = 2", "threshold = 99"),
                                                 off=("rhsbl", "sender_mx", "spf"), domain=wanted) as server:
        table = [("192.0.2.7", 250, None), ("2001:db8::7", 250, None), ("192.0.2.80", 550, "does not lead back"),
                 ("192.0.2.81", 550, "does not lead back"), ("192.0.2.82", 550, "generic name"), ("192.0.2.99", 550, "no name"),
                 ("192.0.2.70", 550, "bl.example lists the client as dynamic"), ("192.0.2.84", 250, None), ("192.0.2.83", 250, None)]
        for number, (client, code, evidence) in enumerate(table, 1):
            expect_reply(server, code, "dynamic addresses" if code == 550 else "", ip=client)
            found = verdicts(server, number).get("dynamic_client")
            assert (found is None) == (evidence is None) and (evidence is None or evidence in found[2]), f"{client}: {found}"
    (directory / "again").mkdir()
    with world(directory / "again") as unbound, dns_server(directory / "again", [unbound.port], "") as server:
        expect_reply(server, 250, ip="192.0.2.82")


@case("helo_name.must_resolve")
def helo(directory):
    option = "helo_name {{ must_resolve = yes on_failure = {} }}\n"
    with world(directory) as unbound:
        for action, when_failing in (("pass", 250), ("defer", 451)):
            (directory / action).mkdir()
            with dns_server(directory / action, [unbound.port], option.format(action)) as server:
                for name, code in (("mail.example.com", 250), ("mail6.example.com", 250), ("mailalias.example.com", 250),
                                   ("nodata.example.com", 550), ("missing.example.com", 550), ("dangling.example.com", 550),
                                   ("x.broken.example.com", when_failing), ("x.refused.example.com", when_failing),
                                   ("endless.example.com", when_failing)):
                    expect_reply(server, code, "HELO" if code != 250 else "", helo=name)


@case("sender_tld: DNS has the last word")
def tld(directory):
    with world(directory) as unbound:
        with dns_server(directory, [unbound.port], "") as server:
            expect_reply(server, 250, sender="a@x.newtld")
            expect_reply(server, 550, r"^5\.1\.8 top-level domain of <a@x\.nosuchtld> does not exist", sender="a@x.nosuchtld")
            expect_reply(server, 451, r"^4\.4\.3 cannot look up the top-level domain", sender="a@x.brokentld")
            for helo in ("x.nosuchtld", "x.brokentld"):
                expect_reply(server, 250, helo=helo)
        (directory / "enforce").mkdir()
        with dns_server(directory / "enforce", [unbound.port], "sender_tld { helo_mode = enforce }\n") as server:
            expect_reply(server, 550, r"^5\.1\.8 top-level", helo="x.nosuchtld")
            expect_reply(server, 451, r"^4\.4\.3 cannot look up the top-level domain", helo="x.brokentld")


@case("sender_mx: MX, null MX, bogus MX, none at all, chains, failures")
def sender_mx(directory):
    cannot, null, unsure = r"^5\.1\.8 domain of", r"^5\.7\.27 domain of .* does not accept mail", r"^4\.4\.3 cannot look up the domain"
    table = [("ok", 250, ""), ("null", 550, null), ("home", 550, cannot), ("private", 550, cannot), ("halfprivate", 250, ""),
             ("gone", 550, cannot), ("unsure", 451, unsure), ("nodata", 550, cannot), ("missing", 550, cannot), ("many", 250, ""),
             ("mxalias", 250, ""), ("alias", 250, ""), ("dangling", 550, cannot), ("loop", 451, unsure), ("endless", 451, unsure)]
    implicit = {"addressonly": (550, 250), "addressonly6": (550, 250), "privateonly": (550, 550), "mailalias": (250, 250)}
    with world(directory) as unbound:
        for way, require in enumerate(("mx", "mx-or-address")):
            (directory / require).mkdir()
            with dns_server(directory / require, [unbound.port], f"sender_mx {{ require = {require} }}\n",
                            off=("dnsbl", "rhsbl", "spf")) as server:
                for name, code, pattern in table:
                    expect_reply(server, code, pattern, sender=f"a@{name}.example.com")
                for name, codes in implicit.items():
                    expect_reply(server, codes[way], cannot if codes[way] == 550 else "", sender=f"a@{name}.example.com")
                for name in ("x.broken.example.com", "x.refused.example.com"):
                    expect_reply(server, 451, unsure, sender=f"a@{name}")
                expect_reply(server, 250, sender="")


@case("sender_mx: a silent authority costs its sender a deferral, or lets him pass, by option")
def silent(directory):
    with world(directory) as unbound:
        for action, code in (("defer", 451), ("pass", 250)):
            (directory / action).mkdir()
            with dns_server(directory / action, [unbound.port], f"sender_mx {{ on_failure = {action} }}\n",
                            off=("dnsbl", "rhsbl", "spf")) as server:
                expect_reply(server, code, sender="a@x.silent.example.com")
                expect_reply(server, 250, sender="a@ok.example.com")


@case("a list, a HELO name and an SPF record of silent authorities: counts nothing, passes, is deferred")
def silent_others(directory):
    checks = """dnsbl { zone "x.silent.example.com" {}\n zone "bl.example" { answers = {"127.0.0.[2..11]"} } }
helo_name { must_resolve = yes }
"""
    with world(directory) as unbound, dns_server(directory, [unbound.port], checks, off=("rhsbl", "sender_mx")) as server:
        expect_reply(server, 250, ip="192.0.2.7", helo="host.silent.example.com", sender="a@pass.example.com")
        expect_reply(server, 451, r"^4\.4\.3 cannot look up the SPF record", sender="a@lost.silent.example.com")
        expect_reply(server, 554, "is listed by bl.example", ip="192.0.2.66")


SPF = [("pass", 250, "", "pass"), ("split", 250, "", "pass"), ("alias", 250, "", "pass"), ("mechanisms", 250, "", "pass"),
       ("large", 250, "", "pass"), ("soft", 250, "", "softfail"), ("neutral", 250, "", "neutral"), ("missing", 250, "", "none"),
       ("nodata", 250, "", "none"), ("wrong", 250, "", "permerror"), ("twice", 250, "", "permerror"),
       ("lookups", 250, "", "permerror"),  # three void lookups
       ("fail", 550, r"^5\.7\.23 SPF: 192\.0\.2\.7 may not send as a@fail\.example\.com \[", None),
       ("bare", 550, r"^5\.7\.23 SPF: bare\.example\.com", None), ("lost", 451, r"^4\.4\.3 cannot look up the SPF record", None),
       ("loop", 451, r"^4\.4\.3", None),
       ("huge", 250, "", "permerror")]  # too large to be kept, today and tomorrow


@case("spf: each result, explanations, and Received-SPF in what is stored")
def spf(directory):
    with world(directory) as unbound, dns_server(directory, [unbound.port], "", off=("dnsbl", "rhsbl", "sender_mx")) as server:
        for name, code, pattern, result in SPF:
            sender = f"a@{name}.example.com"
            expect_reply(server, code, pattern, sender=sender)
            if result is None:
                continue
            with client_from(server, "192.0.2.7") as client:
                client.deliver(HEADER, sender=sender, helo="mail.example.com")
            field = re.search(rb"^Received-SPF: (\w+)[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", server.mails()[-1], re.M)
            assert field and field[1].decode() == result and b"client-ip=192.0.2.7" in field[0], f"{name}: {server.mails()[-1][:900]}"
        expect_reply(server, 250, ip="192.0.2.9", sender="a@mechanisms.example.com")  # exists
        expect_reply(server, 250, ip="2001:db8::7", sender="a@mechanisms.example.com")  # a, IPv6
        expect_reply(server, 550, ip="192.0.2.10", sender="a@mechanisms.example.com")
        expect_reply(server, 550, r"bare\.example\.com", helo="bare.example.com", sender="")
        expect_reply(server, 250, helo="pass.example.com", sender="")


@case("spf: permerror and temperror by option")
def spf_options(directory):
    with world(directory) as unbound, dns_server(directory, [unbound.port], "spf { permerror = refuse temperror = pass }\n",
                                                 off=("dnsbl", "rhsbl", "sender_mx")) as server:
        expect_reply(server, 550, r"^5\.7\.24 SPF record of wrong\.example\.com is in error", sender="a@wrong.example.com")
        expect_reply(server, 250, sender="a@lost.example.com")
        with client_from(server, "192.0.2.7") as client:
            client.deliver(HEADER, sender="a@lost.example.com", helo="mail.example.com")
        assert b"Received-SPF: temperror" in server.mails()[-1], server.mails()[-1][:900]


@case("explain shows each answer with its TTL and milliseconds, and the session's replies")
def explain(directory):
    with world(directory) as unbound:
        server = dns_server(directory, [unbound.port], LISTS + "dynamic_client { mode = enforce }\n", off=())
        run = run_program("explain", "-c", directory / "gatepost.conf", "--ip", "192.0.2.66", "--helo", "mail.example.com",
                          "--from", "a@fail.example.com", "--to", "alice@isp.example")
        equal(run.returncode, 0, f"status ({run.stderr})")
        said = run.stdout
        note(said.replace("\n", " | ")[:200])
        answers = {(name, kind): (fact, int(records), int(ttl), int(ms)) for name, kind, fact, records, ttl, ms in
                   re.findall(r"^DNS: (\S+) (\w+) (\w+), (\d+) records, ttl (\d+) s, (\d+) ms(?:: .+)?$", said, re.M)}
        said_of = dict(re.findall(r"^DNS: (\S+ \w+) found, .* ms: (.+)$", said, re.M))
        equal(sorted(said_of["66.2.0.192.bl.example A"].split(", ")), ["127.0.0.2", "127.0.0.4"], "what the list answers")
        equal(said_of["66.2.0.192.bl.example TXT"], '"see https://bl.example/ for 192.0.2.66"', "why")
        equal(said_of["fail.example.com TXT"], '"v=spf1 ip4:203.0.113.0/24 -all exp=why.example.com"', "SPF record")
        equal(answers["66.2.0.192.bl.example", "A"][:2], ("found", 2), "listing")
        assert 290 <= answers["66.2.0.192.bl.example", "A"][2] <= 300, answers
        equal(answers["66.2.0.192.bl.example", "TXT"][:2], ("found", 1), "reason")
        equal(answers["66.2.0.192.broken.example.com", "A"][0], "failed", "broken zone")
        equal(answers["66.2.0.192.weak.example", "A"][0], "absent", "another zone")
        assert 50 <= answers["66.2.0.192.weak.example", "A"][2] <= 60, answers
        equal(answers["fail.example.com", "TXT"][:2], ("found", 1), "SPF record")
        equal(answers["66.2.0.192.in-addr.arpa", "PTR"][0], "absent", "reverse name")
        assert re.search(r"^dnsbl\s+enforce\s+refuse\s.*see https://bl\.example/", said, re.M), said
        assert re.search(r"^spf\s+enforce\s+refuse\s", said, re.M), said
        assert re.search(r"^S: 554 5\.7\.1 client \[192\.0\.2\.66\] is listed by bl\.example", said, re.M), said
        assert server.process is None


@case("gatepost spf --resolver")
def spf_command(directory):
    with world(directory) as unbound:
        for name, _, _, result in SPF:
            expected = result or {"fail": "fail", "bare": "fail"}.get(name, "temperror")
            run = run_program("spf", "--ip", "192.0.2.7", "--helo", "mail.example.com", "--from", f"a@{name}.example.com",
                              "--resolver", f"127.0.0.1:{unbound.port}")
            equal(run.stdout.splitlines()[0], expected, f"{name} ({run.stdout} {run.stderr})")
            assert re.search(rf"^lookup: {name}\.example\.com TXT \w+, \d+ records, ttl \d+ s, \d+ ms(: .*)?$", run.stdout, re.M), run.stdout
            if name == "fail":
                assert "explanation: 192.0.2.7 may not send as a@fail.example.com" in run.stdout, run.stdout


def spf_result(port, sender, ip="192.0.2.7"):
    run = run_program("spf", "--ip", ip, "--helo", "mail.example.com", "--from", sender, "--resolver", f"127.0.0.1:{port}")
    assert run.returncode not in (1, 2), f"status for {sender} ({run.stderr})"
    return run.stdout.splitlines()[0]


@case("gatepost spf: a TXT record without a single string does not hide the others")
def spf_empty_record(directory):
    table = {("empty.example.com", TXT): (b"", text("v=spf1 ip4:192.0.2.7 -all")), ("only.example.com", TXT): (b"",)}
    with ScriptedDns(by_table(table)) as dns:
        for name, result in (("empty", "pass"), ("only", "none")):
            equal(spf_result(dns.port, f"a@{name}.example.com"), result, name)


@case("gatepost spf: a record among many other texts is found, or the answer is too large; never overlooked")
def spf_many_texts(directory):
    for count, result in ((127, "fail"), (128, "fail"), (300, "fail"), (1500, "permerror")):
        texts = tuple(text(f"v{number}=x") for number in range(count)) + (text("v=spf1 -all"),)

        def behave(query, is_tcp, send):
            send(framed(query.answer(*texts)) if is_tcp else query.header(flags=0x8380) + query.question)
        with ScriptedDns(behave) as dns:
            equal(spf_result(dns.port, "a@d.example.com"), result, f"{count} other texts")


@case("gatepost spf: of many addresses every one is found, first or last; more than are kept are no answer")
def spf_many_addresses(directory):
    record = text("v=spf1 a -all")

    def behave(query, is_tcp, send):
        count = int(query.name.split(".")[0][1:])
        addresses = [address(f"198.51.{number // 250}.{number % 250}") for number in range(count)]
        octets = query.answer(record) if query.type == TXT else query.answer(*addresses)
        send(framed(octets) if is_tcp else octets if len(octets) < 1200 else query.header(flags=0x8380) + query.question)
    with ScriptedDns(behave) as dns:
        for count, ip, result in ((150, "198.51.0.0", "pass"), (150, "198.51.0.149", "pass"), (150, "198.51.0.150", "fail"),
                                  (500, "198.51.1.249", "pass"), (3000, "198.51.0.0", "permerror")):
            equal(spf_result(dns.port, f"a@n{count}.example.com", ip), result, f"{ip} among {count}")


@case("gatepost spf: quotes are spelling, not part of the local part")
def spf_quotes(directory):
    table = {("d.example.com", TXT): (text("v=spf1 exists:%{l}.x.example.com -all"),),
             ("one.two.x.example.com", A): (address("127.0.0.2"),)}
    with ScriptedDns(by_table(table)) as dns:
        for local, result in (("one.two", "pass"), ('"one.two"', "pass"), ('"one.\\two"', "pass"), ('"one two"', "fail")):
            equal(spf_result(dns.port, f"{local}@d.example.com"), result, local)


@case("gatepost spf shows what DNS answered: addresses, MX, strangers' texts without their control characters, a few of many")
def spf_shows_answers(directory):
    table = {("d.example.com", TXT): (text("hello \x1b[31m \xff"), text("v=spf1 mx a:a.example.com a:many.example.com -all")),
             ("d.example.com", MX): (exchange("mx.example.com", 10), exchange("", 20)), ("mx.example.com", A): (address("203.0.113.1"),),
             ("a.example.com", A): (address("203.0.113.2"), address("203.0.113.3")),
             ("many.example.com", A): tuple(address(f"203.0.113.{n}") for n in range(20))}
    with ScriptedDns(by_table(table)) as dns:
        run = run_program("spf", "--ip", "192.0.2.7", "--helo", "x.example.com", "--from", "a@d.example.com",
                          "--resolver", f"127.0.0.1:{dns.port}")
    said = dict(re.findall(r"^lookup: (\S+ \w+) found, .* ms: (.+)$", run.stdout, re.M))
    equal(said["d.example.com TXT"], '"hello ?[31m ??", "v=spf1 mx a:a.example.com a:many.example.com -all"', "texts")
    equal(said["d.example.com MX"], "10 mx.example.com, 20 .", "mail exchanges")
    equal(said["a.example.com A"], "203.0.113.2, 203.0.113.3", "addresses")
    equal(said["many.example.com A"], ", ".join(f"203.0.113.{n}" for n in range(8)) + ", ...", "many addresses")


if __name__ == "__main__":
    main()
