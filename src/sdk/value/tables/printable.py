#!/usr/bin/env python3
"""Writes printable.c: where str.isprintable changes its answer, character by character.

    python3 src/sdk/value/tables/printable.py > src/sdk/value/tables/printable.c

Unicode 14.0, which CPython 3.11 has. An interpreter with another Unicode cannot make the table; it prints the committed
one, so that a check elsewhere does not call it wrong.
"""
import os
import sys
import unicodedata

UNICODE = "14.0.0"
HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    if unicodedata.unidata_version != UNICODE:
        with open(os.path.join(HERE, "printable.c"), encoding="utf-8") as f:
            sys.stdout.write(f.read())
        return
    edges, last = [], False
    for c in range(0x110000):
        now = chr(c).isprintable()
        if now != last:
            edges.append(c)
            last = now
    assert not last
    print("/* Made by printable.py from Unicode %s: below the first edge no character is printable, from each edge on the" % UNICODE)
    print(" * answer is the other one. */")
    print('#include "sdk/value/value_internal.h"')
    print()
    print("/* clang-format off */")
    print("const uint32_t tl__printable_edges[] = {")
    for i in range(0, len(edges), 10):
        print("    " + " ".join("0x%x," % e for e in edges[i:i + 10]))
    print("};")
    print("const size_t tl__printable_edge_count = sizeof tl__printable_edges / sizeof tl__printable_edges[0];")
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
