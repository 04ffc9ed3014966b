"""What daemons for tests have in common: a socket, and a thread for each connection."""

import contextlib
import socket
import socketserver
import threading

GO_AWAY, HANG = object(), object()  # in the place of an answer


class Daemon:
    """Listens at `path`, or else on `host`; `port` 0: any free one. serve() has a connection, as a handler of socketserver with request,
    rfile and wfile; an OSError or a StopIteration in it ends that connection. `endpoint` is the path, or HOST:PORT."""

    def __init__(self, port=0, path=None, host="127.0.0.1"):
        self.connections, self.open, self.sockets = 0, 0, []
        self.is_over = threading.Event()
        daemon = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = path is None

            def handle(self):
                daemon.connections += 1
                daemon.open += 1
                daemon.sockets.append(self.request)
                with contextlib.suppress(OSError, StopIteration):
                    daemon.serve(self)
                daemon.open -= 1

        class Listener(socketserver.ThreadingUnixStreamServer if path else socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 100

        self.listener = Listener(str(path) if path else (host, port), Handler)
        self.endpoint = str(path) if path else f"{host}:{self.listener.server_address[1]}"
        self.address = f"unix:{path}" if path else f"inet:{self.endpoint}"
        threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.is_over.set()
        self.listener.shutdown()
        self.listener.server_close()
        self.hang_up()

    def hang_up(self):
        """On all connections that stand."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()

    def obey(self, said):
        """Ends the connection in serve() where HANG or GO_AWAY is said, and with HANG not before the daemon is closed."""
        if said is HANG:
            self.is_over.wait()
        if said in (HANG, GO_AWAY):
            raise StopIteration

    def serve(self, connection):
        raise NotImplementedError
