"""What runs in the jails of evaluators. Sent there as text; nothing here is imported by the trusted side."""

from pathlib import Path

from ....evaluators.trial import MAIN

PLACE = Path(__file__).parent


def driver(name: str) -> dict[str, str]:
    """One of these modules as the main file of a process, with what it imports."""
    files = {MAIN: f"{name}.py", "loading.py": "loading.py"}
    return {file: (PLACE / source).read_text(encoding="utf-8") for file, source in files.items()}
