"""correlation: numpy.corrcoef, one matrix product by BLAS; with "pandas" as third argument DataFrame.corr."""
import sys

import numpy as np

from common import DAYS, PERCENT, best, blas_threads, report, returns

MINERS = 1000 if PERCENT == 100 else 316


def figures(matrix):
    order = np.arange(MINERS)
    return [matrix[0].sum(), matrix[order, (order + 1) % MINERS].sum()]


def main():
    series = returns(MINERS * DAYS, 4).reshape(MINERS, DAYS)
    if sys.argv[3:] == ["pandas"]:
        import pandas

        frame = pandas.DataFrame(np.ascontiguousarray(series.T))
        seconds, runs, matrix = best(frame.corr)
        report("correlation", seconds, runs, figures(matrix.to_numpy()), peer="pandas", version=pandas.__version__)
        return
    seconds, runs, matrix = best(lambda: np.corrcoef(series))
    threads, blas = blas_threads()
    report("correlation", seconds, runs, figures(matrix), threads=threads, peer=f"NumPy with {blas}")


if __name__ == "__main__":
    main()
