#!/usr/bin/env python3
"""gatepost upgrade: a new process takes over while clients come, and one that does not come up changes nothing."""

import collections
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from common.activation import LAUNCH, listening, port_of, server_for, start
from common.control import Control, command
from common.harness import (IS_ROOT, PATIENCE, PROGRAM, SECONDS, Client, Server, Skip, case, equal, free_port, is_listening, low_port,
                            main, need_program, note, run_program, wait_for)
from common.manager import Manager
from common.upgrade import Upgradable, install, pid_of
from common.web import get, wait_for_status


def talk(server):
    with server.client() as client:
        client.deliver(b"Subject: x\r\n")
        client.command("QUIT", 221)


def look_in(server):
    with server.client() as client:
        client.command("QUIT", 221)


# ---- under load --------------------------------------------------------------------------------------------------

class Load:
    """Clients one after the other, in some threads, until the block is left. Half of them bring mail, the others only look
    in. Nobody may be refused, reset or cut off."""

    def __init__(self, server, threads=6):
        self.server, self.failed, self.is_over = server, [], threading.Event()
        self.counts = [0] * threads
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(threads)]

    def run(self, number):
        try:
            while not self.is_over.is_set():
                if number % 2 == 0:
                    talk(self.server)
                else:
                    look_in(self.server)
                self.counts[number] += 1
        except Exception as error:  # any failure of a client is the test's
            self.failed.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.more()
        return self

    def more(self):
        """Each of them has served another client since now."""
        before = list(self.counts)
        wait_for("more clients", lambda: self.failed or all(now > then + 1 for now, then in zip(self.counts, before)))
        equal(self.failed, [], "clients that failed")

    def __exit__(self, *ignored):
        self.is_over.set()
        for thread in self.threads:
            thread.join(SECONDS)
        equal(self.failed, [], "clients that failed")


def expect_every_mail_once(server, count):
    def all_ids():
        return [transaction["id"] for session in server.sessions() for transaction in session["transactions"]]
    equal(len(server.mails()), count, "mails")
    wait_for("all sessions in the log", lambda: len(all_ids()) >= count)
    ids = all_ids()
    equal(len(ids), count, "transactions in the log")
    equal(len(set(ids)), count, "different ids")


@case("two upgrades under load, with acceptors and without: nobody is refused or reset, and who was there completes his mail")
def under_load(directory):
    for acceptors in (2, 0):
        place = directory / str(acceptors)
        place.mkdir()
        options = f'acceptors = {acceptors}\nworkers = 2\nsender_store = "lmdb:state"\ngreylist {{ mode = observe }}\n'
        with Upgradable(place, options=options) as server, server.client() as first, server.client() as idle:
            first.begin()
            with Load(server) as load:
                server.upgrade()
                load.more()
                idle.command("EHLO client.example.com", 250)
                with server.client() as second:
                    second.begin()
                    server.upgrade()
                    load.more()
                    second.finish(b"Subject: second\r\n")
                    second.command("QUIT", 221)
            first.finish(b"Subject: first\r\n")
            first.command("QUIT", 221)
            idle.deliver(b"Subject: idle\r\n", helo=None)
            idle.command("QUIT", 221)
            server.await_former()
            expect_every_mail_once(server, sum(load.counts[::2]) + 3)
            equal([line["predecessor"] for line in server.events("taken_over")], [line["pid"] for line in server.events("handed_over")])
            equal(server.events("clients_left"), [], "clients_left")
            note(f"{sum(load.counts)} clients, {[line['took_ms'] for line in server.events('handed_over')]} ms")


@case("the old process serves its sessions for upgrade_sessions_timeout, then it stops as by SIGTERM; SIGHUP opens its log alone")
def time_is_over(directory):
    with Upgradable(directory, options=f"shutdown_timeout = {SECONDS}s\nupgrade_sessions_timeout = {max(4, PATIENCE)}s\n") as server:
        with server.client() as idle, server.client() as slow:
            slow.begin()
            server.upgrade()
            for number in (signal.SIGHUP, signal.SIGUSR1):
                before = len(server.events("log_opened"))
                server.before[0].send_signal(number)
                wait_for("the log is open anew", lambda: len(server.events("log_opened")) > before)
            idle.expect(421)
            slow.finish(b"Subject: x\r\n")
        talk(server)
        server.await_former()
        equal(server.events("reload"), [], "reloads")


# ---- what does not come up ---------------------------------------------------------------------------------------

PYTHON = "#!/usr/bin/env python3\nimport os, socket, sys, time\n" \
    "channel = socket.socket(fileno=1 + int(os.environ['LISTEN_FDS']))\nchannel.recv(99)\n"
