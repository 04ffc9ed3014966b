#!/usr/bin/env python3
"""Started as root: refused, unless the configuration names a user that the server then becomes, or --as-root says otherwise."""

import contextlib
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess

from common.harness import (IS_ROOT, PROGRAM, SECONDS, Server, Skip, case, equal, is_listening, main, need_program, run_program,
                            wait_for)

USER = "nobody"
CAP_NET_BIND_SERVICE = 1 << 10


def need_root():
    if not IS_ROOT:
        raise Skip("only root can become another user")


def for_user(directory):
    """The directory becomes the user's, as an operator would set it up."""
    entry = pwd.getpwnam(USER)
    for path in (directory, *directory.iterdir()):
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(["chown", f"{entry.pw_uid}:{entry.pw_gid}", path], check=True)
    return entry


def low_port():
    for port in range(1023, 700, -1):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise Skip("no port below 1024 is free")


def serve(directory, *arguments, prefix=()):
    command = [*prefix, PROGRAM, "serve", "-c", directory / "gatepost.conf", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)


@case("root is refused, and told by what it may go on; nothing is made")
def refused(directory):
    need_root()
    server = Server(directory)
    run = serve(directory)
    equal(run.returncode, 1, run.stderr)
    assert "started as root" in run.stderr and "option `user`" in run.stderr and "--as-root" in run.stderr, run.stderr
    equal(sorted(path.name for path in directory.iterdir()), ["gatepost.conf", "recipients.txt"], "files")
    with server:  # the harness says --as-root
        assert is_listening(server.port)


@case("every thread becomes the user with its groups alone, keeps low ports and nothing else, and its files are the user's")
def becomes(directory):
    need_root()
    server = Server(directory, options=f'user = "{USER}"\nsender_store = "lmdb:state"', recipients=("alice", "bob"))
    server.port = low_port()
    server.listen = [f"127.0.0.1:{server.port}"]
    server.write_configuration()
    entry = for_user(directory)
    with server:
        for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
            status = (task / "status").read_text()
            equal(re.search(r"^Uid:\t(.*)$", status, re.M)[1].split(), [str(entry.pw_uid)] * 4, "uids")
            equal(re.search(r"^Gid:\t(.*)$", status, re.M)[1].split(), [str(entry.pw_gid)] * 4, "gids")
            assert "0" not in re.search(r"^Groups:\t(.*)$", status, re.M)[1].split(), status
            for which in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                assert int(re.search(rf"^{which}:\t(.*)$", status, re.M)[1], 16) & ~CAP_NET_BIND_SERVICE == 0, status
        with server.client() as client:
            client.deliver(b"Subject: x\r\n")
            client.command("QUIT", 221)
        mail = next((directory / "mail/isp.example/alice/new").iterdir())
        for path in (mail, directory / "log", directory / "state/data.mdb"):
            equal(path.stat().st_uid, entry.pw_uid, f"owner of {path}")
        # Rotation and reload are the user's too; another low port can be had.
        (directory / "log").rename(directory / "log.1")
        port = low_port()
        server.write_configuration(listen=[*server.listen, f"127.0.0.1:{port}"], options='sender_store = "lmdb:state"')
        server.signal(signal.SIGHUP)
        wait_for("the other listener", lambda: is_listening(port))
        wait_for("the new log", lambda: any(line["event"] == "restart_needed" and line["option"] == "user" for line in server.log()))
        equal((directory / "log").stat().st_uid, entry.pw_uid, "owner of the new log")


@case("a user that is not there, that is root, or that may not read what is needed: refused at the start")
def wrong_users(directory):
    need_root()
    for user, words in (("no-such-user", "this machine has no such user"), ("root", "this is root")):
        Server(directory, options=f'user = "{user}"')
        for run in (serve(directory, "--as-root"), run_program("check-config", "-c", str(directory / "gatepost.conf"))):
            equal(run.returncode, 1, run.stderr)
            assert words in run.stderr, run.stderr
        equal(run_program("check-config", "--no-open", "-c", str(directory / "gatepost.conf")).returncode, 0, "as for another machine")
    Server(directory, options=f'user = "{USER}"')
    for_user(directory)
    (directory / "recipients.txt").write_text("alice\n")
    subprocess.run(["chown", "root", directory / "recipients.txt"], check=True)
    (directory / "recipients.txt").chmod(0o600)
    for run in (serve(directory), run_program("check-config", "-c", str(directory / "gatepost.conf"))):
        assert run.returncode == 1 and "recipients.txt" in run.stderr and "Permission denied" in run.stderr, run.stderr
    # The log is root's already.
    (directory / "recipients.txt").chmod(0o644)
    (directory / "log").write_text("")
    (directory / "log").chmod(0o600)
    for run in (serve(directory), run_program("check-config", "-c", str(directory / "gatepost.conf"))):
        assert run.returncode == 1 and "Permission denied" in run.stderr, run.stderr


@case("check-config as root reads every file as the user, and says what serve says")
def check_reads_as_user(directory):
    need_root()
    options = f'user = "{USER}"\ninclude("more.conf")\nsender_store = "redis://127.0.0.1:9"\nsender_password_file = "password"'
    Server(directory, options=options)
    (directory / "more.conf").write_text("recipients_max = 100\n")
    (directory / "password").write_text("secret\n")
    names = ("gatepost.conf", "more.conf", "password", "recipients.txt")
    for_user(directory)
    for name in names:
        (directory / name).chmod(0o600)
    check = ("check-config", "-c", str(directory / "gatepost.conf"))
    run = run_program(*check)
    equal(run.returncode, 0, run.stderr)
    for name in names:
        for_user(directory)
        subprocess.run(["chown", "root", directory / name], check=True)
        for run in (serve(directory), run_program(*check)):
            equal(run.returncode, 1, f"status for {name} of root ({run.stderr})")
            assert re.search(r"error: .*Permission denied", run.stderr) and name in run.stderr, run.stderr
        assert f"root can read all of it, {USER} cannot" in run.stderr, run.stderr
        equal(run_program(*check, "--no-open").returncode, 0, f"{name}, as for another machine")
        assert not (directory / "log").exists(), "check-config makes nothing"


@case("who is not root serves as itself, and cannot become another")
def not_root(directory):
    prefix = [need_program("setpriv"), "--reuid", USER, "--regid", str(pwd.getpwnam(USER).pw_gid), "--clear-groups"] if IS_ROOT else []
    who = USER if IS_ROOT else pwd.getpwuid(os.geteuid()).pw_name
    server = Server(directory, options='user = "daemon"')
    if IS_ROOT:
        for_user(directory)
    run = serve(directory, prefix=prefix)
    assert run.returncode == 1 and "only root can become another user" in run.stderr, run.stderr
    server.write_configuration(options=f'user = "{who}"')
    with server.start(prefix):
        with server.client() as client:
            client.command("QUIT", 221)


if __name__ == "__main__":
    main()
