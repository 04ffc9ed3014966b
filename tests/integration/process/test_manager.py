#!/usr/bin/env python3
"""serve under a service manager, which is told what the server does, and what came of a reload; and its watchdog."""

import contextlib
import os
import re
import signal
import time

from common.control import OPTIONS, command
from common.hang import hang_at_call, release
from common.harness import PATIENCE, Client, Server, case, equal, is_listening, main, wait_for
from common.manager import Manager

WATCHDOG_MS = 400


# ---- words -------------------------------------------------------------------------------------------------------

@case("serve tells the service manager that it is ready once it listens, by a path or an abstract name")
def ready(directory):
    for name in (str(directory / "notify"), f"\0gatepost-test-{os.getpid()}"):
        with Manager(name) as manager, manager.serve(Server(directory)) as server:
            equal(manager.word(), {"READY": "1", "STATUS": "serving"}, "word")
            assert is_listening(server.port)
            assert "service manager" not in server.stderr(), server.stderr()


@case("a service manager that cannot be told is named, and the server runs all the same")
def nobody(directory):
    for name in (str(directory / "nobody"), "x", "/" + 200 * "x"):
        with Server(directory).start(prefix=("env", f"NOTIFY_SOCKET={name}")) as server, server.client() as client:
            client.command("QUIT", 221)
            words = "gatepost: cannot tell the service manager that it is ready"
            wait_for(words, lambda: words in server.stderr())


@case("a reload is told with its moment, and its end with the outcome and, where it has failed, with file and line; so is a stop")
def words(directory):
    with Manager(str(directory / "notify")) as manager:
        with manager.serve(Server(directory, options="shutdown_timeout = 7s")) as server:
            manager.word()
            for options, status in (("", r"serving; reloaded at [-\dT:]+Z"),
                                    ("idle_timeout = never", r"serving; a reload has failed at [-\dT:]+Z: .*gatepost.conf:\d+: error: .*")):
                began = time.monotonic()
                server.write_configuration(options="shutdown_timeout = 7s\n" + options)
                server.signal(signal.SIGHUP)
                word = manager.word()
                equal(word.pop("RELOADING"), "1", "word")
                assert began <= int(word["MONOTONIC_USEC"]) / 1e6 <= time.monotonic(), word
                word = manager.word()
                equal(word.pop("READY"), "1", "word")
                assert re.fullmatch(status, word["STATUS"]), word
        word = manager.word()
        equal(word.pop("STOPPING"), "1", "word")
        assert 7_000_000 < int(word["EXTEND_TIMEOUT_USEC"]) < 60_000_000, word


# ---- watchdog ----------------------------------------------------------------------------------------------------

def expect_silence(manager, server, name, stopped):
    """No beat comes while a thread stands still, the log names it, and beats come again when it goes on."""
    def told(what):
        if name == "worker-0":
            return server.events(f"worker_{what}")
        return [line for line in server.events(f"thread_{what}") if line["thread"] == name]
    try:
        wait_for(f"{name} in the log", lambda: told("stalled"))
        wait_for("the last beat", lambda: manager.beats(WATCHDOG_MS / 1000) == 0)  # which may be on its way still
        equal(manager.beats(3 * WATCHDOG_MS / 1000), 0, f"beats without {name}")
    finally:
        release(stopped)
    wait_for("a beat", lambda: manager.beats(1))
    wait_for(f"{name} turns", lambda: told("turns"))


@case("the watchdog gets its beat while workers, acceptors and the main thread turn, and none while one of them does not")
def watchdog(directory):
    with Manager(str(directory / "notify")) as manager, contextlib.ExitStack() as stack:
        server = Server(directory, options="core_dumps = yes\nacceptors = 1\nworkers = 1")
        stack.enter_context(manager.serve(server, f"WATCHDOG_USEC={WATCHDOG_MS * 1000}"))
        manager.word()
        # Not while the machine stands still.
        wait_for("enough beats", lambda: manager.beats(2 * PATIENCE) >= 5)
        client = stack.enter_context(server.client())
        for name, thread, call, trigger in (
                ("acceptor-0", "acceptor-0", "epoll_ctl", lambda: stack.enter_context(Client(server.port, banner=None))),
                ("worker-0", "worker-0", "sendto", lambda: client.raw(b"NOOP\r\n")),
                ("main", "main", "sendto", lambda: server.signal(signal.SIGHUP))):
            expect_silence(manager, server, name, hang_at_call(server, thread, call, trigger))


@case("nobody is told of beats who does not ask for them, or asks another process")
def no_watchdog(directory):
    for number, environment in enumerate(((), ("WATCHDOG_USEC=100000", "WATCHDOG_PID=1"))):
        with Manager(str(directory / f"notify{number}")) as manager, manager.serve(Server(directory), *environment):
            manager.word()
            equal(manager.beats(0.5), 0, "beats")


# ---- gatepost reload, which the unit runs for systemctl reload -----------------------------------------------------

@case("gatepost reload tells what came of it: a success with its warnings, or why not, with file and line")
def outcomes(directory):
    options = OPTIONS + "dns_threads = 2"
    with Server(directory, options=options, recipients=[f"user{n}" for n in range(100)]) as server:
        def reload(expected):
            found = command(server, "reload")
            equal(found.returncode, expected, found.stderr)
            return found.stderr
        equal(reload(0), "", "told")
        server.write_configuration(options=options.replace("2", "3"))
        assert "warning: a change of dns_threads takes a restart" in reload(0)
        server.write_configuration(options=options + "\nidle_timeout = never")
        assert re.search(r"gatepost.conf:\d+: error: idle_timeout", reload(1))
        server.write_configuration()
        server.write_recipients(["user1"])  # which the server alone knows to be too few
        assert "recipients" in reload(1)
    equal(command(server, "reload").returncode, 1, "status without a server")


if __name__ == "__main__":
    main()
