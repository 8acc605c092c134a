"""The catalogue: ``<family>/<task>/{task,baseline,reference}.py``. The package itself can be called: it lists them."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evaluators import Task


class _Catalogue(types.ModuleType):
    """``speciate.tasks()`` is the public name, and importing a task makes ``speciate.tasks`` this package."""

    def __call__(self, family: str | None = None) -> list[Task]:
        from ..evaluators.loader import shipped_tasks

        return shipped_tasks(family)


sys.modules[__name__].__class__ = _Catalogue
