"""Programs are parsed while other threads parse."""

import ast
import gc
import threading
import time

from speciate.evaluators.syntax import parse, parse_expression

SOURCE = "\n".join(f"def f{i}(x):\n    return [x + {i} * (x - j) for j in range(x)]" for i in range(40))


def test_threads_parse_side_by_side() -> None:
    """A callback of the collector lets threads change places in the middle of building a tree."""
    failures: list[BaseException] = []
    end = time.monotonic() + 1.5

    def work() -> None:
        try:
            while time.monotonic() < end:
                assert len(parse(SOURCE).body) == 40
        except BaseException as error:  # noqa: BLE001 - also SystemError and what else the interpreter raises
            failures.append(error)

    def change_places(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    threshold = gc.get_threshold()
    gc.callbacks.append(change_places)
    gc.set_threshold(50)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(change_places)
    assert failures == []


def test_an_expression_is_parsed_as_one() -> None:
    assert isinstance(parse_expression("a + 1"), ast.BinOp)
