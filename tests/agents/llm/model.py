"""What the scripted model says of the toy task ``linear``: some good edits, many bad ones."""

from __future__ import annotations

import random
import re

from .endpoint import Reply


def factor_of(text: str) -> str:
    """As it stands in the program that the prompt shows first."""
    match = re.search(r"^FACTOR = (\S+)", text, re.MULTILINE)
    return match[1] if match else "1.4"


def diff(search: str, replace: str, idea: str = "A better factor.") -> str:
    return f"{idea}\n\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


def improver(messages: list[dict[str, str]], number: int) -> Reply:
    """The next reply of a middling model; what it says depends on the prompt alone, however often it is asked."""
    text = messages[-1]["content"]
    dice = random.Random(str([message["content"] for message in messages]))
    now = factor_of(messages[1]["content"])
    better = f"FACTOR = {float(now) + dice.uniform(0.0, 0.6):.4f}"
    if "could not be used" in text or "does not work" in text:
        return Reply(diff(f"FACTOR = {now}", better, "Once more."))
    kind = dice.random()
    if kind < 0.5:
        return Reply(diff(f"FACTOR = {now}", better))
    if kind < 0.65:
        return Reply(diff("FACTOR = 99", better, "A wrong memory of the program."))
    if kind < 0.75:
        return Reply("I am sorry, I have no idea what to do.")
    if kind < 0.85:
        return Reply(diff("    return y", "    return y / 0 + undefined", "A crash."))
    return Reply(
        f"All of it:\n```python\nimport numpy as np\n{better}\n\n\ndef solve(x):\n    return FACTOR * x\n```\n"
    )
