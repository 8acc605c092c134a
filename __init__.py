"""speciate discovers algorithms, with scores that can be believed.

``tasks`` lists the catalogue, ``evaluate`` scores one program, ``discover`` searches for a better one, ``load_run``
reads a search, finished or not. What they need is imported when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import discover, evaluate, load_run, tasks

__version__ = "0.1.0"
__all__ = ["discover", "evaluate", "load_run", "tasks"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
