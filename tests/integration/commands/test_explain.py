#!/usr/bin/env python3
"""gatepost explain, for a client and an envelope and for what the log has of a reject id or an envelope; gatepost checks; observe
mode."""
# threads elsewhere: explain, and the pool that a server has

import bz2
import gzip
import json
import lzma
import random
import re
import socket

from common.explained import explain
from common.harness import HELO, SECONDS, Server, case, equal, main, run_program, wait_for


@case("checks lists each check with its number in the policy")
def checks(_):
    run = run_program("checks")
    equal(run.returncode, 0, "status")
    for name, number in (("syntax", "P10"), ("recipient", "P1"), ("helo_impersonation", "P5"), ("sender_tld", "P8")):
        assert re.search(rf"^{name}\s+{number}\b", run.stdout, re.M), run.stdout


ASKED = ("--ip", "192.0.2.7", "--from", "a@example.com")


@case("explain has a row for each check and the recipient, marks the one that decides, and says why")
def envelope(directory):
    server = Server(directory, options="sender_tld { mode = off }")
    said = explain(server, *ASKED, "--helo", "mx1.isp.example", "--to", "alice@isp.example")
    assert re.search(r"^helo_impersonation\s+enforce\s+refuse\b.*<== decides$", said, re.M), said
    assert re.search(r"^helo_name\s+enforce\s+pass\b", said, re.M), said
    assert re.search(r"^recipient\s+always\s+pass\b.*is known", said, re.M), said
    assert re.search(r"^sender_tld\s+off\s+off\b", said, re.M), said
    assert re.search(r"^dnsbl\s+enforce\s+off\b.*no resolver is configured", said, re.M), said
    equal(said.count("<== decides"), 1, "rows that decide")
    assert "550 5.7.1 you are not mx1.isp.example" in said, said
    assert "would be refused (550 5.7.1)" in said and "Why: the client greeted this server with a name" in said, said
    for to, words in (("nobody@isp.example", "is not among the domain's recipients"), ("x@other.example", "its domain is none of ours")):
        said = explain(server, *ASKED, "--helo", HELO, "--to", to)
        assert re.search(rf"^recipient\s+always\s+refuse\b.*{words}.*<== decides$", said, re.M), said
    said = explain(server, *ASKED, "--helo", HELO, "--to", "alice@isp.example")
    assert "decides" not in said and "would be taken" in said, said


@case("explain plays STARTTLS where the client's network has to use TLS, and says so in the dialogue")
def required_tls(directory):
    options = """tls { certificate = {"mx.pem"} }
network "192.0.2.0/24" { starttls = require  ehlo_without = {"LIMITS"} }"""
    said = explain(Server(directory, options=options), *ASKED, "--helo", HELO, "--to", "alice@isp.example")
    spoken = said[said.index("C: EHLO"):]
    assert re.search(r"S: 250-STARTTLS\n(.*\n)*C: STARTTLS\nS: 220 .*\n\(both speak TLS.*\nC: EHLO", spoken), said
    assert spoken.count("250-STARTTLS") == 1 and "LIMITS" not in spoken, said
    assert "S: 250 2.1.5 recipient ok" in spoken and "would be taken" in said, said
    assert ("(without STARTTLS MAIL would be answered 530 5.7.0: the server takes mail from this client under TLS alone, "
            "and the client did not ask for that)\nC: STARTTLS\n") in spoken, said
    said = explain(Server(directory, options=options), "--ip", "198.51.100.7", *ASKED[2:], "--helo", HELO, "--to", "alice@isp.example")
    assert "S: 250-STARTTLS" in said and "LIMITS" in said and "C: STARTTLS" not in said and "without STARTTLS" not in said, said


