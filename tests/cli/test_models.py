"""What goes wrong with models is known before a run begins, in one line."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The address of an endpoint that has one model, ``this``, for those who have the key ``right``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers.get("authorization") == "Bearer right"
            body = b'{"object": "list", "data": [{"id": "this", "object": "model", "created": 0, "owned_by": "us"}]}'
            body = body if right else b'{"error": {"message": "no such key"}}'
            self.send_response(200 if right else 401)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def refused(tmp_path: Path, command: Callable[..., Any]) -> Callable[..., str]:
    """The one line on stderr."""

    def once(*arguments: object) -> str:
        said = command("run", LINEAR, *arguments, "--out", tmp_path / "run")
        assert said.status == 2, said.err
        assert said.err.startswith("speciate: ")
        assert said.err.count("\n") == 1, said.err
        assert not (tmp_path / "run").exists()
        return said.err

    return once


def test_a_model_must_be_chosen_and_known(refused: Callable[..., str]) -> None:
    assert "--model" in refused("--proposer", "llm")
    line = refused("--model", "nonsense")
    assert "no model 'nonsense'" in line
    assert "NAME@http" in line


def test_a_missing_key_is_named(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "export OPENAI_API_KEY=" in refused("--model", "gpt-5-mini")


def test_an_endpoint_is_asked_whether_it_is_there(
    refused: Callable[..., str], endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "no connection" in refused("--model", f"this@http://127.0.0.1:{port}/v1")
    monkeypatch.setenv("SPECIATE_API_KEY", "wrong")
    line = refused("--model", f"this@{endpoint}")
    assert "SPECIATE_API_KEY" in line
    assert "wrong" not in line
    monkeypatch.setenv("SPECIATE_API_KEY", "right")
    line = refused("--model", f"other@{endpoint}")
    assert "no model 'other'" in line
    assert "this" in line
    assert "price of model 'this' is unknown" in refused("--model", f"this@{endpoint}", "--usd", "1")
    assert "does not pay for one proposal" in refused("--model", f"this@{endpoint}", "--tokens", "100")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("llm.models.m.base_url=ftp://x", "http://host:port/v1"),
        ("llm.models.m.base_url=http://me:secret@host/v1", "api_key_env"),
        ("llm.models.m.prise=3", "llm.models.m.prise"),
        ("llm.models.m.context_tokens=100", "context_tokens"),
        ("llm.models.m.reasoning_effort=low", "reasoning: true"),
        ("llm.operators={simplify: 1}", "llm.operators"),
        ("llm.operators={repair: 1}", "diff or rewrite"),
        ("llm.concurency=3", "concurrency"),
        ("replay=/nowhere", "/nowhere"),
    ],
)
def test_a_wrong_setting_is_one_line(setting: str, words: str, refused: Callable[..., str]) -> None:
    options = ("--set", "llm.models.m.weight=1") if "models" in setting and "weight" not in setting else ()
    assert words in refused("--proposer", "llm" if "replay" not in setting else "symbolic", *options, "--set", setting)


def test_a_run_without_replies_cannot_be_replayed(
    tmp_path: Path, refused: Callable[..., str], command: Callable[..., Any]
) -> None:
    assert "holds no run" in refused("--replay", tmp_path / "none")
    symbolic = tmp_path / "symbolic"
    options = ("--evaluations", 2, "--workers", 1, "--set", "certify=false", "--json")
    assert command("run", LINEAR, *options, "--out", symbolic).status == 0
    assert "no replies" in refused("--replay", symbolic)


def test_clients_are_imported_only_where_they_are_used() -> None:
    code = (
        "import sys, speciate.cli.app, speciate.discovery.run, speciate.agents.llm.assembly\n"
        "print([name for name in ('openai', 'langgraph', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
