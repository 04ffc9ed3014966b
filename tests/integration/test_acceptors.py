#!/usr/bin/env python3
"""Acceptor threads over real sockets: names, balance, refusals at accept, descriptors that run out, stop and reload in bursts."""
# alone: it needs both cores

import collections
import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import struct
import threading
import time

from common.hang import hang, release
from common.harness import PATIENCE, SANITIZE, Client, Server, Skip, case, equal, free_port, is_listening, main, note, run_program, thread_names, wait_for
from common.messages import HEADER

BURST = 300
HELD = 1600
WORKERS = 8


def loads(server):
    """How many sockets are in each epoll instance of the workers: the kernel lists them."""
    counts = []
    for link in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if str(link.readlink()) == "anon_inode:[eventpoll]":
                text = pathlib.Path(f"/proc/{server.process.pid}/fdinfo/{link.name}").read_text()
                counts.append(len(re.findall(r"^tfd:", text, re.M)))
    return sorted(counts)[-WORKERS:]


@case("threads have names")
def names(directory):
    options = "workers = 3\nacceptors = 2\ndelivery_threads = 2\ndns_threads = 2\nsender_store = \"lmdb:state\""
    with Server(directory, options) as server, server.client():
        wanted = ["acceptor-0", "acceptor-1", "delivery-0", "delivery-1", "gatepost", "log", "resolver-0", "resolver-1",
                  "senders", "worker-0", "worker-1", "worker-2"]
        wait_for("names", lambda: set(wanted) <= set(thread_names(server.process).values()))


@case("one acceptor for each eight workers, or none")
def counts(directory):
    for options, wanted in [("workers = 1", 1), ("workers = 8", 1), ("workers = 9", 2), ("workers = 9\nacceptors = 3", 3),
                            ("workers = 2\nacceptors = 0", 0)]:
        with Server(directory, options) as server, server.client() as client:
            client.deliver(HEADER)
            # A thread names itself once it runs.
            wait_for(f"{wanted} acceptors of {options}", lambda number=wanted: sum(
                name.startswith("acceptor-") for name in thread_names(server.process).values()) == number)
    assert "acceptors = auto" in run_program("check-config", "--print").stdout


@case(f"{HELD} connections are spread over {WORKERS} workers")
def balance(directory):
    for acceptors in (1, 2):
        with Server(directory, f"workers = {WORKERS}\nacceptors = {acceptors}") as server:
            clients = [server.client() for _ in range(HELD)]
            wait_for("all at the workers", lambda: sum(loads(server)) >= HELD)
            least, most = min(loads(server)), max(loads(server))
            note(f"acceptors = {acceptors}: {least} to {most} of {HELD}")
            assert most < 1.5 * least, loads(server)
            for client in clients:
                client.close()


@case("421 at accept: the line and the end, and no reset, though QUIT is under way")
def refusal(directory):
    for options in ("acceptors = 1", "acceptors = 0"):
        with Server(directory, f"{options}\nconnections_per_client = 1") as server, server.client() as first:
            for early in (b"", b"QUIT\r\n"):
                for _ in range(50):
                    with Client(server.port, before_banner=early, banner=421) as client:
                        equal(client.socket.recv(100), b"", "what follows")
            first.deliver(HEADER)
            events = wait_for("the log", lambda: server.events("client_refused"))
            equal(events[0]["reason"], "connections_per_client", "reason")


def segments_in(client):
    """How many segments of the server the client has got: tcpi_segs_in (linux/tcp.h)."""
    return struct.unpack_from("I", client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), 140)[0]


@case("the last words and the end of the connection are one segment")
def farewell(directory):
    sent_away, quits = [], []
    with Server(directory, "connections_per_client = 1") as server:
        for number in range(20):
            with server.client() as client:
                with Client(server.port, banner=421) as other:
                    equal(other.reply(), (None, ""), "the end")
                    sent_away.append(segments_in(other))
                client.command("NOOP", 250)
                before = segments_in(client)
                client.command("QUIT", 221)
                equal(client.reply(), (None, ""), "the end")
                quits.append(segments_in(client) - before)
            wait_for("the seat", lambda count=number: len(server.sessions()) > count)
    # A segment that only acknowledges may come now and then. The first of who is sent away is the answer to SYN.
    equal((min(sent_away), min(quits)), (2, 1), "segments")


@case("when descriptors run out nothing spins, it is in the log, and later everybody is served")
def descriptors_run_out(directory):
    for options in ("acceptors = 1", "acceptors = 2", "acceptors = 0"):
        place = directory / options[-1]
        place.mkdir()
        with Server(place, options) as server:
            limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
            open_now = len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (open_now + 5, limits[1]))
            clients = [Client(server.port, banner=None) for _ in range(50)]
            wait_for("the log", lambda: any(line["event"] == "accept_failed" for line in server.log()))
            before, began = server.cpu_seconds(), time.monotonic()
            time.sleep(1)
            used, took = server.cpu_seconds() - before, time.monotonic() - began
            note(f"{options}: {used:.2f} s of CPU in {took:.1f} s without descriptors")
            assert used < 0.1 * PATIENCE * took, "spins"
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
            for client in clients:
                client.expect(220)
                client.close()


