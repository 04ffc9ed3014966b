"""Faults made to order in a running server: the shim of tests/faults is preloaded, and the test writes its rules."""

import mmap
import os
import re
import struct
import subprocess

from common.harness import PROGRAM, ROOT, SANITIZE, Skip

SHIM = PROGRAM.parent / "tests/gatepost-faults.so"
CALLS = re.findall(r"^ +CALL\((\w+)\)", (ROOT / "tests/faults/shim.h").read_text(), re.M)
RULE_SIZE = 128
# struct fault_rule behind its first word, up to what the shim counts.
RULE = struct.Struct("<iQQII16s")
COUNTS_AT = 4 + RULE.size
FOR_EVER = 2**64 - 1
ALL = 1_000_000


class Faults:
    """The file of rules, and how to preload the shim that reads it."""

    def __init__(self, directory):
        if not SHIM.exists():
            raise Skip(f"no {SHIM}")
        self.path = directory / "faults"
        self.path.write_bytes(bytes(RULE_SIZE * len(CALLS)))
        with self.path.open("r+b") as file:
            self.rules = mmap.mmap(file.fileno(), 0)

    def prefix(self):
        """The command that starts a program with the shim."""
        return ["env", f"GATEPOST_FAULTS={self.path}", f"LD_PRELOAD={' '.join(preloaded())}"]

    def set(self, call, error=0, first=1, count=FOR_EVER, per_million=ALL, seed=1, thread=""):
        """Switches a rule on, see struct fault_rule. The error 0 makes calls short."""
        at = CALLS.index(call) * RULE_SIZE
        self.rules[at:at + 4] = bytes(4)
        self.rules[at + 4:at + COUNTS_AT] = RULE.pack(error, first, count, per_million, seed, thread.encode())
        self.rules[at + COUNTS_AT:at + COUNTS_AT + 16] = bytes(16)
        self.rules[at:at + 4] = struct.pack("<I", 1)

    def end(self, call):
        at = CALLS.index(call) * RULE_SIZE
        self.rules[at:at + 4] = bytes(4)

    def end_all(self):
        for call in CALLS:
            self.end(call)

    def counts(self, call):
        """(calls that the rule was for, how many of them have failed)"""
        at = CALLS.index(call) * RULE_SIZE + COUNTS_AT
        return struct.unpack("<QQ", self.rules[at:at + 16])

    def failed(self, calls):
        """How many of these calls together have failed, each since its rule was set."""
        return sum(self.counts(call)[1] for call in calls)


def sanitizer_libraries():
    if not SANITIZE:
        return []
    linked = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
    return re.findall(r"=> (\S*lib(?:asan|ubsan|tsan)\S*)", linked)


def preloaded():
    """The shim, and a sanitizer's library. That of ThreadSanitizer must come first, and malloc is then its own."""
    if SANITIZE == "address":
        os.environ["ASAN_OPTIONS"] = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
        return [str(SHIM), *sanitizer_libraries()]
    return [*sanitizer_libraries(), str(SHIM)]
