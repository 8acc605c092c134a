"""Evaluations on the nodes of a Ray cluster.

Ray places the actors, restarts those whose node died on another one, and carries jobs and results. Every node needs the
same speciate, and a task that is not shipped in the same folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..evaluators import Calibration, reload_task
from ..sandbox import Backend, SandboxError
from .config import ConfigError
from .executor import Jail, Setting
from .jobs import Job

if TYPE_CHECKING:
    from ray.actor import ActorHandle

T = TypeVar("T")

_PAUSE_SECONDS = 0.5
"""Between looks at an actor that is being restarted."""
_CLOSE_SECONDS = 10.0


def connect(address: str) -> None:
    """Join a cluster; ``auto`` is the one that this machine belongs to. Raises: ConfigError."""
    try:
        import ray
    except ImportError:
        raise ConfigError("the executor ray needs Ray: pip install 'speciate[ray]'") from None
    if ray.is_initialized():
        return
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, namespace="speciate")
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise ConfigError(
            f"no Ray cluster at '{address}': start one with 'ray start --head', or give --address HOST:PORT "
            f"({str(error).splitlines()[0]})"
        ) from error


def room(cpus: float, gpus: float) -> int:
    """How many evaluations that take so much of their node the cluster has room for. Raises: ConfigError for none."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fits = [
        min(int(node.get(kind, 0) // taken) for kind, taken in (("CPU", cpus), ("GPU", gpus)) if taken)
        for node in nodes
    ]
    if sum(fits) < 1:
        raise ConfigError(
            f"no node of the cluster has the {cpus:g} CPUs and {gpus:g} GPUs that one evaluation of this task takes: "
            "add one, or give --workers to wait for it"
        )
    return sum(fits)


@dataclass(frozen=True, slots=True)
class Order:
    """What a node needs to know of a run. The task itself is loaded there."""

    task: str
    path: str
    digest: str
    secret: bytes
    calibration: Calibration
    backend: Backend

    @classmethod
    def of(cls, setting: Setting) -> Order:
        folder = setting.folder
        return cls(
            folder.task.id, str(folder.path), folder.digest, setting.secret, setting.calibration, setting.backend
        )

    def jail(self) -> Jail:
        """Raises: TaskError where this node's files of the task are others."""
        folder = reload_task(self.task, self.path, self.digest)
        return Jail(Setting(folder, self.secret, self.calibration, self.backend))


class Worker:
    """The actor: a process on some node that owns a jail, and uses it from one thread."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._jail: Jail | None = None

    def open(self) -> None:
        """Raises: TaskError, NoJail, SandboxError."""
        if self._jail is None:
            self._jail = self._order.jail()
        self._jail.open()

    def do(self, job: Job[T]) -> T:
        self.open()
        assert self._jail is not None
        return self._jail.do(job)

    def close(self) -> None:
        if self._jail is not None:
            self._jail.close()


class RayExecutor:
    """Jobs go to actors that are up and idle, one to each: what waits, waits here, so that no queue grows elsewhere.

    An actor takes of its node what the task declares for one evaluation. A job whose node dies is lost.
    """

    def __init__(self, setting: Setting, workers: int) -> None:
        import ray

        limits = setting.folder.task.limits
        actor = ray.remote(Worker).options(
            num_cpus=limits.cpus, num_gpus=limits.gpus, scheduling_strategy="SPREAD", max_restarts=-1
        )
        order = Order.of(setting)
        self._actors: list[ActorHandle[Worker]] = [
            cast("ActorHandle[Worker]", actor.remote(order)) for _ in range(workers)
        ]
        self._idle: asyncio.Queue[ActorHandle[Worker] | Exception] = asyncio.Queue()
        self._coming: set[asyncio.Task[None]] = set()
        self._up: list[ActorHandle[Worker]] = []
        """Those that have a jail to be closed."""
        self._unfit = 0
        self._begun = False

    async def do(self, job: Job[T]) -> T:
        """Raises: NoJail, TaskError, SandboxError where no node of the cluster is fit."""
        from ray.exceptions import RayError

        self._begin()
        actor = await self._next()
        try:
            result = await _call(actor.do.remote(job))
        except RayError as error:
            self._up.remove(actor)
            self._await(actor)
            return job.lost(f"a node of the cluster failed: {_first_line(error)}")
        except BaseException:
            self._up.remove(actor)
            self._await(actor)  # it may still be at work on what nobody waits for any more
            raise
        self._idle.put_nowait(actor)
        return result

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            for actor in self._actors:
                self._await(actor)

    async def _next(self) -> ActorHandle[Worker]:
        found = await self._idle.get()
        if isinstance(found, Exception):
            self._idle.put_nowait(found)
            raise found
        return found

    def _await(self, actor: ActorHandle[Worker]) -> None:
        """Take an actor up again as soon as it answers."""
        task = asyncio.create_task(self._admit(actor))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _admit(self, actor: ActorHandle[Worker]) -> None:
        from ray.exceptions import ActorDiedError, RayError

        while True:
            try:
                await _call(actor.open.remote())
            except ActorDiedError as error:  # for good: Ray restarts what went down with its node
                return self._give_up(SandboxError(f"a node of the cluster cannot evaluate: {_last_line(error)}"))
            except RayError:
                await asyncio.sleep(_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - whoever waits for an actor must hear of it
                return self._give_up(error)
            else:
                self._up.append(actor)
                return self._idle.put_nowait(actor)

    def _give_up(self, reason: Exception) -> None:
        """Do without an actor; where it was the last one, all who wait are told why."""
        self._unfit += 1
        if self._unfit == len(self._actors):
            self._idle.put_nowait(reason)

    async def close(self) -> None:
        import ray

        for task in self._coming:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(_call(actor.close.remote()) for actor in self._up), return_exceptions=True)
        for actor in self._actors:
            ray.kill(actor)


async def _call(reference: Any) -> Any:
    """The value of a reference. Raises: what was raised on the node; RayError where Ray itself failed."""
    from ray.exceptions import RayTaskError

    try:
        return await reference
    except RayTaskError as error:
        if isinstance(error.cause, Exception) and not isinstance(error.cause, RayTaskError):
            raise error.cause from None
        raise


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _last_line(error: Exception) -> str:
    """Of a traceback the exception itself."""
    return next(reversed(str(error).strip().splitlines()), type(error).__name__)
