#!/usr/bin/env python3
"""What clients can make the server hold has a bound, and a time: texts that never end, recipients without number, clients that read
nothing, configurations that old sessions keep."""
# alone: it measures memory of a server under load

import contextlib
import signal
import time

from common.harness import HELO, PATIENCE, SANITIZE, SENDER, Server, case, equal, main, note, wait_for, without_trace
from common.messages import HEADER

MIB = 1 << 20


def in_the_making(server):
    return list(server.directory.glob("mail/*/*/tmp/*"))


def begin_if_let(server):
    """A client in the middle of a message's text, or the code that it got instead."""
    client = server.client()
    client.command(f"EHLO {HELO}", 250)
    for line, wanted in ((f"MAIL FROM:<{SENDER}>", 250), ("RCPT TO:<alice@isp.example>", 250), ("DATA", 354)):
        client.raw(line.encode() + b"\r\n")
        code = client.reply()[0]
        if code != wanted:
            client.close()
            return None, code
    return client, 354


@case("texts that never end: no more than client_memory_max is held, others get 452, and all is well when they have gone")
def texts(directory):
    with Server(directory, "client_memory_max = 8M\nworkers = 2\nstress_timeout = 1h\nlog_interval = 1s") as server:
        with server.client() as client:
            client.deliver(HEADER)
        before = server.memory_kib("Rss")
        slow, codes = [], set()
        for _ in range(400):
            client, code = begin_if_let(server)
            codes.add(code)
            if client is not None:
                client.raw(HEADER + (b"x" * 70 + b"\r\n") * 1200)
                slow.append(client)
            elif code == 452 and len(slow) > 300:
                break
        note(f"{len(slow)} texts of 86 kB under way, {len(in_the_making(server))} files in the making, answers {codes}")
        time.sleep(0.5)
        held = server.counters()["memory_held"]
        note(f"{held / MIB:.2f} MiB held, {(server.memory_kib('Rss') - before) / 1024:.1f} MiB resident more than before")
        assert held <= 8 * MIB, held
        assert SANITIZE or server.memory_kib("Rss") - before < 24 * 1024, "resident"
        wait_for("the event", lambda: server.events("memory_tight"))
        event = server.events("memory_tight")[0]
        assert isinstance(event["octets"], int) and event["max"] == 8 * MIB, event
        # Whoever is under way may end, if there was room for it all.
        answers = [finish(client) for client in slow[:20]]
        note(f"the first twenty were answered {answers}")
        assert 250 in answers and set(answers) <= {250, 452}, answers
        equal(len(server.mails()), 1 + answers.count(250), "mails")
        for client in slow[20:]:
            client.close()
        wait_for("room", lambda: server.events("memory_eased"))
        with server.client() as client:
            client.deliver(HEADER)
        wait_for("the end of it", lambda: server.counters()["memory_held"] < MIB / 4)
        wait_for("the end of all files in the making", lambda: not in_the_making(server))


def finish(client):
    client.raw(b".\r\n")
    code = client.reply()[0]
    client.close()
    return code


@case("nearly spent: MAIL gets 452, is counted and logged, and a mail of before is stored whole")
def spent(directory):
    with Server(directory, "client_memory_max = 1M\nworkers = 1\nstress_timeout = 1h") as server:
        first, _ = begin_if_let(server)
        first.raw(HEADER)
        slow = []
        while (begun := begin_if_let(server))[0] is not None:
            begun[0].raw(HEADER + b"x" * 3000 + b"\r\n")
            slow.append(begun[0])
            assert len(slow) < 1000, "no end"
        equal(begun[1], 452, "answer")
        note(f"{len(slow) + 1} texts of 3 kB in 1 MiB")
        wait_for("the event", lambda: server.events("memory_spent"))
        count = server.counters()
        assert count["memory_refused"] >= 1 and 0.8 * MIB < count["memory_held"] <= MIB, count
        first.raw(b"the end\r\n")
        equal(finish(first), 250, "answer")
        equal(without_trace(server.mails()[0]), HEADER + b"the end\r\n", "mail")
        # A larger bound is in force at once.
        server.write_configuration(options="client_memory_max = 64M\nworkers = 1\nstress_timeout = 1h")
        server.signal(signal.SIGHUP)
        wait_for("room", lambda: server.events("memory_eased"))
        with server.client() as client:
            client.deliver(HEADER)
        for client in slow:
            client.close()


