#!/usr/bin/env python3
"""A real Postfix, with configuration and queue of its own, relays what its sendmail is given."""

import re
import shutil
import subprocess

from common.harness import PROGRAM, SECONDS, Server, Skip, case, equal, free_port, main, need_program, wait_for, without_trace
from common.postfix import Postfix, need_postfix
from common.tls import tls_options

HEADER = b"From: me@example.com\nTo: alice@isp.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMIME-Version: 1.0\n" \
         b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
BODIES = [
    b"plain\n",
    "Grüße, Ελλάδα, 日本, 🙂\n".encode(),
    b".\n..\n.x\n...\n.\n",
    b"",
    bytes(range(128, 256)) + b"\n",
    b"x" * 1900 + b"\nlong line above\n",
    b"text\n\n\n\n",
    b"".join(b"line %d of a long message\n" % n for n in range(40_000)),
]


@case("Postfix delivers octet for octet")
def delivers(directory):
    need_postfix()
    with Server(directory) as server, Postfix(directory / "postfix", server.port) as postfix:
        for number, body in enumerate(BODIES, 1):
            postfix.send(HEADER + body, ["alice@isp.example"])
            wait_for(f"mail {number}", lambda wanted=number: len(server.mails()) == wanted)
            stored = without_trace(server.mails()[-1]).partition(b"\r\n\r\n")[2]
            equal(stored, body.replace(b"\n", b"\r\n"), f"body {number}")
        wait_for("an empty queue", postfix.queue_is_empty)


@case("Postfix with TLS, where it may and where it must")
def with_tls(directory):
    need_postfix()
    with Server(directory, tls_options(directory, "", ("ecdsa", "rsa"))) as server:
        for number, level in enumerate(("may", "encrypt"), 1):
            with Postfix(directory / level, server.port, master="tlsmgr unix - - n 1000? 1 tlsmgr\n", tls=level) as postfix:
                postfix.send(HEADER + BODIES[-1], ["alice@isp.example"])
                wait_for("a mail", lambda: len(server.mails()) == number)
                wait_for("an empty queue", postfix.queue_is_empty)
        wait_for("the sessions' ends", lambda: len(server.sessions()) == 2)
        for line in server.sessions():
            equal((line["tls"]["version"], line["end"]), ("TLSv1.3", "quit"), "session")
        for mail in server.mails():
            assert b"with ESMTPS" in mail, mail[:1000]


@case("Postfix sends to many recipients over reused connections, and again after a deferral")
def many_recipients(directory):
    need_postfix()
    users = [f"user{n}" for n in range(50)]
    with Server(directory, "recipients_max = 20", recipients=users) as server:
        with Postfix(directory / "postfix", server.port) as postfix:
            for _ in range(5):
                postfix.send(HEADER + BODIES[0], [f"{user}@isp.example" for user in users])
            wait_for("all mails", lambda: all(len(server.mails(user)) == 5 for user in users), 3 * SECONDS)
            wait_for("an empty queue", postfix.queue_is_empty)


@case("Postfix bounces what we refuse")
def bounces(directory):
    need_postfix()
    with Server(directory) as server, Postfix(directory / "postfix", server.port) as postfix:
        postfix.send(HEADER + BODIES[0], ["nobody@isp.example"])
        log = directory / "postfix/maillog"
        said = wait_for("the refusal", lambda: log.exists() and re.search(r"status=bounced .*", log.read_text()))[0]
        assert "550 5.7.1 recipient <nobody@isp.example> unknown" in said, said


# ---- notifications: we refuse to relay, Postfix tells the sender, who is one of ours -------------------------------------

def bounce(postfix, message_id, body=BODIES[0], options=()):
    header = HEADER.replace(b"From:", b"Message-ID: <" + message_id + b">\nFrom:")
    postfix.send(header + body, ["bob@elsewhere.example"], "alice@isp.example", options)


def verdicts(server):
    return [verdict for session in server.sessions() for transaction in session["transactions"]
            for verdict in transaction.get("verdicts", []) if verdict["check"] == "bounce_reference"]


@case("a notification by Postfix about our mail is taken, whole or with the header alone")
def takes_notifications(directory):
    need_postfix()
    with Server(directory, "bounce_reference { mode = enforce }") as server:
        with Postfix(directory / "postfix", server.port, "bounce_size_limit = 20000\n") as postfix:
            for number, (body, options) in enumerate([(BODIES[0], ()), (BODIES[0], ("-R", "hdrs")), (BODIES[-1], ())], 1):
                bounce(postfix, b"%d@pc.isp.example" % number, body, options)
                mail = wait_for("the notification", lambda wanted=number: len(server.mails()) == wanted and server.mails()[-1])
                assert b"Content-Type: multipart/report; report-type=delivery-status" in mail, mail[:1000]
                assert b"Message-ID: <%d@pc.isp.example>" % number in mail, mail[:4000]
            wait_for("an empty queue", postfix.queue_is_empty)


@case("a notification by Postfix about a mail that only claims to be ours is refused")
def refuses_notifications(directory):
    need_postfix()
    with Server(directory, "bounce_reference { mode = enforce }") as server:
        with Postfix(directory / "postfix", server.port) as postfix:
            bounce(postfix, b"spam@client.example.com")
            wait_for("the refusal", lambda: "550 5.7.1 notification does not refer to a mail of ours" in postfix.log())
            wait_for("an empty queue", postfix.queue_is_empty)
            equal(server.mails(), [], "mails")
        told = wait_for("the log line", lambda: verdicts(server))
        equal([verdict["evidence"] for verdict in told],
              ["a notification from <> that refers to <spam@client.example.com>"], "evidence")


# The recipe of conf/README.md.
TABLE = """
sender_canonical_maps = tcp:127.0.0.1:{port}
sender_canonical_classes = envelope_sender
"""
SPAWN = "127.0.0.1:{port} inet n n n - 0 spawn user=nobody argv={program} tag -c {configuration} --table\n"


@case("Postfix tags senders by gatepost tag --table, and their notifications come back to us")
def tags_senders(directory):
    need_postfix()
    (directory / "keys").write_text("1:0123456789abcdef0123456789abcdef\n")
    program = shutil.copy(PROGRAM, directory / "gatepost")  # where nobody may run it
    table = {"port": free_port(), "program": program, "configuration": directory / "gatepost.conf"}
    options = 'bounce_reference { mode = enforce keys = "keys" require_tag = yes }'
    with Server(directory, options) as server:
        postfix = Postfix(directory / "postfix", server.port, TABLE.format(**table), SPAWN.format(**table))
        types = subprocess.run([need_program("postconf"), "-c", directory / "postfix/etc", "-m"], capture_output=True, text=True,
                               check=True).stdout.split()
        if "tcp" not in types:
            raise Skip("Postfix without TCP tables")
        with postfix:
            bounce(postfix, b"whatever@client.example.com")
            mail = wait_for("the notification", lambda: server.mails() and server.mails()[-1])
            assert re.search(rb"for <prvs=1\d{3}[0-9a-f]{6}=alice@isp\.example>;", mail), mail[:1000]
            wait_for("an empty queue", postfix.queue_is_empty)


if __name__ == "__main__":
    main()
