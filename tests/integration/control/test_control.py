#!/usr/bin/env python3
"""The control socket: who may open it, what it answers, and that nobody at it disturbs the mail."""

import os
import pathlib
import pwd
import re
import resource
import socket
import stat
import subprocess
import sys
import time

from common.control import OPTIONS, Control, command
from common.harness import IS_ROOT, PATIENCE, PROGRAM, SANITIZE, SECONDS, Server, Skip, case, equal, main, sanitizer_environment, thread_names, wait_for


def deliver(server):
    with server.client() as client:
        client.deliver(b"Subject: x\r\n")
        client.command("QUIT", 221)


@case("status, help and what is no order are answered in lines of JSON, several orders in a connection too")
def answers(directory):
    with Server(directory, OPTIONS) as server, Control(server) as control:
        deliver(server)
        wait_for("the end of the session", lambda: control.ask("status")[0]["sessions"] == 0)
        equal(control.ask("status"), [{"pid": server.process.pid, "state": "serving", "sessions": 0, "rung": "ease", "accepted": 1},
                                      {"ok": True}], "status")
        assert {"status", "reload"} <= {line.get("order") for line in control.ask("help")}
        equal(control.ask("stauts")[-1]["ok"], False)
        control.send(b"status\r\n\nstatus\nsta")
        equal([len(control.answer()) for _ in range(2)], [2, 2], "lines")
        control.send(b"tus")
        control.socket.shutdown(socket.SHUT_WR)
        equal(control.answer()[-1], {"ok": True}, "a last line without its end")
        equal(control.line(), None, "after the end")
        shown = command(server, "status")
        assert shown.returncode == 0 and f'"pid":{server.process.pid},' in shown.stdout, shown


@case("the order reload is answered with the outcome, and tells what is wrong with file and line; -c FILE may be that file")
def reloads(directory):
    with Server(directory, OPTIONS) as server, Control(server) as control:
        server.write_configuration(options=OPTIONS + "errors_max = 7\n")
        equal(control.ask("reload"), [{"ok": True}], "reload")
        wait_for("the reload in the log", lambda: len(server.events("reload")) == 1)
        server.write_configuration(options=OPTIONS + "errors_max = 7\nerors_max = 8\n")
        complaint, last = control.ask("reload")
        assert "gatepost.conf:" in complaint["complaint"] and "erors_max" in complaint["complaint"], complaint
        reason = f"nothing has changed: {complaint['complaint']}"
        assert re.search(r"gatepost\.conf:\d+: error: ", reason), reason
        equal(last, {"ok": False, "error": reason}, "outcome")
        wait_for("both orders in the log", lambda: len(server.events("order")) == 2)
        equal([line["outcome"] for line in server.events("order")],
              ["done", reason], "orders in the log")
        equal(server.events("order")[0]["uid"], os.geteuid(), "who")
        equal(command(server, "status").returncode, 0, "status by a file with faults")
        server.write_configuration(options="")
        equal(command(server, "status").returncode, 1, "status by a file without the option")
        deliver(server)


@case("the socket is its user's alone, goes with the server, replaces a dead one, and never a live one or a file")
def places(directory):
    path = directory / "control"
    with Server(directory, OPTIONS) as server:
        equal(stat.S_IMODE(path.stat().st_mode), 0o600, "mode")
        other = subprocess.run([PROGRAM, "serve", "--as-root", "-c", directory / "gatepost.conf"], capture_output=True, text=True,
                               timeout=SECONDS, env=sanitizer_environment(directory), check=False)
        equal(other.returncode, 1, "status of a second server")
        assert "another server listens there" in other.stderr, other.stderr
        equal(command(server, "status").returncode, 0, "status of the first")
        server.kill()
        assert path.is_socket(), "a killed server left no socket: the test proves nothing"
        gone = command(server, "status")
        equal(gone.returncode, 1)
        assert "no server listens there" in gone.stderr, gone.stderr
        server.start()
        equal(command(server, "status").returncode, 0, "status of the next")
    assert not path.exists(), "the socket stayed"
    path.write_text("mine")
    try:
        Server(directory, OPTIONS).start()
    except AssertionError as error:
        assert "there is a file, and no socket" in str(error), error
    else:
        raise AssertionError("it starts over a file")
    equal(path.read_text(), "mine")


