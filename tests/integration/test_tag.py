#!/usr/bin/env python3
"""gatepost tag: what it prints is what the running server takes; keys are renewed by SIGHUP; explain with a message."""

import hashlib
import hmac
import signal
import subprocess
import time

from common.harness import HELO, PROGRAM, SECONDS, Server, case, equal, main, run_program, wait_for

OLD, NEW, OTHER = "1:0123456789abcdef0123456789abcdef", "2:fedcba9876543210fedcba9876543210", "3:a-secret-of-somebody-else"
OPTIONS = 'bounce_reference { mode = enforce keys = "keys" require_tag = yes }'


def write_keys(directory, *keys):
    (directory / "keys").write_text("".join(f"{key}\n" for key in keys))
    (directory / "keys").chmod(0o600)


def tag(directory, *arguments, status=0):
    run = run_program("tag", "-c", str(directory / "gatepost.conf"), *arguments)
    equal(run.returncode, status, f"status ({run.stderr})")
    return run.stdout.strip()


def notify(server, message_id, code, recipient="alice@isp.example"):
    with server.client() as client:
        client.begin([recipient], sender="")
        text = client.finish(b"References: " + message_id.encode() + b"\r\n\r\ntext\r\n", code)
        client.command("QUIT", 221)
        return text


@case("tags are what they are said to be")
def forms(directory):
    Server(directory, OPTIONS)
    write_keys(directory, NEW, OLD)
    secret = NEW[2:].encode()
    for _ in range(2):  # midnight may pass between
        day = int(time.time()) // 86400
        stamp, expiry = f"2-{day:05d}", f"2{(day + 7) % 1000:03d}"
        mac = hmac.new(secret, f"{stamp}-x.y@mail.isp.example".encode(), hashlib.sha256).hexdigest()[:16]
        short = hmac.new(secret, f"{expiry}alice@isp.example".encode(), hashlib.sha1).hexdigest()[:6]
        expected = (f"<x.y.gp{stamp}-{mac}@mail.isp.example>", f"prvs={expiry}{short}=alice@isp.example")
        found = (tag(directory, "--message-id", "<x.y@mail.isp.example>"), tag(directory, "--sender", "alice@isp.example"))
        if found == expected:
            break
    equal(found, expected, "tags")
    tag(directory, "--sender", found[1], status=1)
    tag(directory, "--message-id", "none", status=1)
    tag(directory, "--sender", "a@b", "--table", status=2)


@case("without keys there are no tags")
def no_keys(directory):
    Server(directory)
    tag(directory, "--sender", "alice@isp.example", status=1)


@case("the table answers for senders of our domains")
def table(directory):
    Server(directory, OPTIONS)
    write_keys(directory, NEW)
    tagged = tag(directory, "--sender", "alice@isp.example")
    requests = "get alice@isp.example\nget alice@example.com\nget <>\nget\nput a b\nget " + tagged + "\nget a%25b@isp.example\n"
    run = subprocess.run([PROGRAM, "tag", "-c", directory / "gatepost.conf", "--table"], input=requests, capture_output=True,
                         text=True, timeout=SECONDS)
    lines = run.stdout.splitlines()
    assert lines[0] in {f"200 {found}" for found in (tagged, tag(directory, "--sender", "alice@isp.example"))}, lines  # of either day
    equal(lines[1:6], ["500 none", "500 none", "400 not understood", "400 not understood", "500 none"], "answers")
    assert lines[6].startswith("200 prvs=2") and lines[6].endswith("=a%25b@isp.example"), lines[6]


@case("SIGHUP renews the keys, and a bad file changes nothing")
def reload(directory):
    write_keys(directory, OLD)
    with Server(directory, OPTIONS) as server:
        first = tag(directory, "--message-id", "a@isp.example")
        notify(server, first, 250)
        write_keys(directory, NEW, OLD)
        second = tag(directory, "--message-id", "a@isp.example")
        assert "notification does not refer" in notify(server, second, 550)
        server.signal(signal.SIGHUP)
        wait_for("the reload", lambda: [line for line in server.log() if line["event"] == "reload"])
        notify(server, first, 250)
        notify(server, second, 250)
        notify(server, "<a@isp.example>", 250, tag(directory, "--sender", "alice@isp.example"))
        (directory / "keys").write_text("nonsense\n")
        server.signal(signal.SIGHUP)
        wait_for("the failed reload", lambda: "keys:1: error" in server.stderr())
        notify(server, second, 250)
        write_keys(directory, OTHER)
        notify(server, tag(directory, "--message-id", "a@isp.example"), 550)


@case("a refused notification is not stored, however long it is")
def not_stored(directory):
    with Server(directory, "bounce_reference { mode = enforce }") as server, server.client() as client:
        client.begin(sender="")
        client.finish(b"Subject: long\r\n\r\n" + b"a line of text\r\n" * 200_000, 550)
        client.deliver(b"In-Reply-To: <a@isp.example>\r\n\r\n" + b"a line of text\r\n" * 200_000, sender="", helo=None)
        client.command("QUIT", 221)
        equal(len(server.mails()), 1, "mails")
        wait_for("no files left over", lambda: not list((directory / "mail").rglob("tmp/*")))


@case("explain shows what a message is and what it would be answered")
def explain(directory):
    Server(directory, 'bounce_reference { mode = enforce }')
    message = directory / "message"
    for reference, said, reply in (("a@example.com", "refuse", "S: 550 5.7.1 notification"), ("a@isp.example", "pass", "would be stored")):
        message.write_text(f"References: <{reference}>\nSubject: x\n\n.\n..dots\n")
        run = run_program("explain", "-c", str(directory / "gatepost.conf"), "--ip", "192.0.2.7", "--helo", HELO, "--from", "<>", "--to",
                          "alice@isp.example", "--message", str(message))
        equal(run.returncode, 0, f"status ({run.stderr})")
        lines = run.stdout.splitlines()
        assert any(line.split()[:3] == ["bounce_reference", "enforce", said] for line in lines), run.stdout
        assert reply in run.stdout, run.stdout
    assert "S: 5" not in run.stdout, run.stdout
    run = run_program("explain", "-c", str(directory / "gatepost.conf"), "--ip", "192.0.2.7", "--helo", HELO, "--from", "<>",
                      "--message", str(directory / "nowhere"))
    equal(run.returncode, 1, "status")


if __name__ == "__main__":
    main()
