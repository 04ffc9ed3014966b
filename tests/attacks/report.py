"""What an attack found, and how it is told."""

import collections
import threading

# grade: "attack" when it did what an attacker wants, "rfc" when a MUST of an RFC is not kept. clause: of the RFC, where there is one.
Finding = collections.namedtuple("Finding", "grade what why clause")
GRADES = {"attack": "the attack works", "rfc": "departs from the standard"}


class NotApplicable(Exception):
    """The server does not do what would be attacked, or this cannot be seen from here."""


class Report:
    """Of one class. Several threads may tell it."""

    def __init__(self, name):
        self.name = name
        # Of the tries so many could not begin, because the server refused or was silent before anything was attacked.
        self.tries, self.stillborn = 0, 0
        self.findings, self.notes, self.left_out = [], [], []
        self.not_applicable = None
        self.lock = threading.Lock()

    def tried(self, count=1):
        with self.lock:
            self.tries += count

    def did_not_begin(self, reason):
        with self.lock:
            self.stillborn += 1
        self.note(f"a try could not begin: {reason}"[:200])

    def found(self, grade, what, why, clause=""):
        """The same finding is told once."""
        finding = Finding(grade, what, why, clause)
        with self.lock:
            if finding not in self.findings:
                self.findings.append(finding)

    def note(self, text):
        with self.lock:
            if text not in self.notes:
                self.notes.append(text)

    def leave_out(self, part, reason):
        """A part of the class that is not applicable."""
        with self.lock:
            self.left_out.append(f"{part}: {reason}")

    def verdict(self):
        if self.findings:
            return "FOUND"
        return "NOT APPLICABLE" if self.not_applicable or self.stillborn >= self.tries else "PASS"

    def lines(self):
        """All but the table's row."""
        if self.not_applicable:
            yield f"not applicable: {self.not_applicable}"
        for finding in sorted(self.findings):
            clause = f" ({finding.clause})" if finding.clause else ""
            yield f"FOUND, {GRADES[finding.grade]}: {finding.what}{clause}. {finding.why}"
        for part in self.left_out:
            yield f"left out: {part}"
        for note in self.notes:
            yield f"note: {note}"


HEADING = ("class", "verdict", "tries", "good mails", "failed", "p50 ms", "p99 ms", "MiB before", "after", "fds before", "after")


def row(report, good, before, after):
    """`before` and `after`: (KiB, descriptors), or None."""
    def side(usage, part):
        return "-" if usage is None else f"{usage[0] / 1024:.1f}" if part == 0 else str(usage[1])
    return (report.name, report.verdict(), str(report.tries), str(good.mails), str(len(good.failures)),
            good.text(50), good.text(99), side(before, 0), side(after, 0), side(before, 1), side(after, 1))


def table(rows):
    widths = [max(len(line[column]) for line in (HEADING, *rows)) for column in range(len(HEADING))]
    for line in (HEADING, *rows):
        cells = [cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        yield "  ".join(cells).rstrip()