@case("explain of a message with a bare CR, and of a command that was wrong: the rule syntax decides, and why")
def syntax(directory):
    (directory / "bad.eml").write_bytes(b"Subject: x\r\n\r\na\r b\r\n")
    with Server(directory) as server:
        said = explain(server, *ASKED, "--helo", HELO, "--to", "alice@isp.example", "--message", str(directory / "bad.eml"))
        assert re.search(r"^syntax\s+always\s+refuse\b.*<== decides$", said, re.M), said
        assert "Why: the message had a CR that ends no line" in said and "(bare CR: octet 2 of line 3)" in said, said
        with server.client() as client:
            reply = client.command("MAIL FRM", 503)
            client.command("QUIT", 221)
        wait_for("the log line", server.sessions)
        told = explain(server, f"503 {reply}")
        assert "sent a command that was refused (helo_first)" in told and "What the sender can do: " in told, told


def refuse_one(server):
    """A mail that one recipient gets and one does not; returns the refusal."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<a@example.com>", 250)
        said = client.command("RCPT TO:<nobody@isp.example>", 550)
        client.command("RCPT TO:<alice@isp.example>", 250)
        client.command("DATA", 354)
        client.finish(b"Message-ID: <one@example.com>\r\n\r\nx\r\n")
        client.command("QUIT", 221)
    wait_for("the log line", server.sessions)
    return f"550 {said}"


@case("explain tells what was seen when a reject id was given, in any case and in brackets, and of a message by its id")
def reject_id(directory):
    with Server(directory) as server:
        reply = refuse_one(server)
        number = re.search(r"\[(\w+)\]$", reply)[1]
        for asked in (number, number.lower(), f"[{number}]", reply, number.replace("1", "l").replace("0", "o")):
            told = explain(server, asked)
            assert "nobody@isp.example" in told and "127.0.0.1" in told and "550 5.7.1" in told, told
            assert "Why: there is no such recipient here" in told and "What the sender can do: " in told, told
        message = server.sessions()[0]["transactions"][0]
        told = explain(server, message["id"])
        assert "was taken" in told and f"Stored as: {message['file']}" in told and "Message-ID: <one@example.com>" in told, told
    explain(server, "1ZZZZZ000000", status=1)
    explain(server, "no id", status=2)


@case("explain reads rotated logs, compressed ones too, and finds sessions by sender, recipient and time")
def rotated(directory):
    with Server(directory) as server:
        number = re.search(r"\[(\w+)\]$", refuse_one(server))[1]
    log = directory / "log"
    (directory / "log.2.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.rename(directory / "log-20260101")
    log.write_text("")
    (directory / "logged").write_text("another program's")
    assert "for <alice@isp.example>, which was taken" in explain(server, "--from", "A@example.com")
    for asked in ((number,), ("--to", "nobody@isp.example"), ("--to", "@isp.example", "--since", "1h"),
                  ("--from", "a@example.com", "--to", "nobody@isp.example", "--since", "2020-01-01T10:00"),
                  ("--client", "127.0.0.1"), ("--client", "127.0.0.0/8", "--since", "1h")):
        told = explain(server, *asked)
        assert "for <nobody@isp.example>, which was refused" in told, told
    (directory / "log-20260101").unlink()
    assert "which was refused" in explain(server, number)
    explain(server, "--from", "b@example.com", status=1)
    explain(server, "--to", "@isp.example", "--since", "2999-01-01", status=1)
    explain(server, "--to", "@isp.example", "--since", "yesterday", status=2)
    for client, status in (("127.0.0.2", 1), ("192.0.2.0/24", 1), ("127.0.0.1/8", 2), ("localhost", 2)):
        explain(server, "--client", client, status=status)
    # What a rotation has not finished, or a disk has lost.
    whole = (directory / "log.2.gz").read_bytes()
    (directory / "log.2.gz").write_bytes(whole[:len(whole) // 2])
    run = run_program("explain", "-c", str(directory / "gatepost.conf"), "1ZZZZZ000000")
    assert run.returncode == 1 and "log.2.gz: it is no whole gzip file" in run.stderr, run.stderr
    (directory / "other").write_bytes(gzip.decompress(whole))
    assert "which was refused" in explain(server, "--log", str(directory / "other"), number)


@case("explain finds each recipient of a mail that the log has in pieces, and each reject id")
def pieces(directory):
    with Server(directory, domain="extension = \"+\"") as server, server.client() as client:
        people = [f"alice+{number}.a-quite-normal-extension@isp.example" for number in range(150)]
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<list@example.com>", 250)
        first = client.command("RCPT TO:<first@isp.example>", 550)
        for to in people:
            client.command(f"RCPT TO:<{to}>", 250)
        last = client.command("RCPT TO:<last@isp.example>", 550)
        wait_for("the first part", server.sessions)
        for asked, words in ((f"550 {first}", "for <first@isp.example>, which was refused"),
                             (("--to", people[0]), f"for <{people[0]}>, which was not refused at first")):
            told = explain(server, *([asked] if isinstance(asked, str) else asked))
            assert words in told, told
        client.command("DATA", 354)
        client.finish(b"x\r\n")
        client.command("QUIT", 221)
        wait_for("the last part", lambda: "end" in server.sessions()[-1])
        assert len(server.sessions()) > 2, server.sessions()
        for to in people:
            equal(explain(server, "--to", to).count(f"for <{to}>, which was taken"), 1, to)
        for asked, to in ((first, "first"), (last, "last")):
            assert f"for <{to}@isp.example>, which was refused" in explain(server, asked)
            equal(explain(server, "--to", f"{to}@isp.example").count("which was refused"), 1, to)
        message = server.sessions()[-1]["transactions"][-1]["id"]
        told = explain(server, message)
        assert "was taken" in told and all(to in told for to in people), told
        reply = refuse_at_mail(server)
        for asked in ((reply,), ("--from", "large@example.com")):
            told = explain(server, *asked)
            assert "mail from <large@example.com>, which was refused (552 5.3.4)" in told and "Why: the message is larger" in told, told


def refuse_at_mail(server):
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        reply = client.command("MAIL FROM:<large@example.com> SIZE=99999999999", 552)
        client.command("QUIT", 221)
    wait_for("the log line", lambda: "large@" in str(server.sessions()[-1]))
    return f"552 {reply}"


@case("nothing that a stranger has sent moves the cursor of whoever reads explain")
def tricks(directory):
    trick = "x\u009b2J\u202e\u2028y"
    with Server(directory) as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<a@example.com> SMTPUTF8", 250)
        reply = client.command(f"RCPT TO:<{trick}@isp.example>", 550)
        client.command("QUIT", 221)
        assert "<x?2J??y@isp.example>" in reply, reply
        wait_for("the log line", server.sessions)
        octets = (directory / "log").read_bytes()
        assert b"x\\u009b2J\\u202e\\u2028y@" in octets and trick.encode() not in octets, octets
        told = explain(server, re.search(r"\[(\w+)\]$", reply)[1])
        assert not set(trick) & {c for c in told if ord(c) > 0x7f}, told


@case("observe mode takes the mail and logs what it would have refused, with the line that says so")
def observe(directory):
    with Server(directory, domain="helo_name { mode = observe }") as server, server.client() as client:
        client.deliver(b"text\r\n", helo="localhost")
        client.command("QUIT", 221)
        wait_for("the log line", server.sessions)
        verdict = server.sessions()[0]["transactions"][0]["verdicts"][0]
        lines = (directory / "gatepost.conf").read_text().splitlines()
        line = next(number for number, text in enumerate(lines, 1) if "observe" in text)
        equal([verdict[key] for key in ("check", "mode", "result", "line")], ["helo_name", "observe", "refuse", line], "verdict")


def in_one_flight(server, octets):
    """Sends all at once, though it is not yet the client's turn, and returns what comes."""
    with socket.create_connection((server.host, server.port), SECONDS) as stream:
        stream.recv(1024)
        stream.sendall(octets)
        said = b""
        while more := stream.recv(1024):
            said += more
    return said.decode()


