#!/usr/bin/env python3
"""gatepost journal: what it tells of a journal, also of one that a server has open, and what it drops."""
# threads elsewhere: a journal on the disk

import pathlib
import re
import subprocess

from common.harness import PROGRAM, SECONDS, case, configuration, die_with_parent, equal, main, run_program, sanitizer_environment

MAKE = PROGRAM.parent / "tests/stress/gatepost-journal-make"


def make(directory, *arguments):
    """A journal with five messages: the second is delivered, the third damaged."""
    (directory / "journal").mkdir()
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text(configuration(
        ["127.0.0.1:2525"], 'journal = "journal" journal_size = 24M journal_segment = 4M'))
    return subprocess.Popen([MAKE, directory / "journal", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env=sanitizer_environment(directory), preexec_fn=die_with_parent)


def journal(directory, verb, *numbers, status=0):
    run = run_program("journal", verb, "-c", str(directory / "gatepost.conf"), *numbers)
    equal(run.returncode, status, f"{verb}: {run.stderr}")
    return run.stdout + run.stderr


def numbers(listed):
    return {found[2]: found[1] for found in re.finditer(r"^(\d+) id (\w+) ", listed, re.M)}


@case("list, show and verify, and drop, of a journal that nobody has open")
def offline(directory):
    with make(directory) as process:
        equal(process.wait(SECONDS), 0, "make")
    before = {path.name: path.read_bytes() for path in pathlib.Path(directory / "journal").glob("*.segment")}
    listed = journal(directory, "list")
    equal(sorted(numbers(listed)), ["MAIL1", "MAIL4", "MAIL5"], listed)
    assert re.search(r"^\d+ id MAIL1 to lmtp:unix:/s from <me@example.com> recipients 1 of 2 octets \d+ attempts 1 taken .*Z due .*Z$",
                     listed, re.M), listed
    told = journal(directory, "verify", status=1)
    assert re.search(r"^damaged: records 3 to 3, segment 00000, ", told, re.M) and "3 messages wait, 1 damages," in told, told
    shown = journal(directory, "show", numbers(listed)["MAIL4"])
    assert "delivered <a@isp.example>\nwaits <b@isp.example>\n\nSubject: MAIL4\n\ntext of MAIL4\n" in shown, shown
    assert "client [192.0.2.1] helo client.example\n" in shown, shown
    assert "message 2 does not wait" in journal(directory, "show", "2", status=1)
    equal({path.name: path.read_bytes() for path in (directory / "journal").glob("*.segment")}, before, "only read")
    journal(directory, "drop", numbers(listed)["MAIL4"])
    listed = journal(directory, "list")
    equal(sorted(numbers(listed)), ["MAIL1", "MAIL5"], listed)
    assert "message 99 does not wait" in journal(directory, "drop", "99", numbers(listed)["MAIL1"], status=1)
    equal(sorted(numbers(journal(directory, "list"))), ["MAIL5"], "what does not wait hinders nothing")
    assert (directory / "journal/damaged").is_dir(), "what is damaged is saved by whoever opens it"


@case("while a server has it list, show and verify read on, and drop needs its control socket")
def in_use(directory):
    with make(directory, "60") as process:
        equal(process.stdout.readline(), "made\n", "make")
        listed = journal(directory, "list")
        equal(len(numbers(listed)), 4, listed)
        assert "4 messages wait, 0 damages" in journal(directory, "verify")
        assert "text of MAIL3" in journal(directory, "show", numbers(listed)["MAIL3"])
        assert "it sets no option `control`" in journal(directory, "drop", numbers(listed)["MAIL1"], status=1)
        process.kill()
    equal(len(numbers(journal(directory, "list"))), 4, "after its death")
    journal(directory, "verify")


@case("a configuration without a journal, and a journal that is not there")
def nothing(directory):
    (directory / "recipients.txt").write_text("alice\n")
    for more, fault in (("", "names no journal"), ('journal = "none"', "No such file")):
        (directory / "gatepost.conf").write_text(configuration(["127.0.0.1:2525"], more))
        for verb, *rest in (["list"], ["verify"], ["show", "1"], ["drop", "1"]):
            assert fault in journal(directory, verb, *rest, status=1), verb
    assert not (directory / "none").exists()


if __name__ == "__main__":
    main()
