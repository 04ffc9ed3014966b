#!/usr/bin/env python3
"""Lists whose files change in odd ways, or cannot be read for a while; and signals while a list is read, however long that takes."""

import os
import signal
import time

from common.feeds import endless, entries, is_open, is_refused, options, reply, write
from common.harness import PATIENCE, Server, case, equal, main, wait_for
from common.web import page, web_server

LOOKS_S = 5 * PATIENCE


def loaded(server, count):
    wait_for(f"list {count}", lambda: len(server.events("feed_loaded")) == count)


@case("a link to the folder of a list that is pointed to another one is taken up, also where the files look the same")
def linked(directory):
    moment = time.time() - 1000
    for version, listed in (("v1", "127.0.0.66"), ("v2", "127.0.0.67")):
        write(directory, entries(listed), age_s=1000)
        (directory / version).mkdir()
        (directory / "lists/bl").rename(directory / version / "bl")
        os.utime(directory / version / "bl", (moment, moment))
    (directory / "lists").rmdir()
    (directory / "lists").symlink_to("v1")
    with Server(directory, options=options()) as server:
        assert is_refused(server), "by the first"
        (directory / "new").symlink_to("v2")
        (directory / "new").rename(directory / "lists")
        loaded(server, 2)
        assert is_refused(server, "127.0.0.67") and not is_refused(server)


@case("other content of the same size and time is taken up")
def same_looks(directory):
    write(directory, entries("127.0.0.66"))
    path = directory / "lists/bl"
    with Server(directory, options=options()) as server:
        before = path.stat()
        path.write_text(entries("127.0.0.67"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        equal((path.stat().st_size, path.stat().st_mtime_ns), (before.st_size, before.st_mtime_ns), "looks")
        loaded(server, 2)
        assert is_refused(server, "127.0.0.67") and not is_refused(server)


@case("a list that was too old is taken when a reload allows its age")
def allowed_age(directory):
    write(directory, entries("127.0.0.66"), age_s=3600)
    with Server(directory, options=options("max_age = 1m")) as server:
        assert not is_refused(server), "too old"
        server.write_configuration(options=options("max_age = 1d"))
        server.reload()
        loaded(server, 1)
        assert is_refused(server)


@case("a list out of the future gets old from when it is read on, and is taken again when the clock or its files are right")
def from_the_future(directory):
    write(directory, entries("127.0.0.66"), age_s=-1e6)
    with Server(directory, options=options("max_age = 1h")) as server:
        assert is_refused(server)
        server.write_configuration(options=options("max_age = 2s"))
        server.reload()
        reason = wait_for("its end", lambda: server.events("feed_expired"))[0]["reason"]
        equal(reason, "the list is older than max_age", "reason")
        time.sleep(LOOKS_S / 2)
        assert not is_refused(server), "as old as before, also when it is looked at again"
        equal(len(server.events("feed_loaded")), 1, "times that it was taken")
        server.write_configuration(options=options("max_age = 1h"))
        server.reload()
        loaded(server, 2)
        assert is_refused(server)


@case("what cannot be read is told once, not at each look, and taken when it can")
def told_once(directory):
    write(directory, entries("127.0.0.66"))
    with web_server(directory, options=options()) as server:
        os.mkfifo(directory / "lists/bl.pipe")
        wait_for("the failure", lambda: server.events("feed_failed"))
        time.sleep(LOOKS_S)
        assert is_refused(server), "the list before"
        assert "an older list" in page(server).text(), "the status page"
        equal([event["reason"] for event in server.events("feed_failed")], [f"{directory}/lists/bl.pipe: no regular file"], "reasons")
        (directory / "lists/bl.pipe").unlink()
        write(directory, entries("127.0.0.67"))
        loaded(server, 2)
        assert is_refused(server, "127.0.0.67")
        assert "an older list" not in page(server).text(), "the status page"


@case("a file that is written to all the time is read nevertheless")
def restless(directory):
    write(directory, entries("127.0.0.66"))
    with Server(directory, options=options()) as server, (directory / "lists/bl").open("a") as file:
        until = time.monotonic() + 60 * PATIENCE
        while len(server.events("feed_loaded")) < 2 and time.monotonic() < until:
            file.write("127.0.0.67\n")
            file.flush()
            time.sleep(0.3)
        assert is_refused(server, "127.0.0.67"), server.events("feed_failed")


@case("a stop does not wait for a list that a reload reads")
def stopped_reload(directory):
    write(directory, entries("127.0.0.66"))
    with Server(directory, options=options()) as server:
        endless(directory, "other")
        server.write_configuration(options=options().replace("lists/bl*", "lists/other"))
        server.process.send_signal(signal.SIGHUP)
        wait_for("the reading", lambda: is_open(server, directory / "lists/other"))
        for _ in range(20):
            server.process.send_signal(signal.SIGHUP)
        assert is_refused(server), "meanwhile"
        server.stop()


@case("a zone that another configuration leaves out, or names otherwise, while its list is read keeps the others from nothing")
def renamed(directory):
    write(directory, entries("127.0.0.66"))
    with Server(directory, options=options()) as server:
        endless(directory)
        wait_for("the reading", lambda: is_open(server, directory / "lists/bl"))
        write(directory, entries("127.0.0.67"), name="other")
        server.write_configuration(options=options().replace("lists/bl*", "lists/other").replace("bl.example", "other.example"))
        server.reload()
        assert is_refused(server, "127.0.0.67") and not is_refused(server)
        (directory / "lists/other").rename(directory / "lists/kept")
        write(directory, entries("127.0.0.68"), name="other")
        loaded(server, 3)
        assert is_refused(server, "127.0.0.68")


@case("a list's texts with quotes, percent signs and octets of control come into replies and the log as what they are, or as ?")
def texts(directory):
    (directory / "lists").mkdir()
    (directory / "lists/bl").write_bytes(b':3:"q" %s%n\\ \x01\x1b[2J \xc3\xa4\xff \0 x\r250 ok $\r\n127.0.0.2\n127.0.0.66\n127.0.0.67 :2:' + b"long " * 60 + b"\n")
    with Server(directory, options=options()) as server:
        told = reply(server, "127.0.0.66") + reply(server, "127.0.0.67")
        assert "5.7.1" in told and told.isprintable(), ascii(told)
        line = wait_for("the session", lambda: [line for line in server.sessions() if line["client"] == "127.0.0.66"])[0]
        evidence = line["transactions"][0]["verdicts"][0]["evidence"]
        assert '"q" %s%n\\ ??[2J' in evidence and evidence.isprintable(), ascii(evidence)


if __name__ == "__main__":
    main()
