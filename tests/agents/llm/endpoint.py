"""A real HTTP server on loopback that speaks the chat completions protocol, well or badly, as a script says."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


@dataclass(frozen=True)
class Reply:
    """How one request is answered. ``usage`` None: not counted. ``raw`` is sent as the body whatever was asked.

    ``cut``: a streamed reply ends after so many characters, with the connection. ``silent``: seconds before anything.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    usage: dict[str, Any] | None = field(default_factory=lambda: dict(USAGE))
    finish: str | None = "stop"
    reasoning: str = ""
    choices: bool = True
    raw: bytes | None = None
    cut: int | None = None
    silent: float = 0.0
    pause: float = 0.0
    """Seconds between chunks."""


Script = Callable[[list[dict[str, str]], int], Reply]
"""Of the messages and the number of the request, counted from 0."""


class Endpoint:
    """``requests`` are the bodies as they came, ``keys`` the Authorization headers, ``at`` when they came.

    ``answered`` are the messages (as text) of the requests that got a whole reply.
    """

    def __init__(self, script: Script, models: Sequence[str] | None = ("scripted",), key: str | None = None) -> None:
        self.script = script
        self.models = models
        self.key = key
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.at: list[float] = []
        self.answered: list[str] = []
        self.lock = threading.Lock()
        self.down = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @property
    def prompts(self) -> list[str]:
        """Each request's messages as one text."""
        return [json.dumps(request["messages"]) for request in self.requests]


@contextlib.contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    thread = threading.Thread(target=endpoint.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.server.shutdown()
        endpoint.server.server_close()
        thread.join()


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            if self._refused():
                return
            if endpoint.models is None:
                self._send(404, b'{"error": {"message": "unknown path"}}')
            else:
                data = [{"id": name, "object": "model", "created": 0, "owned_by": "us"} for name in endpoint.models]
                self._send(200, json.dumps({"object": "list", "data": data}).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self._refused():
                return
            with endpoint.lock:
                number = len(endpoint.requests)
                endpoint.requests.append(body)
                endpoint.keys.append(self.headers.get("authorization"))
                endpoint.at.append(time.monotonic())
            if endpoint.down:
                self._cut()
                return
            reply = endpoint.script(body["messages"], number)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._reply(reply, bool(body.get("stream")))
                if reply.status == 200 and reply.cut is None:
                    endpoint.answered.append(json.dumps(body["messages"]))

        def _refused(self) -> bool:
            if endpoint.key is None or self.headers.get("authorization") == f"Bearer {endpoint.key}":
                return False
            said = f"Incorrect API key provided: {self.headers.get('authorization')}"
            self._send(401, json.dumps({"error": {"message": said, "code": "invalid_api_key"}}).encode())
            return True

        def _reply(self, reply: Reply, stream: bool) -> None:
            time.sleep(reply.silent)
            if reply.raw is not None or reply.status != 200:
                error = {"error": {"message": reply.text, "type": "error", "code": None}}
                self._send(reply.status, json.dumps(error).encode() if reply.raw is None else reply.raw, reply.headers)
            elif stream:
                self._stream(reply)
            else:
                self._send(200, json.dumps(_whole(reply)).encode())

        def _stream(self, reply: Reply) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            text = reply.text if reply.cut is None else reply.text[: reply.cut]
            if reply.reasoning:
                self._chunk(_chunk({"reasoning_content": reply.reasoning}))
            for start in range(0, len(text), 40):
                self._chunk(_chunk({"content": text[start : start + 40]}))
                time.sleep(reply.pause)
            if reply.cut is not None:
                self._cut()
                return
            if reply.choices and reply.finish is not None:
                self._chunk(_chunk({}, reply.finish))
            if reply.usage is not None:
                self._chunk({**_chunk({}), "choices": [], "usage": reply.usage})
            self._line(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _chunk(self, document: dict[str, Any]) -> None:
            self._line(b"data: " + json.dumps(document).encode() + b"\n\n")

        def _line(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def _cut(self) -> None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _whole(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        message["reasoning"] = reply.reasoning
    choices = [{"index": 0, "message": message, "finish_reason": reply.finish}] if reply.choices else []
    document = {"id": "1", "object": "chat.completion", "created": 0, "model": "scripted", "choices": choices}
    return document if reply.usage is None else {**document, "usage": reply.usage}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [choice]}
