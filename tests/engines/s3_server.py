"""A small S3 server on this machine that fails and dawdles as it is told.

It knows what pyarrow asks for: HEAD, GET, ListObjectsV2, PUT, DELETE and multipart uploads, of one
bucket, without signatures.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

TIME = "2026-01-01T00:00:00.000Z"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass
class Bucket:
    """Objects by key; what GET of a key fails with, how often; seconds that each answer takes."""

    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    sorry: str = "sorry"
    pause: float = 0.0
    asked: Counter[str] = field(default_factory=Counter)


class _Handler(BaseHTTPRequestHandler):
    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _split(self) -> tuple[str, dict[str, str]]:
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        return unquote(url.path).removeprefix("/photos").strip("/"), query

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _failed(self, key: str) -> bool:
        time.sleep(self.bucket.pause)
        self.bucket.asked[key] += 1
        if self.bucket.failures.get(key, 0) > 0:
            self.bucket.failures[key] -= 1
            words = f"<Message>{self.bucket.sorry}</Message>"
            body = f"{HEAD}<Error><Code>InternalError</Code>{words}</Error>"
            self._answer(500, body.encode())
            return True
        return False

    def do_GET(self) -> None:
        key, query = self._split()
        if not key and "list-type" in query:
            self._list(query)
        elif key not in self.bucket.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>" if key else b"")
        elif not self._failed(key):
            content, status, more = self.bucket.objects[key], 200, {}
            if span := self.headers.get("Range"):
                first, _, last = span.removeprefix("bytes=").partition("-")
                stop = min(int(last or len(content) - 1), len(content) - 1)
                more = {"Content_Range": f"bytes {first}-{stop}/{len(content)}"}
                content, status = content[int(first) : stop + 1], 206
            self._answer(status, content, Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT", **more)

    def do_HEAD(self) -> None:
        key, _ = self._split()
        if key and key not in self.bucket.objects:
            self._answer(404)
        else:
            size = len(self.bucket.objects.get(key, b""))
            date = "Thu, 01 Jan 2026 00:00:00 GMT"
            self._answer(200, b" " * size, Last_Modified=date, ETag='"x"')

    def _list(self, query: dict[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        files, folders = [], set()
        for key in sorted(self.bucket.objects):
            rest = key.removeprefix(prefix)
            if not key.startswith(prefix):
                continue
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
            else:
                files.append(key)
        found = "".join(
            f"<Contents><Key>{escape(k)}</Key><Size>{len(self.bucket.objects[k])}</Size>"
            f"<LastModified>{TIME}</LastModified></Contents>" for k in files
        ) + "".join(
            f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>"
            for f in sorted(folders)
        )  # fmt: skip
        head = f"<KeyCount>{len(files) + len(folders)}</KeyCount><IsTruncated>false</IsTruncated>"
        body = f"{HEAD}<ListBucketResult><Name>photos</Name>{head}{found}</ListBucketResult>"
        self._answer(200, body.encode(), Content_Type="application/xml")

    def do_PUT(self) -> None:
        key, query = self._split()
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = _unchunked(self.rfile)
        else:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "aws-chunked":
            content = _unchunked(BytesIO(content))
        if self._failed(f"PUT {key}"):
            return
        if "partNumber" in query:
            self.bucket.parts[f"{key}:{int(query['partNumber']):05d}"] = content
        else:
            self.bucket.objects[key] = content
        self._answer(200, ETag='"x"')

    def do_POST(self) -> None:
        key, query = self._split()
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "uploads" in query:
            kind = "InitiateMultipartUploadResult"
            body = f"<{kind}><UploadId>1</UploadId></{kind}>"
        elif "uploadId" in query:
            names = sorted(name for name in self.bucket.parts if name.startswith(f"{key}:"))
            self.bucket.objects[key] = b"".join(self.bucket.parts.pop(name) for name in names)
            body = '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>'
        else:  # several objects to delete
            for key in [part.split("</Key>")[0] for part in sent.split("<Key>")[1:]]:
                self.bucket.objects.pop(key, None)
            body = "<DeleteResult></DeleteResult>"
        self._answer(200, (HEAD + body).encode(), Content_Type="application/xml")

    def do_DELETE(self) -> None:
        key, _ = self._split()
        self.bucket.objects.pop(key, None)
        self._answer(204)


def _unchunked(source: BinaryIO) -> bytes:
    found = b""
    while size := int(source.readline().split(b";")[0], 16):
        found += source.read(size)
        source.readline()
    while source.readline().strip():  # trailers
        pass
    return found


@contextmanager
def serving(bucket: Bucket) -> Iterator[str]:
    """Yield the query of addresses, s3://photos/…?QUERY, while the server runs."""
    handler = type("Handler", (_Handler,), {"bucket": bucket})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"endpoint_override=127.0.0.1:{server.server_port}&scheme=http&region=us-east-1"
    finally:
        server.shutdown()
        server.server_close()
