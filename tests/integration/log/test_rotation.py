#!/usr/bin/env python3
"""logrotate with the file that is installed, on the log of a server that runs: no line is lost, and the server writes to the new file."""

import json
import os
import pwd
import subprocess
import threading

from common.control import OPTIONS
from common.harness import IS_ROOT, PROGRAM, ROOT, Client, Server, case, equal, main, need_program, wait_for

ROTATIONS = 5
CLIENTS = 3
USER = "nobody"


def write_rules(directory):
    """The installed file, for the folders and the user of this test. Who is not root rotates as himself."""
    text = (ROOT / "conf/logrotate/gatepost.in").read_text().replace("@LOGDIR@", str(directory)).replace("@PROGRAM@", str(PROGRAM))
    text = text.replace("@CONFIGURATION@", str(directory / "gatepost.conf")).replace("systemctl", "false")  # a unit is none of this test's
    assert "su gatepost gatepost\n" in text
    group = pwd.getpwnam(USER).pw_gid
    text = text.replace("su gatepost gatepost\n", f"su {USER} {group}\n" if IS_ROOT else "")
    path = directory / "rules"
    path.write_text(text)
    path.chmod(0o644)


def rotate(directory):
    subprocess.run([need_program("logrotate"), "--force", "--state", directory / "state", directory / "rules"], check=True,
                   capture_output=True, text=True)


def talk(server, stop, count):
    while not stop.is_set():
        with Client(server.port) as client:
            client.command("QUIT", 221)
            count.append(client)


def logged(directory):
    """All lines of the files of the log, be they compressed or not."""
    lines = []
    for path in directory.glob("sessions.json*"):
        octets = subprocess.run(["gzip", "-cd", path], check=True, capture_output=True).stdout if path.suffix == ".gz" else path.read_bytes()
        lines += [json.loads(line) for line in octets.splitlines()]
    return lines


@case(f"{ROTATIONS} rotations while {CLIENTS} clients talk: each session has its line, in one of the files")
def rotated(directory):
    need_program("logrotate")
    options = OPTIONS + (f'user = "{USER}"\n' if IS_ROOT else "")
    server = Server(directory, options=options)
    path = directory / "gatepost.conf"
    path.write_text(path.read_text().replace('log = "log"', 'log = "sessions.json"'))
    if IS_ROOT:
        user = pwd.getpwnam(USER)
        for place in (directory, *directory.iterdir()):
            os.chown(place, user.pw_uid, user.pw_gid)
    write_rules(directory)  # root's, else logrotate does not take them
    stop, sessions = threading.Event(), []
    with server:
        threads = [threading.Thread(target=talk, args=(server, stop, sessions)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(ROTATIONS):
                rotate(directory)
                wait_for("the next file", lambda: (directory / "sessions.json").exists())
                wait_for("its first line", lambda: b'"event":"log_opened"' in (directory / "sessions.json").read_bytes())
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    found = sum(line["event"] == "session" for line in logged(directory))
    equal(found, len(sessions), "sessions in the log")
    assert list(directory.glob("sessions.json*.gz")), list(directory.iterdir())


if __name__ == "__main__":
    main()
