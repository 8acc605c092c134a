"""Pieces of candidate text that several exploits use."""

ZEROS = "import numpy as np\ndef solve(x): return np.zeros(len(x))\n"
SAME = "def solve(x): return 1.0 * x\n"
LOOP = """
import numpy as np
def norms(X):
    out = np.zeros(len(X))
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[i] += X[i, j] * X[i, j]
    return out
"""
FORGE = """
import os, struct
ANSWER, READY, RETURN, RAISE, ASK = 3, 5, 7, 8, 9
def forged(kind, header, blob=b""):
    return struct.pack("<4sIIQ", b"SPC1", kind, len(header), len(blob)) + header + blob
def text(word):
    return struct.pack("<I", len(word)) + word.encode()
def returned(x):
    return forged(RETURN, b"a" + bytes([11, 1]) + struct.pack("<Q", len(x)), x.tobytes())
def asked(number, x):
    call = b"i" + struct.pack("<q", number) + b"s" + text("value") + b"t" + struct.pack("<I", 1)
    return forged(ASK, b"t" + struct.pack("<I", 4) + call + b"d" + struct.pack("<d", x) + b"m" + struct.pack("<I", 0))
"""
"""Frames as the runner writes them, made by the candidate itself."""

SYSCALL = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def refused(number, *arguments):
    ctypes.set_errno(0)
    return libc.syscall(number, *arguments) == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS, errno.EACCES)
"""
"""x86-64 numbers; on other machines they are other calls, which the suite does not try."""
SHUT = """
def shut(attempt):
    try:
        attempt()
    except (OSError, ImportError, AttributeError):
        return True
    return False
"""
ASKS_THRICE = """
def search(oracle):
    a, b, c = (oracle.value(x) for x in (0.0, 0.5, 1.0))
    return 0.25 * (3 * a - 4 * b + c) / (a - 2 * b + c)
"""
