"""The red team: known ways of cheating, tried on this very machine against the real sandbox and evaluator.

An exploit is held where it changes nothing that can be seen from outside. Its candidate's text is only ever run in the
sandbox.
"""

from .exploit import Attack, Exploit, Finding, Outcome
from .generic import attack_task
from .lab import Lab
from .suite import attack_suite, exploits

__all__ = ["Attack", "Exploit", "Finding", "Lab", "Outcome", "attack_suite", "attack_task", "exploits"]
