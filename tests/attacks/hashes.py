"""Hash flooding: addresses and names chosen to be alike, for the tables in which clients, networks, senders and answers are kept. What
a session costs must not grow with them."""

from attacks.own import BALANCER
from attacks.target import new_token, together

# The first sessions warm caches and tables up; the CPU of a busy machine varies, a table that has become a list costs much more.
GROWTH_MAX = 4


def addresses(count):
    """As a table's lower bits, upper bits or sums would have them alike."""
    for number in range(count):
        high, low = number >> 8 & 255, number & 255
        yield (f"{1 + low % 200}.{high}.0.1", f"11.{low}.{high}.0", f"12.{low}.{255 - low}.{high}", f"13.0.{high}.{low}")[number % 4]


def domains(count):
    """Names of one length that differ in few bits, and long ones that differ at their end or at their beginning."""
    for number in range(count):
        yield (f"{number:08x}", f"{number:032b}".replace("0", "o").replace("1", "p"), "x" * 50 + f"{number:08x}",
               f"{number:08x}" + "x" * 50)[number % 4]


def visit(target, client_and_name):
    client, name = client_and_name
    with target.connect(target.proxy_port, BALANCER) as peer:
        peer.raw(f"PROXY TCP4 {client} 127.0.0.1 1025 25\r\n".encode())
        if peer.reply().code != 220:
            return
        peer.need(f"EHLO {name}.example.com", 250)
        peer.say(f"MAIL FROM:<a@{name}.honest.example.net>")
        peer.say(f"RCPT TO:<{name}@{target.domain}>")


def attack(target, report):
    count = target.count(6000, 900)
    prefix = new_token()[:6]
    tries = list(zip(addresses(count), (prefix + name for name in domains(count))))
    costs = []
    for third in range(3):
        began = target.server.cpu_seconds()
        part = tries[third * count // 3:(third + 1) * count // 3]
        together(report, lambda one: visit(target, one), part, threads=4)
        costs.append(1e6 * (target.server.cpu_seconds() - began) / len(part))
    report.note("CPU of a session by thirds: " + ", ".join(f"{cost:.0f}" for cost in costs) + " µs")
    # Ticks of the clock are 10 ms, and the good client, who is served for longer where the machine is slow, is part of it.
    if costs[2] > GROWTH_MAX * max(costs[0], 300):
        report.found("attack", f"a session costs {costs[2] / max(costs[0], 1):.1f} times as much after {count} chosen names",
                     "Few packets hold a core")
