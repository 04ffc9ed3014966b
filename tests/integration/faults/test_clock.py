#!/usr/bin/env python3
"""The clock on the wall is set while the server runs: what was noted under a wrong clock does no harm under the right one."""
# threads elsewhere: they go by the other clock

import contextlib
import mmap
import os
import struct
import time
import urllib.request

from common import feeds, tls
from common.daemons.next_hop import NextHop
from common.harness import PROGRAM, SANITIZE, Server, Skip, case, equal, main, run_program, wait_for
from common.senders import greylist, mail, options
from common.web import web_server

SHIM = PROGRAM.parent / "tests/gatepost-clock.so"
DAY = 86400
YEAR = 365 * DAY


@contextlib.contextmanager
def clock(directory, ahead=0):
    """Programs that start meanwhile are so many seconds ahead, until this is called with another number."""
    if SANITIZE or not SHIM.exists():
        raise Skip(f"no {SHIM}, or a sanitizer that must come first")
    path = directory / "clock"
    path.write_bytes(struct.pack("=q", ahead))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        def be(seconds):
            mapped[:] = struct.pack("=q", seconds)

        os.environ |= {"LD_PRELOAD": str(SHIM), "GATEPOST_CLOCK": str(path)}
        try:
            yield be
        finally:
            del os.environ["LD_PRELOAD"], os.environ["GATEPOST_CLOCK"]


@case("a sender that came first while the clock was ahead begins anew, and is taken after the delay")
def first_contact(directory):
    with clock(directory, YEAR) as be, Server(directory, options("lmdb:state", "1s")) as server:
        equal(mail(server)[0], 451, "while it is ahead")
        wait_for("the record", lambda: "waiting" in greylist(server, "list"))
        be(0)
        code, said = mail(server)
        assert code == 451 and "try again in 1 s" in said, said
        wait_for("the next record", lambda: time.strftime("first %Y-", time.gmtime()) in greylist(server, "list"))
        wait_for("the delay's end", lambda: mail(server)[0] == 250)


@case("senders are not forgotten because the clock is ahead for a moment")
def sweep(directory):
    with clock(directory) as be, Server(directory, options("lmdb:state", "1s")) as server:
        mail(server)
        wait_for("the delay's end", lambda: mail(server)[0] == 250)
        wait_for("the record", lambda: "delivered" in greylist(server, "list"))
        be(YEAR)
        time.sleep(2.5)  # it looks for old ones once a second
        be(0)
        assert "delivered" in greylist(server, "list"), greylist(server, "list")
        equal(mail(server)[0], 250, "afterwards")


@case("a list that was read in 1970 is read again when the clock is right, and stays in force")
def list_of_1970(directory):
    feeds.write(directory, feeds.entries("127.0.0.66"))
    with clock(directory, 100 - int(time.time())) as be:
        with Server(directory, feeds.options("max_age = 1d self_test = no", "", "feed_interval = 0 threshold = 1")) as server:
            assert feeds.reply(server, "127.0.0.66").startswith("554"), "in 1970"
            be(0)
            wait_for("its age", lambda: server.events("feed_expired"))
            wait_for("the list", lambda: len(server.events("feed_loaded")) == 2)
            assert feeds.reply(server, "127.0.0.66").startswith("554"), "today"


@case("what was taken for the journal in 1970 is not too old when the clock is right")
def journal(directory):
    more = 'journal = "journal" journal_size = 24M journal_segment = 4M journal_retry_min = 500ms\nnext_hops { retry_after = 100ms failures_max = 1000 }'
    with clock(directory, 100 - int(time.time())) as be, NextHop() as hop:
        with Server(directory, more, "journal = always", deliver=hop.address) as server:
            hop.answers = {"RCPT alice": "452 4.2.2 full"}
            with server.client() as client:
                client.deliver(b"Subject: x\r\n\r\ntext\r\n")
            wait_for("a try", lambda: server.events("journal_tried"))
            be(0)
            year = time.strftime("%Y", time.gmtime())
            wait_for("a later try", lambda: any(line["time"].startswith(year) for line in server.events("journal_tried")))
            equal(server.events("journal_dead_letter"), [], "dead letters")
            hop.answers = {}
            wait_for("the mail", lambda: hop.mails)


@case("certificates are looked at again, and the page tells no time of running that has not been")
def watched(directory):
    more = tls.tls_options(directory)
    with clock(directory, 60 * DAY) as be, web_server(directory, more) as server:
        def get(path):
            return urllib.request.urlopen(f"http://127.0.0.1:{server.web}{path}", timeout=20).read().decode()

        assert "gatepost_certificate_seconds 0\n" in get("/metrics"), "it has ended in 60 days"
        be(0)
        wait_for("a look", lambda: "gatepost_certificate_seconds 0\n" not in get("/metrics"))
        assert "running for 0 s" in get("/"), get("/")[:3000]


@case("a key of the log that is from a day to come is told, and not taken for one that is not due")
def key(directory):
    server = Server(directory, 'log_pseudonym_key_file = "keys"\nlog_pseudonym_period = 1d')
    with clock(directory, 10 * YEAR) as be:
        def new_key():
            return run_program("log", "new-key", "-c", str(server.directory / "gatepost.conf"))

        equal(new_key().returncode, 0, "the first one")
        be(0)
        run = new_key()
        assert run.returncode == 1 and "from a day to come" in run.stderr, run


if __name__ == "__main__":
    main()
