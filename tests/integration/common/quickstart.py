"""conf/quickstart in a copy of conf/ with ports of the test's own."""

import contextlib
import re
import shutil
import subprocess

from common.harness import PROGRAM, ROOT, SECONDS, die_with_parent, free_port, is_listening, note, sanitizer_environment, wait_for


def tree(directory, zone=None):
    """A copy of conf/ with free ports, around the programs of this build; packages are there, and ninja has nothing to do."""
    port, dns_port = free_port(), free_port()
    shutil.copytree(ROOT / "conf", directory / "conf")
    (directory / "build").mkdir()
    for name in ("gatepost", "gatepost-dns-stub"):
        (directory / "build" / name).symlink_to(PROGRAM.parent / name)
    (directory / "build/build.ninja").touch()
    path = directory / "conf/gatepost.conf"
    # With the quote behind it, because a new port may begin as an old one does.
    text = path.read_text().replace('"127.0.0.1:2525"}', f'"127.0.0.1:{port}"}}')
    for old, new in ((2553, dns_port), (8025, free_port())):
        text = re.sub(rf'(["/])127\.0\.0\.1:{old}(["/])', rf"\g<1>127.0.0.1:{new}\2", text)
    path.write_text(text)
    if zone is not None:
        (directory / "conf/example.zone").write_text(zone)
    (directory / "bin").mkdir()
    for path in ("conf/install-packages", "bin/ninja"):
        (directory / path).write_text("#!/bin/sh\nexit 0\n")
        (directory / path).chmod(0o755)
    return port, dns_port


def start(directory, **variables):
    environment = dict(sanitizer_environment(directory), **variables)
    environment["PATH"] = f"{directory}/bin:{environment['PATH']}"
    with (directory / "said").open("wb") as said:
        # A session of its own: its number is the group's, as at a terminal.
        return subprocess.Popen([directory / "conf/quickstart"], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                env=environment, preexec_fn=die_with_parent, start_new_session=True)


def said(directory):
    return (directory / "said").read_text(errors="replace")


def sanitizer_reports(directory):
    return "".join(path.read_text() for path in directory.glob("sanitizer.*"))


@contextlib.contextmanager
def quickstart(directory, ports=None):
    """`ports`: of a tree that is there; otherwise one is made."""
    port, dns_port = ports or tree(directory)
    process = start(directory)
    try:
        wait_for("the receiver", lambda: process.poll() is not None or "gatepost: ready" in said(directory))
        assert process.poll() is None and is_listening(dns_port), said(directory)
        yield process, port, dns_port
    except BaseException:
        for text in (said(directory), sanitizer_reports(directory)):
            note("quickstart: " + text[-3000:].replace("\n", "\n# "))
        raise
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(SECONDS)
    wait_for("the DNS server's end", lambda: not is_listening(dns_port))