@case("SIGTERM in a burst: whoever has connected gets an answer")
def sigterm_in_burst(directory):
    for options in ("acceptors = 1", "acceptors = 2\nworkers = 4"):
        server = Server(directory, options).start()
        clients = [Client(server.port, banner=None) for _ in range(BURST)]
        server.signal(signal.SIGTERM)
        for client in clients:
            answers = answers_of(client)
            assert answers in ([220, 421], [421]), answers
        server.stop()


def answers_of(client):
    codes = []
    while (code := client.reply()[0]) is not None:
        codes.append(code)
    client.close()
    return codes


@case("SIGHUP in bursts: listeners come and go, nobody who has connected is lost")
def sighup_in_burst(directory):
    with Server(directory, "acceptors = 2\nworkers = 4") as server:
        extra = free_port()
        for _ in range(5):
            server.write_configuration(listen=[*server.listen, f"127.0.0.1:{extra}"])
            server.signal(signal.SIGHUP)
            wait_for("the listener", lambda: connects(extra))
            server.write_configuration()
            clients = [Client(port, banner=None) for port in [server.port, extra] * (BURST // 2)]
            server.signal(signal.SIGHUP)
            for client in clients:
                client.expect(220)
                client.command("QUIT", 221)
                client.close()
            wait_for("the listener's end", lambda: not connects(extra))


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Crowd:
    """Threads that connect, and say QUIT, again and again until the block is left; `outcomes` counts what each came to."""

    def __init__(self, *ports, threads=8):
        self.ports, self.outcomes, self.goes_on = ports, collections.Counter(), True
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.goes_on = False
        for thread in self.threads:
            thread.join()

    def run(self, number):
        while self.goes_on:
            number += 1
            outcome = self.session(self.ports[number % len(self.ports)])
            self.outcomes[outcome] += 1
            if outcome == "refused":
                time.sleep(0.001)

    def session(self, port):
        try:
            peer = socket.create_connection(("127.0.0.1", port), 10 * PATIENCE)
        except OSError as error:
            return "refused" if isinstance(error, ConnectionRefusedError) else f"connect: {error}"
        with peer:
            try:
                banner = peer.recv(500)
                if not banner.startswith(b"220") or b"\r\n421" in banner:
                    return "421" if b"421" in banner else f"banner: {banner}"
                peer.sendall(b"QUIT\r\n")
                return peer.recv(200)[:3].decode() or "end before the reply"
            except OSError as error:
                return f"lost: {error}"

    def expect_nobody_lost(self, what):
        note(f"{what}: {dict(self.outcomes)}")
        assert not set(self.outcomes) - {"221", "421", "refused"}, self.outcomes
        assert self.outcomes["221"] > 0, self.outcomes


MODES = ("acceptors = 1\nworkers = 1", "acceptors = 3\nworkers = 3", "acceptors = 0\nworkers = 2")


@case("SIGTERM while clients connect all the time: nobody gets a reset, and nobody waits for nothing")
def sigterm_in_crowd(directory):
    for number, options in enumerate(MODES * 3):
        place = directory / str(number)
        place.mkdir()
        server = Server(place, options).start()
        with Crowd(server.port) as crowd:
            wait_for("the crowd", lambda those=crowd: those.outcomes["221"] > 100 / PATIENCE)
            took = server.stop()
            time.sleep(0.1)
        crowd.expect_nobody_lost(options)
        assert took < 8 * PATIENCE, took


@case("SIGHUP while clients connect all the time: a listener comes and goes, and comes back at once")
def sighup_in_crowd(directory):
    for options in MODES:
        with Server(directory, options) as server:
            extra = free_port()
            both = [*server.listen, f"127.0.0.1:{extra}"]
            with Crowd(server.port, extra) as crowd:
                for listen in [both, server.listen] * 4:
                    server.write_configuration(listen=listen)
                    server.signal(signal.SIGHUP)
                    time.sleep(0.1)
            crowd.expect_nobody_lost(options)
            equal(server.events("listen_failed"), [], "listen_failed")


@case("a reload that fails for want of its log has let nobody in at the new listener")
def reload_fails(directory):
    for options in MODES:
        with Server(directory, options) as server:
            extra = free_port()
            before = server.stderr().count("nothing has changed")
            with Crowd(server.port, extra) as crowd:
                for number in range(before, before + 20):
                    server.write_configuration(listen=[*server.listen, f"127.0.0.1:{extra}"])
                    path = directory / "gatepost.conf"
                    path.write_text(path.read_text().replace('log = "log"', 'log = "/nonexistent/log"'))
                    server.signal(signal.SIGHUP)
                    wait_for("the end", lambda count=number: server.stderr().count("nothing has changed") > count)
            crowd.expect_nobody_lost(options)


def take_descriptors(server, left):
    """Leaves so many to the server; gives the limits as they were."""
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    open_now = len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (open_now + left, limits[1]))
    return limits


@case("SIGTERM while descriptors are out: those in the queue are told as well")
def sigterm_without_descriptors(directory):
    for number, options in enumerate(MODES):
        place = directory / str(number)
        place.mkdir()
        server = Server(place, f"{options}\nshutdown_timeout = 5s").start()
        take_descriptors(server, 5)
        clients = [Client(server.port, banner=None) for _ in range(50)]
        wait_for("the log", lambda: any(line["event"] == "accept_failed" for line in server.log()))
        server.signal(signal.SIGTERM)
        for client in clients:
            answers = answers_of(client)
            assert answers in ([220, 421], [421]), answers
        server.stop()


@case("with few descriptors free, one that is given back is used at once")
def few_descriptors(directory):
    for options in MODES:
        with Server(directory, options) as server:
            limits = take_descriptors(server, 6)
            with Crowd(server.port) as crowd:
                # At 300 in a second, but for seconds in which the machine stands still.
                wait_for("sessions", lambda those=crowd: those.outcomes["221"] > 1500 / PATIENCE, 5)
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
            crowd.expect_nobody_lost(options)


@case("who is found in the queue after a long sleep has all its time")
def clock_after_sleep(directory):
    with Server(directory, "acceptors = 1\nworkers = 1\nidle_timeout = 2s") as server:
        extra = free_port()
        server.write_configuration(listen=[*server.listen, f"127.0.0.1:{extra}"])
        server.signal(signal.SIGHUP)
        wait_for("the listener", lambda: is_listening(extra))
        time.sleep(2.5)
        stopped = hang(server, "acceptor-0")
        clients = [Client(extra, banner=None) for _ in range(5)]
        server.write_configuration()
        server.signal(signal.SIGHUP)
        time.sleep(0.2)
        released = time.monotonic()
        release(stopped)
        for client in clients:
            client.expect(220)
            client.raw(b"QUIT\r\n")
            code = client.reply()[0]
            assert code == 221 or (code == 421 and time.monotonic() - released >= 2), f"{code} before its time was over"
            client.close()


@case("a change of acceptors takes a restart, which is said")
def restart(directory):
    with Server(directory, "acceptors = 1") as server:
        server.write_configuration(options="acceptors = 2")
        server.signal(signal.SIGHUP)
        wait_for("the log", lambda: {"restart_needed"} & {line["event"] for line in server.log()})
        equal([line["option"] for line in server.log() if line["event"] == "restart_needed"], ["acceptors"], "options")


@case("a listener that epoll does not take at first is told of and tried again")
def deaf_listener(directory):
    if shutil.which("strace") is None or SANITIZE == "address":
        raise Skip("strace is not there, or LeakSanitizer is, which needs ptrace for itself")
    # Calls are counted for each thread: of the worker's the first is for its listener, and those that follow are for clients.
    # The main thread makes a few.
    prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=epoll_ctl", "-e",
              "inject=epoll_ctl:error=ENOSPC:when=32..34"]
    server = Server(directory, "acceptors = 0\nworkers = 1").start(prefix)
    with server:
        for _ in range(30):
            with server.client() as client:
                client.command("QUIT", 221)
        extra = free_port()
        server.write_configuration(listen=[*server.listen, f"127.0.0.1:{extra}"])
        server.signal(signal.SIGHUP)
        wait_for("the listener", lambda: is_listening(extra))
        with Client(extra) as client:
            client.command("QUIT", 221)
        failures = wait_for("the log", lambda: server.events("listen_failed"))
        equal([line["address"] for line in failures], [f"127.0.0.1:{extra}"], "the log")


