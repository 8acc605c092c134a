"""To be imported first in a zygote: threading without its hook that runs in each fork.

The hook puts in order what other threads held at the fork. A zygote has no other thread, and the hook costs every fork
half a millisecond. Hooks that other modules register stay, also the one that seeds ``random``.
"""

import os

_register = os.register_at_fork
os.register_at_fork = lambda **_: None
try:
    import threading  # noqa: F401
finally:
    os.register_at_fork = _register
