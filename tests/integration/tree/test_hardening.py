#!/usr/bin/env python3
"""The hardening of the program, as it stands in the binary."""

import platform
import re
import subprocess

from common.harness import PROGRAM, SANITIZE, Skip, case, main, need_program


def read(*arguments):
    return subprocess.run([need_program("readelf"), "-W", *arguments, PROGRAM], capture_output=True, text=True, check=True).stdout


@case("its place in memory is chosen anew at each start (PIE)")
def position(_):
    assert re.search(r"Type:\s+DYN", read("-h")), read("-h")
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", read("-d")), read("-d")


@case("what the loader fills in is read-only before the program runs (RELRO, BIND_NOW)")
def relocations(_):
    assert "GNU_RELRO" in read("-l"), read("-l")
    assert re.search(r"\(FLAGS\).*\bBIND_NOW\b", read("-d")) or re.search(r"\(FLAGS_1\).*\bNOW\b", read("-d")), read("-d")


@case("no piece of memory is written to and executed, the stack least of all; no code is written to by the loader; no RPATH")
def memory(_):
    for line in read("-l").splitlines():
        found = re.match(r"\s+(\w+)\s+0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([R ][W ][E ])", line)
        assert not found or not {"W", "E"} <= set(found[2]), line
    assert re.search(r"GNU_STACK .* RW ", read("-l")), read("-l")
    for word in ("TEXTREL", "RPATH", "RUNPATH"):
        assert f"({word})" not in read("-d"), word


@case("functions watch their stack, and calls of the C library the room that they write to (stack protector, FORTIFY 3)")
def checks(_):
    if SANITIZE:
        raise Skip("sanitizers have checks of their own")
    symbols = read("--dyn-syms")
    assert "__stack_chk_fail" in symbols, symbols
    found = set(re.findall(r"\b__(\w+)_chk@", symbols)) - {"stack_chk_fail"}
    assert {"snprintf", "memcpy", "vsnprintf", "read", "fprintf"} & found, f"checked calls: {found}"


@case("functions that are jumped to say so (endbr64 of CET, or bti c)")
def jumps(_):
    # The mark of the whole file is missing where the startup code of the C library has none, as in Debian.
    marks = {"x86_64": b"\xf3\x0f\x1e\xfa", "aarch64": b"\x5f\x24\x03\xd5"}
    if platform.machine() not in marks:
        raise Skip(f"nothing for {platform.machine()}")
    count = PROGRAM.read_bytes().count(marks[platform.machine()])
    assert count > 100, f"{count} marks"


if __name__ == "__main__":
    main()