BROKEN = {
    "#!/bin/sh\necho no way >&2\nexit 7\n": ("status 7", "no way"),
    "#!/bin/sh\nkill -9 $$\n": ("signal 9", ""),
    "#!/nowhere\n": ("status 127", "cannot run"),
    "#!/bin/sh\nexec sleep 1000\n": ("not ready in time", ""),
    PYTHON + "channel.send(b'?')\ntime.sleep(1000)\n": ("nobody understands", ""),
    PYTHON + "channel.send(b'r')\nsys.exit(5)\n": ("has ended", ""),
    PYTHON + "channel.send(b'r')\nchannel.recv(9)\ntime.sleep(1000)\n": ("not ready in time", ""),  # takes ten seconds
    PYTHON + "channel.send(b'r')\nchannel.recv(1)\nos.unlink(os.path.dirname(sys.argv[-1]) + '/control')\n"
    "print('gone', file=sys.stderr)\nos.abort()\n": ("signal 6", "gone"),
}


@case("a new program that is missing, exits, hangs, talks nonsense, or crashes when it is ready changes nothing; a good one then takes over")
def broken(directory):
    program = directory / "gatepost"
    install(program)
    of_listeners = {text: told for text, told in BROKEN.items() if "channel.recv(1)" in text}
    for acceptors, programs in ((0, of_listeners), (1, BROKEN)):
        place = directory / str(acceptors)
        place.mkdir()
        server = Upgradable(place, options=f'acceptors = {acceptors}\nhttp {{ listen = "unix:{place}/http.sock" }}\n')
        with server.start(program=program):
            pid = pid_of(server)
            program.unlink()
            expect_nothing_changed(server, pid, "status 127", "No such file")
            for text, (reason, said) in programs.items():
                install(program, text)
                # Only one that is to be late has little time: the machine may be busy.
                server.write_configuration(options=server.options + "upgrade_start_timeout = "
                                           f"{1 if reason == 'not ready in time' else SECONDS}s\n")
                server.reload()
                expect_nothing_changed(server, pid, reason, said)
            install(program)
            program.chmod(0o644)
            expect_nothing_changed(server, pid, "status 127", "Permission denied")
            program.chmod(0o755)
            server.write_configuration(options=server.options + "idle_timeout = never")
            expect_nothing_changed(server, pid, "status 1", "gatepost.conf:")
            server.write_configuration()
            equal(server.counters()["upgrades_failed"], len(programs) + 3, "upgrades_failed")
            server.upgrade()
            talk(server)
            wait_for_status(place / "http.sock", "/ready", 200)


def expect_nothing_changed(server, pid, reason, said):
    failures = len(server.events("upgrade_failed")) + 1
    done = command(server, "upgrade")
    equal(done.returncode, 1, done.stdout)
    assert reason in done.stderr and said in done.stderr and "nothing has changed" in done.stderr, done.stderr
    events = wait_for("the event", lambda: len(found := server.events("upgrade_failed")) == failures and found)
    assert reason in events[-1]["reason"] and said in events[-1]["said"], events[-1]
    equal(pid_of(server), pid, "who serves")
    talk(server)
    wait_for_status(server.directory / "http.sock", "/ready", 200)


@case("a stop ends an upgrade that waits, and the new process with it")
def stopped(directory):
    program = directory / "gatepost"
    install(program)
    with Upgradable(directory).start(program=program) as server, Control(server) as control:
        install(program, f"#!/bin/sh\necho $$ >{directory}/pid\nexec sleep 1000\n")
        control.send(b"upgrade\n")
        wait_for("the new process", lambda: (directory / "pid").exists() and (directory / "pid").read_text())
        server.signal(signal.SIGTERM)
        equal(server.process.wait(SECONDS), 0, "status")
        process = pathlib.Path(f"/proc/{(directory / 'pid').read_text().strip()}")

        def is_over():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                return status_of(process, "State").startswith("Z")
            return True
        wait_for("its end", is_over)


@case("an upgrade is refused while it drains, without a launcher, and by who has handed over; it waits for a reload")
def refused(directory):
    with Upgradable(directory, options="drain_wait = 1h\n") as server, Control(server) as control, Control(server) as other, \
            server.client():
        control.ask("drain")
        assert "it drains" in control.ask("upgrade")[-1]["error"]
        control.ask("undrain")
        control.send(b"reload\n")
        other.send(b"upgrade\nupgrade\nstatus\n")
        equal(control.answer(), [{"ok": True}], "reload")
        equal(other.answer()[-1], {"ok": True}, "upgrade")
        assert "another process has taken over" in other.answer()[-1]["error"]
        assert control.ask("reload")[-1]["ok"] is False
        server.follow()
        talk(server)
    (directory / "plain").mkdir()
    with Upgradable(directory / "plain", options="hot_upgrade = no\n") as server, Control(server) as control:
        assert "no launcher" in control.ask("upgrade")[-1]["error"]


