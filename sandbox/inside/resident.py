"""The candidate's side of the channel where it is given a device: inputs are resident before they are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from . import sealing
from .accelerator import Accelerator
from .channel import Channel, Closed, Kind
from .runner import Runner, failure_of, flush
from .sealing import Part

_POISON = 255
"""Of every byte: with all its bits set no floating-point format reads a number."""
_NO_MEMORY = ("can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""What torch's allocator for the CPU, CUDA and its libraries say where they raise no class of their own."""


class DeviceRunner(Runner):
    """Until files are loaded only these lines have run, and what they do is believed and timed from outside."""

    def __init__(self, channel: Channel, accelerator: Accelerator) -> None:
        super().__init__(channel)
        self._accelerator = accelerator
        self._placed: dict[int, tuple[list[Part], torch.Tensor]] = {}
        self._index = torch.empty(0)
        self._used: list[torch.Tensor] = []
        """What the last call was given and returned."""

    def handle(self, kind: Kind, value: Any) -> None:
        match kind:
            case Kind.DEVICE | Kind.PLACE | Kind.REHEARSE:
                self._prepare(kind, value)
            case Kind.SETTLE:
                self._settle()
            case Kind.RUN:
                self._run(*value)
            case _:
                super().handle(kind, value)

    def failure(self, error: BaseException) -> str:
        if isinstance(error, torch.OutOfMemoryError):
            return "memory"
        if isinstance(error, RuntimeError) and any(said in str(error) for said in _NO_MEMORY):
            return "memory"
        return failure_of(error)

    def _prepare(self, kind: Kind, value: Any) -> None:
        """A step that no candidate has part in; one that fails is a fault of the machine."""
        try:
            match kind:
                case Kind.DEVICE:
                    reply = self._start(value)
                case Kind.PLACE:
                    reply = self._place(*value)
                case _:
                    reply = self._rehearse(*value)
        except Closed:
            raise
        except Exception as error:  # noqa: BLE001 - torch raises many kinds, and the trusted side must hear of each
            self._channel.send((Kind.BROKEN, f"{type(error).__name__}: {error}"))
        else:
            self._channel.send((Kind.DONE, reply))

    def _start(self, memory_bytes: int) -> None:
        self._accelerator.start(memory_bytes)

    def _toggle(self, words: torch.Tensor, key: sealing.Key) -> None:
        wanted = min(len(words), sealing.CHUNK)
        if len(self._index) < wanted:
            self._index = torch.arange(wanted, dtype=torch.int64, device=self._accelerator.device)
        sealing.toggle(words, self._index, key)

    def _place(self, number: int, layout: list[Any], words: np.ndarray) -> None:
        self._placed[number] = [Part(*part) for part in layout], self._on_device(words)
        self._accelerator.synchronize()

    def _rehearse(self, key: sealing.Key, input_words: int, output_bytes: int) -> np.ndarray:
        """What a call costs around the program's own work: opening the inputs and copying a result back."""
        words = torch.empty(input_words, dtype=torch.int64, device=self._accelerator.device)
        self._toggle(words, key)
        output = torch.empty(output_bytes, dtype=torch.uint8, device=self._accelerator.device)
        _, _ = self._accelerator.timed(lambda: None)
        self._accelerator.synchronize()
        return self._accelerator.to_host(output)

    def _on_device(self, words: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(words).to(self._accelerator.device)

    def _settle(self) -> None:
        """Between two calls, outside the clock: no data of the last one stays in memory that the next may be given."""
        for tensor in self._used:
            tensor.view(torch.uint8).fill_(_POISON)
        sizes = [tensor.nbytes for tensor in self._used]
        self._used.clear()
        _ = [torch.full((size,), _POISON, dtype=torch.uint8, device=self._accelerator.device) for size in sizes]
        failure = self._load_failure or self._attempt(self._accelerator.synchronize)
        self._channel.send((Kind.DONE, None) if failure is None else (Kind.RAISE, failure))

    def _run(self, entry: str, number: int, key: sealing.Key, rest: Mapping[str, Any]) -> None:
        def reply() -> None:
            inputs = {**self._opened(number, key), **rest}
            function = self._programs.function(entry)
            output, seconds = self._accelerator.timed(lambda: self._watch(function, inputs))
            self._accelerator.synchronize()
            hosted = self._hosted(output)
            flush()
            self._channel.send((Kind.RETURN, (hosted, seconds)))

        failure = self._attempt(reply)
        if failure is not None:
            self._channel.send((Kind.RAISE, failure))

    def _opened(self, number: int, key: sealing.Key) -> dict[str, torch.Tensor]:
        layout, words = self._placed.pop(number)
        self._toggle(words, key)
        self._used.append(words)
        return {part.name: _view(words, part) for part in layout}

    def _hosted(self, value: Any) -> Any:
        """Tensors as arrays in host memory, in lists, tuples and dicts too; the rest as it is."""
        if isinstance(value, torch.Tensor):
            plain = value.detach().resolve_conj().resolve_neg()
            if plain.dtype is torch.bfloat16:  # numpy has no such format
                plain = plain.float()
            plain = plain.contiguous()
            self._used.append(plain.reshape(-1))
            return self._accelerator.to_host(plain)
        if isinstance(value, list | tuple):
            return (
                [self._hosted(item) for item in value] if isinstance(value, list) else tuple(map(self._hosted, value))
            )
        if isinstance(value, dict):
            return {key: self._hosted(item) for key, item in value.items()}
        return value


def _view(words: torch.Tensor, part: Part) -> torch.Tensor:
    dtype = getattr(torch, part.dtype)
    count = int(np.prod(part.shape)) * dtype.itemsize
    return words.view(torch.uint8)[part.offset : part.offset + count].view(dtype).reshape(part.shape)
