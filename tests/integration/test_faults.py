#!/usr/bin/env python3
"""A store that cannot store: 451 or 452, nothing half-delivered, the server lives and recovers."""

import contextlib
import ctypes
import os
import resource
import time

from common.harness import IS_ROOT, Server, Skip, case, equal, main, need_program, wait_for, without_trace
from common.messages import HEADER, MESSAGES

SMALL = HEADER + b"small\r\n"
LARGE = HEADER + b"x" * 70 + b"\r\n" + (b"y" * 998 + b"\r\n") * 3000
# Root passes every permission unless it has lost this power.
WITHOUT_POWER = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
LIBC = ctypes.CDLL(None, use_errno=True)


def powerless():
    return [need_program("setpriv"), *WITHOUT_POWER] if IS_ROOT else []


def files(directory, folder):
    return [path for path in directory.glob(f"mail/*/*/{folder}/*")]


def refused(client, text, codes, **envelope):
    """Sends the message, which must be refused with one of the codes."""
    client.begin(helo=None, **envelope)
    client.raw(text + b".\r\n")
    code, said = client.reply()
    assert code in codes and said.startswith("4.3.1"), f"{code} {said}"


def refuses_and_recovers(server, text, codes, mend):
    directory = server.directory
    with server.client() as client:
        client.command("EHLO client.example.com", 250)
        for _ in range(3):
            refused(client, text, codes)
        equal(files(directory, "new") + files(directory, "tmp"), [], "files left over")
        mend()
        client.deliver(SMALL, helo=None)
        equal([without_trace(mail) for mail in server.mails()], [SMALL], "mails")
        client.command("QUIT", 221)
    assert_told(server)


def assert_told(server):
    """The session's line says why each mail was not stored, and what became of the one that was; events name them."""
    mails = wait_for("the log line", lambda: [line for line in server.sessions() if len(line["transactions"]) == 4])[0]["transactions"]
    for mail in mails[:3]:
        equal([mail[key] for key in ("accepted", "refused", "deferred")], [0, 0, 1], "recipients")
        assert mail["reason"] and mail["code"][0] == "4" and mail["reply"].startswith("storage_"), mail
    equal(mails[3]["accepted"], 1, "accepted")
    equal([mails[3]["file"]], [path.name for path in files(server.directory, "new")], "file")
    reasons = {mail["id"]: mail["reason"] for mail in mails[:3]}
    events = wait_for("the events", lambda: server.events("store_failed"))
    assert all(reasons[event["id"]] == event["reason"] and isinstance(event["more_before"], int) for event in events), events


@contextlib.contextmanager
def small_disk(path, options):
    if not IS_ROOT:
        raise Skip("only root mounts")
    path.mkdir()
    if LIBC.mount(b"gatepost-test", bytes(path), b"tmpfs", 0, options) != 0:
        raise Skip(f"mount: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        LIBC.umount2(bytes(path), 2)  # MNT_DETACH


@case("a full disk: 452, a message of 3 MB")
def full_disk(directory):
    with small_disk(directory / "mail", b"size=1m"), Server(directory) as server:
        refuses_and_recovers(server, LARGE, {452}, lambda: None)


@case("a disk that is full from the start: 452, a small message")
def full_from_the_start(directory):
    with small_disk(directory / "mail", b"size=64k"), Server(directory) as server:
        with server.client() as client:
            client.deliver(SMALL)
        for path in files(directory, "new"):
            path.unlink()
        filler = directory / "mail/filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        refuses_and_recovers(server, SMALL, {452}, filler.unlink)


@case("no inodes left: 452")
def no_inodes(directory):
    with small_disk(directory / "mail", b"size=1m,nr_inodes=20"), Server(directory) as server:
        with server.client() as client:
            client.deliver(SMALL)
        for path in files(directory, "new"):
            path.unlink()
        fillers = [directory / f"mail/filler{n}" for n in range(20)]
        with contextlib.suppress(OSError):
            for filler in fillers:
                filler.touch()
        refuses_and_recovers(server, SMALL, {452}, lambda: [filler.unlink(missing_ok=True) for filler in fillers])


@case("a file size limit: 451 or 452")
def file_size(directory):
    server = Server(directory).start(limits=[(resource.RLIMIT_FSIZE, 1_000_000)])
    with server:
        refuses_and_recovers(server, LARGE, {451, 452}, lambda: None)


@case("a Maildir that may not be written: 451")
def unwritable(directory):
    with Server(directory).start(powerless()) as server:
        with server.client() as client:
            client.deliver(SMALL)
        for path in files(directory, "new"):
            path.unlink()
        folders = [directory / "mail/isp.example/alice" / name for name in ("tmp", "new")]
        for folder in folders:
            folder.chmod(0o500)
        refuses_and_recovers(server, SMALL, {451}, lambda: [folder.chmod(0o700) for folder in folders])


@case("new/ may not be written: 451, and nothing stays in tmp/")
def unwritable_new(directory):
    with Server(directory).start(powerless()) as server:
        new = directory / "mail/isp.example/alice/new"
        with server.client() as client:
            client.deliver(SMALL)
        for path in files(directory, "new"):
            path.unlink()
        new.chmod(0o500)
        refuses_and_recovers(server, SMALL, {451}, lambda: new.chmod(0o700))


@case("a file where a directory should be: 451")
def file_for_directory(directory):
    (directory / "mail").write_text("in the way")
    with Server(directory) as server:
        refuses_and_recovers(server, SMALL, {451}, (directory / "mail").unlink)


@case("one of three recipients cannot be stored: nobody gets it, and all do later")
def one_of_three(directory):
    users = ("alice", "bob", "carol")
    (directory / "mail/isp.example").mkdir(parents=True)
    (directory / "mail/isp.example/bob").write_text("in the way")
    with Server(directory, recipients=users) as server, server.client() as client:
        recipients = [f"{user}@isp.example" for user in users]
        client.command("EHLO client.example.com", 250)
        refused(client, SMALL, {451}, recipients=recipients)
        equal(files(directory, "new") + files(directory, "tmp"), [], "files left over")
        (directory / "mail/isp.example/bob").unlink()
        client.deliver(SMALL, helo=None, recipients=recipients)
        equal([len(server.mails(user)) for user in users], [1, 1, 1], "mails")


@case("others are served while the store fails for one")
def others(directory):
    (directory / "mail/isp.example").mkdir(parents=True)
    (directory / "mail/isp.example/bob").write_text("in the way")
    with Server(directory) as server, server.client() as client:
        client.command("EHLO client.example.com", 250)
        for number in range(1, 21):
            refused(client, SMALL, {451}, recipients=["bob@isp.example"])
            client.deliver(SMALL, helo=None)
            equal(len(server.mails()), number, "mails")


@case("a client that vanishes in its message leaves nothing")
def vanishes(directory):
    with Server(directory) as server:
        for text in (SMALL, MESSAGES["a megabyte"], LARGE):
            with server.client() as client:
                client.begin()
                client.raw(text)
                time.sleep(0.1)
        wait_for("three log lines", lambda: len(server.sessions()) == 3)
        wait_for("no files", lambda: files(directory, "new") + files(directory, "tmp") == [])


if __name__ == "__main__":
    main()
