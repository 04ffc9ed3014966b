#!/usr/bin/env python3
"""gatepost recipients build, and a server that has its recipients from the file: SIGHUP, files cut and files replaced."""
# threads elsewhere: recipients build

import os
import signal
import subprocess

from common.harness import PROGRAM, Server, case, equal, main, wait_for
from common.messages import HEADER


def mapped(directory, domain=""):
    server = Server(directory, domain=domain)
    server.places["recipients"] = "lmdb:db"
    server.write_configuration()
    return server


def build(directory, addresses, *options, status=0):
    """By standard input; what is said on standard error."""
    made = subprocess.run([PROGRAM, "recipients", "build", "-", "--out", directory / "db", *options], capture_output=True, text=True,
                          input="".join(f"{address}\n" for address in addresses), check=False, cwd=directory)
    equal(made.returncode, status, made.stderr)
    return made.stderr


def answer(server, address):
    with server.client() as client:
        client.command("EHLO client.example.com", 250)
        client.command("MAIL FROM:<>", 250)
        client.raw(f"RCPT TO:<{address}>\r\n".encode())
        return client.reply()[0]


def left_behind(directory):
    return sorted(name for name in os.listdir(directory) if name.startswith((".db", "sort")))


@case("a list in any order becomes a file; mail comes to those who are in it, and SIGHUP takes the next file")
def taken(directory):
    build(directory, ["zoe@isp.example", "Alice@isp.example", "alice@other.example"])
    with mapped(directory, 'extension = "+"') as server:
        with server.client() as client:
            client.deliver(HEADER, recipients=["ALICE+x@isp.example"])
        equal(len(server.mails("alice")), 1, "mails")
        equal([answer(server, f"{name}@isp.example") for name in ("zoe", "bob", "postmaster")], [250, 550, 250], "answers")
        build(directory, ["zoe@isp.example", "alice@isp.example", "bob@isp.example"])
        equal(answer(server, "bob@isp.example"), 550, "before the reload")
        equal(server.reload()["event"], "reload", "event")
        equal(answer(server, "bob@isp.example"), 250, "after the reload")
        build(directory, ["zoe@isp.example"])
        event = server.ask(signal.SIGHUP, "reload", "reload_failed")
        equal(event["event"], "reload_failed", str(event))
        assert "2 of 3 recipients would go" in event["complaints"], event
        equal(answer(server, "bob@isp.example"), 250, "the file that is in force has no name any more")
    equal(left_behind(directory), [], "files beside it")


@case("a catch-all and an alias deliver into the mailboxes of the domain that has the recipients")
def elsewhere(directory):
    alias = '}\ndomain "alias.example" {\n    alias_of = "isp.example"'
    with Server(directory, domain=alias, recipients=["alice", "*"]) as server:
        with server.client() as client:
            client.deliver(HEADER, recipients=["alice@alias.example", "whoever@alias.example", "nobody@isp.example"])
        equal(len(server.mails("alice")), 1, "mails of alice")
        equal(os.listdir(directory / "mail"), ["isp.example"], "domains")
        equal(sorted(os.listdir(directory / "mail" / "isp.example")), ["%2A", "alice"], "mailboxes")
        equal(len(server.mails("%2A")), 1, "mails of the catch-all")


@case("a file that was cut is refused by its name; the one in force stays")
def cut(directory):
    build(directory, ["alice@isp.example"])
    with mapped(directory) as server:
        whole = (directory / "db").read_bytes()
        (directory / "cut").write_bytes(whole[:len(whole) // 2])
        os.rename(directory / "cut", directory / "db")
        event = server.ask(signal.SIGHUP, "reload", "reload_failed")
        equal(event["event"], "reload_failed", str(event))
        assert f"recipients: {directory}/db: does not end as a file of" in event["complaints"], event
        equal(answer(server, "alice@isp.example"), 250, "answer")


@case("entries that cannot be read any more are answered 451, and never as unknown ones")
def unreadable(directory):
    build(directory, ["alice@isp.example"])
    with mapped(directory) as server:
        with (directory / "db").open("r+b") as file:  # the pages behind LMDB's first two become of no kind
            for page in range(8192, os.path.getsize(directory / "db") - 4096, 4096):
                file.seek(page + 10)
                file.write(b"\0\0")
        equal([answer(server, f"{name}@isp.example") for name in ("alice", "nobody", "postmaster")], [451, 451, 250], "answers")
        counters = server.counters()
        equal((counters["recipient.deferred"], counters["recipient.refused"]), (2, 0), "counters")
        sessions = wait_for("three sessions", lambda: len(found := server.sessions()) == 3 and found)
        rcpts = [rcpt for session in sessions for mail in session.get("transactions", []) for rcpt in mail["rcpts"]]
        equal([rcpt.get("reply") for rcpt in rcpts if rcpt["code"].startswith("451")], ["recipient_unsure"] * 2, "the log")


@case("with a wrong line nothing is replaced, and nothing is left behind; local parts alone have --domain")
def wrong(directory):
    build(directory, ["alice"], "--domain", "isp.example")
    before = (directory / "db").read_bytes()
    told = build(directory, ["bob@isp.example", "alice"], status=1)
    assert '(standard input):2: error: "alice": has no domain' in told and "db is as it was" in told, told
    told = build(directory, ["alice@isp.example", "bob@isp.example", "ALICE@isp.example spf=off"], status=1)
    assert '(standard input):3: error: "alice@isp.example": has settings, and is in line 1 already' in told, told
    told = build(directory, ["bob@isp.example"], "--memory", "nonsense", status=1)
    assert "sort" in told, told
    equal((directory / "db").read_bytes(), before, "the file")
    equal(left_behind(directory), [], "files beside it")
    (directory / "list").write_text("alice@isp.example\n")
    os.link(directory / "list", directory / "linked")
    for out in "list", "linked":
        made = subprocess.run([PROGRAM, "recipients", "build", "list", "--out", out], capture_output=True, text=True, check=False, cwd=directory)
        assert made.returncode == 2 and "--out is FILE itself" in made.stderr, made
    equal((directory / "list").read_text(), "alice@isp.example\n", "the list, in the place of which nothing is to be made")


if __name__ == "__main__":
    main()
