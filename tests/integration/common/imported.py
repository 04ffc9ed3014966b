"""Configurations of Postfix to be imported, the report as its rows, and a server that serves what came of it."""

import collections
import re
import shutil
import subprocess

from common.harness import IS_ROOT, PROGRAM, ROOT, SANITIZE, SECONDS, Server, equal, free_port

SITES = ROOT / "tests/integration/import/sites"
JUDGEMENTS = ("same", "stricter", "laxer", "not needed", "not translated")

Row = collections.namedtuple("Row", "place theirs judgement ours")
ROW = re.compile(rf"(\S+) +(.+?) +({'|'.join(JUDGEMENTS)})(?: +-> (.*))? *")


def site(directory, name, words=None):
    """A copy of the site in directory/etc, with words of its main.cf replaced."""
    shutil.copytree(SITES / name, directory / "etc")
    shutil.copytree(SITES / "default", directory / "default")
    path = directory / "etc/main.cf"
    text = path.read_text()
    for old, new in (words or {}).items():
        assert old in text, f"{old} is not in main.cf"
        text = text.replace(old, new)
    path.write_text(text)
    return path


def run_import(*arguments, text=None, status=0):
    run = subprocess.run([PROGRAM, "import", "postfix", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=SECONDS)
    equal(run.returncode, status, f"exit status ({run.stderr[-2000:]})")
    return run


def import_site(path, out, *options):
    return run_import(path, "--out", out, "--accounts", SITES / "accounts", *options)


def rows(report):
    """Those of restrictions and settings, in their order."""
    found = [Row(*(group or "" for group in match.groups())) for match in map(ROW.fullmatch, report.splitlines()) if match]
    return [row for row in found if re.fullmatch(r"default|main\.cf:\d+|master\.cf:\d+|postconf", row.place)]


def sums(report):
    """The lines in front: {"restriction": {"same": 3, ...}, ...}"""
    told = {}
    for line in report.splitlines()[2:4]:
        count, what, rest = re.fullmatch(r"(\d+) (restriction|setting)s?(?:: (.*))?", line).groups()
        told[what] = {word.removeprefix("the "): int(number)
                      for number, word in re.findall(r"(\d+) ((?:the )?[a-z ]+)", rest or "")}
        equal(sum(told[what].values()), int(count), f"sum of {what}s")
    return told


class Imported(Server):
    """A server of what the import of a main.cf has written into directory/out."""

    def __init__(self, directory, path, resolver="127.0.0.1:1", *options, more=""):
        self.host, self.process, self.may_refuse_calls = "127.0.0.1", None, False
        self.port = free_port()
        self.directory = directory / "out"
        self.report = import_site(path, self.directory, "--listen", f"127.0.0.1:{self.port}", "--resolver", resolver, *options).stdout
        written = self.directory / "gatepost.conf"
        text = written.read_text().replace("lmdb:/var/lib/gatepost/state", f"lmdb:{self.directory}/state")
        core_dumps = "core_dumps = yes\n" if SANITIZE or not IS_ROOT else ""
        written.write_text(f'log = "log"\n{core_dumps}{more}{text}')
