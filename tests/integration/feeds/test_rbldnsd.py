#!/usr/bin/env python3
"""Tables of feeds against rbldnsd: the same files, the same questions, the same answers."""

import ipaddress
import os
import random
import re
import socket
import struct
import subprocess

from common.dns_peers import DnsProgram, wire_name
from common.harness import PROGRAM, case, equal, free_port, main, need_program, note

QUESTIONS = 10_000
ZONE = "bl.example"
TYPES = {"A": 1, "TXT": 16}
BATCH = 40  # questions in flight: fewer than a socket's queue has room for


def random_ip4(dice):
    """Few networks, so that entries overlap and questions meet them."""
    return f"10.{dice.choice((0, 1, 2, 255))}.{dice.choice((0, 1, 7, 254, 255))}.{dice.randrange(256)}"


def random_value(dice):
    return dice.choice(["", "", "", "", " # a comment", " :5", " :6:", " :127.0.0.7:Listed: $ by $1", " :127.9:", " Text alone of $ costs $$5 $7 $2",
                        " =Not by the base, $", "\t:2 :spaced", " ;gone", " :0:nothing", " :2 x"])


def random_range(dice):
    first, second = sorted((random_ip4(dice), random_ip4(dice)), key=ipaddress.ip_address)
    octets = first.split(".")
    return dice.choice([
        first, first, first, ".".join(octets[:3]), ".".join(octets[:2]), octets[0], octets[0] + "/8", f"{first}-{second}",
        f"{first}-{dice.randrange(256)}", f"{'.'.join(octets[:3])}-{'.'.join(second.split('.')[:3])}", f"{'.'.join(octets[:2])}-255",
        ".".join(octets[:3]) + f".0/{dice.randrange(20, 25)}", ".".join(octets[:2]) + f"/{dice.randrange(12, 17)}",
        f"{first}/{dice.randrange(24, 33)}", f"{'.'.join(octets[:2])}-{second}"])


def entries_of_ip4(dice, count):
    for _ in range(count):
        yield dice.choice(["", "", "", "!", "! "]) + random_range(dice) + random_value(dice)


def random_ip6(dice):
    return f"2001:db8:{dice.choice('01a')}:{dice.choice('02f')}:{dice.choice(('0:0:0', '1:2:3', '0:5:0'))}:{dice.randrange(8):x}"


def random_network6(dice):
    words = random_ip6(dice).split(":")
    return dice.choice([":".join(words), ":".join(words[:4]), ":".join(words[:3]), ":".join(words[:4]) + "::" + words[7], ":".join(words[:3]) + "::/48",
                        ":".join(words[:2]) + "/32", ":".join(words[:4]) + "::/63", ":".join(words) + f"/{dice.randrange(120, 129)}", words[0]])


def entries_of_ip6(dice, count):
    for _ in range(count):
        yield dice.choice(["", "", "", "!"]) + random_network6(dice) + random_value(dice)


def entries_of_tset6(dice, count):
    for _ in range(count):
        words = random_ip6(dice).split(":")
        yield dice.choice([":".join(words[:4]), "!" + ":".join(words), "!" + ":".join(words[:4]) + "::" + words[7]]) + dice.choice(["", " # x"])


def random_name(dice):
    return ".".join(dice.choice(("a", "b", "mail", "X-1", "c_d")) for _ in range(dice.randrange(1, 5))) + dice.choice((".example", ".test", ""))


def entries_of_names(dice, count):
    for _ in range(count):
        yield dice.choice(["", "", "!"]) + dice.choice(["", ".", "*."]) + random_name(dice) + random_value(dice)


def records(dice, count):
    for _ in range(count):
        yield dice.choice((random_name(dice), "@", "www")) + dice.choice((" ", " 3600 ", " 1h IN ")) + dice.choice(
            (f"A 127.0.0.{dice.randrange(1, 9)}", f'TXT "text {dice.randrange(9)} $ of it"', "A 3", "TXT no quotes", "MX 10 mx.example", "NS ns.example"))


def defaults(dice, entries):
    """Between the entries stand defaults and what is special."""
    yield from ("$SOA 3000 ns.example admin.example 0 600 300 86400 300", "$NS 3600 ns.example", "$TTL 300", "# a comment", "$1 see http://example/?$", "")
    for entry in entries:
        if dice.random() < 0.03:
            yield dice.choice((":2:Default for $", ":127.0.0.4:", ":9", ":127.0.0.8:$1 $1", "#$2 two", ":$1 not again", ":bad"))
        yield entry


FILES = {
    "ip4set": lambda dice: defaults(dice, entries_of_ip4(dice, 300)),
    "ip4trie": lambda dice: defaults(dice, entries_of_ip4(dice, 300)),
    "ip4tset": lambda dice: defaults(dice, (random_ip4(dice) + dice.choice(("", " x", "/32")) for _ in range(300))),
    "ip6trie": lambda dice: defaults(dice, entries_of_ip6(dice, 120)),
    "ip6tset": lambda dice: defaults(dice, entries_of_tset6(dice, 60)),
    "dnset": lambda dice: defaults(dice, entries_of_names(dice, 120)),
    "generic": lambda dice: defaults(dice, records(dice, 40)),
}


