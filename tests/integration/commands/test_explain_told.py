#!/usr/bin/env python3
"""What gatepost explain tells of mails in the log beside the story: what the checks had against them, the lines that this came from
and come from today, what would have decided next as far as that is known, and how to ask again; all of it as JSON, too."""
# threads elsewhere: explain, and the pool that a server has

import json
import os
import re
import subprocess

from common.explained import assert_documented, documented, explain, line_of
from common.harness import HELO, PROGRAM, SECONDS, Server, case, equal, main, run_program, wait_for

OPTIONS = """sender_tld { mode = observe }
bounce_reference { mode = enforce }
recipients_max = 3
domain "soft.example" {
    recipients = "recipients.txt"
    deliver = "discard:"
    helo_name { mode = observe }
    sender_tld { mode = enforce }
}
domain "strict.example" {
    recipients = "recipients.txt"
    deliver = "discard:"
    sender_tld { mode = enforce }
}"""
TRICK = '"a\'b$(id)"'


def refuse(server):
    """A mail that each recipient's domain refuses for another reason. Returns the replies by recipient's domain."""
    with server.client() as client:
        client.command("EHLO localhost", 250)
        client.command(f"MAIL FROM:<{TRICK}@x.nowhere>", 250)
        said = {domain: f"{code} " + client.command(f"RCPT TO:<alice@{domain}.example>", code)
                for domain, code in (("isp", 504), ("soft", 550), ("strict", 504))}
        client.command("QUIT", 221)
    wait_for("the log line", server.sessions)
    return said


@case("a refusal in the log is told with all verdicts, the options in force, what would have been next, and what is not known")
def refusal(directory):
    with Server(directory, options=OPTIONS) as server:
        said = refuse(server)
    told = explain(server, said["strict"]).split("The whole session:")[0]
    verdicts = re.findall(r"^  (\w+) (\w+) (\w+): .* \((.*)\)$", told, re.M)
    equal(sorted(verdicts), sorted([
        ("helo_name", "enforce", "refuse", "default"), ("helo_name", "observe", "refuse", line_of(server, "helo_name", "soft.example")),
        ("sender_tld", "enforce", "refuse", line_of(server, "sender_tld", "soft.example")),
        ("sender_tld", "observe", "refuse", line_of(server, "sender_tld"))]), "verdicts")
    assert "In force today for helo_name: mode = enforce (default).\n" in told, told
    assert "Were helo_name out of the way, sender_tld would have refused it (nowhere is no top-level domain).\n" in told, told
    assert "Not in the log, which has no verdicts of checks behind one that refuses: null_sender_recipients.\n" in told, told
    assert "Not evaluated, because the session did not come so far: bounce_reference.\n" in told, told
    told = explain(server, said["isp"])
    assert "Were helo_name" not in told, told  # its domain only observes sender_tld
    told = explain(server, said["soft"])
    assert f"In force today for sender_tld: mode = enforce ({line_of(server, 'sender_tld', 'soft.example')}).\n" in told, told
    run = run_program("explain", "--log", str(directory / "log"), said["isp"])
    assert "Which other checks were in force is not in the log: -c FILE tells" in run.stdout and "In force" not in run.stdout, run