@case("as the first process of a container, whose end is that of all others there, it refuses an upgrade")
def first_of_container(directory):
    if not IS_ROOT:
        raise Skip("a namespace of processes takes root")
    server = Upgradable(directory)
    with server.start(prefix=(need_program("unshare"), "--pid", "--fork", "--kill-child")):
        equal(pid_of(server), 1, "its number there")
        done = command(server, "upgrade")
        assert done.returncode == 1 and "the first process of its container" in done.stderr, done
        talk(server)
        outer = server.process.pid
        os.kill(int(pathlib.Path(f"/proc/{outer}/task/{outer}/children").read_text()), signal.SIGTERM)
        server.process.wait(SECONDS)


@case("an order that has waited for an upgrade hears that another process serves, also where the old one ends at once")
def waited(directory):
    with Upgradable(directory) as server, Control(server) as control, Control(server) as other, Control(server) as third:
        for each, order in ((control, b"upgrade\n"), (other, b"reload\n"), (third, b"drain\n")):
            each.send(order)
            time.sleep(0.01)
        equal(control.answer()[-1], {"ok": True}, "upgrade")
        for each in (other, third):
            assert "another process has taken over" in each.answer()[-1]["error"]
        server.follow()
        talk(server)


# ---- what surrounds it -------------------------------------------------------------------------------------------

@case("a changed configuration comes with the new process: listeners go and come, HTTP and the control socket move")
def changed(directory):
    with Upgradable(directory, options=f'http {{ listen = "unix:{directory}/http.sock" }}\n') as server:
        first = server.port
        server.port += 1
        server.listen = [f"127.0.0.1:{server.port}"]
        server.options = f'control = "control2"\nacceptors = 0\nhttp {{ listen = "unix:{directory}/http2.sock" }}\n'
        shutil.copy(directory / "gatepost.conf", directory / "old.conf")  # which names the control socket that there is
        server.write_configuration()
        done = run_program("upgrade", "-c", directory / "old.conf")
        equal(done.returncode, 0, done.stderr)
        server.follow()
        talk(server)
        wait_for_status(directory / "http2.sock", "/ready", 200)
        server.await_former()
        assert not (directory / "control").exists() and not (directory / "http.sock").exists(), "files of the old process stay"
        wait_for("the end of the old listener", lambda: [line for line in server.events("listener_closed")
                                                         if line["address"] == f"127.0.0.1:{first}"])
        wait_for("nobody there", lambda: not is_listening(first))


