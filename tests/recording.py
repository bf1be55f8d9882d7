"""A loopback server that writes down what it is asked, and answers what it is told to."""

from __future__ import annotations

import json
import re
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(frozen=True)
class Recorded:
    """A request as the server saw it; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def essence(self) -> dict[str, Any]:
        """What it asks for, whoever wrote it down: order, boundaries and user agents left out."""
        meant = (
            "authorization api-key accept openai-beta openai-organization openai-project".split()
        )
        return {
            "method": self.method,
            "path": self.path,
            "query": sorted(parse_qsl(self.query, keep_blank_values=True)),
            "headers": {name: self.headers[name] for name in meant if name in self.headers},
            "type": self.headers.get("content-type", "").split(";")[0] if self.body else "",
            "body": self.content,
        }

    @property
    def content(self) -> Any:
        """The body: decoded JSON, or the parts of a form."""
        kind = self.headers.get("content-type", "")
        if not self.body:
            return None
        if kind.startswith("multipart/form-data"):
            return sorted(_parts(kind, self.body))
        return json.loads(self.body)


@dataclass
class Reply:
    """What the server answers: a status, headers, and a body in one piece or several."""

    body: bytes | Iterable[bytes] = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    cut: bool = False
    """Whether the connection is cut after the pieces, without an end."""


class Server:
    """A server at ``url``; ``reply`` may be a function of the request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[Recorded] = []
        self.connections = 0
        self.reply: Reply | Callable[[Recorded], Reply] = Reply()

    def says(self, value: Any, **options: Any) -> None:
        """Answer this as JSON from now on."""
        self.reply = Reply(json.dumps(value).encode(), **options)

    def streams(self, *pieces: bytes, cut: bool = False) -> None:
        """Answer these pieces of an event stream from now on."""
        self.reply = Reply(list(pieces), headers={"content-type": "text/event-stream"}, cut=cut)


class _Listener(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hangs up: it has what it wanted."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def answer(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = _body(self)
            seen = Recorded(self.command, parts.path, parts.query, headers, body)
            server.seen.append(seen)
            reply = server.reply(seen) if callable(server.reply) else server.reply
            with suppress(ConnectionError):  # The client may hang up.
                self._send(reply)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if isinstance(reply.body, bytes):
                self.send_header("content-length", str(len(reply.body) + reply.cut))
                self.end_headers()
                self.wfile.write(reply.body)
            else:
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in reply.body:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"" if reply.cut else b"0\r\n\r\n")
            self.close_connection = reply.cut

        def log_message(self, *_: object) -> None:
            pass

    with _Listener(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hung up
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        server = Server(f"http://127.0.0.1:{http.server_port}")
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("transfer-encoding") == "chunked":
        pieces = []
        while size := int(handler.rfile.readline(), 16):
            pieces.append(handler.rfile.read(size))
            handler.rfile.readline()
        handler.rfile.readline()
        return b"".join(pieces)
    return handler.rfile.read(int(handler.headers.get("content-length", 0)))


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str | None, str | None, bytes]]:
    """Yield the parts of a form: name, file name, type, content."""
    boundary = content_type.split("boundary=")[1].encode()
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        text = head.decode()
        name = re.search(r' name="([^"]*)"', text)
        file = re.search(r' filename="([^"]*)"', text)
        kind = re.search(r"content-type: (.*)", text, re.IGNORECASE)
        yield (
            name[1] if name else "",
            file[1] if file else None,
            kind[1].strip() if kind else None,
            content.removesuffix(b"\r\n"),
        )