@case("the call that asks again gives the same decision, whatever a stranger has written, and a shell runs nothing of that")
def again(directory):
    with Server(directory, options=OPTIONS) as server:
        said = refuse(server)
    call = re.search(r"^To ask what would come of it today: gatepost (explain .*)$", explain(server, said["strict"]), re.M)[1]
    run = subprocess.run(f"{PROGRAM} {call}", shell=True, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    assert run.returncode == 0 and f"C: MAIL FROM:<{TRICK}@x.nowhere>" in run.stdout and "would be refused (504 5.5.2)" in run.stdout, run


@case("a configuration that has been changed since is said to be so, and a mode that is another one as well")
def changed(directory):
    with Server(directory, options=OPTIONS) as server:
        said = refuse(server)
    path = directory / "gatepost.conf"
    assert "changed after that" not in explain(server, said["isp"]) and "another today" not in explain(server, said["isp"])
    os.utime(path, (4e9, 4e9))
    told = explain(server, said["isp"])
    assert f"{path} was changed after that, at 2096-10-02T07:06:40Z: the lines are those of today.\n" in told, told
    equal(json.loads(explain(server, said["isp"], "--json"))["mails"][0]["configuration_changed"], "2096-10-02T07:06:40Z", "changed")
    path.write_text(path.read_text() + "helo_name { mode = observe }\n")
    told = explain(server, said["isp"])
    assert "Its mode is another today: it was enforce, and is observe.\n" in told, told
    assert f"In force today for helo_name: mode = observe ({path}:" in told, told
    # A configuration in error does not keep the log from being told of.
    path.write_text(path.read_text() + "nonsense = 1\n")
    run = run_program("explain", "-c", str(path), "--log", str(directory / "log"), said["isp"])
    assert run.returncode == 0 and "was refused (504 5.5.2)" in run.stdout and "unknown key \"nonsense\"" in run.stderr, run
    explain(server, said["isp"], status=1)


@case("limits of the server are told with the option that sets them, and a mail of one recipient is about that one")
def limits(directory):
    with Server(directory, options=OPTIONS + "\nidle_timeout = 5s") as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<a@example.com>", 250)
        for name in ("alice", "bob", "postmaster"):
            client.command(f"RCPT TO:<{name}@isp.example>", 250)
        reply = client.command("RCPT TO:<alice@soft.example>", 452)
        client.command("RSET", 250)
        client.command("MAIL FROM:<idle@example.com>", 250)
        client.command("RCPT TO:<nobody@isp.example>", 550)
        equal(client.reply()[0], 421, "reply")
        wait_for("the log line", server.sessions)
        assert f"In force today: recipients_max = 3 ({line_of(server, 'recipients_max')}).\n" in explain(server, f"452 {reply}")
        number = server.sessions()[0]["transactions"][1]["id"]
        told = explain(server, number)
        assert "for <nobody@isp.example>, which was refused (550 5.7.1)" in told, told
        section = line_of(server, 'domain "isp.example"')
        assert f"In force today for recipient: domain = isp.example ({section}), recipients = recipients.txt (" in told, told


@case("nothing that a stranger has sent moves the cursor of whoever reads the verdicts")
def tricks(directory):
    trick = "x\u009b2J\u202ey"
    with Server(directory, options="helo_name { mode = observe }") as server, server.client() as client:
        client.command(f"EHLO {trick}", 250)
        client.command("MAIL FROM:<a@example.com>", 250)
        client.command("RCPT TO:<alice@isp.example>", 250)
        client.command("RCPT TO:<nobody@isp.example>", 550)
        client.command("QUIT", 221)
        wait_for("the log line", server.sessions)
        for arguments in (("--to", "@isp.example"), ("--to", "@isp.example", "--json")):
            told = explain(server, *arguments)
            assert "helo_name" in told and not set(trick) & {c for c in told if ord(c) > 0x7e}, told


@case("each key that the manual tells of is there in one JSON or another, and none but these")
def as_json(directory):
    with Server(directory, options=OPTIONS + '\nsender_store = "lmdb:state"\ngreylist { mode = enforce }\ntrusted_networks = {"198.51.100.0/24"}') as server:
        said = refuse(server)
        with server.client() as client:
            client.deliver(b"Message-ID: <one@example.com>\r\n\r\nx\r\n", recipients=["postmaster@isp.example"])
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<grey@example.com>", 250)
            client.command("RCPT TO:<alice@isp.example>", 451)
            client.command("QUIT", 221)
        wait_for("the log line", lambda: len(server.sessions()) == 2)
        wait_for("the record", lambda: "grey@" in run_program("greylist", "list", "-c", str(directory / "gatepost.conf")).stdout)
        made_up = ("--ip", "127.0.0.1", "--helo", HELO, "--from", "grey@example.com", "--to", "alice@isp.example")
        calls = [(said["strict"],), ("--to", "@isp.example"), made_up, ("--ip", "198.51.100.1", "--to", "alice@isp.example"),
                 ("--ip", "192.0.2.1", "--helo", "localhost", "--to", "nobody@isp.example")]
        os.utime(directory / "gatepost.conf", (4e9, 4e9))
        found = set().union(*(assert_documented(json.loads(explain(server, *call, "--json"))) for call in calls))
        grey = json.loads(explain(server, *made_up, "--json"))["mails"][0]["recipients"][0]
        equal((grey["outcome"], grey["check"]), ("put_off", "greylist"), "outcome")
    of_dns = {f"mails[].checks[].facts[].{key}" for key in ("name", "records", "ttl", "ms", "given")}
    of_hops = {f"mails[].{key}" for key in ("reason", "next_hop", "hop_answer")}
    equal(documented().keys() - found - of_dns, of_hops, "keys that no JSON has")


if __name__ == "__main__":
    main()
