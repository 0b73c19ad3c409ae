#!/usr/bin/env python3
"""Writes canon.txt beside itself: pairs of lines, a JSON text and what CPython makes of it by
json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")). Source texts have no line ends."""
import json
import os
import random
import struct

FIXED = [
    "null", "true", "false", "0", "-0", "1", "-1", "-0.0", "0.0", "0e0", "-0e5", "1e3", "1E3", "1e+3", "100e-2",
    "1.0", "1.50", "0.1", "0.30000000000000004", "1e16", "1e15", "123456789012345680.0", "1e22", "1e21", "1e-4",
    "1e-5", "0.00001", "5e-324", "4.9e-324", "2e-324", "1.7976931348623157e308", "2.2250738585072014e-308",
    "9007199254740993", "18446744073709551616", "-170141183460469231731687303715884105728", "1" * 200, "3.0e-0",
    "123456789.123456789123456789", "[]", "{}", "[ ]", "{ }", '""', '"a"', "[1,2,[3,[]],{}]",
    '{"b":1,"a":2}', ' { "b" : [ 1 , 2 ] , "a" : { "d" : null , "c" : true } } ',
    '{"":0," ":1,"a":2,"B":3,"b":4,"aa":5,"a\\u0000":6}', r'"\"\\\/\b\f\n\r\t"', r'"\u0000\u001f\u007f\u0080"',
    r'"\u00e9\u20ac\ud83d\ude00"', '"\u00e9\u20ac\U0001f600"', '"\x7f"', '{"\U0001f600":1,"\uffff":2,"\u00e9":3,"z":4}',
    '{"\\ud83d\\ude00":1,"\\uffff":2}', '"</script>"', '{"10":1,"9":2,"1":3}',
]


def random_value(r, depth):
    kind = r.randrange(9 if depth < 5 else 6)
    if kind == 0:
        return r.choice(["null", "true", "false"])
    if kind == 1:
        return str(r.randrange(-10 ** r.randrange(1, 30), 10 ** r.randrange(1, 30)))
    if kind in (2, 3):
        while True:
            x = struct.unpack("<d", struct.pack("<Q", r.getrandbits(64)))[0]
            if x == x and abs(x) != float("inf"):
                break
        x = r.choice([x, r.uniform(-1000, 1000), float(r.randrange(10 ** 18)), r.random() * 10 ** r.randrange(-8, 20)])
        return r.choice([repr(x), "%.17e" % x, "%.6E" % x])
    if kind in (4, 5):
        return random_string(r)
    space = r.choice(["", " ", "\t"])
    if kind == 6:
        return "[" + space + ("," + space).join(random_value(r, depth + 1) for _ in range(r.randrange(5))) + "]"
    keys = list(dict.fromkeys(json.loads(random_string(r)) for _ in range(r.randrange(8))))
    return "{" + ",".join(json.dumps(k, ensure_ascii=r.random() < 0.5) + space + ":" + random_value(r, depth + 1)
                          for k in keys) + "}"


def random_string(r):
    letters = [chr(c) for c in (0, 8, 9, 10, 13, 31, 32, 34, 47, 92, 97, 98, 127, 128, 233, 8364, 65535, 128512)]
    text = "".join(r.choice(letters) for _ in range(r.randrange(7)))
    return json.dumps(text, ensure_ascii=r.random() < 0.5)


def main():
    r = random.Random(20)
    texts = FIXED + [random_value(r, 0) for _ in range(400)]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "canon.txt"), "w", encoding="utf-8",
              newline="\n") as out:
        for text in texts:
            print(text, json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")), sep="\n", file=out)


if __name__ == "__main__":
    main()
