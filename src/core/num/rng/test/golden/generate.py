"""Makes the golden figures of MT19937 beside this file with CPython's own random module.

Run it with Python 3.11 in this folder; a second run changes nothing. sample.json: [seed, n, k, drawn …], none drawn
where CPython raises ValueError. shuffle.json: [seed, n, order …]. stream.json: [seed in hex, then random() thrice as
the hex of its bits, getrandbits(1), (17), (32), (33), (53), (64), _randbelow of 1, 2, 3, 1000, 2^32, 2^63 + 1].
"""
import random
import struct
import sys

assert sys.version_info[:2] == (3, 11), "these are the figures of CPython 3.11"


def write(name, rows):
    with open(name + ".json", "w", encoding="ascii") as out:
        out.write('{"source":"CPython 3.11, made by generate.py","rows":[\n')
        out.write(",\n".join("[" + ",".join(row) + "]" for row in rows) + "\n]}\n")


def sample_row(seed, n, k):
    random.seed(seed)
    try:
        drawn = random.sample(range(n), k)
    except ValueError:
        drawn = []
    return [str(v) for v in [seed, n, k] + drawn]


def main():
    pick = random.Random(311)
    rows = [sample_row(s, 0, 0) for s in (0, 1)] + [sample_row(5, 10, 0), sample_row(6, 10, 11)]
    for k in (1, 2, 3, 5, 6, 7, 10, 21, 22, 85, 86, 341, 342):
        edge = 21 if k <= 5 else 21 + 4 ** next(m for m in range(1, 40) if 4**m >= 3 * k)
        for n in (k - 1, k, k + 1, edge - 1, edge, edge + 1, 3 * edge, 10**6, 2**32, 2**32 + 1, 10**15):
            rows.append(sample_row(pick.getrandbits(32), n, k))
    for _ in range(150):
        n = pick.randint(1, 3000)
        rows.append(sample_row(pick.getrandbits(pick.choice((8, 32, 63))), n, pick.randint(0, min(n, 40))))
    write("sample", rows)

    rows = []
    for n in (0, 1, 2, 3, 10, 33, 100):
        for _ in range(3):
            seed = pick.getrandbits(40)
            items = list(range(n))
            random.seed(seed)
            random.shuffle(items)
            rows.append([str(v) for v in [seed, n] + items])
    write("shuffle", rows)

    rows = []
    seeds = [0, 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1, 2**64 - 1, 2**64, 2**96 + 5, 2**624 + 1, 3**800]
    seeds += [pick.getrandbits(b) | 1 << (b - 1) for b in (20, 33, 64, 65, 512, 32 * 624, 32 * 625, 32 * 1300)]
    for seed in seeds:
        random.seed(seed)
        row = [f'"{seed:x}"']
        row += ['"' + struct.pack(">d", random.random()).hex() + '"' for _ in range(3)]
        row += [f'"{random.getrandbits(b):x}"' for b in (1, 17, 32, 33, 53, 64)]
        row += [f'"{random._inst._randbelow(n):x}"' for n in (1, 2, 3, 1000, 2**32, 2**63 + 1)]
        for _ in range(700):
            random.random()
        row.append('"' + struct.pack(">d", random.random()).hex() + '"')
        rows.append(row)
    write("stream", rows)


if __name__ == "__main__":
    main()
