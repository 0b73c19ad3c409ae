"""btauth_py.py --tally PROGRAM: bittensor 11.3.0's http_auth and Tally, both ways.

Requests signed by http_auth.sign reach Tally's axon, and each refusal has the SDK's class; Tally's dendrite and
`tally http sign` reach a FastAPI server that calls http_auth.verify."""
import argparse
import concurrent.futures
import http.client
import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import Program, Tap, run_json, tally_axon
from bittensor.sp_core import Keypair
from bittensor import http_auth

HERE = os.path.dirname(os.path.abspath(__file__))
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
BOB = Keypair.create_from_uri("//Bob")
BOB_ED = Keypair.create_from_uri("//Bob", crypto_type=0)
SECOND = 1_000_000_000


def call(port, headers, body=b"", method="POST", target="/echo"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.request(method, target, body=body or None, headers=headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def verdict(answer):
    """200, or the class of the refusal with its status."""
    status, data = answer
    return status if status == 200 else (status, json.loads(data)["error"])


def sign(body=b"", method="POST", target="/echo", receiver=ALICE, key=BOB, nonce=None, **changed):
    headers = http_auth.sign(key, method=method, path=target, body=body, receiver_ss58=receiver, nonce_ns=nonce)
    for name, value in changed.items():
        name = "X-Bittensor-" + name
        if value is None:
            headers.pop(name)
        else:
            headers[name] = value(headers[name]) if callable(value) else value
    return headers


def to_the_axon(tap, port, mode):
    """http_auth.sign to Tally's axon; what the SDK's own verifier says is the measure."""
    lenient = mode == "compat"
    far = {"nonce": time.time_ns() + 30 * SECOND}
    old = {"nonce": time.time_ns() - 30 * SECOND}
    query = "/echo?a=%7e&b=/../x&c&&=%2F"
    cases = [
        ("a body", {}, b"hello", 200),
        ("no body", {}, b"", 200),
        ("a body of bytes", {}, bytes(range(256)) * 64, 200),
        ("a body of a megabyte", {}, os.urandom(1 << 20), 200),
        ("an ed25519 key", {"key": BOB_ED}, b"hello", 200),
        ("a query as it stands", {"target": query}, b"q", 200),
        ("two seconds old", {"nonce": time.time_ns() - 2 * SECOND}, b"x", 200),
        ("no version", {"Version": None}, b"x", (401, "MalformedAuth")),
        ("another version", {"Version": "2"}, b"x", (401, "MalformedAuth")),
        ("no hotkey", {"Hotkey": None}, b"x", (401, "MalformedAuth")),
        ("no nonce", {"Nonce": None}, b"x", (401, "MalformedAuth")),
        ("a nonce in words", {"Nonce": "now"}, b"x", (401, "MalformedAuth")),
        ("no signature", {"Signature": None}, b"x", (401, "MalformedAuth")),
        ("a signature in words", {"Signature": "0xhello"}, b"x", (401, "MalformedAuth")),
        ("a short signature", {"Signature": "0x1234"}, b"x", (401, "MalformedAuth")),
        ("an unknown scheme", dict(changed_scheme="md5"), b"x", (401, "MalformedAuth")),
        ("an address that is none", {"Hotkey": "5Grwva"}, b"x", (401, "MalformedAuth")),
        ("no receiver", {"receiver": None}, b"x", (403, "WrongReceiver")),
        ("another receiver", {"receiver": BOB.ss58_address}, b"x", (403, "WrongReceiver")),
        ("too old", old, b"x", (401, "StaleRequest")),
        ("too far ahead", far, b"x", (401, "StaleRequest")),
        ("another's signature", {"Hotkey": Keypair.create_from_uri("//Dave").ss58_address}, b"x",
         (401, "BadSignature")),
        ("a scheme that is not the key's", dict(changed_scheme="ed25519"), b"x", (401, "BadSignature")),
        ("a signature in upper case", {"Signature": lambda s: "0x" + s[2:].upper()}, b"x", 200),
        ("a signature without 0x", {"Signature": lambda s: s[2:]}, b"x", 200),
        ("a nonce with a plus", {"Nonce": lambda n: "+" + n}, b"x", 200 if lenient else (401, "MalformedAuth")),
        ("a nonce with a nought before", {"Nonce": lambda n: "0" + n}, b"x", 200 if lenient else (401, "MalformedAuth")),
        ("a nonce with an underscore", {"Nonce": lambda n: n[:3] + "_" + n[3:]}, b"x",
         200 if lenient else (401, "MalformedAuth")),
        ("a negative nonce", {"Nonce": lambda n: "-" + n}, b"x", (401, "StaleRequest" if lenient else "MalformedAuth")),
        ("white space in the hex", {"Signature": lambda s: s[:10] + " " + s[10:]}, b"x",
         200 if lenient else (401, "MalformedAuth")),
    ]
    for name, how, body, wanted in cases:
        how = dict(how)
        scheme = how.pop("changed_scheme", None)
        headers = sign(body, **how)
        if scheme:
            headers["X-Bittensor-Crypto"] = scheme
        got = verdict(call(port, headers, body, target=how.get("target", "/echo")))
        tap.equal(f"http_auth.sign to the axon, {mode}: {name}", got, wanted)
        if mode == "compat":  # there, Tally's verdict is the SDK's own
            try:
                http_auth.verify(headers, body, method="POST", path=how.get("target", "/echo"), self_hotkey_ss58=ALICE,
                                 nonce_store=http_auth.InMemoryNonceStore())
                theirs = 200
            except http_auth.AuthError as error:
                theirs = type(error).__name__
            tap.equal(f"http_auth.verify agrees: {name}", got if got == 200 else got[1], theirs)


def changed_on_the_way(tap, port, mode):
    headers = sign(b"body")
    for name, wanted, answer in (
            ("another body", "BadSignature", call(port, headers, b"bodx")),
            ("another query", "BadSignature", call(port, headers, b"body", target="/echo?")),
            ("another method", "BadSignature", call(port, sign(b"", target="/whoami"), b"", "GET", "/whoami"))):
        tap.equal(f"http_auth.sign to the axon, {mode}: {name} than signed", verdict(answer), (401, wanted))
    tap.equal(f"{mode}: a forgery burns no nonce", verdict(call(port, headers, b"body")), 200)
    tap.equal(f"{mode}: a copy", verdict(call(port, headers, b"body")), (401, "ReplayedRequest"))
    headers = sign(b"sixteen")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = [verdict(a) for a in pool.map(lambda _: call(port, headers, b"sixteen"), range(16))]
    tap.equal(f"{mode}: of sixteen copies at once one passes", (got.count(200), got.count((401, "ReplayedRequest"))), (1, 15))
    who = call(port, sign(b"", "GET", "/whoami"), b"", "GET", "/whoami")
    tap.equal(f"{mode}: whoami", (who[0], json.loads(who[1])), (200, {"hotkey": BOB.ss58_address, "protocol": "btauth"}))


def from_tally(tap, tally, folder):
    """Tally's dendrite and `tally http sign` to a server with http_auth.verify."""
    with Program([sys.executable, os.path.join(HERE, "btauth_server.py")]) as server:
        def query(name, wanted, *options, body=b"hello", target="/echo", uri="//Bob", receiver=ALICE):
            path = os.path.join(folder, "body")
            with open(path, "wb") as f:
                f.write(body)
            code, rows, err = run_json(tally, "dendrite", "query", "--axon", f"127.0.0.1:{server.port}:{receiver}",
                                       "--protocol", "btauth", "--target", target, "--uri", uri, "--input", "@" + path,
                                       "--json", *options)
            got = rows[0] if rows and isinstance(rows[0], dict) else {"status_code": err}
            tap.equal(f"dendrite to http_auth.verify: {name}", (code, got.get("status_code"), got.get("output")), wanted)

        query("a body", (0, 200, "hello"))
        query("no body", (0, 200, ""), body=b"")
        query("a body that is no text", (0, 200, "base64:AP8="), body=b"\x00\xff")
        query("a query with escapes, sent as it is", (0, 200, "hello"), target="/a%2Fb//c?x=%7e&&y=/../z&q")
        query("an ed25519 key", (0, 200, "hello"), "--crypto-type", "ed25519")
        query("another method", (0, 200, ""), "--method", "DELETE", body=b"")
        path = os.path.join(folder, "body")
        with open(path, "wb") as f:
            f.write(b"by hand")
        now = str(time.time_ns())

        def by_hand(receiver=ALICE, nonce=now, body=b"by hand", target="/echo", method="POST", drop=None):
            options = ["--receiver", receiver] if receiver else []
            code, rows, err = run_json(tally, "http", "sign", "--method", "POST", "--target", "/echo", "--body-file", path,
                                       "--uri", "//Charlie", "--nonce", nonce, "--json", *options)
            if code != 0:
                return err
            headers = {k: v for k, v in rows[0].items() if k != drop}
            return verdict(call(server.port, headers, body, method, target))

        tap.equal("http sign to http_auth.verify: holds", by_hand(), 200)
        tap.equal("http sign to http_auth.verify: a copy", by_hand(), (401, "ReplayedRequest"))
        other = str(int(now) + 1)
        tap.equal("http sign to http_auth.verify: another body", by_hand(nonce=other, body=b"x"), (401, "BadSignature"))
        tap.equal("http sign to http_auth.verify: another target", by_hand(nonce=other, target="/ech"), (401, "BadSignature"))
        tap.equal("http sign to http_auth.verify: no receiver", by_hand(receiver=None), (403, "WrongReceiver"))
        tap.equal("http sign to http_auth.verify: another receiver", by_hand(receiver=BOB.ss58_address),
                  (403, "WrongReceiver"))
        tap.equal("http sign to http_auth.verify: too old", by_hand(nonce=str(int(now) - 30 * SECOND)),
                  (401, "StaleRequest"))
        tap.equal("http sign to http_auth.verify: too far ahead", by_hand(nonce=str(int(now) + 60 * SECOND)),
                  (401, "StaleRequest"))
        tap.equal("http sign to http_auth.verify: no nonce", by_hand(drop="X-Bittensor-Nonce"), (401, "MalformedAuth"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tally", required=True)
    tally = parser.parse_args().tally
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for mode, flags in (("default", []), ("compat", ["--compat", "sdk"])):
            with tally_axon(tally, folder, *flags) as axon:
                to_the_axon(tap, axon.port, mode)
                changed_on_the_way(tap, axon.port, mode)
        from_tally(tap, tally, folder)
    tap.finish()


main()
