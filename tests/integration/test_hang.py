#!/usr/bin/env python3
"""A stop has a bound, whatever hangs: the disk of the mail, the store of senders, DNS, the log, a worker, a reader of our output."""
# alone: a server that is late is taken for one that hangs

import os
import select
import signal
import subprocess
import time

from common.control import OPTIONS, Control
from common.fleet import Redis
from common.hang import expect_end, hang, hang_at_file, release, threads
from common.harness import HELO, PATIENCE, PROGRAM, Server, case, die_with_parent, equal, main, wait_for
from common.messages import HEADER

SHORT = HEADER + b"short\r\n"
LONG = HEADER + b"x" * 70 + b"\r\n" + (b"y" * 998 + b"\r\n") * 1500
LEFT = 3  # the exit status that tells of it
JOURNAL = 'journal = "journal" journal_size = 24M journal_segment = 4M journal_retry_min = 500ms\n'
WORKERS_LATE = 8  # seconds beyond shutdown_timeout until workers have gone


def at_the_store(server, text):
    """A client whose whole text has come, and who waits for the answer."""
    client = server.client()
    client.begin()
    client.raw(text + b".\r\n")
    return client


def stop_while_hanging(server, prefix, seconds):
    stopped = hang(server, prefix)
    server.signal(signal.SIGTERM)
    return stopped, seconds * PATIENCE


def insist(server, client):
    """Three signals end it at once. Those that come before it has heard the one before count as one, so that there may be more."""
    count = 0
    while count < 3 or not select.select([client.socket], [], [], 0)[0]:
        assert count < 100, "it does not hear"
        server.signal(signal.SIGTERM)
        time.sleep(0.2)
        count += 1


@case("the mail's disk hangs: clients get 421 and keep their messages, the log names them, status 3")
def delivery(directory):
    server = Server(directory, "shutdown_timeout = 1s").start()
    stopped = hang(server, "delivery-")
    clients = [at_the_store(server, text) for text in (SHORT, LONG, SHORT)]
    time.sleep(0.3)
    server.signal(signal.SIGTERM)
    for client in clients[0], clients[2]:
        client.expect(421, "the text")
        assert client.is_closed()
    # A long one is not even read to its end while the disk does not take it, and is answered before.
    clients[1].expect(421, "a part of the text")
    took = expect_end(server, stopped, LEFT, 20 * PATIENCE)
    assert took < (WORKERS_LATE + 6) * PATIENCE, took
    equal(server.mails(), [], "mails")
    named = {line["id"] for line in server.events("store_unreported")}
    equal(len(named), 2, "messages named")
    told = {mail["id"] for line in server.sessions() for mail in line["transactions"] if mail.get("code") == "421 4.3.2"}
    equal(len(told), 3, "messages in the log lines of their sessions")
    assert named < told, (named, told)
    equal(len(server.sessions()), 3, "log lines of sessions")
    equal({line["thread"] for line in server.events("thread_left")}, {f"delivery-{n}" for n in range(8)}, "threads left")
    equal(server.log()[-1]["event"], "stopped", "the last line")
    assert "store_unreported" in server.stderr(), server.stderr()


@case("the disk hangs and comes back within shutdown_timeout: 250, status 0")
def delivery_recovers(directory):
    with Server(directory, "shutdown_timeout = 30s") as server:
        stopped = hang(server, "delivery-")
        client = at_the_store(server, SHORT)
        time.sleep(0.2 * PATIENCE)
        server.signal(signal.SIGTERM)
        time.sleep(1)
        release(stopped)
        client.expect(250, "the text")
        server.stop()
        equal(len(server.mails()), 1, "mails")


@case("a third signal waits for no store")
def impatient(directory):
    server = Server(directory, "shutdown_timeout = 1h").start()
    stopped = hang(server, "delivery-")
    client = at_the_store(server, SHORT)
    time.sleep(0.2 * PATIENCE)
    insist(server, client)
    client.expect(421, "the text")
    assert expect_end(server, stopped, LEFT, 15 * PATIENCE) < 8 * PATIENCE


@case("the journal's disk comes back behind a stop that waits no more: what it writes then is the message, HELO and all")
def journal_behind(directory):
    server = Server(directory, JOURNAL, "journal = always", deliver="smtp://127.0.0.1:9").start()
    wait_for("the journal", lambda: server.events("journal_opened"))
    stopped = hang(server, "journal")
    client = server.client()
    client.command("EHLO behind.example.com", 250)
    client.command("MAIL FROM:<me@example.com>", 250)
    client.command("RCPT TO:<alice@isp.example>", 250)
    client.command("DATA", 354)
    client.raw(SHORT + b".\r\n")
    time.sleep(0.3 * PATIENCE)
    insist(server, client)
    client.expect(421, "the text")
    wait_for("the workers' end", lambda: not threads(server.process, "worker-"))
    release(stopped)
    expect_end(server, [], LEFT, 20 * PATIENCE)
    octets = b"".join(path.read_bytes() for path in (directory / "journal").iterdir())
    assert b"behind.example.com" in octets and SHORT in octets, len(octets)


