"""DNS for integration tests, all on loopback: NSD with zones of the test's, unbound as the resolver before it, the stub that is
built beside the program, and a server of our own that answers as a function says."""

import contextlib
import ipaddress
import select
import socket
import struct
import subprocess
import threading

from common.harness import PROGRAM, die_with_parent, free_port, need_program, note, wait_for

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA = 1, 2, 5, 6, 12, 15, 16, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


# ---- wire format --------------------------------------------------------------------------------------------------

def wire_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


class Query:
    """A query as it came: `name` in lower case without the trailing dot."""

    def __init__(self, packet):
        self.packet = packet
        labels, at = [], 12
        while packet[at] != 0:
            labels.append(packet[at + 1:at + 1 + packet[at]])
            at += 1 + packet[at]
        self.name = b".".join(labels).decode("latin-1").lower()
        self.type = struct.unpack_from("!H", packet, at + 1)[0]
        self.question = packet[12:at + 5]

    def header(self, rcode=NOERROR, answers=0, authority=0, flags=0x8180):
        return self.packet[:2] + struct.pack("!HHHHH", flags | rcode, 1, answers, authority, 0)

    def answer(self, *data, ttl=300, flags=0x8180):
        """The records' data, of the type that was asked for."""
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", self.type, 1, ttl, len(octets)) + octets for octets in data)
        return self.header(answers=len(data), flags=flags) + self.question + records

    def negative(self, rcode=NXDOMAIN, ttl=1):
        """With an SOA, whose times are `ttl`."""
        soa = b"\1a\0\1b\0" + struct.pack("!IIIII", 1, 3600, 600, 86400, ttl)
        return (self.header(rcode, authority=1) + self.question + b"\0" + struct.pack("!HHIH", SOA, 1, ttl, len(soa)) + soa)

    def failure(self, rcode=SERVFAIL):
        return self.header(rcode) + self.question


def address(text):
    return ipaddress.ip_address(text).packed


def text(string, length=255):
    """TXT, in strings of so many octets."""
    octets = string.encode()
    return b"".join(bytes([len(octets[at:at + length])]) + octets[at:at + length] for at in range(0, len(octets), length))


def exchange(name, preference=10):
    return struct.pack("!H", preference) + wire_name(name)


def reversed_address(client):
    """As DNS lists are asked for it."""
    return ipaddress.ip_address(client).reverse_pointer.rsplit(".", 2)[0]


def dns_ask(port, name, kind=A, host="127.0.0.1", seconds=0.5):
    """The response code, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(seconds)
        asker.connect((host, port))
        try:
            asker.send(b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + wire_name(name) + struct.pack("!HH", kind, 1))
            return asker.recv(4096)[3] & 15
        except OSError:
            return None


def bound_pair(host="127.0.0.1", port=0):
    """A UDP socket and a listening TCP socket on the same port."""
    for _ in range(50):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            udp.bind((host, port))
            tcp.bind((host, udp.getsockname()[1]))
            tcp.listen(64)
            return udp, tcp
        except OSError:
            udp.close()
            tcp.close()
            if port:
                break
    raise AssertionError("no port for a DNS server")


# ---- a server of our own ------------------------------------------------------------------------------------------

class ScriptedDns:
    """Answers by `behaviour(query, is_tcp, send)`, which calls send(octets) as often as it likes; each query in order, in one
    thread. TCP frames are the behaviour's own affair: send() sends raw octets there."""

    def __init__(self, behaviour, port=0):
        self.behaviour = behaviour
        self.udp, self.tcp = bound_pair(port=port)
        self.port = self.udp.getsockname()[1]
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # answers from here are from the wrong port
        self.other.bind(("127.0.0.1", 0))
        self.stop_reader, self.stop_writer = socket.socketpair()
        self.queries = []
        self.errors = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()

    def stop(self):
        self.stop_writer.send(b"x")
        self.thread.join(20)
        for part in (self.udp, self.tcp, self.other, self.stop_reader, self.stop_writer):
            part.close()
        assert not self.errors, self.errors[0]

    def run(self):
        try:
            while True:
                ready = select.select([self.udp, self.tcp, self.stop_reader], [], [])[0]
                if self.stop_reader in ready:
                    return
                if self.udp in ready:
                    self.udp_turn()
                if self.tcp in ready:
                    self.tcp_turn()
        except Exception as error:  # told when the server is stopped
            self.errors.append(error)

    def udp_turn(self):
        packet, peer = self.udp.recvfrom(65535)
        self.peer = peer
        query = Query(packet)
        self.queries.append((query.name, query.type))
        with contextlib.suppress(ConnectionError):
            self.behaviour(query, False, lambda octets: self.udp.sendto(octets, peer))

    def tcp_turn(self):
        connection = self.tcp.accept()[0]
        with connection, contextlib.suppress(OSError):
            connection.settimeout(0.3)
            length = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
            query = Query(connection.recv(length, socket.MSG_WAITALL))
            self.queries.append((query.name, query.type))
            self.behaviour(query, True, connection.sendall)


