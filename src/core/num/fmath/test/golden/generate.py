"""Makes the golden figures of fmath beside this file: one NAME.json a function.

Needs Python 3 and mpmath; run it in this folder, a second run changes nothing. A row is the argument (or two), the
double nearest to the true value, both as the hex of their bits, and what the true value has more than that double, in
thousandths of its unit in the last place. Figures have 60 digits; where an argument is a sum it is taken exactly.
"""
import random
import struct

from mpmath import mp, mpf

mp.dps = 60
MAX = float.fromhex("0x1.fffffffffffffp+1023")


def bits(x):
    return struct.pack(">d", x).hex()


def from_bits(n):
    return struct.unpack(">d", struct.pack(">Q", n))[0]


def nearest(v):
    """The double nearest to v (ties cannot occur here but for exact values), and the rest in milli-units."""
    if v == 0:
        return 0.0, 0
    size = abs(v)
    e = max(int(mp.floor(mp.log(size, 2))), -1022)
    if mpf(2) ** e > size and e > -1022:
        e -= 1
    unit = mpf(2) ** (e - 52)
    count = int(mp.nint(size / unit))
    if count * unit >= mpf(2) ** 1024:
        return (float("inf") if v > 0 else float("-inf")), 0
    hi = mp.mpf(count) * unit
    rest = int(mp.nint((size - hi) / unit * 1000))
    value = float(hi)
    return (value, rest) if v > 0 else (-value, -rest)


def neighbours(x, count=3):
    n = struct.unpack(">Q", struct.pack(">d", x))[0]
    return [from_bits(n + d) for d in range(-count, count + 1)]


def write(name, rows):
    lines = []
    for args, value in rows:
        y, rest = nearest(value)
        lines.append("[" + ",".join(f'"{bits(a)}"' for a in args) + f',"{bits(y)}",{rest}]')
    with open(name + ".json", "w", encoding="ascii") as out:
        out.write('{"source":"mpmath, 60 digits; made by generate.py","function":"' + name + '","rows":[\n')
        out.write(",\n".join(lines) + "\n]}\n")


def wide(rng, lo, hi):
    """A double whose exponent is uniform."""
    return rng.uniform(1, 2) * 2.0 ** rng.randint(lo, hi)


