"""A next hop for tests that speaks TLS."""

import ssl

from common.daemons.next_hop import GO_AWAY, HANG, NextHop


class TlsHop(NextHop):
    """Offers STARTTLS with the certificate DIRECTORY/`certificate`.pem, which use() changes. Beside what NextHop does, `answers` may
    say {"STARTTLS": "220 go\\r\\n250 injected"} and {"HANDSHAKE": HANG, GO_AWAY or octets} instead of one. `secured` has for each
    handshake (name that was asked for, whether a session was resumed, subject of the client's certificate)."""

    def __init__(self, directory, certificate, protocol="lmtp", port=0, authority=None, host="127.0.0.1"):
        self.directory, self.secured, self.texts_in_clear, self.authority = directory, [], 0, authority
        self.use(certificate)
        super().__init__(protocol, port, host=host)

    def use(self, certificate, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / f"{certificate}.pem", self.directory / f"{certificate}.key")
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if self.authority is not None:
            context.load_verify_locations(self.authority)
            context.verify_mode = ssl.CERT_OPTIONAL
        context.sni_callback = self.note_name
        self.context = context

    def note_name(self, socket, name, context):
        socket.name = name

    def answer(self, connection, step, usual):
        is_secured = isinstance(connection.request, ssl.SSLSocket)
        if step in ("EHLO", "LHLO") and not is_secured:
            usual = usual.replace("250-PIPELINING", "250-PIPELINING\r\n250-STARTTLS")
        if step == "STARTTLS":
            return super().answer(connection, step, "220 2.0.0 go on") and self.secure(connection)
        if step == "DATA" and not is_secured:
            self.texts_in_clear += 1
        return super().answer(connection, step, usual)

    def secure(self, connection):
        said = self.answers.get("HANDSHAKE")
        if said in (HANG, GO_AWAY):
            super().answer(connection, "HANDSHAKE", "")
        if said is not None:
            connection.request.recv(65536)  # ClientHello: what came before it would count as injected
            connection.wfile.write(said)
            connection.request.recv(65536)
            raise StopIteration
        connection.request = self.context.wrap_socket(connection.request, server_side=True)
        connection.rfile, connection.wfile = connection.request.makefile("rb"), connection.request.makefile("wb", 0)
        subject = (connection.request.getpeercert() or {}).get("subject", ())
        self.secured.append((getattr(connection.request, "name", None), connection.request.session_reused,
                             dict(pair for part in subject for pair in part).get("commonName")))
        return True
