"""Makes describe.json beside this file: figures of series, from their definitions with 60 digits.

Needs Python 3 and mpmath; run it in this folder, a second run changes nothing. A row is [n, the n values, mean, variance
with n - 1, deviation with n, G1, G2, the quantiles 0, 0.05, 0.25, 0.5, 0.9, 0.95, 1 (type 7), the n average ranks], each
double as the hex of its bits; null where the figure is not defined.
"""
import random
import struct

from mpmath import mp, mpf

mp.dps = 60
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.9, 0.95, 1.0)


def text(value):
    return "null" if value is None else '"' + struct.pack(">d", float(value)).hex() + '"'


def figures(x):
    n = len(x)
    v = [mpf(a) for a in x]
    mean = mp.fsum(v) / n
    moment = lambda k: mp.fsum((a - mean) ** k for a in v) / n
    m2, m3, m4 = moment(2), moment(3), moment(4)
    is_flat = n < 2 or mp.sqrt(m2 * n / (n - 1)) <= mpf(2) ** -40 * max(abs(a) for a in v)
    skew = None if n < 3 or is_flat else m3 / m2**1.5 * mp.sqrt(n * (n - 1)) / (n - 2)
    kurt = None
    if n >= 4 and not is_flat:
        kurt = mpf(n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * m4 / m2**2 - 3 * (n - 1))
    s = sorted(v)
    quantiles = []
    for q in QUANTILES:
        at = (n - 1) * mpf(q)
        low = int(mp.floor(at))
        high = min(low + 1, n - 1)
        quantiles.append(s[low] + (s[high] - s[low]) * (at - low))
    ranks = [sum(b < a for b in v) + mpf(sum(b == a for b in v) + 1) / 2 for a in v]
    var = None if n < 2 else m2 * n / (n - 1)
    return [mean, var, mp.sqrt(m2), skew, kurt] + quantiles + ranks


def main():
    rng = random.Random(5)
    series = [[0.25], [1.0, 2.0], [1.0, 2.0, 4.0], [0.001] * 9, [0.1, 0.1, 0.1, 0.1 + 2**-50], [0.0, -0.0, 1.0, 1.0]]
    series += [[3.0, 1.0, 2.0, 2.0, 1.0, 3.0, 2.0], [-1.0, 0.0, 0.0, 0.0, 5.0], [0.0] * 5]
    for _ in range(25):
        series.append([rng.gauss(0.0005, 0.01) for _ in range(rng.randint(4, 60))])
    for _ in range(10):
        series.append([round(rng.lognormvariate(0, 1), 1) for _ in range(rng.randint(4, 60))])
    series.append([100 + rng.random() for _ in range(64)])
    rows = []
    for x in series:
        rows.append("[" + ",".join([str(len(x))] + [text(a) for a in x] + [text(a) for a in figures(x)]) + "]")
    with open("describe.json", "w", encoding="ascii") as out:
        out.write('{"source":"mpmath, 60 digits; made by generate.py","rows":[\n' + ",\n".join(rows) + "\n]}\n")


if __name__ == "__main__":
    main()
