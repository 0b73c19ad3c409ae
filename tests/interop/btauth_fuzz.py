"""btauth_fuzz.py --tally PROGRAM [--seed N] [--cases N]: bittensor 11.3.0's http_auth.verify against `tally http verify`.

Signed requests are bent at random: numbers in other spellings, hex with gaps, headers gone, doubled or under other names,
addresses in other formats, clocks at the ends of the window. In compatibility mode both must give the same verdict for each;
by default Tally may refuse what the SDK takes, never the other way round. Left out: weak keys, which Tally refuses in both
modes. A seed gives the same cases again."""
import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import Tap
from bittensor import http_auth
from bittensor.sp_core import Keypair

KEYS = [Keypair.create_from_uri("//Alice"), Keypair.create_from_uri("//Alice", crypto_type=0),
        Keypair.create_from_uri("//Charlie")]
SELF = Keypair.create_from_uri("//Bob").ss58_address
NONCE = 1752076800000000000
WINDOW = [0, 1, 10 * 10**9, 10 * 10**9 + 1, -2 * 10**9, -2 * 10**9 - 1, 5 * 10**9, -10**9]
ALPHABET = list("0123456789abcdefABCDEFxX+-_. \t\n\x0b\x0c\r\x1c\x85,:;/?%") + list("\u00a0\u2003\u3000\u0661\u06f5\u0967\uff19²½é\U0001d7d9")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
FORMATS = [0, 1, 2, 5, 42, 43, 45, 46, 47, 48, 59, 60, 63, 64, 65, 66, 100, 101, 102, 127, 128, 172, 173, 252, 255, 256, 420, 1000,
           1284, 2007, 2254, 5844, 5845, 8883, 9807, 9808, 12345, 14697, 14998, 16383]


