#!/usr/bin/env python3
"""Prints sdk.json: tensors as SDK 10.5.0 writes them (its dtype names, msgpack_numpy's bytes). Needs numpy and msgpack.

    python3 src/sdk/tensor/test/golden/sdk.py > src/sdk/tensor/test/golden/sdk.json
"""
import base64
import json

import msgpack
import msgpack_numpy
import numpy as np

ARRAYS = [np.array([1, 2, 3], dtype=t) for t in ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")]
ARRAYS += [np.array([-1, -128 if t == "int8" else -300, 2], dtype=t) for t in ("float16", "int8", "int16", "int32", "int64")]
ARRAYS += [np.array(5.0), np.array(7, dtype="int8"), np.zeros((0,)), np.zeros((0, 3), dtype="float32"), np.zeros((2, 0)),
           np.arange(24, dtype="int16").reshape(2, 3, 4), np.arange(300, dtype="float32"), np.ones((130, 2), dtype="uint8"),
           np.ones((1,) * 20, dtype="bool"), np.array([65504, 6e-8, -0.0, 0.333, 1024.5], dtype="float16"),
           np.array([0.1, -1e300, 5e-324])]


def main():
    rows = []
    for a in ARRAYS:
        buffer = base64.b64encode(msgpack.packb(a, default=msgpack_numpy.encode)).decode()
        rows.append({"dtype": str(a.dtype), "shape": list(a.shape) or [0], "inner": list(a.shape), "buffer": buffer,
                     "data": a.tobytes().hex(), "values": [float(x) for x in a.flatten()]})
    print(json.dumps({"source": "msgpack_numpy as SDK 10.5.0 uses it", "tensor": rows}, indent=0))


if __name__ == "__main__":
    main()
