"""Does one process keep 64 calls to a model in flight? The real client and proposer against a server that only waits.

``python -m speciate.benchmarks.calls [--in-flight 64] [--latency 1.0] [--chunks 0 20 200]`` starts an endpoint on
loopback, in a process of its own, which sends every reply after ``latency`` seconds, whole (0) or streamed in so many
pieces. The proposer makes its prompts, edits, checks and journal entries as in a run; programs are not evaluated. 100 %
is in-flight / latency. What the machine's other jobs take away shows in that, so CPU per call is told too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from ..agents import Brief, Candidate, Desk, NoProposal
from ..agents.llm.assembly import chat_proposer
from ..agents.llm.proposer import AgentProposer
from ..agents.llm.settings import LLMSettings
from ..archive import Event, Journal, Program
from ..discovery.briefing import task_card
from ..discovery.rules import Rules
from ..evaluators import Evaluation, State, TaskFolder, load_task


@dataclass(frozen=True, slots=True)
class Throughput:
    """``fraction`` of in-flight / latency and ``cpu_ms`` of this process per call, both without the first round, in
    which modules are imported, and the last."""

    calls: int
    programs: int
    fraction: float
    cpu_ms: float
    load: float


def reply_text() -> str:
    """A diff of the usual length that always applies: it adds a line to the block."""
    idea = "The bound is loose where the weights are small; another order of the same steps tightens it. " * 12
    mark = "# EVOLVE-BLOCK-START"
    return f"{idea}\n\n<<<<<<< SEARCH\n{mark}\n=======\n{mark}\nNUMBER = {{number}}\n>>>>>>> REPLACE\n"


class Server:
    """Chat completions over HTTP/1.1 and nothing else; as little work per reply as there can be."""

    def __init__(self, latency: float, chunks: int) -> None:
        self._latency = latency
        self._chunks = chunks
        self._number = 0

    async def serve(self, connection: Connection) -> None:
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        connection.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                await reader.readexactly(length)
                self._number += 1
                body = self._body(reply_text().format(number=self._number))
                await asyncio.sleep(self._latency)
                writer.write(body)
                await writer.drain()

    def _body(self, text: str) -> bytes:
        usage = {"prompt_tokens": 3000, "completion_tokens": len(text) // 4, "total_tokens": 3000 + len(text) // 4}
        if not self._chunks:
            message = {"role": "assistant", "content": text}
            whole = _document("chat.completion", [{"index": 0, "message": message, "finish_reason": "stop"}], usage)
            return _headers("application/json", len(whole)) + whole
        size = -(-len(text) // self._chunks)
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        deltas: list[tuple[dict[str, str], str | None]] = [
            *(({"content": piece}, None) for piece in pieces),
            ({}, "stop"),
        ]
        lines = [_document("chat.completion.chunk", [_delta(*delta)]) for delta in deltas]
        events = b"".join(
            b"data: " + line + b"\n\n" for line in (*lines, _document("chat.completion.chunk", [], usage))
        )
        events += b"data: [DONE]\n\n"
        return _headers("text/event-stream", len(events)) + events


def _delta(delta: dict[str, str], finish: str | None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _document(kind: str, choices: list[dict[str, object]], usage: dict[str, int] | None = None) -> bytes:
    told = {"id": "1", "object": kind, "created": 0, "model": "waits", "choices": choices}
    return json.dumps(told if usage is None else {**told, "usage": usage}).encode()


def _headers(kind: str, length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n".encode()


def _serve(connection: Connection, latency: float, chunks: int) -> None:
    asyncio.run(Server(latency, chunks).serve(connection))


@contextlib.contextmanager
def serving(latency: float, chunks: int) -> Iterator[str]:
    """The address of a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=_serve, args=(its, latency, chunks), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{mine.recv()}/v1"
    finally:
        process.terminate()
        process.join()


def measure(task: str, in_flight: int, latency: float, rounds: int, chunks: int) -> Throughput:
    """``rounds`` calls in each of ``in_flight`` places; the fraction is of those between the first and the last."""
    folder = load_task(task)
    with serving(latency, chunks) as address, tempfile.TemporaryDirectory() as place:
        known = {"models": {"waits": {"base_url": address, "api_key_env": None, "stream": chunks > 0}}}
        settings = LLMSettings.model_validate(known | {"concurrency": in_flight, "repairs": 0, "warm_start": 0})
        with contextlib.closing(Journal.create(Path(place) / "run")) as journal:
            return asyncio.run(_drive(folder, chat_proposer(settings), journal, in_flight, latency, rounds))


async def _drive(
    folder: TaskFolder, proposer: AgentProposer, journal: Journal, in_flight: int, latency: float, rounds: int
) -> Throughput:
    async def nothing(*about: object) -> None:
        return None

    def record(event: Event) -> None:
        journal.append(event)

    violations = Rules(folder.task, folder.baseline).violations
    proposer.open(Desk(journal.directory, record, violations, nothing, nothing))
    parent = Candidate(Program.of(folder.baseline), Evaluation(state=State.VALID, size="default", score=0.0))
    ended: list[tuple[float, float]] = []
    programs: list[str] = []
    numbers = iter(range(10, 10 + in_flight * rounds))

    async def keep_asking() -> None:
        for index in numbers:
            brief = Brief(task_card(folder), (parent,), (), np.random.default_rng(index), index=index)
            with contextlib.suppress(NoProposal):
                programs.append((await proposer.propose(brief)).program.id)
            ended.append((time.monotonic(), time.process_time()))

    await asyncio.gather(*(keep_asking() for _ in range(in_flight)))
    await proposer.close()
    first, last = ended[in_flight - 1], ended[-in_flight - 1]
    counted = len(ended) - 2 * in_flight
    fraction = counted / (last[0] - first[0]) * latency / in_flight
    load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    return Throughput(len(ended), len(set(programs)), fraction, 1000 * (last[1] - first[1]) / counted, load)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="fasterpam")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--chunks", type=int, nargs="*", default=[0, 20, 200])
    options = parser.parse_args()
    if options.rounds < 4 or options.in_flight < 1:
        parser.error("at least 4 rounds and one call in flight are needed")
    print("| reply in pieces | calls | programs | of in-flight / latency | CPU ms per call | load per core |")
    print("| --- | --- | --- | --- | --- | --- |")
    for chunks in options.chunks:
        one = measure(options.task, options.in_flight, options.latency, options.rounds, chunks)
        row = (
            chunks or "whole",
            one.calls,
            one.programs,
            f"{one.fraction:.1%}",
            f"{one.cpu_ms:.2f}",
            f"{one.load:.1f}",
        )
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
