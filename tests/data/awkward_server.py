"""A web server on this machine that misbehaves as it is told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Manners:
    """What the server does; each entry of `cuts` ends one answer after so many bytes."""

    body: bytes
    etag: str | None = '"one"'
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    shift: int = 0  # what the server adds to the start of a range it was asked for
    page: bool = False
    chunk: int = 1 << 16
    pause: float = 0.0
    seen: list[dict[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    manners: Manners

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        now = self.manners
        now.seen.append(dict(self.headers))
        now.lines.append(self.path)
        if now.statuses and (status := now.statuses.pop(0)) != 200:
            return self._answer(status, b"", {"Retry-After": "7"})
        if now.page:
            return self._answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        same = now.etag is not None and self.headers.get("If-Range") == now.etag
        headers = {"ETag": now.etag} if now.etag else {}
        if not (start and now.ranges and same):
            return self._answer(200, now.body, headers)
        if start >= len(now.body):
            return self._answer(416, b"", {"Content-Range": f"bytes */{len(now.body)}"})
        start += now.shift
        headers["Content-Range"] = f"bytes {start}-{len(now.body) - 1}/{len(now.body)}"
        return self._answer(206, now.body[start:], headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        now = self.manners
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = now.cuts.pop(0) if now.cuts and status in (200, 206) else len(body)
        for begin in range(0, min(cut, len(body)), now.chunk):
            self.wfile.write(body[begin : min(begin + now.chunk, cut)])
            time.sleep(now.pause)


@contextmanager
def serve(manners: Manners) -> Iterator[str]:
    """Serve with these manners; yield the address of a file."""
    handler = type("Handler", (_Handler,), {"manners": manners})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/pets.zip"
    finally:
        server.shutdown()
        server.server_close()