@case("one worker hangs: the others end in order, and the process with them")
def worker(directory):
    server = Server(directory, "shutdown_timeout = 1s\nworkers = 2").start()
    clients = [server.client() for _ in range(8)]
    stopped, seconds = stop_while_hanging(server, "worker-1", 20)
    took = expect_end(server, stopped, LEFT, seconds)
    assert took < (1 + WORKERS_LATE + 4) * PATIENCE, took
    equal([line["thread"] for line in server.events("thread_left")], ["worker-1"], "threads left")
    for client in clients:
        assert client.reply()[0] in (None, 421)


@case("an acceptor, a resolver or the thread of LMDB hangs: named, status 3, mail is stored")
def others(directory):
    for prefix in ("acceptor-", "resolver-", "senders"):
        folder = directory / prefix
        folder.mkdir()
        server = Server(folder, 'sender_store = "lmdb:state"\nshutdown_timeout = 1s').start()
        with server.client() as client:
            client.deliver(SHORT)
        stopped, seconds = stop_while_hanging(server, prefix, 20)
        expect_end(server, stopped, LEFT, seconds)
        left = [line["thread"] for line in server.events("thread_left")]
        assert len(left) == 1 and left[0].startswith(prefix.strip("-")), left
        equal(len(server.mails()), 1, "mails")


@case("a reload hangs in a file: mail goes on, and SIGTERM is heard")
def reload(directory):
    server = Server(directory, OPTIONS, recipients=["alice", *(f"user{n}" for n in range(300_000))]).start()
    with Control(server) as control:
        stopped = hang_at_file(server, directory / "recipients.txt", lambda: control.send(b"reload\n"))
        with server.client() as client:
            client.deliver(SHORT)
        server.signal(signal.SIGTERM)
        equal(control.answer(), [{"ok": False, "error": "nothing has changed: the server stops"}], "answer to the reload")
    # It is waited for five seconds.
    assert expect_end(server, stopped, LEFT, 20 * PATIENCE) < 10 * PATIENCE
    equal([line["thread"] for line in server.events("thread_left")], ["aside"], "threads left")
    assert "aside does not end, and is left behind" in server.stderr(), server.stderr()
    equal([line["event"] for line in server.log() if line["event"].startswith("reload")], [], "events of reloads")


@case("SIGTERM while a reload is under way ends in order")
def reload_and_stop(directory):
    for delay in (0, 0.01, 0.03, 0.06):
        folder = directory / str(delay)
        folder.mkdir()
        with Server(folder, recipients=["alice", *(f"user{n}" for n in range(50_000))]) as server:
            server.signal(signal.SIGHUP)
            time.sleep(delay)
            assert server.stop() < 10 * PATIENCE


@case("SIGTERM while a promotion reads files: the shadow ends, what it judged by is read on, and the stop is in order")
def promotion_and_stop(directory):
    os.environ["MALLOC_PERTURB_"] = "165"  # what is freed says something else
    server = Server(directory, OPTIONS, recipients=["alice", *(f"user{n}" for n in range(100_000))]).start()
    del os.environ["MALLOC_PERTURB_"]
    with Control(server) as control:
        assert control.ask(f"shadow_start 1000000 {server.directory / 'gatepost.conf'}")[-1]["ok"]
        stopped = hang_at_file(server, directory / "recipients.txt", lambda: control.send(b"shadow_promote 0 force\n"))
        server.signal(signal.SIGTERM)
        equal(control.answer(), [{"ok": False, "error": "nothing has changed: the server stops"}], "answer to the promotion")
    wait_for("the shadow's end", lambda: server.events("shadow_ended"))
    time.sleep(0.1)  # it is freed behind that line
    release(stopped)
    expect_end(server, [], 0, 20 * PATIENCE)


@case("whoever has ordered something behind work that a stop leaves aside hears that the server stops, and nothing changes")
def orders_behind(directory):
    server = Server(directory, OPTIONS, recipients=["alice", *(f"user{n}" for n in range(100_000))]).start()
    with Control(server) as control, Control(server) as other:
        assert control.ask(f"shadow_start 1000000 {server.directory / 'gatepost.conf'}")[-1]["ok"]
        stopped = hang_at_file(server, directory / "recipients.txt", lambda: control.send(b"shadow_promote 0 force\n"))
        other.send(b"shadow_stop\n")
        time.sleep(0.2 * PATIENCE)
        # What the main thread hears before, so that it turns once more.
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            server.signal(number)
        equal(control.answer()[-1], {"ok": False, "error": "nothing has changed: the server stops"}, "promotion")
        equal(other.answer()[-1], {"ok": False, "error": "the server stops"}, "the order behind it")
    time.sleep(0.3)
    release(stopped)
    expect_end(server, [], 0, 20 * PATIENCE)
    equal(len(server.events("shadow_ended")), 1, "ends of the shadow")


