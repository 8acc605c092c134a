"""The red team: known ways of cheating, tried on this very machine against the real sandbox and evaluator.

An exploit is held where it changes nothing that can be seen from outside. Its candidate's text is only ever run in the
sandbox.
"""

from .exploit import Attack, Exploit, Finding, Outcome
from .generic import GENERIC, attack_task
from .lab import Lab
from .suite import all_exploits, attack_suite

__all__ = ["GENERIC", "Attack", "Exploit", "Finding", "Lab", "Outcome", "all_exploits", "attack_suite", "attack_task"]
