#!/usr/bin/env python3
"""Writes hashes.txt beside itself: figures of CPython's hashlib, and of Keccak-256 by the permutation below, which is
held against hashlib's SHA3-256 at every length first. The message of length n is bytes (i * 167 + (i >> 8)) mod 256."""
import hashlib
import os

MASK = (1 << 64) - 1


def permute(lanes):
    """Keccak-f[1600] by the formulas of FIPS 202, section 3.2; lanes[x][y]."""
    def rol(v, n):
        n %= 64
        return ((v << n) | (v >> (64 - n))) & MASK
    register = 1
    for _ in range(24):
        c = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)]
        for x in range(5):
            d = c[(x - 1) % 5] ^ rol(c[(x + 1) % 5], 1)
            for y in range(5):
                lanes[x][y] ^= d
        x, y, current = 1, 0, lanes[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], rol(current, (t + 1) * (t + 2) // 2)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5] & MASK)
        for j in range(7):
            if register & 1:
                lanes[0][0] ^= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return lanes


def sponge(message, domain):
    rate = 136
    padded = bytearray(message) + bytes([domain]) + bytes(rate - 1 - len(message) % rate)
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            lanes[i % 5][i // 5] ^= int.from_bytes(padded[at + 8 * i:at + 8 * i + 8], "little")
        permute(lanes)
    return b"".join(lanes[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


ALGORITHMS = [("sha256", lambda m: hashlib.sha256(m).digest()),
              ("sha3_256", lambda m: hashlib.sha3_256(m).digest()),
              ("keccak256", lambda m: sponge(m, 1)),
              ("blake2b_512", lambda m: hashlib.blake2b(m).digest()),
              ("blake2b_256", lambda m: hashlib.blake2b(m, digest_size=32).digest()),
              ("blake2b_128", lambda m: hashlib.blake2b(m, digest_size=16).digest())]
LENGTHS = [0, 1, 2, 3, 55, 56, 57, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 134, 135, 136, 137, 191, 192, 255,
           256, 257, 271, 272, 273, 383, 384, 385, 1000, 4096, 65537]


def message(n):
    return bytes((i * 167 + (i >> 8)) & 255 for i in range(n))


def main():
    assert all(sponge(message(n), 6) == hashlib.sha3_256(message(n)).digest() for n in range(0, 600))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "hashes.txt"), "w", encoding="ascii") as out:
        for name, work in ALGORITHMS:
            for n in LENGTHS:
                print(name, n, work(message(n)).hex(), file=out)
            every = b"".join(work(message(n)) for n in range(1024))
            print(name, "every", hashlib.sha256(every).hexdigest(), file=out)


if __name__ == "__main__":
    main()