def address(public, number):
    """The key's SS58 address in a format."""
    prefix = bytes([number]) if number < 64 else bytes([0x40 | (number & 0xFC) >> 2, number >> 8 | (number & 3) << 6])
    data = prefix + public
    data += hashlib.blake2b(b"SS58PRE" + data, digest_size=64).digest()[:2]
    value, text = int.from_bytes(data, "big"), ""
    while value:
        value, digit = divmod(value, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def spelled(rnd, number):
    """A decimal integer as Python's int() might take it, or just not."""
    text = str(number)
    forms = [
        lambda: "+" + text, lambda: "0" * rnd.randint(1, 5) + text, lambda: "-" + text, lambda: " " + text + "\t",
        lambda: text[:rnd.randint(1, len(text))] + "_" + text[len(text):], lambda: f"{number:_}", lambda: text + ".0",
        lambda: "".join(chr(0x660 + int(c)) for c in text), lambda: "".join(chr(0x1D7CE + int(c)) for c in text),
        lambda: "\u2003" + text + "\u00a0", lambda: hex(number), lambda: f"{number:.3e}", lambda: text + "0" * rnd.choice([1, 20, 4280, 4281, 4300]),
        lambda: "_" + text, lambda: text + "_", lambda: text.replace("0", "0_", 3), lambda: text.replace("0", "0__", 1),
        lambda: "0" * 4281 + text, lambda: "\x1f" + text, lambda: "\x85" + text, lambda: "", lambda: "+ " + text, lambda: "0", lambda: "-0",
    ]
    return rnd.choice(forms)()


def hex_bent(rnd, text):
    """Hex digits as bytes.fromhex might take them, or just not."""
    digits = text[2:]
    at = 2 * rnd.randint(0, len(digits) // 2)
    forms = [
        lambda: digits, lambda: "0x" + digits.upper(), lambda: "0X" + digits, lambda: "0x0x" + digits,
        lambda: "0x" + digits[:at] + rnd.choice(" \t\n\x0b\x0c\r") + digits[at:], lambda: "0x" + digits[:at + 1] + " " + digits[at + 1:],
        lambda: " " + text, lambda: text + " \n", lambda: "0x " + digits, lambda: "0x" + " ".join(digits[i:i + 2] for i in range(0, len(digits), 2)),
        lambda: text[:-1], lambda: text[:-2], lambda: text + "00", lambda: text + "0", lambda: "", lambda: "0x", lambda: "0x" + digits[:at] + "\u00a0" + digits[at:],
        lambda: "0x" + digits[:at] + "\x1c" + digits[at:], lambda: "0x" + digits[:at] + ("%02x" % rnd.randrange(256)) + digits[at + 2:],
    ]
    return rnd.choice(forms)()


def noise(rnd, text):
    """A few characters inserted, dropped or replaced."""
    for _ in range(rnd.choice([1, 1, 1, 2, 3])):
        at = rnd.randint(0, len(text))
        kind = rnd.randrange(3)
        text = text[:at] + (rnd.choice(ALPHABET) if kind < 2 else "") + text[at + (kind > 0):]
    return text


SCHEMES = ["sr25519", "ed25519", "SR25519", " Ed25519\t", "1", "0", "01", "00", "2", "1_0", "+1", "-0", "\u0661", "\u0660", "²", "", " ", "sr", "\u00a01\u2003",
           "0000000000000000000000000000000000000001", "1" * 30, "none", "sr25519 x"]


def bend(rnd, headers, key, nonce):
    """One change of a list of (name, value)."""
    at = rnd.randrange(len(headers))
    name, value = headers[at]
    kind = rnd.randrange(10)
    low = name.lower()
    if kind == 0:
        del headers[at]
    elif kind == 1:
        headers.insert(rnd.randint(0, len(headers)), (rnd.choice([name, low, name.upper()]), noise(rnd, value)))
    elif kind == 2:
        headers[at] = (rnd.choice([low, name.upper(), name + " ", "X" + name, name.replace("-", "_")]), value)
    elif kind == 3:
        headers[at] = (name, noise(rnd, value))
    elif kind == 4:
        headers = [(n, spelled(rnd, nonce) if n.lower().endswith("nonce") else v) for n, v in headers]
    elif kind == 5:
        headers = [(n, hex_bent(rnd, v) if n.lower().endswith("signature") and v.startswith("0x") else v) for n, v in headers]
    elif kind == 6:
        headers = [h for h in headers if not h[0].lower().endswith("crypto")] + [("X-Bittensor-Crypto", rnd.choice(SCHEMES))]
    elif kind == 7:
        other = rnd.choice([address(key.public_key, rnd.choice(FORMATS)), SELF, "5Grwva", "", value + " "])
        headers = [(n, other if n.lower().endswith("hotkey") else v) for n, v in headers]
    elif kind == 8:
        bob = Keypair.create_from_uri("//Bob").public_key
        other = rnd.choice([address(bob, rnd.choice(FORMATS)), SELF, KEYS[0].ss58_address, "", "-", SELF + " "])
        headers = [(n, other if n.lower().endswith("receiver") else v) for n, v in headers]
    else:
        headers = [(n, rnd.choice(["1", "2", "", "01", " 1", "1.0", "+1"]) if n.lower().endswith("version") else v) for n, v in headers]
    return headers or [("Host", "h")]


class Signer:
    """A key whose address in the headers is in another format, or who signs as browsers do."""

    def __init__(self, key, ss58, wraps):
        self.key, self.ss58_address, self.crypto_type, self.wraps = key, ss58, key.crypto_type, wraps
        self.public_key = key.public_key

    def sign(self, payload):
        payload = bytes(payload)
        return self.key.sign(b"<Bytes>" + payload + b"</Bytes>" if self.wraps else payload)


def make(rnd):
    """One case: a request that was signed well, then bent."""
    key = rnd.choice(KEYS)
    number = 42 if rnd.random() < 0.8 else rnd.choice(FORMATS)
    signer = Signer(key, address(key.public_key, number), rnd.random() < 0.1)
    nonce = NONCE if rnd.random() < 0.9 else rnd.choice([0, 5, 2**63 - 1, 2**63, 2**64 + NONCE, 10**39 - 1, 10**39])
    body = rnd.choice([b"", b"{}", b"\0\xff", b"hello"])
    case = {"method": rnd.choice(["GET", "POST", "post", "Patch"]), "target": rnd.choice(["/", "/a?b=%7e&c", "/x?", "//a//b", "*", "a", "/caf%C3%A9"]),
            "body": body, "waive": rnd.random() < 0.3, "now": nonce + rnd.choice(WINDOW) if nonce == NONCE else NONCE}
    receiver = SELF if rnd.random() < 0.8 else rnd.choice([None, KEYS[2].ss58_address])
    payload = http_auth.build_payload(scheme="sr25519" if key.crypto_type == 1 else "ed25519", method=case["method"], path=case["target"], body=body,
                                      nonce_ns=nonce, sender_ss58=signer.ss58_address, receiver_ss58=receiver)
    headers = [("X-Bittensor-Version", "1"), ("X-Bittensor-Hotkey", signer.ss58_address), ("X-Bittensor-Nonce", str(nonce)),
               ("X-Bittensor-Signature", "0x" + bytes(signer.sign(payload)).hex())]
    if key.crypto_type != 1:
        headers.append(("X-Bittensor-Crypto", "ed25519"))
    if receiver is not None:
        headers.append(("X-Bittensor-Receiver", receiver))
    for _ in range(rnd.choice([0, 1, 1, 1, 1, 2, 3])):
        headers = bend(rnd, headers, key, nonce)
    rnd.shuffle(headers)
    if rnd.random() < 0.05:
        case["method"] = rnd.choice(["PUT", "get"])
    if rnd.random() < 0.05:
        case["target"] = rnd.choice(["/", "/a?b=~&c", "/a"])
    if rnd.random() < 0.05:
        case["body"] += b"."
    case["headers"] = headers
    return case


class Pairs:
    """What verify asks of a mapping, with names that come twice."""

    def __init__(self, pairs):
        self.pairs = pairs

    def items(self):
        return self.pairs


def sdk_says(case):
    try:
        http_auth.verify(Pairs(case["headers"]), case["body"], method=case["method"], path=case["target"], self_hotkey_ss58=SELF,
                         require_receiver=not case["waive"], now_ns=case["now"], nonce_store=http_auth.InMemoryNonceStore())
        return "accepted"
    except http_auth.AuthError as error:
        return type(error).__name__


def tally_says(tally, folder, index, case, mode):
    names = [os.path.join(folder, f"{index}.{what}") for what in ("headers", "body")]
    with open(names[0], "w", encoding="utf-8") as f:
        json.dump(case["headers"], f)
    with open(names[1], "wb") as f:
        f.write(case["body"])
    command = [tally, "http", "verify", "--json", "--method", case["method"], "--target", case["target"], "--headers", "@" + names[0],
               "--body-file", names[1], "--self", SELF, "--now", str(case["now"])]
    done = subprocess.run(command + (["--waive-receiver"] if case["waive"] else []) + (["--compat", "sdk"] if mode == "compat" else []),
                          capture_output=True, text=True, timeout=60, check=False)
    for name in names:
        os.unlink(name)
    answer = json.loads(done.stdout)
    if done.returncode not in (0, 1) or answer["ok"] != (done.returncode == 0):
        return f"exit {done.returncode}: {done.stdout}"
    return "accepted" if answer["ok"] else answer["error"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--tally", required=True)
    options.add_argument("--seed", type=int, default=random.randrange(2**32))
    options.add_argument("--cases", type=int, default=2000)
    options = options.parse_args()
    tap = Tap()
    print(f"# seed {options.seed}, {options.cases} cases", flush=True)
    rnd = random.Random(options.seed)
    cases = [make(rnd) for _ in range(options.cases)]
    says = [sdk_says(case) for case in cases]
    differs, laxer, kinds = [], [], {}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(4) as pool:
        compat = pool.map(lambda i: tally_says(options.tally, folder, f"{i}c", cases[i], "compat"), range(len(cases)))
        for case, sdk, ours in zip(cases, says, compat):
            kinds[sdk] = kinds.get(sdk, 0) + 1
            if sdk != ours:
                differs.append(f"SDK {sdk}, Tally {ours}: {case}")
        strict = pool.map(lambda i: tally_says(options.tally, folder, f"{i}s", cases[i], "default"), range(len(cases)))
        for case, sdk, ours in zip(cases, says, strict):
            if ours == "accepted" and sdk != "accepted":
                laxer.append(f"SDK {sdk}: {case}")
    print(f"# the SDK says {dict(sorted(kinds.items()))}", flush=True)
    tap.check("every kind of verdict but a replay came up", len(kinds) == 5, kinds)
    tap.check(f"{options.cases} bent requests have the SDK's verdict in compatibility mode", not differs, "\n".join(differs[:8]))
    tap.check("by default nothing passes that the SDK refuses", not laxer, "\n".join(laxer[:8]))
    tap.finish()


if __name__ == "__main__":
    main()
