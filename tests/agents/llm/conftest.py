from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from .endpoint import Endpoint, Script, serving

Serve = Callable[..., Endpoint]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(script)``: an endpoint that runs until the test ends."""
    with ExitStack() as stack:

        def once(script: Script, **options: Any) -> Endpoint:
            return stack.enter_context(serving(Endpoint(script, **options)))

        yield once
