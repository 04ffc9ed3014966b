#!/usr/bin/env python3
"""Started as root: refused, unless the configuration names a user that the server then becomes, or --as-root says otherwise."""

import contextlib
import os
import pathlib
import pwd
import re
import resource
import signal
import socket
import subprocess

from common.harness import (IS_ROOT, PROGRAM, SANITIZE, SECONDS, Server, Skip, case, equal, free_port, is_listening, low_port, main, need_program, run_program,
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


def tasks(server):
    """What the kernel says of each thread: its name, and the fields of its status."""
    found = {}
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = (task / "status").read_text()
            found[task.name] = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return found


def expect_powers(server, entry, capabilities=0, bounding=0):
    """Every thread is this user with these capabilities, in the sandbox, and can come to no others."""
    def have_names():
        """A thread names itself once it runs."""
        names = {fields["Name"].split("-")[0] for fields in tasks(server).values()}
        return {"gatepost", "worker", "acceptor", "delivery", "resolver", "senders"} <= names
    wait_for("all threads", have_names)
    threads = tasks(server)
    groups = [str(group) for group in sorted(os.getgrouplist(entry.pw_name, entry.pw_gid))]
    for fields in threads.values():
        equal(fields["Uid"].split(), [str(entry.pw_uid)] * 4, f"uids of {fields['Name']}")
        equal(fields["Gid"].split(), [str(entry.pw_gid)] * 4, f"gids of {fields['Name']}")
        equal(sorted(fields["Groups"].split()), groups, f"groups of {fields['Name']}")
        for which in ("CapPrm", "CapEff"):
            equal(int(fields[which], 16), capabilities, f"{which} of {fields['Name']}")
        for which in ("CapInh", "CapAmb"):
            equal(int(fields[which], 16), 0, f"{which} of {fields['Name']}")
        equal(int(fields["CapBnd"], 16), bounding, f"CapBnd of {fields['Name']}")
        equal(fields["NoNewPrivs"], "1", f"no_new_privs of {fields['Name']}")
        equal(fields["Seccomp"], "2", f"filter of {fields['Name']}")


def low_server(directory, options=""):
    server = Server(directory, options=f'user = "{USER}"\nsender_store = "lmdb:state"\nacceptors = 2\n{options}')
    server.port = low_port()
    server.listen = [f"127.0.0.1:{server.port}"]
    server.write_configuration()
    return server


@case("every thread becomes the user with its groups, without any capability, and its files are the user's alone")
def becomes(directory):
    need_root()
    server = low_server(directory)
    entry = for_user(directory)
    with server.start(limits=[(resource.RLIMIT_CORE, 4096)]):
        expect_powers(server, entry)
        if not SANITIZE:  # whose leak check looks into the process
            equal(pathlib.Path(f"/proc/{server.process.pid}/fd").stat().st_uid, 0, "owner of what the process shows (not dumpable)")
            limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
            assert re.search(r"^Max core file size +0 ", limits, re.M), limits
        with server.client() as client:
            client.deliver(b"Subject: x\r\n")
            client.command("QUIT", 221)
        mail = next((directory / "mail/isp.example/alice/new").iterdir())
        for path in (mail, directory / "log", directory / "state/data.mdb"):
            equal(path.stat().st_uid, entry.pw_uid, f"owner of {path}")
            equal(path.stat().st_mode & 0o77, 0, f"rights of others to {path}")


@case("a reload as the user: the log, the recipients and a high port open; a low port is refused, and the ways to one are told")
def reloads(directory):
    need_root()
    server = low_server(directory)
    entry = for_user(directory)
    with server:
        (directory / "log").rename(directory / "log.1")
        port = free_port()
        server.write_recipients(["alice", "bob", "carol"])
        server.listen.append(f"127.0.0.1:{port}")
        server.write_configuration(options='sender_store = "lmdb:state"')
        server.signal(signal.SIGHUP)
        wait_for("the other listener", lambda: is_listening(port))
        wait_for("the new log", lambda: any(line["option"] == "user" for line in server.events("restart_needed")) and server.events("reload"))
        equal((directory / "log").stat().st_uid, entry.pw_uid, "owner of the new log")
        server.write_configuration(options='sender_store = "lmdb:state"\nuser = "root"')
        server.reload()
        told = f"a change of user takes a restart: until then the server stays {USER}, whom it became at its start"
        wait_for("what the user is", lambda: told in server.stderr())
        subprocess.run(["chown", "root", directory / "recipients.txt"], check=True)
        (directory / "recipients.txt").chmod(0o600)
        denied = server.ask(signal.SIGHUP, "reload_failed")["complaints"]
        assert f"recipients.txt: Permission denied; tried as {USER}, it belongs to root:" in denied, denied
        (directory / "recipients.txt").chmod(0o644)
        low = low_port()
        server.write_configuration(listen=[*server.listen, f"127.0.0.1:{low}"])
        failure = server.ask(signal.SIGHUP, "reload_failed")["complaints"]
        for words in (f"127.0.0.1:{low}", "restart", "socket activation", "keep_bind_capability"):
            assert words in failure, failure
        assert is_listening(port) and not is_listening(low), "nothing changes"
        with server.client() as client:
            client.command("QUIT", 221)


@case("keep_bind_capability keeps this one capability, and a reload opens a low port; core_dumps lets the process be read")
def keeps(directory):
    need_root()
    server = low_server(directory, "keep_bind_capability = yes\ncore_dumps = yes")
    entry = for_user(directory)
    with server:
        expect_powers(server, entry, CAP_NET_BIND_SERVICE, bounding=CAP_NET_BIND_SERVICE)
        equal(pathlib.Path(f"/proc/{server.process.pid}/fd").stat().st_uid, entry.pw_uid, "owner of what the process shows")
        port = low_port()
        server.write_configuration(listen=[*server.listen, f"127.0.0.1:{port}"])
        server.signal(signal.SIGHUP)
        wait_for("the other listener", lambda: is_listening(port))
        server.write_configuration(options=f'user = "{USER}"\nsandbox = off\ncore_dumps = no')
        server.signal(signal.SIGHUP)
        wait_for("what takes a restart", lambda: {"sandbox", "core_dumps", "keep_bind_capability"} <=
                 {line["option"] for line in server.events("restart_needed")})


@case("an ambient capability, as systemd gives it, is used and given up")
def ambient(directory):
    need_root()
    server = low_server(directory)
    entry = for_user(directory)
    prefix = [need_program("setpriv"), "--reuid", USER, "--regid", str(entry.pw_gid), "--init-groups",
              "--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service", "--bounding-set", "-all,+net_bind_service"]
    with server.start(prefix):
        expect_powers(server, entry, bounding=CAP_NET_BIND_SERVICE)  # only root can empty it, but no_new_privs makes it void


@case("a port that somebody has: told with its reason, in the log too, as when it was bound with the user's rights")
def taken(directory):
    need_root()
    server = low_server(directory)
    for_user(directory)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))
        other.listen()
        run = serve(directory)
    equal(run.returncode, 1, run.stderr)
    assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use" in run.stderr, run.stderr


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
    group = (directory / "recipients.txt").group()
    for run in (serve(directory), run_program("check-config", "-c", str(directory / "gatepost.conf"))):
        told = f"recipients.txt: Permission denied; tried as {USER}, it belongs to root:{group} with mode 0600"
        assert run.returncode == 1 and told in run.stderr, run.stderr
    # The log is root's already.
    (directory / "recipients.txt").chmod(0o644)
    (directory / "log").write_text("")
    (directory / "log").chmod(0o600)
    for run in (serve(directory), run_program("check-config", "-c", str(directory / "gatepost.conf"))):
        assert run.returncode == 1 and f"Permission denied; tried as {USER}, it belongs to root:root with mode 0600" in run.stderr, run.stderr
    # A folder on the way is named.
    (directory / "closed").mkdir(mode=0o700)
    server = Server(directory, options=f'user = "{USER}"\ninclude("closed/more.conf")')
    (directory / "closed/more.conf").write_text("recipients_max = 100\n")
    run = run_program("check-config", "-c", str(server.directory / "gatepost.conf"))
    told = f"closed/more.conf: Permission denied; tried as {USER}, the folder {directory}/closed belongs to root:root with mode 0700"
    assert run.returncode == 1 and told in run.stderr, run.stderr


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


@case("check-config tells of a log that a rotation must make anew, because its user may not")
def rotation(directory):
    need_root()
    Server(directory, options=f'user = "{USER}"')
    entry = for_user(directory)
    check = ("check-config", "-c", str(directory / "gatepost.conf"))
    (directory / "log").write_text("")
    os.chown(directory / "log", entry.pw_uid, entry.pw_gid)
    equal("rotates" in run_program(*check).stderr, False, "told of a folder of the user's")
    os.chown(directory, 0, 0)
    run = run_program(*check)
    assert run.returncode == 0 and "whoever rotates it must make the next one" in run.stderr, run.stderr


@case("gatepost greylist as root makes a store that the user can open")
def greylist(directory):
    need_root()
    server = Server(directory, options=f'user = "{USER}"\nsender_store = "lmdb:{directory}/state"')
    for_user(directory)
    run = run_program("greylist", "allow", "-c", str(directory / "gatepost.conf"), "192.0.2.1")
    equal(run.returncode, 0, run.stderr)
    equal({path.owner() for path in (directory / "state", *(directory / "state").iterdir())}, {USER}, "owners")
    with server.start():
        with server.client() as client:
            client.command("QUIT", 221)


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
