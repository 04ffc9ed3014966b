#!/usr/bin/env python3
"""Log lines that cannot be written: nobody waits for them, and the log itself tells how many are missing."""

import contextlib
import json
import os
import select
import threading

from common.harness import HELO, SECONDS, Server, case, equal, main, note, wait_for

# A client that need not wait makes log lines at any rate, and each of its mails is in the log.
OPTIONS = "workers = 1\njunk_max = 1000000\ncommands_max = 1000000\nearly_talker { mode = off }\nlog_interval = 0"
MAILS = 10000


class Reader:
    """Reads a FIFO when it is told to."""

    def __init__(self, path):
        os.mkfifo(path)
        self.file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.octets = b""
        self.read = []

    def lines(self):
        """All of them, as far as they have come."""
        while select.select([self.file], [], [], 0)[0]:
            more = os.read(self.file, 1 << 20)
            if not more:
                break
            self.octets += more
        *whole, self.octets = self.octets.split(b"\n")
        self.read += [json.loads(line) for line in whole]
        return self.read

    def events(self, name):
        return [line for line in self.lines() if line["event"] == name]


def hear(client):
    """Takes replies and throws them away."""
    with contextlib.suppress(OSError):
        while client.socket.recv(1 << 16):
            pass


def begin_mails(server):
    """Many mails that are given up; each has an object in the log, and a part of the session's line tells some thirty."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        listener = threading.Thread(target=hear, args=(client,))
        listener.start()
        sender = "x" * 200 + "@example.com"
        for _ in range(MAILS // 100):
            client.raw(100 * f"MAIL FROM:<{sender}>\r\nRSET\r\n".encode())
        client.raw(b"QUIT\r\n")
        listener.join(SECONDS)


@case("a burst that the log's reader does not follow: lines are dropped, counted, and missed in the log where they were")
def burst(directory):
    server = Server(directory, OPTIONS + "\nlog_memory = 1M")
    reader = Reader(directory / "log")
    with server.start():
        begin_mails(server)
        wait_for("the drop in the log", lambda: reader.events("log_lines_dropped"))
        with server.client() as client:
            client.command("QUIT", 221)
        wait_for("the session behind it", lambda: reader.events("session")[-1].get("commands") == 1)
    dropped = sum(line["lines"] for line in reader.events("log_lines_dropped"))
    note(f"{len(reader.events('session'))} lines of sessions read, {dropped} missing")
    equal(reader.events("counters")[-1]["log_lines_dropped"], dropped, "lines counted")
    next_part = 1
    for line in reader.lines():
        if line["event"] == "log_lines_dropped":
            next_part += line["lines"]
        elif "part" in line:
            equal(line["part"], next_part, "part")
            next_part += 1


@case("a burst that fits log_memory loses nothing, and is written in order")
def memory(directory):
    server = Server(directory, OPTIONS + "\nlog_memory = 32M")
    reader = Reader(directory / "log")
    with server.start():
        begin_mails(server)
        wait_for("the last line", lambda: any("end" in line for line in reader.events("session")))
    parts = [line["part"] for line in reader.events("session")]
    equal(parts, list(range(1, len(parts) + 1)), "parts")
    equal(reader.events("log_lines_dropped"), [], "drops")


@case("a log that cannot be written for a while tells how many lines are missing, and why")
def broken(directory):
    server = Server(directory, "log_interval = 0")
    reader = Reader(directory / "log")
    with server.start():
        wait_for("ready", lambda: reader.events("ready"))
        os.close(reader.file)
        for _ in range(3):
            with server.client() as client:
                client.command("QUIT", 221)
        wait_for("a complaint", lambda: "cannot write the log: Broken pipe" in server.stderr())
        reader.file = os.open(directory / "log", os.O_RDONLY | os.O_NONBLOCK)
        reader.read = []

        def told():
            with server.client() as client:
                client.command("QUIT", 221)
            return reader.events("log_lines_dropped")

        drop = wait_for("the loss in the log", told)[0]
        equal(reader.lines()[0], drop, "the first line")
        assert 1 <= drop["lines"] <= 4 and drop["reason"] == "Broken pipe", drop


if __name__ == "__main__":
    main()
