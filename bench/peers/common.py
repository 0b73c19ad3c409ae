"""What the peers share: the inputs' generator, the clock, the line of JSON.

A peer is a program `NAME.py PERCENT [FOLDER]`: the work of tally_bench NAME, of the same inputs, written for speed.
It prints {"name", "seconds", "runs", "threads", "rss_mb", "peer", "version", "figures"}.
"""
import json
import platform
import resource
import sys
import time

import numpy as np

DAYS = 252
PERCENT = int(sys.argv[1]) if len(sys.argv) > 1 else 100
FOLDER = sys.argv[2] if len(sys.argv) > 2 else "."


def units(count, seed):
    """The first numbers in [0, 1) of a splitmix64 stream."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)) * 2.0**-53


def returns(count, seed):
    return (units(count, seed) - 0.49) * 0.06


def best(work, least_runs=3, least_seconds=1.0, most_runs=200):
    """(seconds of the best run, runs, what the last one gave)."""
    took, spent, runs, result = [], 0.0, 0, None
    while runs < most_runs and (runs < least_runs or spent < least_seconds):
        start = time.perf_counter()
        result = work()
        took.append(time.perf_counter() - start)
        spent += took[-1]
        runs += 1
    return min(took), runs, result


def blas_threads():
    """How many threads NumPy's linear algebra takes, asked of OpenBLAS itself where it is the one."""
    import ctypes

    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split()[-1] for line in maps if "blas" in line.lower() and "/" in line}
    for path in sorted(paths):
        for name in ("openblas_get_num_threads", "openblas_get_num_threads64_", "scipy_openblas_get_num_threads64_"):
            ask = getattr(ctypes.CDLL(path), name, None)
            if ask is not None:
                return ask(), "OpenBLAS"
    return 1, "BLAS"


def report(name, seconds, runs, figures, threads=1, peer="NumPy", version=None, **also):
    print(json.dumps({
        "name": name, "seconds": seconds, "runs": runs, "threads": threads,
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "peer": peer, "version": version or np.__version__, "python": platform.python_version(),
        "figures": [float(f) for f in figures], **also}))
