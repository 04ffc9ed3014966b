#!/usr/bin/env python3
"""Files of lists that are not what they should be: cut off, empty, huge, in error, of another kind, rewritten while they are read."""

import contextlib
import gzip
import os
import pathlib
import re
import signal
import subprocess

from common.harness import IS_ROOT, PROGRAM, SECONDS, Skip, case, die_with_parent, equal, main, wait_for

GOOD = "".join(f"192.0.{part}.{number}\n" for part in (1, 2) for number in range(250)).encode()


def check(path, *questions, form="ip4set", more=()):
    """(status, standard output, standard error) of `gatepost feed check`."""
    run = subprocess.run([PROGRAM, "feed", "check", "--format", form, *more, path, *questions], capture_output=True, timeout=SECONDS, check=False)
    return run.returncode, run.stdout.decode(), run.stderr.decode(errors="replace")


def is_broken(path, *reasons, **more):
    status, _, told = check(path, **more)
    equal(status, 1, f"status, with {told[:500]}")
    for reason in reasons:
        assert reason in told, f"{reason!r} in {told[:500]}"


@case("a gzip file that is cut off anywhere is not taken; whole it is, also of several members")
def cut_off(directory):
    path = directory / "list.gz"
    whole = gzip.compress(GOOD)
    for length in (len(whole) - 1, len(whole) - 8, len(whole) // 2, 12, 3):
        path.write_bytes(whole[:length])
        is_broken(path, "list.gz")
    path.write_bytes(whole[:-6] + bytes(2) + whole[-4:])
    is_broken(path, "incorrect data check")
    path.write_bytes(whole + gzip.compress(b"198.51.100.7\n"))
    status, told, _ = check(path, "198.51.100.7", "192.0.1.3")
    equal((status, told), (0, "198.51.100.7 A 127.0.0.2\n192.0.1.3 A 127.0.0.2\n"), "of both members")


@case("an empty file is an empty list; comments alone, and an end without a line feed, are none in error")
def empty(directory):
    path = directory / "list"
    for octets, entries in ((b"", 0), (b"# nothing\n\n;\n", 0), (b"\r\n", 0), (b"192.0.2.1", 1)):
        path.write_bytes(octets)
        status, told, report = check(path, "192.0.2.1")
        equal(status, 0, "status")
        assert f"{entries} entr" in report, report
        equal(told, "192.0.2.1 A 127.0.0.2\n" if entries else "192.0.2.1 is not listed\n", "answer")


@case("lines of a megabyte, NULs, and networks that are none: each is passed over and told with its line; many of them break the list")
def lines_in_error(directory):
    path = directory / "list"
    wrong = [b"1.2.3.4" + b" " * 5000 + b":2", b"x" * (1 << 20), b"1.2.3.4\0", b"\0", b"1.2.3.256", b"1.2.3.4/33", b"10.0.0.1/8", b"1.2.3.9-1.2.3.4", b"0/0",
             b"1.2.3.4 :x", b"99999999999999999999.1.1.1", b"1.2.3.4/", b"-", b"$DATASET ip4set @", b"\xff\xfe1.2.3.4", b"1..2.3", b"1.2.3.4.5", b"::/0"]
    for line in wrong:
        path.write_bytes(GOOD + line + b"\n198.51.100.7\n")
        status, told, report = check(path, "198.51.100.7", "1.2.3.4")
        equal((status, told), (0, "198.51.100.7 A 127.0.0.2\n1.2.3.4 is not listed\n"), f"answers with {line[:40]!r}: {report[:300]}")
        assert f"{path}:501: " in report and "501 entries" in report, f"{line[:40]!r}: {report[:300]}"
    path.write_bytes(GOOD + b"\n".join(wrong) + b"\n")
    is_broken(path, f"{len(wrong)} of {500 + len(wrong)} lines are in error")
    for form, line in (("ip6trie", b"2001:db8::/129"), ("ip6trie", b"2001:db8::1/32"), ("ip6tset", b"2001:db8:0:1:2"), ("ip4tset", b"10.0.0.0/8"), ("dnset", b"a" * 64 + b".example"),
                       ("dnset", b"a." * 127 + b"example"), ("generic", b"www A 1.2.3.400"), ("combined", b"1.2.3.4"), ("list", b"www.example")):
        path.write_bytes(line + b"\n")
        is_broken(path, f"{path}:1: ", form=form)


@case("exclusions that cover everything leave nothing listed")
def all_excluded(directory):
    path = directory / "list"
    for form, octets in (("ip4set", b"10.1.2.3\n!10.1.2.3\n"), ("ip4set", b"10.1/16\n!10.1.0-10.1.255\n"), ("ip4trie", b"10.0.0.0/8\n!10.0.0.0/9\n!10.128.0.0/9\n"),
                         ("ip4trie", b"!0.0.0.0/0\n"), ("list", b"10.1.2.3\n!10.1.2.3\n")):
        path.write_bytes(octets)
        status, told, _ = check(path, "10.1.2.3", "10.129.0.1", "0.0.0.0", "255.255.255.255", form=form)
        equal(status, 0, "status")
        equal(told.count("is not listed"), 4, f"addresses not listed of {octets!r}: {told}")


@case("what cannot be read, or is no file, is told at once: a folder, a pipe, a link to nothing, a file of others")
def of_another_kind(directory):
    (directory / "folder").mkdir()
    os.mkfifo(directory / "pipe")
    (directory / "link").symlink_to(directory / "nothing")
    is_broken(directory / "folder", "no regular file")
    is_broken(directory / "pipe", "no regular file")
    is_broken(directory / "link", "No such file or directory")
    is_broken(directory / "no*", "no such file")
    if IS_ROOT:
        raise Skip("root reads any file")
    (directory / "locked").write_bytes(GOOD)
    (directory / "locked").chmod(0)
    is_broken(directory / "locked", "Permission denied")


@case("a huge list ends at the memory that it may take, also compressed a thousandfold; one line of a gigabyte takes none")
def huge(directory):
    path = directory / "list.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for part in range(256):
            out.write(b"".join(b"10.%d.%d.1-10.%d.%d.77\n" % (part, number, part, number) for number in range(100)))
    is_broken(path, "needs more memory than it may have", more=("--memory", "4000000"))
    with (directory / "zeros").open("wb") as file:
        file.truncate(1 << 30)
    is_broken(directory / "zeros", ":1: a line longer than 4096 octets", more=("--memory", "1000000"))


@case("a byte order mark is passed over, and names in letters beyond ASCII are those that DNS is asked for")
def letters(directory):
    path = directory / "list"
    path.write_bytes(b"\xef\xbb\xbf:3:Blocked\r\n192.0.2.1\r\n")
    equal(check(path, "192.0.2.1", form="list")[:2], (0, "192.0.2.1 A 127.0.0.3\n192.0.2.1 TXT Blocked\n"), "answer")
    path.write_text("MÜNCHEN.example. :2:why\n.bücher.example\n")
    status, told, report = check(path, "xn--mnchen-3ya.example", "a.xn--bcher-kva.example", "münchen.example", form="dnset")
    equal((status, [line.split(" ", 1)[1] for line in told.splitlines()]), (0, ["A 127.0.0.2", "TXT why", "A 127.0.0.2", "A 127.0.0.2", "TXT why"]), f"answers: {told}{report}")
    path.write_bytes(b"a.example\nm\xfcnchen.example\n")
    is_broken(path, f"{path}:2: not a domain name", form="dnset")


@case("a file at the end of a long path is told by its name, and a folder that may not be read for what it is")
def far_away(directory):
    folder = directory / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    (folder / "mine").write_text("nonsense\n")
    is_broken(folder / "mine", "b/mine:1: not an IPv4")
    folder.chmod(0)
    prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if IS_ROOT else ()
    run = subprocess.run([*prefix, PROGRAM, "feed", "check", folder / "*"], capture_output=True, text=True, timeout=SECONDS, check=False)
    folder.chmod(0o755)
    if run.returncode == 126:
        raise Skip("others may not run the program here")
    assert "no such file, or a folder that the server may not read" in run.stderr, run


def is_amid(process, path):
    """Whether it has read some of the file, and not yet all."""
    with contextlib.suppress(OSError):
        for file in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
            if os.path.realpath(file) == str(path):
                at = re.search(r"^pos:\s+(\d+)$", pathlib.Path(f"/proc/{process.pid}/fdinfo/{file.name}").read_text(), re.M)
                return 0 < int(at[1]) < path.stat().st_size
    return False


def stopped_amid(path):
    """`gatepost feed check` that has been stopped while it reads the file; None: it was read before that was seen."""
    process = subprocess.Popen([PROGRAM, "feed", "check", "--format", "ip4set", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    while process.poll() is None and not is_amid(process, path):
        pass
    if process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if is_amid(process, path):
            return process
    process.kill()
    process.communicate()
    return None


@case("a file that is written to while it is read is not taken")
def rewritten(directory):
    path = directory / "list"
    path.write_bytes(GOOD * 4000)
    process = wait_for("a reader that has not read all", lambda: stopped_amid(path))
    with path.open("ab") as file:
        file.write(b"192.0.2.1\n")
    process.send_signal(signal.SIGCONT)
    told = process.communicate(timeout=SECONDS)[1]
    equal(process.returncode, 1, f"status, with {told[:500]}")
    assert "has changed while it was read" in told, told[:500]


if __name__ == "__main__":
    main()