def combined(dice):
    yield "$SOA 3000 ns.example admin.example 0 600 300 86400 300"
    yield "$1 common $"
    subzones = ("@", "one", "two", "deep.two @", "one two")
    for kind, entries in FILES.items():
        yield f"$DATASET {kind}:name {dice.choice(subzones)}"
        yield from (line for line in entries(dice) if not line.startswith("$SOA"))


def questions(dice, kind, count):
    for _ in range(count):
        family = {"ip4": "4", "ip6": "6", "dns": "n", "gen": "n"}.get(kind[:3]) or dice.choice("46n")
        name = {"4": lambda: reversed_ip4(random_ip4(dice)), "6": lambda: reversed_ip6(dice), "n": lambda: random_name(dice).lower()}[family]()
        if kind == "combined" and dice.random() < 0.6:
            name += "." + dice.choice(("one", "two", "deep.two", "none"))
        yield name


def reversed_ip4(address):
    return ".".join(reversed(address.split(".")))


def reversed_ip6(dice):
    address = ipaddress.ip_address(dice.choice((random_ip6(dice), f"2002:0a{dice.choice(('00', '01'))}:{dice.randrange(9):02x}{dice.randrange(256):02x}::1",
                                                f"::ffff:{random_ip4(dice)}")))
    return ".".join(reversed(address.exploded.replace(":", "")))


# ---- DNS --------------------------------------------------------------------------------------------------------------


def skip_name(packet, at):
    while packet[at] != 0:
        if packet[at] >= 0xc0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def read_answer(packet, wanted):
    """Its records of the type, as a set."""
    assert packet[3] & 15 in (0, 3), f"rcode {packet[3] & 15}"
    count, at, found = struct.unpack(">H", packet[6:8])[0], skip_name(packet, 12) + 4, set()
    for _ in range(count):
        at = skip_name(packet, at)
        kind, _, _, length = struct.unpack(">HHIH", packet[at:at + 10])
        data = packet[at + 10:at + 10 + length]
        if kind == TYPES[wanted]:
            found.add(".".join(map(str, data)) if wanted == "A" else data[1:].decode("latin-1"))
        at += 10 + length
    return found


def ask_all(port, asked):
    """{(name, type): records}."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.connect(("127.0.0.1", port))
        dns.settimeout(20)
        for at in range(0, len(asked), BATCH):
            batch = asked[at:at + BATCH]
            for number, (name, kind) in enumerate(batch):
                edns = b"\0" + struct.pack(">HHIH", 41, 4096, 0, 0)
                dns.send(struct.pack(">HHHHHH", number, 0, 1, 0, 0, 1) + wire_name(f"{name}.{ZONE}") + struct.pack(">HH", TYPES[kind], 1) + edns)
            for _ in batch:
                packet = dns.recv(8192)
                name, kind = batch[struct.unpack(">H", packet[:2])[0]]
                found[name, kind] = read_answer(packet, kind)
    return found


def start_rbldnsd(directory, kind, path):
    port = free_port()
    directory.chmod(0o755)
    return DnsProgram(directory, [need_program("rbldnsd"), "-n", "-u", "nobody:nogroup", "-w", directory, "-b", f"127.0.0.1/{port}",
                                  f"{ZONE}:{kind}:{path.name}"], port, ZONE)


# ---- ours -------------------------------------------------------------------------------------------------------------


def as_address(name):
    """What looks like an IPv4 address is taken for one."""
    return reversed_ip4(name) if re.fullmatch(r"[0-9.]+", name) else name


def ask_table(kind, path, names):
    """The same by `gatepost feed check`."""
    told = {as_address(name): name for name in names}
    run = subprocess.run([PROGRAM, "feed", "check", "--lenient", "--format", kind, path, "-"], input="\n".join(told), capture_output=True,
                         text=True, encoding="latin-1")
    assert run.returncode == 0, run.stderr
    found = {(name, kind): set() for name in names for kind in TYPES}
    for line in run.stdout.splitlines():
        name, word, data = line.split(" ", 2)
        if word in TYPES:
            found[told[name], word].add(data)
    return found


def compare(directory, kind, lines, dice, count):
    path = directory / f"zone-{kind}"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o644)
    asked = list(dict.fromkeys(questions(dice, kind, count)))
    with start_rbldnsd(directory, kind, path) as dns:
        theirs = ask_all(dns.port, [(name, type_) for name in asked for type_ in TYPES])
    ours = ask_table(kind, path, asked)
    different = [f"{question}: rbldnsd {theirs[question]}, ours {ours[question]}" for question in theirs if theirs[question] != ours[question]]
    equal(different[:5], [], f"answers from {path}, {len(different)} different")
    listed = sum(bool(found) for found in theirs.values())
    assert listed > 0, f"{kind}: nothing is listed, so that nothing was compared"
    return len(theirs)


@case("the same answers as rbldnsd's to ten thousand questions, of each format")
def formats(directory):
    seed = int(os.environ.get("FEED_SEED", "20261129"))
    dice = random.Random(seed)
    asked = 0
    while asked < QUESTIONS:
        for kind, entries in {**FILES, "combined": combined}.items():
            asked += compare(directory, kind, list(entries(dice)), dice, 400)
    note(f"{asked} questions, seed {seed}")


if __name__ == "__main__":
    main()
