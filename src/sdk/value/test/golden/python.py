#!/usr/bin/env python3
"""Prints python.json: what CPython 3.11 (and pydantic 2, for the lax forms) make of numbers, values and characters.

    python3 src/sdk/value/test/golden/python.py > src/sdk/value/test/golden/python.json
"""
import hashlib
import json
import random
import sys

from pydantic import TypeAdapter, ValidationError

NUMBERS = """5| 5 |+5|-5|--5|05|0_5|1_000|1__000|_1|1_|5.0|5.00|5.|5.01|.0|1e3|0x10||  |+ 5|-0|-0.0|+5.0|5 000|
 5.0 |1_0.0|00000000007|-00|000.0|-.0|5.0_0|.5|1E+3|nan|NaN|-nan|+nan|inf|Infinity|-INF|infin|infinity |0x1p3|1e400|
1_0.5_0|1e1_0|1_e5|1._5|1e|e5|.|-|+|5.e3|1e+|1e-5|0.1|1e16|1e-400|-1e400|00.5|1.5e-_5|9223372036854775807|
9223372036854775808|-9223372036854775808|-9223372036854775809|123456789012345678901234567890|1_2_3|1_2__3|12_.5|
0.30000000000000004|1.7976931348623157e308|1.7976931348623159e308|5e-324|2e-324|1 2|0b1|1j|True|null""".replace("\n", "").split("|")
NUMBERS += ["\t5\n", "\u00a05", "\u20035\u3000", "5\x00", "5\x1c", "\x1f5", "\u20285.5\u0085", "5\ufeff", "9" * 30, "-" + "9" * 40]
BOOLS = ["0", "1", "on", "ON", "Off", "t", "F", "yes", "Y", "n", "No", "true ", "True", "TRUE", "fAlSe", "", "2", "offf"]
TEXTS = ["", "a", "it's", 'q"q', "both'\"", "\\", "\n\r\t", "\x00\x01\x1f\x7f\x80\x9f\xa0\xad", "é", "\u200b", "☃", "\U0001f600",
         "\U000e0001", "\u2028\u2029", "\u0378", "\uffff", "\ufffe", "\ue000", "\U0010ffff", "\u3000", "'", '"', "'\"'", "a\u0301",
         "\u061c", "\u00ad", "\ud7a4", "\ud7ff", "\ufb00", "\U0001fae8", "\U0002ebf0", "</script>", "\u0600", "ÿ", "/"]
VALUES = ["0", "-0", "1", "-1", "1.0", "-0.0", "1e16", "1e15", "1e-5", "1e-4", "0.1", "1e22", "123456789.123", "1e400", "-1e400",
          "NaN", "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "true", "false",
          "null", "[]", "{}", "[[]]", "[1, 2.5, \"a\", null, true]", "{\"k\": [1, \"v\"], \"z\": {\"y\": false}}",
          "{\"a\": 1, \"b\": 2, \"a\": 3}", "[NaN, [Infinity, {\"x\": -Infinity}]]", "{\"\": {\"'\": \"\\\"\"}}", "1E5", "1.50e+3",
          "100000000000000000000000000000000", "{\"\\u00e9\": \"\\ud83d\\ude00\"}", "2.5e-8", "5e-324", "1.7976931348623157e308"]


def outcome(make, text):
    try:
        return repr(make(text))
    except (ValueError, ValidationError):
        return None


def random_texts(count):
    rng = random.Random(20)
    pools = [range(0x20, 0x7F), range(0, 0x100), range(0x100, 0xD800), range(0xE000, 0x10000), range(0x10000, 0x110000)]
    return ["".join(chr(rng.choice(rng.choice(pools))) for _ in range(rng.randrange(1, 12))) for _ in range(count)]


def main():
    lax_int, lax_float, lax_bool = (TypeAdapter(t).validate_python for t in (int, float, bool))
    answers = "".join("1" if chr(c).isprintable() else "0" for c in range(0x110000))
    values = []
    for text in VALUES + [json.dumps(t) for t in TEXTS + random_texts(300)] + [json.dumps([t]) for t in TEXTS + random_texts(40)]:
        value = json.loads(text)
        try:
            response = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except ValueError:
            response = None
        values.append({"json": text, "str": str(value), "request": json.dumps(value), "response": response})
    out = {"source": "CPython %d.%d, its json module, pydantic 2 in lax mode" % sys.version_info[:2],
           "printable_sha256": hashlib.sha256(answers.encode()).hexdigest(),
           "printable_count": answers.count("1"),
           "numbers": [{"text": t, "int": outcome(int, t), "float": outcome(float, t), "int_lax": outcome(lax_int, t),
                        "float_lax": outcome(lax_float, t)} for t in NUMBERS],
           "bools": [{"text": t, "bool_lax": outcome(lax_bool, t)} for t in BOOLS],
           "values": values}
    print(json.dumps(out, indent=0))


if __name__ == "__main__":
    main()
