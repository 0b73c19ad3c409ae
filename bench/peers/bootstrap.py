"""bootstrap: the indices of all resamples of a series at once, then one gather and two reductions; two processes."""
import multiprocessing
import time

import numpy as np

from common import DAYS, PERCENT, THREADS, report, returns

SERIES = 10 * PERCENT
RESAMPLES, MEAN_BLOCK = 1000, 10.0
AT = np.arange(DAYS, dtype=np.int32)


def resample(series, rng):
    """RESAMPLES rows: each day begins a block with probability 1/L, else it follows the day before."""
    begins = rng.random((RESAMPLES, DAYS), dtype=np.float32) < 1.0 / MEAN_BLOCK
    begins[:, 0] = True
    first = np.maximum.accumulate(np.where(begins, AT, 0), axis=1)  # where the block of each day began
    start = rng.integers(0, DAYS, size=(RESAMPLES, DAYS), dtype=np.int32)
    start -= AT
    index = np.take_along_axis(start, first, axis=1)
    index += AT
    return np.concatenate((series, series))[index]


def statistics(series, rng):
    drawn = resample(series, rng)
    mean = drawn.mean(axis=1)
    drawn -= mean[:, None]
    spread = np.sqrt(np.einsum("ij,ij->i", drawn, drawn) / (DAYS - 1))
    sharpe = mean / spread * np.sqrt(252.0)
    out = []
    for values in (mean, sharpe):
        values.sort()
        low, high = np.quantile(values, (0.025, 0.975))
        out += [low, high, values.std(ddof=1)]
    return out


def part(bounds):
    table = returns(SERIES * DAYS, 5).reshape(SERIES, DAYS)
    start = time.perf_counter()
    rows = [statistics(table[i], np.random.Generator(np.random.SFC64(i))) for i in range(*bounds)]
    return start, time.perf_counter(), rows


def run(pool):
    """From the first worker's start to the last one's end: what starting processes takes is not counted."""
    half = SERIES // THREADS
    parts = pool.map(part, [(k * half, (k + 1) * half) for k in range(THREADS)], chunksize=1)
    seconds = max(p[1] for p in parts) - min(p[0] for p in parts)
    return seconds, np.array([row for p in parts for row in p[2]])


def main():
    with multiprocessing.Pool(THREADS) as pool:
        pool.map(part, [(0, 1)] * THREADS, chunksize=1)
        done = [run(pool) for _ in range(2 if PERCENT == 100 else 3)]
        seconds, rows = min(done, key=lambda d: d[0])
    report("bootstrap", seconds, len(done), [rows[:, 2].mean(), rows[:, 5].mean()], threads=THREADS)


if __name__ == "__main__":
    main()