@case("memory that is short is stress: silent texts end with 421 after stress_timeout")
def stress(directory):
    with Server(directory, "client_memory_max = 1M\nworkers = 1\nstress_timeout = 3s") as server:
        slow = [begin_if_let(server)[0] for _ in range(16)]
        # These have been silent for long enough when memory gets short; the others have time then, however slow the machine is.
        time.sleep(3)
        while (begun := begin_if_let(server))[0] is not None:
            slow.append(begun[0])
            assert len(slow) < 1000, "no end"
        wait_for("room", lambda: server.events("memory_eased"), 10 * PATIENCE)
        told = wait_for("their log lines", lambda: [(line["reply"], line["code"]) for line in server.sessions() if "reply" in line])
        equal(set(told), {("idle", 421)}, "ends")
        assert len(told) < len(slow), "all of them"
        for client in slow:
            client.close()


def reload(server, options=None):
    if options is not None:
        server.write_configuration(options=options)
    server.reload()


def open_sessions(server):
    """A session of each kind that may last: idle, within an envelope, within a text."""
    idle, envelope, text = (server.client() for _ in range(3))
    for client in (idle, envelope, text):
        client.command(f"EHLO {HELO}", 250)
    for client in (envelope, text):
        client.command(f"MAIL FROM:<{SENDER}>", 250)
    text.command("RCPT TO:<user1@isp.example>", 250)
    text.command("DATA", 354)
    text.raw(HEADER)
    return [idle, envelope, text]


def few_generations(server):
    """How many are in use, or 0 where these are too many."""
    count = server.counters()["generations"]
    return count if count <= 5 else 0


@case("12 reloads with 100 000 recipients and slow sessions in each: twice generations_max are in use, and no more memory")
def generations(directory):
    users = [f"user{n}" for n in range(100_000)]
    with Server(directory, "generations_max = 2\nworkers = 2", recipients=users) as server:
        begun = server.memory_kib("Rss")
        clients, sizes, in_use = [], [], []
        for number in range(12):
            clients.append(open_sessions(server))
            server.write_recipients([*users, f"more{number}"])
            reload(server)
            time.sleep(0.3)
            # One more is seen in the moment between a publication and the end of the oldest sessions.
            in_use.append(wait_for("the end of old sessions", lambda: few_generations(server)))
            sizes.append(server.memory_kib("Rss"))
        note(f"in use after each reload: {in_use}; resident: {begun // 1024} MiB, then {[size // 1024 for size in sizes]}")
        assert in_use[-1] >= 3, in_use
        # Twelve times as much as the first one took, were all of them kept.
        assert SANITIZE or sizes[-1] - begun < 7 * (sizes[0] - begun), "growing on"
        equal([client.reply()[0] for client in clients[0]], [421, 421, 421], "the oldest")
        # Of the newest but two the idle one is told, and messages go on.
        equal(clients[9][0].reply()[0], 421, "idle")
        equal(finish(clients[9][2]), 250, "a text")
        equal(clients[11][0].command("NOOP", 250), "2.0.0 ok", "the newest")
        wait_for("all that are outdated", lambda: server.counters()["sessions_outdated"] >= 12)
        event = wait_for("the event", lambda: server.events("generations_exceeded"))[0]
        assert isinstance(event["in_use"], int) and event["max"] == 2, event
        for client in (client for group in clients for client in group):
            client.close()
        wait_for("their end", lambda: server.counters()["generations"] == 1)


@case("text_time_max: a text that trickles is answered 421 in time, and named in the log")
def text_time(directory):
    with Server(directory, "text_time_max = 1s\ntext_time_rate = 1k") as server, server.client() as client:
        began = time.monotonic()
        client.begin()
        client.raw(HEADER)
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 10 * PATIENCE and not server.sessions():
                client.raw(b"x")
                time.sleep(0.1)
        took = time.monotonic() - began
        assert 0.9 < took < 10 * PATIENCE, took
        equal(client.reply()[0], 421, "reply")
        equal([line["reply"] for line in server.sessions()], ["text_took_too_long"], "log")


if __name__ == "__main__":
    main()
