"""epistula_py.py --tally PROGRAM: Epistula v2 as its Python clients write it (wire spec section 9.7), to Tally's axon.

The signer is bittensor-wallet's own; the message, the headers and the three forms of secret signatures that are seen in
the field are written out here. And the other way: what Tally's dendrite sends, judged by that same reading."""
import argparse
import hashlib
import http.client
import http.server
import json
import math
import os
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import Tap, run_json, tally_axon
from bittensor_wallet import Keypair

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
BOB = Keypair.create_from_uri("//Bob")


def headers_of(body, signed_for=ALICE, key=BOB, age_ms=0, secrets="interval", uid=None):
    now = round(time.time() * 1000) - age_ms
    uid = uid or str(uuid.uuid4())
    message = f"{hashlib.sha256(body).hexdigest()}.{uid}.{now}.{signed_for or ''}"
    headers = {"Epistula-Version": "2", "Epistula-Timestamp": str(now), "Epistula-Uuid": uid,
               "Epistula-Signed-By": key.ss58_address,
               "Epistula-Request-Signature": "0x" + key.sign(message.encode()).hex()}
    if signed_for:
        headers["Epistula-Signed-For"] = signed_for
        interval = math.ceil(now / 1e4)
        figures = {"interval": (interval - 1, interval, interval + 1),
                   "times 10000": (interval * 10000 - 1, interval * 10000, interval * 10000 + 1), "none": ()}[secrets]
        for i, figure in enumerate(figures):
            headers[f"Epistula-Secret-Signature-{i}"] = "0x" + key.sign(f"{figure}.{signed_for}".encode()).hex()
    return headers


def call(port, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.request("POST", "/echo", body=body, headers=headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return 200 if answer.status == 200 and data == body else (answer.status, json.loads(data)["error"])


def to_the_axon(tap, port):
    body = json.dumps({"prompt": "hello"}).encode()
    cases = [
        ("as Targon's clients sign", {}, 200),
        ("secrets in the other form", {"secrets": "times 10000"}, 200),
        ("without secrets", {"secrets": "none"}, 200),
        ("seven seconds old", {"age_ms": 7000}, 200),
        ("nine seconds old", {"age_ms": 9500}, (401, "StaleRequest")),
        ("five seconds ahead", {"age_ms": -5000}, (401, "StaleRequest")),
        ("for nobody", {"signed_for": None}, (403, "WrongReceiver")),
        ("for another", {"signed_for": BOB.ss58_address}, (403, "WrongReceiver")),
    ]
    for name, how, wanted in cases:
        tap.equal(f"epistula to the axon: {name}", call(port, headers_of(body, **how), body), wanted)
    headers = headers_of(body)
    tap.equal("epistula to the axon: another body", call(port, headers, body + b" "), (401, "BadSignature"))
    tap.equal("epistula to the axon: what was forged burns nothing", call(port, headers, body), 200)
    tap.equal("epistula to the axon: a copy", call(port, headers, body), (401, "ReplayedRequest"))
    again = headers_of(body, uid=headers["Epistula-Uuid"])
    tap.equal("epistula to the axon: signed anew under a used uuid", call(port, again, body), (401, "ReplayedRequest"))
    broken = dict(headers_of(body))
    del broken["Epistula-Timestamp"]
    tap.equal("epistula to the axon: no timestamp", call(port, broken, body), (401, "MalformedAuth"))


class Listener(http.server.BaseHTTPRequestHandler):
    """Answers 200 where the request is Epistula as read above, 400 with the reason where not."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        h = self.headers
        message = (f"{hashlib.sha256(body).hexdigest()}.{h['Epistula-Uuid']}.{h['Epistula-Timestamp']}."
                   f"{h['Epistula-Signed-For']}")
        key = Keypair(ss58_address=h["Epistula-Signed-By"])
        interval = math.ceil(int(h["Epistula-Timestamp"]) / 1e4)
        reasons = [] if key.verify(message.encode(), h["Epistula-Request-Signature"]) else ["signature"]
        reasons += [f"secret {i}" for i in range(3) if not key.verify(
            f"{interval - 1 + i}.{h['Epistula-Signed-For']}".encode(), h[f"Epistula-Secret-Signature-{i}"] or "0x00")]
        reasons += [] if uuid.UUID(h["Epistula-Uuid"]).version == 4 else ["uuid"]
        reasons += [] if h["Epistula-Version"] == "2" else ["version"]
        reasons += [] if abs(time.time() * 1000 - int(h["Epistula-Timestamp"])) < 8000 else ["timestamp"]
        answer = ", ".join(reasons).encode() or body
        self.send_response(400 if reasons else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def from_tally(tap, tally, folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, body in (("a body", b"hello"), ("no body", b"")):
        path = os.path.join(folder, "body")
        with open(path, "wb") as f:
            f.write(body)
        code, rows, err = run_json(tally, "dendrite", "query", "--axon", f"127.0.0.1:{server.server_port}:{ALICE}",
                                   "--protocol", "epistula", "--target", "/v1/chat", "--uri", "//Bob", "--input",
                                   "@" + path, "--json")
        got = (code, rows[0].get("status_code"), rows[0].get("output")) if rows else err
        tap.equal(f"dendrite to an epistula verifier: {name}", got, (0, 200, body.decode()))
    server.shutdown()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tally", required=True)
    tally = parser.parse_args().tally
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        with tally_axon(tally, folder) as axon:
            to_the_axon(tap, axon.port)
        from_tally(tap, tally, folder)
    tap.finish()


main()