@case("explain of a reply that closed the session says why: of an early talker, and of a mail that came to no end")
def closed(directory):
    with Server(directory, options="idle_timeout = 5s") as server:
        number = re.search(r"554 .*\[(\w+)\]", in_one_flight(server, b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n"))[1]
        wait_for("the log line", server.sessions)
        told = explain(server, number)
        assert "was sent away (early_talker)" in told and "Why: the client spoke before it was its turn" in told, told
        assert "What the sender can do: Whoever runs the client has to make it wait" in told, told
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command("MAIL FROM:<idle@example.com>", 250)
            client.command("RCPT TO:<bob@isp.example>", 250)
            equal(client.reply()[0], 421, "reply")
        wait_for("the log line", lambda: len(server.sessions()) == 2)
        told = explain(server, "--from", "idle@example.com")
        assert "no message came to its end" in told and "Why: the client said nothing for too long" in told, told


@case("explain of a mail by its id tells each recipient's own outcome, also by the whole reply and by a piece of it")
def recipients(directory):
    with Server(directory, options="replies { recipient_unknown = \"550 5.1.1 no <%r>\" }") as server:
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command("MAIL FROM:<a@example.com>", 250)
            client.command("RCPT TO:<nobody@isp.example>", 550)
            client.command("RCPT TO:<x@other.example>", 554)
            client.command("RCPT TO:<bob@isp.example>", 250)
            client.command("DATA", 354)
            said = client.finish(b"Message-ID: <one@example.com>\r\n\r\nx\r\n")
            client.command("QUIT", 221)
        wait_for("the log line", server.sessions)
        number = server.sessions()[0]["transactions"][0]["id"]
        told = explain(server, number).split("The whole session:")[0]
        assert "<bob@isp.example> was taken\n" in told and told.count("was taken") == 1, told
        assert "<nobody@isp.example> was refused (550 5.1.1): there is no such recipient here [" in told, told
        assert "<x@other.example> was refused (554 5.7.1): the recipient's domain is none of ours" in told, told
        equal(told.count("Stored as: "), 1, "places")
        assert number in str(said), said
        for asked in (f"250 2.0.0 accepted as {number}", f"{number},", f"<{number}>", f"\"{number.lower()}\".",
                      f"status=sent (250 2.0.0 accepted as {number})", f"mx[127.0.0.1] said: 250 2.0.0 accepted as {number}"):
            assert "<bob@isp.example> was taken" in explain(server, asked), asked
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command("MAIL FROM:<one@example.com>", 250)
            client.command("RCPT TO:<nobody@isp.example>", 550)
            client.command("QUIT", 221)
        wait_for("the log line", lambda: len(server.sessions()) == 2)
        told = explain(server, server.sessions()[1]["transactions"][0]["id"])
        assert "for <nobody@isp.example>, which was refused (550 5.1.1).\nWhy: there is no such recipient here.\n" in told, told
    for asked in ("250 2.0.0 accepted as nothing", "", "<>", "[]", "250 2.1.5 recipient ok"):
        explain(server, asked, status=2)


def log_line(number):
    """A session of the second `number` of an hour, from a sender of that number."""
    transaction = {"id": f"1BS{number:09d}", "from": f"s{number}@example.com", "rcpts": [{"to": "bob@isp.example", "code": "250 2.1.5"}],
                   "accepted": 1, "refused": 0, "deferred": 0, "code": "250 2.0.0"}
    return json.dumps({"time": f"2026-01-01T10:{number // 60:02d}:{number % 60:02d}.000Z", "event": "session", "client": "192.0.2.1",
                       "helo": "x", "transactions": [transaction], "end": "quit"}, separators=(",", ":")) + "\n"


@case("explain lists the newest mails, the newest first and over all files, and says how to narrow the list")
def newest(directory):
    server = Server(directory)
    (directory / "log").write_text("".join(map(log_line, range(90, 150))))
    with gzip.open(directory / "log.1.gz", "wt") as old:
        old.writelines(map(log_line, range(90)))
    told = explain(server, "--to", "bob@isp.example")
    equal(re.findall(r"<s(\d+)@", told), [str(number) for number in range(149, 49, -1)], "mails")
    assert "... and 50 older ones: narrow the list by --client, --from, --to or --since\n" in told, told
    assert "100" in run_program("explain", "--help").stdout
    equal(explain(server, "--from", "s3@example.com").count(" was taken"), 1, "mails")


@case("explain names the files of the rotation that it cannot search")
def unreadable(directory):
    server = Server(directory)
    (directory / "log").write_text(log_line(1))
    noise = random.Random(1).randbytes(3000)
    (directory / "log.2.xz").write_bytes(lzma.compress(log_line(2).encode()))
    (directory / "log.3.bz2").write_bytes(bz2.compress(log_line(3).encode()))
    (directory / "log.4.zst").write_bytes(b"\x28\xb5\x2f\xfd" + noise)
    (directory / "log.5.gz").write_bytes(noise)
    (directory / "log.6.gz").write_bytes(b"")
    (directory / "log.7").write_text("Jan 01 10:00:00 mx gatepost[7]: " + log_line(1))
    run = run_program("explain", "-c", str(directory / "gatepost.conf"), "--from", "s2@example.com")
    equal(run.returncode, 1, "status")
    equal(re.findall(r"cannot search \S*/(log\S*):", run.stderr).__len__(), 4, f"files named ({run.stderr})")
    for name in ("log.2.xz", "log.3.bz2", "log.4.zst", "log.5.gz"):
        assert f"/{name}: it is neither text nor gzip" in run.stderr, run.stderr
    assert "is not in the 3 of 7 files of " in run.stderr, run.stderr
    assert "log.2.xz" in run_program("explain", "-c", str(directory / "gatepost.conf"), "--from", "s1@example.com").stderr


@case("explain is called wrongly with what is no address, no time, or given twice")
def wrong_calls(directory):
    server = Server(directory)
    ask = ("--ip", "192.0.2.7", "--helo", HELO)
    for arguments, words in (
            ((*ask, "--from", "notanaddress"), '--from "notanaddress" is no address'),
            ((*ask, "--from", "a@b.example", "--to", "x"), '--to "x" is no address'),
            ((*ask, "--from", "a@b.example", "--to", "bob@isp.example", "--to", "x y@z"), '--to "x y@z" is no address'),
            ((*ask, "--from", "a@b.example", "--ip", "192.0.2.8"), "--ip is given twice"),
            ((*ask, "--from", "a@b.example", "--from", "a@b.example"), "--from is given twice"),
            ((*ask, "--from", "a@b.example", "-c", "x"), "--config is given twice"),
            (("--since", "1h", "--since", "2h"), "--since is given twice"),
            *((("--since", time), "is neither a time") for time in (
                "2026-13-45T99:99", "2026-02-29", "2026-00-10", "2026-01-00", "2026-01-01T24:00", "2026-01-01T10:60",
                "2026-01-01T10:00:60", "2026-01-01T", ""))):
        run = run_program("explain", "-c", str(directory / "gatepost.conf"), *arguments)
        assert run.returncode == 2 and words in run.stderr, (arguments, run)
    (directory / "log").write_text("")
    explain(server, "--since", "2024-02-29", status=1)
    explain(server, *ask, "--from", "<>", "--to", "postmaster")
    explain(server, *ask, "--from", "", "--to", "<bob@isp.example>")
    run = run_program("explain", "-c", str(directory / "gatepost.conf"), *ask, "--from", "a@b.example", "--message", str(directory))
    assert run.returncode == 1 and f"cannot read {directory}: Is a directory" in run.stderr, run


@case("explain says plainly what was wrong with the greeting, and what a check lacks to be run")
def greetings(directory):
    server = Server(directory)
    for helo, words in (("localhost", "the client did not greet with a full host name, which has a dot"),
                        ("a..b", "the client greeted with what cannot be a host name"),
                        ("[192.0.2.8]", "the client greeted with an address that is not its own")):
        said = explain(server, *ASKED, "--helo", helo, "--to", "alice@isp.example")
        assert f"Why: {words}" in said, said
    assert re.search(r"^dnsbl\s.*no resolver is configured", said, re.M), said
    assert re.search(r"^greylist\s.*no sender_store is configured", said, re.M), said


if __name__ == "__main__":
    main()
