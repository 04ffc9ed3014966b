#!/usr/bin/env python3
"""tests/style sees what it claims to see: its rules are broken one by one, in memory."""
# threads elsewhere: the tree

import importlib.machinery
import importlib.util
import pathlib

from common.harness import ROOT, case, equal, main


def load():
    loader = importlib.machinery.SourceFileLoader("style", str(ROOT / "tests/style"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("style", loader))
    loader.exec_module(module)
    return module


STYLE = load()


def complaints(check, path, addition):
    """What the check says when the addition stands in front of the file's text, or is a new file."""
    path = pathlib.Path(path)
    texts, files, sources = dict(STYLE.TEXTS), list(STYLE.FILES), list(STYLE.SOURCES)
    STYLE.TEXTS[path] = addition + STYLE.TEXTS.get(path, "")
    if path not in files:
        STYLE.FILES.append(path)
        STYLE.SOURCES.append(path)
    found = list(getattr(STYLE, check)())
    STYLE.TEXTS, STYLE.FILES, STYLE.SOURCES = texts, files, sources
    return found


INCLUDES = [
    ("ranks_hold", "workers/senders/lmdb.c", '"workers/journal/journal.h"'),
    ("ranks_hold", "workers/senders/lmdb.c", '"../deliver/delivery.h"'),
    ("ranks_hold", "core/check/spf/term.c", '"core/check/greylist/identity.h"'),
    ("ranks_hold", "core/mail/tag.c", '"core/senders/rates.h"'),
    ("ranks_hold", "workers/deliver/maildir.c", '"workers/inbound/accept/listener.h"'),
    ("ranks_hold", "core/smtp/session.c", '"workers/thread/wheel.h"'),
    ("ranks_hold", "core/base/text.c", '"core/smtp/x.inc"'),
    ("ranks_hold", "conf/snapshot.c", '"core/smtp/metrics.def"'),
    ("includes_are_plain", "workers/senders/lmdb.c", "<workers/journal/journal.h>"),
    ("includes_are_plain", "workers/senders/lmdb.c", "SOME_MACRO"),
    ("core_is_pure", "core/base/text.c", "<sys/socket.h>"),
    ("core_is_pure", "core/base/text.c", "<sys/un.h>"),
    ("core_is_pure", "core/base/text.c", "<netdb.h>"),
    ("core_is_pure", "core/base/text.c", "<semaphore.h>"),
    ("core_is_pure", "core/smtp/session.c", '"dns/clock.h"'),
]

TEXTS = [
    ("core_is_pure", "core/base/text.c", "static long now(void)\n{\n        return time(NULL);\n}\n"),
    ("sources_have_headers", "core/base/text.c", "int stray(int a)\n{\n        return a;\n}\n"),
    ("sources_have_headers", "core/base/text.c", "int stray;\n"),
    ("sources_have_headers", "core/base/text.c", "const struct text stray = {0};\n"),
    ("sources_have_headers", "core/base/stray.c", "static int own;\nchar *stray[3];\n"),
    ("every_layer_has_a_rank", "core/stray/stray.c", "/* It has no rank. */\n"),
    ("every_layer_has_a_rank", "stray/stray.c", "/* It is beside the layers. */\n"),
    ("comments_are_narrow", "core/base/text.c", f"/* {'long ' * 30}*/\n"),
    ("comments_are_whole", "core/base/text.c", "/* It is torn.\n */\n"),
    ("functions_are_short", "core/base/text.c", "static void f(void)\n{\n" + "        ;\n" * 61 + "}\n"),
    ("files_are_short", "core/base/text.c", "\n" * 400),
]


@case("includes that break a rule are found, however they are written")
def includes(directory):
    for check, path, included in INCLUDES:
        for form in ("#include {}\n", "# include {}\n", "#  include  {} /* why */\n"):
            found = complaints(check, path, form.format(included))
            equal([line.split(":")[0] for line in found], [path], f"{check} of {form.format(included)!r}: {found}")


@case("texts that break a rule are found")
def texts(directory):
    for check, path, addition in TEXTS:
        found = complaints(check, path, addition)
        assert any(path in line for line in found), (check, path, addition, found)


@case("a name in a header's comment declares nothing")
def comments(directory):
    style = load()
    style.TEXTS[pathlib.Path("core/base/text.h")] += "/* Not so: int stray(int) */\n"
    style.TEXTS[pathlib.Path("core/base/text.c")] += "int stray(int a)\n{\n        return a;\n}\n"
    assert any("stray" in line for line in style.sources_have_headers())


@case("too many files are found, in a folder and at the top")
def rooms(directory):
    for folder in ("core/check", "tests/dialogue/helo", "."):
        style = load()
        style.FILES.extend(pathlib.Path(folder, f"f{number}.txt") for number in range(25))
        assert list(style.rooms_are_small()), folder


if __name__ == "__main__":
    main()
