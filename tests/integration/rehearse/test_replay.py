#!/usr/bin/env python3
"""Sessions with facts in the log, judged again by the same configuration and by others."""

import csv
import gzip
import io
import json
import time

from common.dns_peers import DnsStub
from common.harness import Server, case, equal, main, run_program, wait_for

SECRET = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
ZONE = """
66.0.0.127.one.example.com. 60 A 127.0.0.2
66.0.0.127.two.example.com. 60 A 127.0.0.2
67.0.0.127.one.example.com. 60 A 127.0.0.2
good.example.com. 60 MX 10 mail.good.example.com.
mail.good.example.com. 60 A 192.0.2.7
good.example.com. 60 TXT "v=spf1 ip4:127.0.0.0/8 -all"
fail.example.com. 60 MX 10 mail.good.example.com.
fail.example.com. 60 TXT "v=spf1 -all"
strict.example.com. 60 MX 10 mail.good.example.com.
_dmarc.strict.example.com. 60 TXT "v=DMARC1; p=reject"
client.example.com. 60 A 192.0.2.7
2.0.0.127.one.example.com. 60 A 127.0.0.2
2.0.0.127.two.example.com. 60 A 127.0.0.2
"""
# What is put together to a configuration; each case changes a part of it.
PARTS = {
    "facts": "log_facts = 100%",
    "dnsbl": 'dnsbl {{ threshold = 2 {zones} zone "file.example.com" {{ file = "list" format = ip4set answers = {{"127.0.0.2"}} weight = 2 }} }}',
    "zones": 'zone "one.example.com" { answers = {"127.0.0.2"} } zone "two.example.com" { answers = {"127.0.0.2"} }',
    "spf": "spf { mode = observe }",
    "dmarc": "dmarc { mode = enforce }",
    "greylist": "greylist { mode = off }",
    "store": "",
    "rate": "client_rate { mode = off }",
    "privacy": "",
    "more": "",
    "lax": "helo_name { mode = observe } null_sender_recipients { mode = off }",
}
ANSWERS = ("refuses_more", "refuses_less", "defers_more", "defers_less")


def options(dns, **changes):
    parts = {**PARTS, **changes}
    return "\n".join([f'resolvers = {{"127.0.0.1:{dns.port}"}}', "log_interval = 0", parts["facts"], parts["dnsbl"].format(zones=parts["zones"]),
                      "rhsbl { mode = off } dynamic_client { mode = off } bounce_reference { mode = off }", parts["spf"], parts["dmarc"],
                      parts["store"], parts["greylist"], parts["rate"], parts["privacy"], parts["more"],
                      'domain "lax.example" { recipients = "recipients.txt" deliver = "discard:" ' + parts["lax"] + " }"])


def server_of(directory, dns, **changes):
    (directory / "list").write_text(":2:listed\n127.0.0.2\n127.0.0.70\n")
    server = Server(directory, options(dns, **changes))
    server.dns = dns
    return server


