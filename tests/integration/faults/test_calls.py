#!/usr/bin/env python3
"""Calls of the system fail while mail comes in: no 250 is a lie, nothing is half delivered, and all is well afterwards."""

import errno
import time

from common.harness import PATIENCE, SANITIZE, case, main, note
from world import Senders, descriptors, faulty_server, has_recovered, tally

# title: (what fails, errno or 0 for a short one, of a million calls so many, thread).
FAULTS = {
    "write: disk full": ("write writev", errno.ENOSPC, 200_000, "delivery"),
    "write: a broken disk": ("write writev", errno.EIO, 200_000, "delivery"),
    "write: interrupted": ("write writev", errno.EINTR, 300_000, "delivery"),
    "write: short": ("write writev", 0, 300_000, "delivery"),
    "fsync and syncfs: a broken disk": ("fsync fdatasync syncfs", errno.EIO, 300_000, ""),
    "rename and link": ("rename link", errno.ENOSPC, 300_000, ""),
    "open: no descriptor": ("open", errno.EMFILE, 300_000, ""),
    "open: no inode": ("open", errno.ENOSPC, 300_000, "delivery"),
    "accept4: no descriptor": ("accept4", errno.EMFILE, 300_000, ""),
    "accept4: the client has gone": ("accept4", errno.ECONNABORTED, 300_000, ""),
    "accept4: no memory": ("accept4", errno.ENOBUFS, 300_000, ""),
    "epoll_ctl: too many watches": ("epoll_ctl", errno.ENOSPC, 300_000, ""),
    "epoll_wait: interrupted": ("epoll_wait", errno.EINTR, 500_000, ""),
    "send: reset": ("send", errno.ECONNRESET, 100_000, ""),
    "send: no buffers": ("send", errno.ENOBUFS, 100_000, ""),
    "send: short": ("send", 0, 500_000, ""),
    "recv: reset": ("recv", errno.ECONNRESET, 50_000, ""),
    "socket: no descriptor": ("socket", errno.EMFILE, 500_000, ""),
    "TLS: no memory for a connection": ("SSL_new", errno.ENOMEM, 300_000, ""),
    "TLS: a handshake breaks": ("SSL_do_handshake", errno.EPROTO, 200_000, ""),
    "TLS: what comes cannot be opened": ("SSL_read_ex", errno.EPROTO, 50_000, ""),
    "TLS: what goes cannot be sealed": ("SSL_write_ex", errno.EPROTO, 50_000, ""),
    "the store of senders: a broken disk": ("pwrite writev", errno.EIO, 300_000, "senders"),
    "the log's writes": ("write writev", errno.EIO, 500_000, "log"),
}
FAILURES = 8  # of each kind are enough
ROUND_S, ROUND_MAX_S = 0.3, 8


def drive(server, faults, post, calls, error, per_million, thread):
    """Mail comes in while they fail; returns how many have, and the answers."""
    for call in calls:
        faults.set(call, error, per_million=per_million, seed=len(post.told), thread=thread)
    before = len(post.told)
    senders = Senders(post)
    began = time.monotonic()
    failed = 0
    while server.process.poll() is None and (took := time.monotonic() - began) < ROUND_MAX_S * PATIENCE:
        failed = faults.failed(calls)
        if failed >= FAILURES and took > ROUND_S:
            break
        time.sleep(0.02)
    faults.end_all()
    senders.end()
    return failed, tally(list(post.told.values())[before:])


@case("each call in turn")
def calls(directory):
    with faulty_server(directory) as (server, faults, post):
        before = descriptors(server)
        resident = None
        for title, (names, *fault) in FAULTS.items():
            failed, codes = drive(server, faults, post, names.split(), *fault)
            note(f"{title}: {failed} failed; answers {codes}")
            assert failed > 0, f"{title}: nothing has failed"
            has_recovered(server, post, before)
            resident = resident or server.memory_kib("Rss")
        grown = server.memory_kib("Rss") - resident
        note(f"{len(post.told)} mails, {descriptors(server) - before} descriptors more, {grown} KiB more")
        assert SANITIZE or grown < 32 * 1024, f"{grown} KiB more"


if __name__ == "__main__":
    main()
