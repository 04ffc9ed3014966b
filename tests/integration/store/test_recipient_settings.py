#!/usr/bin/env python3
"""Settings behind addresses: another destination for one mailbox, in a file of lines and in LMDB, and what the commands tell of them."""

import subprocess

from common.harness import HELO, PROGRAM, SENDER, Server, case, equal, main, wait_for
from common.messages import HEADER
from common.daemons.next_hop import NextHop

TEXT = HEADER + b"text\r\n"


def gatepost(directory, *arguments, status=0):
    done = subprocess.run([PROGRAM, *arguments], cwd=directory, capture_output=True, text=True)
    equal(done.returncode, status, f"status ({done.stdout}{done.stderr})")
    return done.stdout + done.stderr


@case("mail for one mailbox goes elsewhere, and a message to one destination: the rest is told 452")
def destinations(directory):
    with NextHop() as hop:
        people = ("alice", f"bob deliver={hop.address} sender_mx=off", "carl deliver=discard:", "dora deliver=maildir:other/%u")
        for source in "recipients.txt", "lmdb:people.lmdb":
            server = Server(directory, recipients=people)
            gatepost(directory, "recipients", "build", "recipients.txt", "--out", "people.lmdb", "--domain", "isp.example")
            server.write_configuration(recipients=source)
            before = len(hop.mails)
            with server, server.client() as client:
                client.command(f"EHLO {HELO}", 250)
                client.command(f"MAIL FROM:<{SENDER}>", 250)
                client.command("RCPT TO:<alice@isp.example>", 250)
                client.command("RCPT TO:<bob@isp.example>", 452)
                client.command("RCPT TO:<carl@isp.example>", 250)
                client.command("RCPT TO:<dora@isp.example>", 250)
                client.command("DATA", 354)
                client.finish(TEXT)
                client.deliver(TEXT, recipients=("bob@isp.example",), helo=None)
            equal([recipient for _, recipient, _ in hop.mails[before:]], ["bob@isp.example"], "what the next hop got")
            equal((directory / "mail" / "isp.example" / "carl").exists(), False, "a Maildir for carl")
        equal(len(server.mails("alice")), 2, "alice's mails")
        equal(len(list((directory / "other" / "dora" / "new").iterdir())), 2, "dora's mails")


@case("check-config, explain and recipients build tell of them, and of what is wrong, by the line")
def told(directory):
    server = Server(directory, recipients=("alice", "bob helo_name=observe # for a while"))
    printed = gatepost(directory, "check-config", "-c", "gatepost.conf", "--effective")
    assert "# some of them: helo_name=observe\n" in printed, printed
    asked = ("--ip", "127.0.0.1", "--helo", "nonsense", "--from", SENDER, "--to")
    shown = gatepost(directory, "explain", "-c", "gatepost.conf", *asked, "bob@isp.example")
    assert "with settings of its own: helo_name=observe" in shown and "recipients.txt:2)" in shown, shown
    shown = gatepost(directory, "explain", "-c", "gatepost.conf", *asked, "alice@isp.example")
    assert "settings of its own" not in shown, shown
    server.write_recipients(("alice", "bob helo_nam=observe"))
    wrong = 'recipients.txt:2: error: "bob helo_nam=observe": there is no check, and no setting, helo_nam'
    assert wrong in gatepost(directory, "check-config", "-c", "gatepost.conf", status=1)
    assert wrong in gatepost(directory, "recipients", "build", "recipients.txt", "--out", "db", "--domain", "isp.example", status=1)


@case("who is refused by a setting of the recipient is told so, and explain names its line")
def explained(directory):
    with Server(directory, "helo_name { mode = off }", recipients=("bob", "alice  helo_name=enforce")) as server:
        with server.client() as client:
            client.command("HELO nonsense", 250)
            client.command(f"MAIL FROM:<{SENDER}>", 250)
            client.command("RCPT TO:<bob@isp.example>", 250)
            said = client.command("RCPT TO:<alice@isp.example>", 504)
        wait_for("the session in the log", lambda: any("transactions" in line for line in server.log()))
        shown = gatepost(directory, "explain", "-c", "gatepost.conf", said.rpartition("[")[2].rstrip("]"))
        assert "mode = enforce" in shown and "recipients.txt:2" in shown, shown


if __name__ == "__main__":
    main()
