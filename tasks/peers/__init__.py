"""Tasks of other systems, as they are: what an imported ``task.py`` is made of (``importing.py`` writes one).

Their evaluators run in jails. Where the form lets them, programs run apart from them, as in any task.
"""

from .algotune import AlgoTuneProblem
from .evaluators import SCORE, Experiment, SharedEvaluator, instances, judge
from .kernelbench import KernelBenchProblem
from .limits import LIMITS

__all__ = [
    "LIMITS",
    "SCORE",
    "AlgoTuneProblem",
    "Experiment",
    "KernelBenchProblem",
    "SharedEvaluator",
    "instances",
    "judge",
]