@case("whoever asks by HTTP is answered through upgrades, by address and by unix socket")
def http(directory):
    for web in (free_port(), str(directory / "http.sock")):
        place = directory / str(isinstance(web, int))
        place.mkdir()
        listen = f"127.0.0.1:{web}" if isinstance(web, int) else f"unix:{web}"
        statuses, is_over = collections.Counter(), threading.Event()

        def ask(web=web, statuses=statuses, is_over=is_over):
            while not is_over.is_set():
                try:
                    statuses[get(web, "/health").status] += 1
                except OSError as error:  # such as a refusal
                    statuses[repr(error)] += 1

        with Upgradable(place, options=f'http {{ listen = "{listen}" }}\n') as server:
            wait_for_status(web, "/health", 200)
            threads = [threading.Thread(target=ask) for _ in range(3)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(4):
                    server.upgrade()
            finally:
                is_over.set()
                for thread in threads:
                    thread.join(SECONDS)
        equal(list(statuses), [200], f"statuses of {statuses.total()} requests")


@case("where the log is standard error, it goes on there through two upgrades")
def standard_error(directory):
    with Upgradable(directory) as server:
        server.write_configuration()
        text = (directory / "gatepost.conf").read_text().replace('log = "log"', 'log = "stderr"')
        (directory / "gatepost.conf").write_text(text)
        equal(command(server, "reload").returncode, 0, "reload")
        for _ in range(2):
            server.upgrade()
            talk(server)
        server.await_former()
        wait_for("both sessions", lambda: server.stderr().count('"event":"session"') == 2)
        equal(server.stderr().count('"event":"taken_over"'), 2, "taken_over")


def told(manager):
    """The next word that is no beat."""
    while (word := manager.word()) == {"WATCHDOG": "1"}:
        pass
    return word


@case("systemd's own sockets stay its own; it is told of the new process, and hears its beats and no more words of the old one")
def service_manager(directory):
    with listening() as given, Manager(str(directory / "notify")) as manager:
        server = server_for(directory, port_of(given), "", Upgradable)
        with start(server, [given], environment={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"}):
            equal(told(manager)["READY"], "1", "word")
            server.upgrade()
            word = told(manager)
            equal((word["MAINPID"], word["READY"]), (str(server.process.pid), "1"), "word")
            server.await_former()
            wait_for("a beat", lambda: manager.beats(PATIENCE))
            talk(server)
            equal(server.events("socket_unused"), [], "socket_unused")
        with Client(server.port, banner=None) as early:
            server = Server(directory)
            server.port = port_of(given)
            server.listen = [f"127.0.0.1:{server.port}"]
            server.write_configuration()
            with start(server, [given]):
                early.expect(220)
                early.command("QUIT", 221)


@case("a start as root that became another user hands its low port over, and the capability where that is kept")
def privileges(directory):
    if not IS_ROOT:
        raise Skip("a low port takes root")
    user = pwd.getpwnam("nobody")
    for kept, capabilities in (("no", 0), ("yes", 1 << 10)):
        place = directory / kept
        place.mkdir()
        server = Upgradable(place, options=f'user = "nobody"\nkeep_bind_capability = {kept}\n')
        server.port = low_port()
        server.listen = [f"127.0.0.1:{server.port}"]
        server.write_configuration()
        subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", place], check=True)
        with server:
            for _ in range(2):
                server.upgrade()
                talk(server)
                server.await_former()
                status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
                assert f"CapEff:\t{capabilities:016x}" in status and f"Uid:\t{user.pw_uid}\t" in status and "NoNewPrivs:\t1" in status, status


def status_of(process, name):
    return next(line.split("\t", 1)[1] for line in (process / "status").read_text().splitlines() if line.startswith(f"{name}:\t"))


def launcher_of(pid):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if (status_of(process, "Name"), status_of(process, "PPid")) == ("launcher", str(pid)):
                return process
    return None


@case("the launcher has the server's user, none of its descriptors, and hidden memory, and ends with it, also where that is killed")
def launcher(directory):
    if not IS_ROOT:
        raise Skip("another user takes root")
    user = pwd.getpwnam("nobody")
    server = Upgradable(directory, options='user = "nobody"\ncore_dumps = yes\n')
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", directory], check=True)
    for number in (signal.SIGTERM, signal.SIGKILL):
        server.start()
        pid = pid_of(server)
        process = wait_for("the launcher", lambda number=pid: launcher_of(number))  # it names itself, and closes what is not its own
        wait_for("its descriptors", lambda process=process: len(os.listdir(process / "fd")) <= 4)
        equal(status_of(process, "Uid").split(), [str(user.pw_uid)] * 4, "user")
        equal((status_of(process, "CapPrm"), status_of(process, "NoNewPrivs")), ("0" * 16, "1"), "powers")
        equal(len(os.listdir(process / "fd")), 4, "descriptors: three of any process, and its socket to the server")
        equal([pathlib.Path(f"/proc/{each}/mem").stat().st_uid for each in (pid, process.name)], [user.pw_uid, 0], "owners of memory")
        server.signal(number)
        equal(server.process.wait(SECONDS), 0 if number == signal.SIGTERM else -number, "status")
        wait_for("the launcher's end", lambda process=process: status_of(process, "State").startswith("Z"))  # its parent is the test


@case("a new process that is kept waiting before its sandbox may not be looked into by others of its user")
def hidden(directory):
    if not IS_ROOT:
        raise Skip("another user takes root")
    user = pwd.getpwnam("nobody")
    server = Server(directory)
    server.write_configuration()
    predecessor, channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    output, errors = os.pipe()
    command_line = [sys.executable, "-c", LAUNCH, f"{channel.fileno()} {errors}", "gatepost-channel:gatepost-stderr", "", need_program("setpriv"),
                    f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", PROGRAM, "serve", "-c", directory / "gatepost.conf"]
    with predecessor, channel, subprocess.Popen(command_line, pass_fds=(channel.fileno(), errors), stderr=subprocess.DEVNULL) as process:
        memory = pathlib.Path(f"/proc/{process.pid}/mem")
        wait_for("no way into its memory", lambda: process.poll() is not None or
                 (memory.with_name("comm").read_text() == "gatepost\n" and memory.stat().st_uid == 0))
        equal(process.poll(), None, "status of one that waits")
        process.kill()
    os.close(output)
    os.close(errors)


if __name__ == "__main__":
    main()
