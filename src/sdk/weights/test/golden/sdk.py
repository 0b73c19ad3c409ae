#!/usr/bin/env python3
"""Prints sdk.json: SDK 10.5.0's weight functions over NumPy 2 on random weights, as the bits of what they return.

    BT_NO_PARSE_CLI_ARGS=1 python3 src/sdk/weights/test/golden/sdk.py > src/sdk/weights/test/golden/sdk.json
"""
import json
import warnings

import numpy as np
from bittensor.utils import weight_utils as w

warnings.simplefilter("ignore")
w.logging.off()  # it would speak on standard output
rng = np.random.default_rng(11)


def bits32(x):
    return "".join("%08x" % v for v in np.asarray(x, dtype=np.float32).view(np.uint32))


def bits64(x):
    return "".join("%016x" % v for v in np.asarray(x, dtype=np.float64).view(np.uint64))


def some(n, kind):
    x = rng.random(n).astype(np.float32)
    if kind == 1:
        x = (x ** np.float32(8)).astype(np.float32)
    if kind == 2:
        x[rng.random(n) < 0.6] = 0
    if kind == 3:
        x = rng.integers(0, 4, n).astype(np.float32)
    return x


def main():
    sums, normal, process, emit, split, rows = [], [], [], [], [], []
    for n in [1, 2, 7, 8, 9, 15, 16, 17, 127, 128, 129, 136, 255, 256, 257, 300]:
        x = some(n, 1)
        sums.append({"x": bits32(x), "narrow": bits32([x.sum()]), "wide": bits64([x.astype(np.float64).sum()])})
    for n in [1, 2, 3, 5, 8, 9, 20, 64, 130, 256]:
        for kind in range(4):
            x, limit = some(n, kind), float(rng.choice([0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0]))
            normal.append({"x": bits32(x), "limit": limit, "y": bits32(w.normalize_max_weight(x, limit))})
    for n in [1, 2, 5, 16, 60]:
        for kind in range(4):
            for case in range(4):
                x = some(n, kind)
                rules = [int(n + rng.integers(0, 5)), int(rng.integers(1, n + 2)), float(rng.choice([0.05, 0.2, 0.5, 1.0])),
                         int(rng.choice([0, 3000, 20000, 50000, 65535]))]
                uids, y = w.process_weights(np.arange(n) * 3, x, *rules)
                process.append({"x": bits32(x), "rules": rules, "uids": [int(u) for u in uids], "y": bits64(y)})
            x = some(n, kind)
            uids, values = w.convert_weights_and_uids_for_emit(np.arange(n), x)
            emit.append({"x": bits32(x), "uids": uids, "values": values})
            parts = rng.random(n) ** 3
            split.append({"x": bits64(parts), "values": [int(v) for v in w.convert_maybe_split_to_u16(parts.tolist())]})
            values = [int(v) for v in rng.integers(0, 65536, n)]
            rows.append({"values": values, "y": bits32(w.convert_weight_uids_and_vals_to_tensor(n, list(range(n)), values))})
    print(json.dumps({"source": "SDK 10.5.0's weight_utils over NumPy %s" % np.__version__, "sums": sums, "normal": normal,
                      "process": process, "emit": emit, "split": split, "rows": rows}, indent=0))


if __name__ == "__main__":
    main()