def mail(server, source=1, helo="client.example.com", sender="carol@good.example.com", recipients=("alice@isp.example",), author=None):
    """A mail as far as it gets; returns the codes of RCPT, and of the text where there is one."""
    with server.client(source=f"127.0.0.{source}") as client:
        client.command(f"EHLO {helo}", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        codes = []
        for recipient in recipients:
            client.raw(f"RCPT TO:<{recipient}>\r\n".encode())
            codes.append(client.reply()[0])
        if 250 in codes and author is not None:
            client.command("DATA", 354)
            client.raw(f"From: <{author}>\r\nSubject: x\r\n\r\ntext\r\n.\r\n".encode())
            codes.append(client.reply()[0])
        client.command("QUIT", 221)
        return codes


def traffic(server):
    """Each kind of answer; returns how many sessions there were."""
    both = ("alice@isp.example", "bob@lax.example")
    found = [mail(server, author="carol@good.example.com"),
             mail(server, 66), mail(server, 67, author="carol@good.example.com"), mail(server, 70),
             mail(server, sender="dave@fail.example.com", author="dave@fail.example.com"),
             mail(server, sender="carol@strict.example.com", author="carol@strict.example.com"),
             mail(server, sender="", recipients=both, author="mailer@good.example.com"),
             mail(server, helo="localhost", recipients=both, author="carol@good.example.com"),
             mail(server, recipients=("nobody@isp.example", "alice@isp.example", "x@elsewhere.example"), author="carol@good.example.com"),
             mail(server, sender="carol@nowhere.example.com")]
    equal(found, [[250, 250], [554], [250, 250], [554], [250, 250], [250, 550], [250, 250, 250], [504, 250, 250],
                  [550, 250, 554, 250], [550]], "codes")
    wait_for("all lines", lambda: len(server.sessions()) == len(found))
    return len(found)


def replay(server, *arguments, status=0, **changes):
    """Under these options."""
    path = server.directory / "new.conf"
    text = (server.directory / "gatepost.conf").read_text()
    path.write_text(text.replace(server.options, options(server.dns, **changes)))
    run = run_program("replay", "-c", str(path), *arguments)
    equal(run.returncode, status, f"status ({run.stderr})")
    return run


def replay_json(server, *arguments, **changes):
    return json.loads(replay(server, "--json", *arguments, **changes).stdout)


def counts(told):
    return {name: told[name]["count"] for name in ANSWERS if told[name]["count"] > 0}


def world(directory):
    (directory / "zone").write_text(ZONE)
    return DnsStub(directory / "zone")


@case("the same configuration changes nothing; another one what it is expected to, told in words, JSON and CSV")
def changes(directory):
    with world(directory) as dns, server_of(directory, dns) as server:
        sessions = traffic(server)
        assert all("facts" in line for line in server.sessions()), server.sessions()
        told = replay_json(server)
        equal([told[name] for name in ("sessions", "with_facts", "judged", "changed", "unknown", "damaged")], [sessions] * 3 + [0] * 3, "the same")
        equal((counts(told), told["same"]), ({}, told["answers"]), "changes by the same")
        # A lower threshold: the client of one list.
        told = replay_json(server, dnsbl=PARTS["dnsbl"].replace("threshold = 2", "threshold = 1"))
        equal(counts(told), {"refuses_more": 1}, "by a threshold")
        equal(told["refuses_more"]["checks"], {"dnsbl": 1}, "checks")
        equal([row["name"] for row in told["refuses_more"]["client_network"]], ["127.0.0.0/24"], "networks")
        line = [line for line in server.sessions() if line["client"] == "127.0.0.67"][0]
        equal(told["refuses_more"]["examples"], [f"{line['transactions'][0]['id']} dnsbl carol@good.example.com alice@isp.example"], "examples")
        # SPF that refuses.
        told = replay_json(server, spf="spf { mode = enforce }")
        equal((counts(told), told["refuses_more"]["checks"]), ({"refuses_more": 1}, {"spf": 1}), "by SPF")
        equal(told["refuses_more"]["sender_domain"], [{"name": "fail.example.com", "count": 1}], "sender domains")
        # What is let through: DMARC's refusal, and the list's.
        told = replay_json(server, dmarc="dmarc { mode = observe }", dnsbl=PARTS["dnsbl"].replace("{{ threshold", "{{ mode = observe threshold"))
        equal((counts(told), told["refuses_less"]["checks"]), ({"refuses_less": 3}, {"dmarc": 1, "dnsbl": 2}), "by two that only observe")
        # The other domain refuses notifications to several, and HELO.
        told = replay_json(server, lax="")
        equal(told["refuses_more"]["checks"], {"helo_name": 1, "null_sender_recipients": 2}, "by the other domain")
        equal(told["refuses_more"]["recipient_domain"], [{"name": "lax.example", "count": 2}, {"name": "isp.example", "count": 1}], "recipient domains")
        words = replay(server, spf="spf { mode = enforce }").stdout
        assert "would have refused 1 more\n  spf" in words and "top sender domains: fail.example.com 1" in words and "refused 0 fewer" in words, words
        path = directory / "told.csv"
        replay(server, "--csv", str(path), spf="spf { mode = enforce }")
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        assert {"change": "refuses_more", "kind": "sender_domain", "name": "fail.example.com", "count": "1"} in rows, rows


@case("of more names than have room each form tells how many answers are under those left out")
def crowded(directory):
    room, further = 16384, 7  # TALLY_NAMES_MAX
    with world(directory) as dns, server_of(directory, dns) as server:
        mail(server, 67, author="carol@good.example.com")
        [line] = wait_for("the line", lambda: [line for line in (directory / "log").read_text().splitlines() if '"facts"' in line])
        path = directory / "many"
        path.write_text("".join(line.replace("good.example.com", f"{n:04x}.example.com") + "\n" for n in range(room + further)))
        lower = {"dnsbl": PARTS["dnsbl"].replace("threshold = 2", "threshold = 1")}
        told = replay_json(server, str(path), **lower)["refuses_more"]
        equal((told["count"], len(told["sender_domain"])), (room + further, room), "answers and domains")
        equal(told["left_out"], {"sender_domain": further, "client_network": 0, "recipient_domain": 0}, "left out")
        words = replay(server, "--csv", str(directory / "told.csv"), str(path), **lower).stdout
        assert f"and {room - 10} others ({further} under names that had no room)" in words, words
        assert f'refuses_more,left_out,"sender_domain",{further}\r\n' in (directory / "told.csv").read_bytes().decode()


@case("what the log has no answer to is unknown, by check and zone, and neither refused nor taken")
def unknown(directory):
    with world(directory) as dns, server_of(directory, dns) as server:
        traffic(server)
        told = replay_json(server, zones=PARTS["zones"] + ' zone "three.example.com" { answers = {"127.0.0.2"} weight = 2 }')
        assert counts(told) == {} and told["unknown"] > 0, told
        equal({(row["check"], row["zone"]) for row in told["lacking"]}, {("dnsbl", "three.example.com")}, "what is lacking")
        # Who is refused all the same needs no answer; a zone that only observes decides nothing.
        equal(told["unknown"], 6, "sessions")
        told = replay_json(server, more="sender_tld { mode = enforce }")
        equal((counts(told), told["unknown"]), ({}, 0), "what needs no answer")
        told = replay_json(server, store='sender_store = "lmdb:state"', greylist="greylist { mode = enforce delay = 1h }")
        assert counts(told) == {}, counts(told)
        equal({row["check"] for row in told["lacking"]}, {"greylist"}, "what the greylist lacks")


@case("what the greylist remembered is a fact, and a limit of a client is taken as it was")
def remembered(directory):
    parts = {"store": 'sender_store = "lmdb:state"', "greylist": "greylist { mode = enforce delay = 1h }",
             "rate": "client_rate { mode = enforce recipients = 4/1h penalty = 0ms }"}
    with world(directory) as dns, server_of(directory, dns, **parts) as server:
        equal(mail(server), [451], "first contact")
        time.sleep(2.1)  # more than the delay below
        equal(mail(server), [451], "too early")
        equal(mail(server, 90, recipients=["postmaster@isp.example"]), [250], "postmaster")
        wait_for("all lines", lambda: len(server.sessions()) == 3)
        told = replay_json(server, **parts)
        equal((counts(told), told["unknown"], told["judged"]), ({}, 0, 3), "the same")
        told = replay_json(server, **{**parts, "greylist": "greylist { mode = off }"})
        equal((counts(told), told["defers_less"]["checks"]), ({"defers_less": 2}, {"greylist": 2}), "without the greylist")
        told = replay_json(server, **{**parts, "greylist": "greylist { mode = enforce delay = 1s }"})
        equal(counts(told), {"defers_less": 1}, "the second one came late enough for a delay of a second")


@case("limits of a client that were exceeded are exceeded again, where the check counts")
def limits(directory):
    parts = {"rate": "client_rate { mode = enforce recipients = 2/1h penalty = 0ms }"}
    with world(directory) as dns, server_of(directory, dns, **parts) as server:
        equal([mail(server) for _ in range(4)], [[250], [250], [451], [451]], "codes")
        wait_for("all lines", lambda: len(server.sessions()) == 4)
        equal(counts(replay_json(server, **parts)), {}, "the same")
        told = replay_json(server, rate="client_rate { mode = observe recipients = 2/1h }")
        equal((counts(told), told["defers_less"]["checks"]), ({"defers_less": 2}, {"client_rate": 2}), "observed")


@case("one session in so many has facts; none by default")
def shares(directory):
    with world(directory) as dns, server_of(directory, dns, facts="log_facts = 25%\nworkers = 1\nacceptors = 1") as server:
        for _ in range(40):
            mail(server, 66) if _ % 2 else mail(server)
        wait_for("all lines", lambda: len(server.sessions()) == 40)
        equal(sum("facts" in line for line in server.sessions()), 10, "lines with facts")
        server.write_configuration(options=options(dns, facts=""))
        server.reload()
        for _ in range(10):
            mail(server)
        wait_for("all lines", lambda: len(server.sessions()) == 50)
        equal(sum("facts" in line for line in server.sessions()), 10, "lines with facts after a reload")
        run = replay(server, str(directory / "log"), facts="")
        assert "50 sessions, 10 with facts" in run.stdout, run.stdout


@case("facts are hidden as a whole where the log has pseudonyms; who has the key can replay them, and nobody else")
def pseudonyms(directory):
    keys = directory / "log.keys"
    keys.write_text(f"2026-11-01:{SECRET}\n")
    keys.chmod(0o600)
    hidden = {"privacy": 'log_pseudonym_key_file = "log.keys"\nlog_addresses = pseudonym'}
    with world(directory) as dns, server_of(directory, dns, **hidden) as server:
        sessions = traffic(server)
        octets = (directory / "log").read_text()
        for word in ("alice", "carol", "127.0.0.66", "66.0.0.127", "MAIL%20FROM"):
            assert word not in octets, f"{word} is in {octets}"
        assert all(line["facts"].startswith("~t") for line in server.sessions()), server.sessions()
        told = replay_json(server, **hidden)
        equal((counts(told), told["judged"], told["hidden"]), ({}, sessions, 0), "with the key")
        told = replay_json(server, str(directory / "log"), privacy="")
        equal((told["judged"], told["hidden"], told["with_facts"]), (0, sessions, sessions), "without it")


@case("rotated and compressed logs are read; damaged facts are counted and nothing else is lost")
def damaged(directory):
    with world(directory) as dns, server_of(directory, dns) as server:
        sessions = traffic(server)
        log = (directory / "log").read_bytes()
    with gzip.open(directory / "log.1.gz", "wb") as file:
        file.write(log)
    told = replay_json(server)
    equal((told["sessions"], told["judged"]), (2 * sessions, 2 * sessions), "with the rotation")
    told = replay_json(server, str(directory / "log"), str(directory / "." / "log"))
    equal(told["sessions"], sessions, "a file that is named twice")
    broken = log.replace(b'"facts":"1,1,', b'"facts":"1,9,', 1)
    cut = log[:log.index(b'"facts":"') + 40] + b"\n"
    (directory / "bad").write_bytes(broken + cut)
    told = replay_json(server, str(directory / "bad"))
    equal((told["judged"], told["damaged"], counts(told)), (sessions - 1, 2, {}), "damaged")
    run = run_program("replay", "-c", str(directory / "new.conf"), str(directory / "missing"))
    assert run.returncode == 1 and "cannot read" in run.stderr, run
    equal(run_program("replay").returncode, 2, "status without -c")


if __name__ == "__main__":
    main()
