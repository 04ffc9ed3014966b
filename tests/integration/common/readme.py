"""What README shows a newcomer: commands, the lines that they give, and pages to look at."""

import re

TITLE = "## The first ten minutes"
# It stands in brackets at the end of a reply, and for it README says ID.
REJECT_ID = re.compile(r"^<\*\* .*\[([0-9A-Z]{8,})\]$", re.M)


def section(page, title):
    """From this heading to the next of its level or a higher one."""
    level = title.split()[0]
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", page, re.M | re.S)
    assert found, f"no section {title}"
    return found[1]


def shown_commands(page):
    """(command, lines of its output that README shows), in order."""
    shown = []
    for line in re.findall(r"^    (.*)$", section(page, TITLE), re.M):
        if line.startswith("$ "):
            shown.append((line[2:], []))
        else:
            shown[-1][1].append(line)
    return shown


def shown_pages(page):
    """Their addresses."""
    return re.findall(r"http://127\.0\.0\.1:8025[\w/]*", section(page, TITLE))


def shown_package(page):
    """The command that installs the client which the commands need."""
    return re.search(r"`sudo (apt-get install [a-z-]+)`", section(page, TITLE))[1]


def last_id(outputs):
    """The last one that a reply had."""
    return [found for output in outputs for found in REJECT_ID.findall(output)][-1]


def with_id(command, outputs):
    """With the last id that a reply had in place of ID."""
    return re.sub(r"\bID\b", last_id(outputs), command) if re.search(r"\bID\b", command) else command


def assert_shown(command, lines, output):
    """All of them stand in the output, in order; "..." is any text within a line."""
    rest = output.splitlines()
    for line in lines:
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        at = next((i for i, found in enumerate(rest) if pattern.fullmatch(found.strip())), None)
        assert at is not None, f"{command}: no {line!r} in {output[-3000:]}"
        rest = rest[at + 1:]
