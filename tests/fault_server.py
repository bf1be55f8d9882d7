"""A server of embeddings that misbehaves in every way real ones do, on a loopback port.

It answers the requests of a run one after another by a script of faults, and then well. ``vector``
says what it gives for a text, so that a test can compare exactly.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rate_models import Bucket, Slices, SlidingWindow


def vector(text: str, dimensions: int = 4) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the vector of a text: its length, its first character, and ones."""
    row = np.ones(dimensions, dtype=np.float32)
    row[:2] = len(text), ord(text[0])
    return row


def tokens_of(texts: list[str]) -> int:
    """Return what the server charges: a token for four characters."""
    return sum(map(len, texts)) // 4


def _takes(_text: str) -> bool:
    return False


def _leaves(_reply: dict[str, Any]) -> None:
    """Change nothing."""


@dataclass
class FaultServer:
    """What it does, and what it was asked."""

    script: list[Callable[[_Handler, dict[str, Any]], None] | None] = field(default_factory=list)
    cap: int | None = None
    """Inputs that a request may have; ``cap_message`` says so where it has more."""
    cap_message: str = "batch size is invalid, it should not be larger than {cap}."
    vector: Callable[[str, int], np.ndarray[Any, np.dtype[np.float32]]] = vector
    """What it gives for a text and a number of dimensions."""
    base64: str = "given"
    """Where base64 is asked for: "given", "ignored" for floats, "refused" with a 400."""
    choose_dimensions: bool = True
    bad: Callable[[str], bool] = _takes
    """Texts that are refused, with the whole request they are in."""
    change: Callable[[dict[str, Any]], object] = _leaves
    """Spoils a reply before it is sent."""
    charge: Callable[[list[str]], int] = tokens_of
    limit: Bucket | SlidingWindow | Slices | None = None
    latency: float = 0.0
    requests: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    began: float = field(default_factory=time.monotonic)

    def sizes(self) -> list[int]:
        """Return how many inputs each request had."""
        return [len(request["input"]) for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: FaultServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.faults.lock:
            self.faults.requests.append(body)
            fault = self.faults.script.pop(0) if self.faults.script else None
        (fault or answer)(self, body)

    def send(self, status: int, reply: object, **headers: str) -> None:
        """Send a whole answer."""
        content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        with self.faults.lock:
            self.faults.statuses.append(status)
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        """Send an error as OpenAI writes it."""
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        self.send(status, {"error": error}, **headers)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def answer(handler: _Handler, body: dict[str, Any]) -> None:
    """Answer as this server does when it is well."""
    faults, texts = handler.faults, body["input"]
    headers: dict[str, str] = {}
    if faults.limit is not None:
        with faults.lock:
            passes, headers = faults.limit.take(time.monotonic() - faults.began, tokens_of(texts))
        if not passes:
            handler.refuse(429, "Rate limit reached", "rate_limit_exceeded", **headers)
            return
    time.sleep(faults.latency)
    if faults.cap is not None and len(texts) > faults.cap:
        handler.refuse(400, faults.cap_message.format(cap=faults.cap, sent=len(texts)))
    elif faults.base64 == "refused" and "encoding_format" in body:
        handler.refuse(400, "encoding_format is not supported")
    elif bad := [text for text in texts if faults.bad(text)]:
        handler.refuse(400, f"'$.input' is invalid: {bad[0]!r}")
    else:
        handler.send(200, replied(faults, body), **headers)


def replied(faults: FaultServer, body: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to a request: in reverse order, as the index is what counts."""
    dimensions = body.get("dimensions", 4) if faults.choose_dimensions else 4
    encoded = body.get("encoding_format") == "base64" and faults.base64 == "given"
    data = []
    for index, text in enumerate(body["input"]):
        row = faults.vector(text, dimensions)
        value = base64.b64encode(row.tobytes()).decode() if encoded else row.tolist()
        data.append({"object": "embedding", "index": index, "embedding": value})
    tokens = faults.charge(body["input"])
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    reply = {"object": "list", "data": data[::-1], "model": body["model"], "usage": usage}
    faults.change(reply)
    return reply


def refused(status: int, message: str = "no", code: str | None = None, **headers: str) -> Any:
    """Return a fault: an error with these headers."""
    return lambda handler, _: handler.refuse(status, message, code, **headers)


def torn(handler: _Handler, body: dict[str, Any]) -> None:
    """Promise more than comes, and hang up."""
    content = json.dumps(replied(handler.faults, body)).encode()
    handler.send_response(200)
    handler.send_header("content-length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def reset(handler: _Handler, _: dict[str, Any]) -> None:
    """Break the connection before an answer."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True
    # What the server's own machinery still wants to write goes nowhere.
    handler.wfile = open("/dev/null", "wb")  # noqa: PTH123, SIM115


def slow(seconds: float) -> Any:
    """Return a fault: the first byte comes late."""

    def late(handler: _Handler, body: dict[str, Any]) -> None:
        time.sleep(seconds)
        answer(handler, body)

    return late


@contextmanager
def serve(faults: FaultServer) -> Iterator[FaultServer]:
    """Run the server until the end of the block."""
    handler = type("Handler", (_Handler,), {"faults": faults})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hung up
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    faults.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield faults
    finally:
        server.shutdown()
        server.server_close()