@case("another user cannot open the socket, and where the mode is lost is told so")
def strangers(directory):
    if not IS_ROOT:
        raise Skip("takes root")
    stranger = pwd.getpwnam("nobody")
    script = ("import os, socket, sys\nos.setgid(int(sys.argv[2]))\nos.setuid(int(sys.argv[3]))\ns = socket.socket(socket.AF_UNIX)\n"
              "try: s.connect(sys.argv[1])\nexcept PermissionError: print('no way')\n"
              "else:\n    s.sendall(b'status\\n')\n    print(s.makefile().read())\n")

    def try_it():
        return subprocess.run([sys.executable, "-c", script, directory / "control", str(stranger.pw_gid), str(stranger.pw_uid)],
                              capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    with Server(directory, OPTIONS) as server:
        equal(try_it(), "no way\n")
        (directory / "control").chmod(0o666)
        told = try_it()
        assert '"ok":false' in told and '"pid"' not in told, told
        deliver(server)


@case("clients that hang, send without end, take nothing or come in numbers keep neither mail nor orders out")
def hostile(directory):
    with Server(directory, OPTIONS) as server:
        hanging = [Control(server) for _ in range(30)]
        with Control(server) as endless:
            endless.send(b"x" * 1024)
            equal(endless.answer()[-1]["ok"], False)
            equal(endless.line(), None, "after a line without end")
        with Control(server) as deaf:
            deaf.socket.setblocking(False)
            try:
                for _ in range(100000):
                    deaf.send(b"help\n" * 100)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass
            equal(command(server, "status").returncode, 0, "status beside one who takes nothing")
        for _ in range(20):
            with Control(server) as gone:
                gone.send(b"reload\n")
        wait_for("the orders of those who have gone", lambda: len(server.events("order")) == 20)
        equal(command(server, "status").returncode, 0, "status")
        deliver(server)
        for one in hanging:
            one.socket.close()


def thread_seconds(server):
    """What the control thread has used of processors."""
    [number] = [number for number, name in thread_names(server.process).items() if name == "control"]
    fields = pathlib.Path(f"/proc/{server.process.pid}/task/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case("without descriptors the socket waits, costs no time, and answers when there are some again")
def no_descriptors(directory):
    with Server(directory, OPTIONS + "workers = 1\ndelivery_threads = 1\n").start(limits=[(resource.RLIMIT_NOFILE, 256)]) as server:
        limit = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, 256))
        with Control(server) as control:
            control.send(b"status\n")
            before = thread_seconds(server)
            time.sleep(1)
            waiting = thread_seconds(server) - before
            assert waiting <= 0.1 * PATIENCE, f"{waiting} s of a second"
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (256, 256))
            equal(control.answer()[-1], {"ok": True}, "later")


@case("a stop waits for nobody at the socket, and tells those who wait")
def stops(directory):
    with Server(directory, OPTIONS) as server:
        with Control(server) as idle, Control(server) as half:
            for one in (idle, half):
                equal(one.ask("status")[-1], {"ok": True}, "before")
            half.send(b"stat")
            server.stop()
            equal((idle.line(), half.line()), (None, None), "after the stop")


@case("check-config tells of a folder that is missing, and of a path that is too long")
def checks(directory):
    server = Server(directory, 'control = "none/control"\n')
    found = command(server, "check-config")
    assert found.returncode == 1 and "none/control: its folder does not exist" in found.stderr + found.stdout, found
    server.write_configuration(options=f'control = "/{"x" * 100}"\n')
    found = command(server, "check-config", "--no-open")
    assert found.returncode == 1 and "1023 octets at most, and its last part 64" in found.stderr + found.stdout, found


@case("a path that has no room in a socket's address takes /proc, and whoever has none is told so")
def without_proc(directory):
    if not IS_ROOT or SANITIZE:
        raise Skip("takes root, and sanitizers read /proc")
    for name in ("near", "far" * 40):
        (directory / name).mkdir()
        server = Server(directory, f'control = "{directory / name}/control"\n')
        hidden = subprocess.run(["unshare", "--mount", "sh", "-c", 'umount -l /proc && exec "$@"', "sh", PROGRAM, "check-config", "-c",
                                 server.directory / "gatepost.conf"], capture_output=True, text=True, timeout=SECONDS)
        if name == "near":
            equal(hidden.returncode, 0, hidden.stderr)
        else:
            assert hidden.returncode == 1 and "its path is too long for a socket, where /proc is not there to help" in hidden.stderr, hidden
            equal(command(server, "check-config").returncode, 0, "with /proc")


if __name__ == "__main__":
    main()
