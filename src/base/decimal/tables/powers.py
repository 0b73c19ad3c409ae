#!/usr/bin/env python3
"""Writes powers.c: the powers of ten as 128-bit binary fractions. Exact integer arithmetic, no floats.

    python3 src/base/decimal/tables/powers.py > src/base/decimal/tables/powers.c

10^q = (T + r) * 2^s with 2^127 <= T < 2^128 and 0 <= r < 1; r is 0 exactly for 0 <= q <= 55, since 5^55 < 2^128.
"""
Q_MIN, Q_MAX, EXACT_MAX = -342, 324, 55  # as in decimal_internal.h


def fraction(q):
    """The 128 leading bits of 10^q, cut off, not rounded."""
    if q >= 0:
        value = 5**q << 128
        return value >> (value.bit_length() - 128)
    divisor = 5**-q
    return (1 << (127 + divisor.bit_length())) // divisor


def main():
    assert 5**EXACT_MAX < 1 << 128 <= 5 ** (EXACT_MAX + 1)
    print("/* Made by powers.py: the 128 leading bits of 10^q for q = %d ... %d, cut off; high half first. */" % (Q_MIN, Q_MAX))
    print('#include "base/decimal/decimal_internal.h"')
    print()
    print("/* clang-format off */")
    print("const uint64_t tl__powers[TL__POWER_MAX - TL__POWER_MIN + 1][2] = {")
    for q in range(Q_MIN, Q_MAX + 1):
        t = fraction(q)
        assert 1 << 127 <= t < (1 << 128) - (1 << 64)  # nearest.c relies on both
        print("    {0x%016xU, 0x%016xU}," % (t >> 64, t & (1 << 64) - 1))
    print("};")
    print("/* clang-format on */")


if __name__ == "__main__":
    main()