def framed(octets):
    return struct.pack("!H", len(octets)) + octets


def by_table(table, ttl=300):
    """A behaviour: (name, type) -> tuple of data, bytes as they are, or None for silence. Other names do not exist."""
    def behave(query, is_tcp, send):
        found = table.get((query.name, query.type), ())
        if found is None:
            return
        if isinstance(found, bytes):
            octets = found
        elif found:
            octets = query.answer(*found, ttl=ttl)
        else:
            octets = query.negative(NOERROR if any(name == query.name for name, _ in table) else NXDOMAIN)
        send(framed(octets) if is_tcp else octets)
    return behave


# ---- programs of others -------------------------------------------------------------------------------------------

class DnsProgram:
    """A DNS server as a child in the foreground, ready when it answers for `probe`."""

    def __init__(self, directory, command, port, probe):
        self.port = port
        self.output = directory / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=directory,
                                            preexec_fn=die_with_parent)
        try:
            wait_for(f"{command[0]} answers", lambda: self.process.poll() is not None or dns_ask(port, probe) == NOERROR)
            assert self.process.poll() is None, f"{command[0]} has ended"
        except AssertionError:
            note(self.output.read_text()[-3000:])
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class DnsStub:
    """The stub that is built beside the program, with this zone file: a context manager. `port`: that of a former one; 0: any free one."""

    def __init__(self, zone, *options, port=0):
        command = [PROGRAM.parent / "gatepost-dns-stub", "--listen", f"127.0.0.1:{port}", *options, zone]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        said = self.process.stdout.readline()
        assert said, "the stub does not start"
        self.port = int(said.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def start_nsd(directory, zones, probe, port=None):
    """`zones`: name -> text of the zone file, or None for one whose file is missing: SERVFAIL."""
    program = need_program("nsd")
    directory.mkdir()
    port = port or free_port()
    parts = [f"""server:
    ip-address: 127.0.0.1@{port}
    username: ""
    zonesdir: "{directory}"
    database: ""
    zonelistfile: "{directory}/zone.list"
    xfrdfile: "{directory}/xfrd.state"
    pidfile: "{directory}/pid"
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""]
    for number, (name, content) in enumerate(zones.items()):
        if content is not None:
            (directory / f"{number}.zone").write_text(content)
        parts.append(f'zone:\n    name: "{name}"\n    zonefile: "{number}.zone"\n')
    (directory / "nsd.conf").write_text("".join(parts))
    return DnsProgram(directory, [program, "-d", "-c", directory / "nsd.conf"], port, probe)


def start_unbound(directory, authorities, probe, port=None):
    """`authorities`: zone -> port of its server on loopback; one of them is "." so that nobody else is ever asked."""
    program = need_program("unbound")
    directory.mkdir()
    port = port or free_port()
    # Zones that unbound answers by itself, or not at all, if not told otherwise.
    own = ("2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.", "test.")
    config = f"""server:
    interface: 127.0.0.1@{port}
    outgoing-interface: 127.0.0.1
    do-ip6: no
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "{directory}"
    pidfile: "{directory}/pid"
    use-syslog: no
    logfile: ""
    module-config: "iterator"
    num-threads: 1
    do-not-query-localhost: no
    qname-minimisation: no
    access-control: 127.0.0.0/8 allow
""" + "".join(f'    local-zone: "{zone}" nodefault\n' for zone in own)
    config += "remote-control:\n    control-enable: no\n"
    for zone, authority in authorities.items():
        config += f'stub-zone:\n    name: "{zone}"\n    stub-addr: 127.0.0.1@{authority}\n'
    (directory / "unbound.conf").write_text(config)
    return DnsProgram(directory, [program, "-d", "-c", directory / "unbound.conf"], port, probe)
