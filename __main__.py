"""``python -m speciate`` is ``speciate``."""

from .cli import main

main()
