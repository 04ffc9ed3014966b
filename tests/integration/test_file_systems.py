#!/usr/bin/env python3
"""Maildirs on many file systems, and on some whose shared sync proves nothing. In a mount namespace of its own."""

import os
import subprocess
import sys
import threading

from common.harness import HELO, Server, Skip, case, equal, main, wait_for
from common.messages import HEADER

INSIDE = "GATEPOST_TEST_MOUNTS"
SYSTEMS = 7
ROUNDS = 30


def mount(*arguments):
    if subprocess.run(["mount", *arguments], capture_output=True, text=True).returncode != 0:
        raise Skip("no right to mount")


def tmpfs(path):
    path.mkdir()
    mount("-t", "tmpfs", "none", str(path))


def domain(number, where):
    return f'domain "isp{number}.example" {{ recipients = "recipients.txt"  deliver = "maildir:{where}/%d/%u" }}\n'


def deliver_at_once(server, number, barrier, replies):
    """Many messages, each at the same time as those of the others."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        for _ in range(ROUNDS):
            client.command("MAIL FROM:<me@example.com>", 250)
            client.command(f"RCPT TO:<alice@isp{number}.example>", 250)
            client.command("DATA", 354)
            barrier.wait(20)
            client.raw(HEADER + b".\r\n")
            replies.append(client.reply())


def deliver_to_all(server):
    replies, barrier = [], threading.Barrier(SYSTEMS)
    threads = [threading.Thread(target=deliver_at_once, args=(server, number, barrier, replies))
               for number in range(SYSTEMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


@case(f"mail over {SYSTEMS} file systems, all of it at a time: none is deferred")
def many(directory):
    for number in range(SYSTEMS):
        tmpfs(directory / f"disk{number}")
    domains = "".join(domain(number, directory / f"disk{number}") for number in range(SYSTEMS))
    options = "maildir_sync_together = 1\ndelivery_threads = 1\n" + domains
    with Server(directory, options) as server:
        replies = deliver_to_all(server)
        equal([reply for reply in replies if reply[0] != 250], [], "replies that are not 250")
        for number in range(SYSTEMS):
            new = directory / f"disk{number}" / f"isp{number}.example" / "alice" / "new"
            equal(len(list(new.iterdir())), ROUNDS, f"mails on disk{number}")
        equal([line for line in server.log() if line["event"] == "store_failed"], [], "failures")


def syncs(server):
    return [(line["path"], line["file_system"], line["sync"]) for line in server.log() if line["event"] == "maildir_sync"]


@case("a file system whose shared sync proves nothing is named at the start, and its files are synced each")
def unproven(directory):
    tmpfs(directory / "disk")
    for name in ("lower", "upper", "work"):
        (directory / "disk" / name).mkdir()
    (directory / "over").mkdir()
    options = ",".join(f"{name}dir={directory}/disk/{name}" for name in ("lower", "upper", "work"))
    mount("-t", "overlay", "-o", options, "none", str(directory / "over"))
    domains = domain(0, directory / "over") + domain(1, directory / "disk") + domain(2, directory / "over")
    with Server(directory, "maildir_sync_together = 1\n" + domains, deliver="discard:") as server:
        wait_for("the events", lambda: len(syncs(server)) == 2)
        equal(sorted(syncs(server)), [(str(directory / "disk"), "tmpfs", "together"),
                                      (str(directory / "over"), "overlayfs", "each")], "events")
        assert f"{directory}/over" in server.stderr(), server.stderr()
        assert f"{directory}/disk " not in server.stderr(), server.stderr()
        with server.client() as client:
            client.deliver(HEADER, recipients=["alice@isp0.example", "alice@isp1.example"])
        equal(len(list((directory / "over/isp0.example/alice/new").iterdir())), 1, "mails")
    with Server(directory, "maildir_sync_together = 0\n" + domains, deliver="discard:") as server:
        equal(len(syncs(server)), 2, "nothing to tell where nothing is shared")


def inside():
    """Runs itself once more, where it may mount."""
    if os.environ.get(INSIDE) is None and subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0:
        os.environ[INSIDE] = "yes"
        os.execvp("unshare", ["unshare", "-rm", sys.executable, "-B", __file__])


if __name__ == "__main__":
    inside()
    main()
