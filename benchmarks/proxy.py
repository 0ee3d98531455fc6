"""A TCP proxy before a Bolt server that can lose the server's answer to a commit, connection and all."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

COMMIT = b"\x00\x02\xb0\x12\x00\x00"
"""Bolt's message COMMIT in its frame."""


class Proxy:
    """Listens on a free port of loopback; `lose_in` = n loses the answer to the n-th commit from now on (0: none)."""

    def __init__(self, port: int) -> None:
        """`port` is the server's."""
        self.lose_in = 0
        self.n_commits = 0
        self.n_lost = 0
        self._behind = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.uri = f"bolt://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it may be closed
            self._server.shutdown(socket.SHUT_RDWR)  # ends the accept() that waits
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._server.accept()
                try:
                    behind = socket.create_connection(("127.0.0.1", self._behind))
                except ConnectionRefusedError:  # the server is down
                    client.close()
                    continue
                losing = threading.Event()
                threading.Thread(target=self._forth, args=(client, behind, losing), daemon=True).start()
                threading.Thread(target=self._back, args=(behind, client, losing), daemon=True).start()

    def _forth(self, client: socket.socket, behind: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError), _ending(client, behind):
            while data := client.recv(1 << 16):
                if data.endswith(COMMIT):
                    self.n_commits += 1
                    if self.lose_in:
                        self.lose_in -= 1
                        if not self.lose_in:
                            losing.set()
                behind.sendall(data)

    def _back(self, behind: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError), _ending(client, behind):
            while data := behind.recv(1 << 16):
                if losing.is_set():
                    self.n_lost += 1
                    return
                client.sendall(data)


@contextlib.contextmanager
def _ending(*ends: socket.socket) -> Iterator[None]:
    """Ends both connections, also where another thread waits in recv()."""
    try:
        yield
    finally:
        for end in ends:
            with contextlib.suppress(OSError):  # the other side has done so
                end.shutdown(socket.SHUT_RDWR)
            end.close()
