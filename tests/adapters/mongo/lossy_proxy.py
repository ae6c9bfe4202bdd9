"""TCP proxy that can drop the responses of a server."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class LossyProxy:
    """Forwards bytes between clients and the server at `url`; with `loses_answers` it drops those of the server."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._server = (target.hostname, target.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = target._replace(netloc=f"127.0.0.1:{self._listener.getsockname()[1]}").geturl()
        self.loses_answers = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                for ends, answers in (((client, server), False), ((server, client), True)):
                    threading.Thread(target=self._carry, args=(*ends, answers), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError), source:
            while said := source.recv(65536):
                if not (answers and self.loses_answers):
                    target.sendall(said)
            target.shutdown(socket.SHUT_WR)
