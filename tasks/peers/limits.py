"""What one evaluation of an imported task may use, and one call of its judge; ``task.py`` may say otherwise."""

from ...sandbox import MIB, Limits

LIMITS = Limits(cpu_seconds=60.0, wall_seconds=120.0, memory_bytes=4096 * MIB)