@case("numbers of threads that stay the same take no restart, and too many sessions are told at a reload as well")
def same_numbers(directory):
    cores = len(os.sched_getaffinity(0))
    with Server(directory, "connections_max = 100") as server:
        acceptors = (min(cores, 120) + 7) // 8
        server.write_configuration(options=f"acceptors = {acceptors}\nworkers = {min(cores, 120)}\nconnections_max = 9000000")
        server.signal(signal.SIGHUP)
        wait_for("the reload", lambda: "configuration reloaded" in server.stderr())
        equal([line["option"] for line in server.log() if line["event"] == "restart_needed"], [], "options")
        assert "sessions only" in server.stderr(), server.stderr()


@case("a PROXY listener says nothing before the header, and the header's client is served")
def proxy(directory):
    port = free_port()
    options = f'proxy_listen = {{"127.0.0.1:{port}"}}\nproxy_networks = {{"127.0.0.1"}}'
    with Server(directory, options) as server:
        with Client(port, banner=None) as client:
            client.socket.settimeout(0.5)
            try:
                raise AssertionError(client.socket.recv(100))
            except TimeoutError:
                client.socket.settimeout(10 * PATIENCE)
            client.raw(b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n")
            client.expect(220)
            client.command("QUIT", 221)
        wait_for("the log", server.sessions)
        equal(server.sessions()[0]["client"], "192.0.2.7", "client")


@case("a session's time counts from accept, also of a client that says nothing at first")
def silent(directory):
    with Server(directory, "idle_timeout = 2s") as server:
        began = time.monotonic()
        with server.client() as client:
            client.expect(421, "silence")
        took = time.monotonic() - began
        assert 1.9 < took < 2.2 + 5 * PATIENCE, took


if __name__ == "__main__":
    main()