@case("the drain hangs with a drop, and comes back while the server stops: no drop is waited for")
def drop_behind(directory):
    server = Server(directory, OPTIONS + JOURNAL, "journal = always", deliver="smtp://127.0.0.1:9").start()
    wait_for("the journal", lambda: server.events("journal_opened"))
    with server.client() as client:
        client.deliver(SHORT)
    with Control(server) as control, Control(server) as other:
        stopped = hang(server, "drain")
        control.send(b"journal_drop 1\n")
        wait_for("the drop's thread", lambda: threads(server.process, "aside"))
        other.send(b"journal_drop 77\n")
        time.sleep(0.2 * PATIENCE)
        server.signal(signal.SIGUSR2)
        server.signal(signal.SIGTERM)
        for each in (control, other):
            equal(each.answer()[-1], {"ok": False, "error": "the server stops"}, "a drop")
    wait_for("the stop", lambda: server.events("stop"))
    release(stopped)
    expect_end(server, [], 0, 20 * PATIENCE)  # who waits for a drop leaves it behind, and says so by the status


@case("a Redis that says nothing any more does not keep a stop")
def redis(directory):
    with Redis(directory / "redis") as redis, Server(directory, f'sender_store = "redis://127.0.0.1:{redis.port}"\ngreylist {{ mode = observe }}') as server:
        with server.client() as client:
            client.deliver(SHORT)
            redis.process.send_signal(signal.SIGSTOP)
            client.command("MAIL FROM:<me@example.com>", 250)
            client.command("RCPT TO:<bob@isp.example>", 250)
            took = server.stop()
        redis.process.send_signal(signal.SIGCONT)
        assert took < 8 * PATIENCE, took


@case("the log's writer hangs: the stop takes five seconds more")
def log_writer(directory):
    server = Server(directory).start()
    with server.client() as client:
        client.deliver(SHORT)
        stopped, seconds = stop_while_hanging(server, "log", 30)
        expect_end(server, stopped, 0, seconds)
    equal(len(server.mails()), 1, "mails")


@case("a log that is a FIFO without a reader is a fault that is told, at the start and at a reload")
def fifo_without_reader(directory):
    server = Server(directory)
    os.mkfifo(directory / "log")
    found = subprocess.run([PROGRAM, "serve", "--as-root", "-c", directory / "gatepost.conf"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=10 * PATIENCE, preexec_fn=die_with_parent)
    equal(found.returncode, 1, found.stderr)
    assert "cannot open log" in found.stderr, found.stderr
    (directory / "log").unlink()
    with server.start():
        (directory / "log").rename(directory / "log.1")
        os.mkfifo(directory / "log")
        server.signal(signal.SIGHUP)
        wait_for("a complaint", lambda: "cannot open log" in server.stderr())
        with server.client() as client:
            client.deliver(SHORT)
        (directory / "log").unlink()


@case("a FIFO that its reader does not empty keeps neither mail nor the stop")
def fifo_full(directory):
    server = Server(directory)
    os.mkfifo(directory / "log")
    reader = os.open(directory / "log", os.O_RDONLY | os.O_NONBLOCK)
    server.start()
    for _ in range(50):
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            for _ in range(30):
                client.command("MAIL FROM:<me@example.com>", 250)
                client.command(f"RCPT TO:<{'x' * 60}@isp.example>", 550) if _ < 15 else client.command("RSET", 250)
                client.command("RSET", 250)
    with server.client() as client:
        client.deliver(SHORT)
    server.signal(signal.SIGTERM)
    server.process.wait(30 * PATIENCE)
    equal(server.process.returncode, 0, "status")
    os.close(reader)


@case("nobody reads the status line: mail, signals and the stop go on")
def status_line(directory):
    server = Server(directory)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(writing, True)
    server.process = subprocess.Popen([PROGRAM, "serve", "--as-root", "--live", "-c", directory / "gatepost.conf"], stdin=subprocess.DEVNULL,
                                      stdout=writing, stderr=writing, preexec_fn=die_with_parent)
    wait_for("the log", lambda: (directory / "log").exists() and "ready" in (directory / "log").read_text())
    with server.client() as client:
        client.deliver(SHORT)
    time.sleep(2)
    server.signal(signal.SIGTERM)
    equal(server.process.wait(10 * PATIENCE), 0, "status")
    os.close(reading)
    os.close(writing)


if __name__ == "__main__":
    main()