def main():
    rng = random.Random(20)
    tiny = [5e-324, 1e-320, 2.0**-1022, 2.0**-600, 2.0**-60, 2.0**-54, 2.0**-53, 2.0**-52, 2.0**-30, 2.0**-20]
    signed = lambda xs: [s * x for x in xs for s in (1, -1)]

    xs = signed(tiny) + neighbours(709.782712893384) + neighbours(-708.3964185322641) + neighbours(-745.1332191019411)
    xs += neighbours(0.6931471805599453) + neighbours(0.0027076061740622863) + [1.0, -1.0, 700.0, -740.0, -744.4400719213812]
    xs += [rng.uniform(-745, 709.7) for _ in range(700)] + [rng.uniform(-745.1, -708.4) for _ in range(150)]
    xs += [rng.uniform(-1, 1) for _ in range(300)] + signed([wide(rng, -40, 6) for _ in range(100)])
    write("exp", [((x,), mp.exp(mpf(x))) for x in xs])

    xs = signed(tiny) + neighbours(709.782712893384) + neighbours(0.35) + neighbours(-0.35) + [1.0, -1.0, -37.0, -38.0, -37.5]
    xs += [40.0, 39.9, 55.0, 0.6931471805599453, -0.6931471805599453]
    xs += [rng.uniform(-0.4, 0.4) for _ in range(500)] + [rng.uniform(-38, 60) for _ in range(500)]
    xs += signed([wide(rng, -60, -1) for _ in range(150)])
    write("expm1", [((x,), mp.expm1(mpf(x))) for x in xs])

    near = neighbours(1.0, 6) + neighbours(0.70703125) + neighbours(1.4140625) + neighbours(1 + 2**-8) + neighbours(1 - 2**-9)
    xs = [abs(x) for x in tiny] + near + [MAX, 2.0, 0.5, 10.0, 2.718281828459045]
    xs += [wide(rng, -1074, 1022) for _ in range(500)] + [rng.uniform(0.5, 2) for _ in range(500)]
    xs += [1 + s * wide(rng, -50, -6) for _ in range(150) for s in (1, -1)]
    xs = [x for x in xs if x > 0]
    write("log", [((x,), mp.log(mpf(x))) for x in xs])
    tens = [float(10**k) for k in range(0, 23)]
    write("log10", [((x,), mp.log10(mpf(x))) for x in xs + tens])

    ys = signed(tiny) + neighbours(-0.5) + [MAX, 1.0, 1e300, 2.0**53, 2.0**54] + [-1 + 2.0**-k for k in range(1, 54)]
    ys += [rng.uniform(-0.999, 1) for _ in range(500)] + [wide(rng, -5, 1000) for _ in range(200)]
    ys += signed([wide(rng, -60, -1) for _ in range(150)])
    write("log1p", [((y,), mp.log1p(mpf(y))) for y in ys])

    pairs = [(float(b), float(e)) for b in (2, 3, 5, 7, 10) for e in range(1, 40) if b**e < 2**53]
    pairs += [(2.0, float(e)) for e in (-1074, -1073, -1023, -1022, 1023)] + [(0.5, 1074.0), (1.5, 30.0), (-3.0, 3.0), (-2.0, -3.0)]
    pairs += [(x, y) for x in neighbours(1.0, 4) for y in (1e15, -1e15, 3.0, 0.3)]
    pairs += [(float(i), -1.5) for i in range(2, 120)] + [(float(i), -g) for i in (2, 3, 40, 99) for g in (1.0, 1.25, 1.75, 2.0)]
    while len(pairs) < 1500:
        x = wide(rng, -8, 8)
        y = rng.uniform(-740, 709) / float(mp.log(x)) if rng.random() < 0.4 else rng.uniform(-30, 30)
        if abs(float(y * mp.log(x))) < 744.4:
            pairs.append((x, y))
    for _ in range(300):
        x = wide(rng, -1070, 1022)
        pairs.append((x, rng.uniform(-1, 1)))
    write("pow", [((x, y), mp.power(mpf(x), mpf(y))) for x, y in pairs])

    xs = signed(tiny) + [-38.4, -38.0, -37.6, -37.5, -37.0, -10.0, -1.0, 1.0, 8.0, 8.3, 9.0, -38.47]
    xs += [rng.uniform(-38.4, 0) for _ in range(500)] + [rng.uniform(0, 9) for _ in range(200)]
    xs += signed([wide(rng, -30, 1) for _ in range(100)])
    write("normal_cdf", [((x,), mp.ncdf(mpf(x)) if x > -5 else mp.erfc(-mpf(x) / mp.sqrt(2)) / 2) for x in xs])

    ps = [5e-324, 1e-320, 2.0**-1022, 1e-300, 1e-100, 1e-16, 0.025, 0.05, 0.95, 0.975, 0.25, 0.75] + neighbours(0.5)
    ps += [1 - 2.0**-k for k in range(1, 54)] + [wide(rng, -1060, -2) for _ in range(300)]
    ps += [rng.uniform(0, 1) for _ in range(500)]
    rows = []
    for p in ps:
        q = mpf(min(p, 1 - p))
        if q == mpf("0.5"):
            x = mpf(0)
        else:
            # Newton on the logarithm of the tail, which is nearly a parabola
            x = mp.sqrt(-2 * mp.log(2 * q))
            for _ in range(60):
                tail = mp.erfc(x / mp.sqrt(2)) / 2
                density = mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)
                step = (mp.log(tail) - mp.log(q)) * tail / density
                x += step
                if abs(step) < mpf(10) ** -45 * max(abs(x), mpf(10) ** -17):
                    break
        rows.append(((p,), -x if p < 0.5 else x))
    write("normal_quantile", rows)


if __name__ == "__main__":
    main()
