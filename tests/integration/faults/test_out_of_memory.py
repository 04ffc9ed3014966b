#!/usr/bin/env python3
"""The first call for memory fails, the second one, and so on, in each kind of thread; and of all calls some. Short, or with
GATEPOST_WHOLE=1 without leaving any out (tests/faults/sweep)."""

import errno
import os
import signal
import subprocess
import time

from common.faults import Faults
from common.harness import PROGRAM, SANITIZE, Server, Skip, case, main, note
from world import Senders, descriptors, faulty_server, has_recovered, tally

CALLS = ("malloc", "calloc", "realloc", "aligned_alloc")
# Names begin so; a thread of the store of senders, of the log and of delivery does not see the same calls as workers do.
# getdns does not survive that it gets no memory. A resolver thread gives it memory of a pool, but AddressSanitizer malloc's.
THREADS = ("worker", "delivery", *(() if SANITIZE else ("resolver",)), "acceptor", "sender", "log")
IS_WHOLE = os.environ.get("GATEPOST_WHOLE", "") != ""
# So many calls of a kind of thread fail, one after the other.
NUMBERS_MAX = 2000 if IS_WHOLE else 12


def sweep(server, faults, post, call, thread, tls=False, step=1):
    """Fails the first call, then the second one and so on, each with a mail of its own; returns how many there were."""
    for number in range(1, step * NUMBERS_MAX + 1, step):
        faults.set(call, errno.ENOMEM, first=number, count=1, thread=thread)
        code = post.send(size=40_000 if number % 4 == 0 else 200, tls=tls)
        faults.end(call)
        assert server.process.poll() is None, f"{call} {number} of {thread} ended it: {server.stderr()[-1000:]}"
        if faults.counts(call)[1] == 0:
            return number - 1
        assert code in (250, 421, 451, 452, 454, None), f"{call} {number} of {thread}: {code}"
    return step * NUMBERS_MAX


@case("the nth call for memory fails, for each n and each kind of thread")
def each(directory):
    with faulty_server(directory) as (server, faults, post):
        before = descriptors(server)
        for thread in THREADS:
            reached = {call: sweep(server, faults, post, call, thread) for call in CALLS}
            has_recovered(server, post, before)
            note(f"{thread}: {reached}")
        # OpenSSL asks for memory some hundred times in a handshake.
        reached = {call: sweep(server, faults, post, call, "worker", tls=True, step=1 if IS_WHOLE else 47) for call in CALLS}
        has_recovered(server, post, before)
        note(f"worker, TLS: {reached}")
        note(f"{len(post.told)} mails: {tally(list(post.told.values()))}")


@case("a recipient whose name cannot be read for want of memory is put off, and is never unknown")
def recipient(directory):
    if SANITIZE == "thread":
        raise Skip("ThreadSanitizer has calls for memory of its own, which do not fail")
    faults = Faults(directory)
    replies = 'replies { recipient_unsure = "451 4.3.0 later" recipient_unknown = "550 5.1.1 unknown" }\n'  # in ASCII
    server = Server(directory, "workers = 1\nclient_rate { mode = off }\n" + replies, recipients=["größe"])
    with server.start(faults.prefix()), server.client() as client:
        client.command("EHLO client.example.com", 250)
        client.command("MAIL FROM:<me@example.com> SMTPUTF8", 250)
        client.command("RCPT TO:<Größe@isp.example>", 250)
        told = []
        for call in CALLS:
            # Twice the first one: the worker may ask for memory for something else at that moment.
            for number in (1, *range(1, 20)):
                faults.set(call, errno.ENOMEM, first=number, count=1, thread="worker")
                client.raw("RCPT TO:<GRÖßE@isp.example>\r\n".encode())
                told.append(client.reply()[0])
                faults.end(call)
                if faults.counts(call)[1] == 0 and number > 1:
                    break
        assert 451 in told and set(told) <= {250, 451, 452}, told


@case("a thousandth, a hundredth and a tenth of all calls for memory fail while mail comes in")
def some(directory):
    with faulty_server(directory, "client_memory_max = 64M\n") as (server, faults, post):
        before = descriptors(server)
        for per_million in (1000, 10_000, 100_000):
            for number, call in enumerate(CALLS):
                faults.set(call, errno.ENOMEM, per_million=per_million, seed=number, thread="worker" if SANITIZE else "")
            senders = Senders(post)
            time.sleep(10 if IS_WHOLE else 0.5)
            failed = faults.failed(CALLS)
            faults.end_all()
            senders.end()
            has_recovered(server, post, before)
            note(f"{per_million / 10_000} %: {failed} failed")
        note(f"{len(post.told)} mails: {tally(list(post.told.values()))}")


@case("the nth call for memory of check-config fails: it ends with a reason")
def at_the_start(directory):
    faults, reasons, number = Faults(directory), 0, 1
    server = Server(directory, "workers = 2\n")
    while True:
        faults.set("malloc", errno.ENOMEM, first=number, count=1)
        run = subprocess.run([*faults.prefix(), PROGRAM, "check-config", "-c", directory / "gatepost.conf"],
                             capture_output=True, text=True)
        if faults.counts("malloc")[1] == 0:
            break
        # libConfuse ends the process itself where its scanner, or a default value, has no memory.
        of_library = (2, "out of dynamic memory"), (-signal.SIGABRT, "libConfuse documentation")
        is_told = any(run.returncode == status and words in run.stderr for status, words in of_library)
        assert run.returncode in (0, 1) or is_told, f"malloc {number}: status {run.returncode}: {run.stderr[-1000:]}"
        assert run.returncode == 0 or run.stderr, f"malloc {number}: no reason"
        reasons += run.returncode != 0
        number += 1 if IS_WHOLE else 43
    note(f"{number - 1} calls for memory, {reasons} reasons")


if __name__ == "__main__":
    main()
