#!/usr/bin/env python3
"""gatepost explain and the log as a whole: each reject id that any reply has had is found and explained, and a mail in pieces is
joined across the files of a rotation."""
# threads elsewhere: explain reads a log

import contextlib
import gzip
import re
import signal
import socket

from common.explained import explain
from common.harness import HELO, Server, case, equal, main, wait_for

MAIL = ("EHLO " + HELO, "MAIL FROM:<a@example.com>")
TEXT = (*MAIL, "RCPT TO:<alice@isp.example>", "DATA")
END = b"\r\n.\r\n"

# Options, and of each session what is said; octets are sent as they are. The last line of each is refused with an id, and
# whatever was refused before it as well.
SESSIONS = [
    ("text_line_max = 2000", [
        ("MAIL FROM:<a@example.com>",), ("RCPT TO:<alice@isp.example>",), ("BEGIN",), ("EXPN staff",), ("HELO",), ("HELO a b",),
        ("HELO " + 260 * "x",), ("NOOP\x01",), ("NOOP " + 3000 * "x",), (b"NOOP\nNOOP\r\n",), (b"NOOP\r NOOP\r\n",), ("DATA x",), ("VRFY",),
        (*MAIL, "MAIL FROM:<b@example.com>"), (*MAIL, "DATA"), (*MAIL, "RCPT TO:<nobody@isp.example>", "RCPT TO:<x@other.example>", "DATA", "DATA"),
        ("EHLO " + HELO, "MAIL"), ("EHLO " + HELO, "MAIL FROM:<a b>"), ("EHLO " + HELO, "MAIL FROM:<a@b.example> SIZE=x"),
        ("EHLO " + HELO, "MAIL FROM:<> SIZE=99999999999"), ("EHLO " + HELO, "MAIL FROM:<a@b.example> X"), ("EHLO " + HELO, "MAIL FROM:<a@b.example> ="),
        ("EHLO " + HELO, f"MAIL FROM:<{300 * 'x'}@b.example>"), ("EHLO " + HELO, "MAIL FROM:<é@b.example>"),
        (*MAIL, "RCPT"), (*MAIL, "RCPT TO:<a b>"), (*MAIL, "RCPT TO:<alice@isp.example> X"), (*MAIL, f"RCPT TO:<{300 * 'x'}@isp.example>"),
        ("HELO localhost", MAIL[1], "RCPT TO:<alice@isp.example>"), ("HELO a..b", MAIL[1], "RCPT TO:<alice@isp.example>"),
        ("HELO [192.0.2.8]", MAIL[1], "RCPT TO:<alice@isp.example>"), ("HELO isp.example", MAIL[1], "RCPT TO:<alice@isp.example>"),
        (MAIL[0], "MAIL FROM:<a@b.invalid>", "RCPT TO:<alice@isp.example>"),
        (MAIL[0], "MAIL FROM:<>", "RCPT TO:<alice@isp.example>", "RCPT TO:<bob@isp.example>", "DATA"),
        (*TEXT, b"a\0b" + END), (*TEXT, b"a\rb" + END), (*TEXT, b"a\nb" + END), (*TEXT, 9000 * b"x" + END),
        (*TEXT, 200 * b"Received: x\r\n" + END), (*TEXT, b"a\rb" + END + b"MAIL FROM:<a@b.example>\r\n"),
        (b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n",), (600000 * b"x",)]),
    ("reject_at = first", [
        12 * ("HELO localhost",), ("HELO a..b",), ("EHLO [192.0.2.8]",), ("EHLO mx1.isp.example", "MAIL FROM:<a@b.example>"),
        (MAIL[0], "MAIL FROM:<a@b.invalid>"), ("HELO", "HELO localhost", "BEGIN", "HELO localhost")]),
    ("recipients_max = 1\nmessage_size_max = 1k", [
        (*MAIL, "RCPT TO:<alice@isp.example>", "RCPT TO:<bob@isp.example>"), (*TEXT, 300 * b"12345678\r\n" + END),
        (*TEXT, 50060 * b"1234567890123456789\r\n")]),
    ("client_rate { mode = enforce transactions = 1/1h }", [(*MAIL, "RSET", MAIL[1])]),
    ("client_rate { mode = enforce messages = 1/1h }", [(*MAIL, "RCPT TO:<alice@isp.example>", "RSET", MAIL[1], "RCPT TO:<alice@isp.example>")]),
    ("client_rate { mode = enforce recipients = 1/1h }", [(*MAIL, "RCPT TO:<alice@isp.example>", "RCPT TO:<bob@isp.example>")]),
    ("sender_store = \"lmdb:.\"\nsender_size = 8M\ngreylist { mode = enforce }", [TEXT[:-1]]),
    ("greeting_pause = 2s", [(b"MAIL FROM:<a@b.example>\r\n",)])]


def play(server, lines):
    """One session; returns its replies from the first line of the client's on."""
    is_early = isinstance(lines[0], bytes) and "greeting_pause" in server.options
    replies = []
    with server.client(banner=None if is_early else 220) as client:
        for line in lines:
            client.raw(line if isinstance(line, bytes) else line.encode() + b"\r\n")
            replies.append(client.reply())
        with contextlib.suppress(OSError):  # it may have closed
            client.socket.shutdown(socket.SHUT_WR)
        while (more := client.reply())[0] is not None:
            replies.append(more)
    return [f"{code} {text}" for code, text in replies if code is not None]


@case("explain finds each reject id of every kind of refusal, and says why")
def every_id(directory):
    names = set()
    for number, (options, sessions) in enumerate(SESSIONS):
        place = directory / str(number)
        place.mkdir()
        limits = "client_rate { errors = 100000/1s unknown_recipients = 100000/1s }\n" if "client_rate" not in options else ""
        with Server(place, limits + "errors_max = 100\n" + options) as server:
            said = [(lines, play(server, lines)) for lines in sessions]
            wait_for("the log", lambda: sum("end" in line for line in server.sessions()) == len(sessions))
            for lines, replies in said:
                refusals = [reply for reply in replies if re.search(r" \[[0-9A-Z]{12}\]$", reply)]
                assert refusals, (lines, replies)
                for reply in refusals:
                    told = explain(server, reply)
                    assert "Why: " in told and "What the sender can do: " in told and "The whole session:" in told, (lines, reply, told)
                    assert f'"reject_id": "{reply[-13:-1]}"' in told, (reply, told)
                    names.add(re.sub(r"<.*?>|\d+|\[.*", "", reply))
    assert len(names) > 40, names


@case("explain says of a greeting that policy refused what it was, and which check it was")
def greeting(directory):
    with Server(directory, "reject_at = first") as server:
        replies = play(server, ("HELO localhost",))
        wait_for("the log line", server.sessions)
        told = explain(server, replies[0])
        assert "calls itself localhost, greeted, which was refused (504 5.5.2).\nWhy: the client did not greet with a full host name" in told, told
        equal(server.sessions()[0]["greetings"][0]["check"], "helo_name", "check")


def rotate(server, name, packed):
    """As logrotate does it; the server goes on in a new file."""
    log = server.directory / "log"
    old = server.directory / name
    log.rename(old)
    server.signal(signal.SIGUSR1)
    wait_for("the new log", lambda: log.exists() and server.events("log_opened"))
    if packed:
        # The copy is newer than all that follows it in the log, as after a restore.
        (server.directory / f"{name}.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()


@case("explain joins a mail in pieces across the files of a rotation, compressed or not, and copies of them do not count twice")
def rotated_pieces(directory):
    people = [f"alice+{number}.a-quite-normal-extension@isp.example" for number in range(400)]
    with Server(directory, domain="extension = \"+\"") as server, server.client() as client:
        for line in ("EHLO " + HELO, "MAIL FROM:<list@example.com>"):
            client.command(line, 250)
        for number, to in enumerate(people, 1):
            client.command(f"RCPT TO:<{to}>", 250)
            if number in (150, 250):
                wait_for("a part", server.sessions)
                rotate(server, f"log.{number}", number == 150)
        client.command("DATA", 354)
        client.finish(b"x\r\n")
        client.command("QUIT", 221)
        wait_for("the last part", lambda: server.sessions() and "end" in server.sessions()[-1])
        number = server.sessions()[-1]["transactions"][-1]["id"]
        assert [path.name for path in sorted(directory.glob("log*"))] == ["log", "log.150.gz", "log.250"]

        def told_of(to):
            told = explain(server, "--to", to)
            equal(told.count(f"for <{to}>, which was taken"), 1, f"{to} ({told})")

        for to in (people[0], people[149], people[150], people[399]):
            told_of(to)
        told = explain(server, number)
        head = told.split("The whole session:")[0]
        assert "was taken" in head, head
        equal([head.count(f"<{to}>") for to in people], [1] * len(people), "recipients")
        assert head.index(people[0]) < head.index(people[200]) < head.index(people[399]), head
        # While a file is compressed it is there twice; a file that is lost leaves what the others know.
        (directory / "log.150").write_bytes(gzip.decompress((directory / "log.150.gz").read_bytes()))
        told_of(people[0])
        equal(explain(server, number).split("The whole session:")[0].count(f"<{people[0]}>"), 1, "of a copy")
        (directory / "log.150").unlink()
        (directory / "log.150.gz").unlink()
        told_of(people[399])
        assert "rcpts_omitted" in explain(server, number)


if __name__ == "__main__":
    main()
