#!/usr/bin/env python3
"""Prints sdk.json: what SDK 10.5.0 itself makes of messages, and pydantic of fields. Needs that SDK.

    BT_NO_PARSE_CLI_ARGS=1 python3 src/sdk/synapse/test/golden/sdk.py > src/sdk/synapse/test/golden/sdk.json
"""
import json
from typing import Any, ClassVar, Optional

from bittensor.core.synapse import Synapse, TerminalInfo
from pydantic import BaseModel, TypeAdapter, ValidationError

TYPES = {"int": int, "float": float, "bool": bool, "str": str, "any": Any, "int?": Optional[int], "list": list, "list[int]": list[int],
         "tuple": tuple, "tuple[float, ...]": tuple[float, ...], "dict": dict, "dict[str, int]": dict[str, int],
         "list[dict[str, float?]]": list[dict[str, Optional[float]]], "str?": Optional[str]}
VALUES = ["5", "\"5\"", "\" 5.0 \"", "\"x\"", "\"\"", "5.0", "5.5", "1e18", "1e19", "9223372036854775807", "9.223372036854775e18",
          "-9223372036854775808.0", "1e400", "NaN", "-0.0", "true", "false", "null", "[]", "[1, \"2\", 3.0]", "[1.5]", "[null]", "{}",
          "{\"a\": 1}", "{\"a\": \"2\", \"b\": null}", "[{\"a\": \"1.5\"}, {\"b\": null}]", "[{\"a\": []}]", "\"true\"", "\"nan\"", "0", "1", "2",
          "100000000000000000000", "\"100000000000000000000\"", "\"1_0\"", "[[1]]", "1.0", "0.0", "\"off\"", "[true, 1e2]"]


class Inner(BaseModel):
    x: int
    note: Optional[str] = None


class Echo(Synapse):
    a: int
    text: str = "x"
    out: Optional[str] = None
    required_hash_fields: ClassVar[tuple[str, ...]] = ("a", "text")


class Every(Synapse):
    n: int
    f: float
    s: str
    b: bool
    l: list[float]
    t: tuple[int, ...]
    d: dict
    any: Any
    inner: Inner
    maybe: Optional[int] = None
    words: list[str] = ["a"]
    required_hash_fields: ClassVar[tuple[str, ...]] = ("inner", "any", "t", "d", "l", "b", "f", "n", "s", "maybe", "words")


CASES = [
    (Echo, {"a": 5}),
    (Echo, {"a": -1, "text": "h\u00e9llo \u2603 \U0001f600 \"q\" 'x' \\ \n\u007f\u200b", "out": ""}),
    (Every, {"n": 10**30, "f": 1e16, "s": "it's", "b": True, "l": [1, 0.1, -0.0], "t": [1, 2], "d": {"k": [1, "v"], "\u00e9'\"": None},
             "any": {"q": [None, True, 1.5, "\u00ad"]}, "inner": {"x": 7}}),
    (Every, {"n": 0, "f": 5, "s": "", "b": False, "l": [], "t": [9], "d": {}, "any": [], "inner": {"x": 1, "note": "n\u0000"}, "maybe": 3,
             "words": []}),
]


def fields_of(cls):
    own = [f for f in cls.model_fields if f not in Synapse.model_fields]
    return [[f, str(cls.model_fields[f].annotation)] for f in own]


def fill(synapse):
    synapse.timeout = 12.0
    synapse.dendrite = TerminalInfo(ip="127.0.0.1", version=10005000, nonce=1700000000000000000, uuid="5ecbd69c-1cec-11ee-b0dc-e29ce36fec1a",
                                    hotkey="5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty", signature="0x" + "ab" * 64)
    synapse.axon = TerminalInfo(ip="127.0.0.1", port=18091, hotkey="5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
    return synapse


def main():
    coerce = []
    for name, kind in TYPES.items():
        check = TypeAdapter(kind).validate_python
        for text in VALUES:
            try:
                out = repr(check(json.loads(text)))
            except (ValidationError, OverflowError):
                out = None
            coerce.append({"type": name, "json": text, "repr": out})
    messages = []
    for cls, given in CASES:
        synapse = fill(cls(**given))
        headers = synapse.to_headers()
        body = synapse.model_dump()
        messages.append({"synapse": cls.__name__, "input": json.dumps(given), "total_size": body["total_size"], "headers": list(headers.items()),
                         "request": json.dumps(body),
                         "response": json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
                         "body_hash": synapse.body_hash})
    print(json.dumps({"source": "SDK 10.5.0 and its pydantic", "fields": {c.__name__: fields_of(c) for c in (Echo, Every)},
                      "coerce": coerce, "messages": messages}, indent=0))


if __name__ == "__main__":
    main()
