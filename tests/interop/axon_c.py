"""axon_c.py --tally PROGRAM: Tally's dendrite asks the Python axon of bittensor 10.5.0.

Each question is asked by the SDK's own dendrite too: status, message and model must be the same. What a dendrite never
does by itself (a broken signature, a request sent twice, one that is old) is done to requests that Tally's dendrite
really sent: a recorder takes them, and they go to the axon changed, or late."""
import argparse
import asyncio
import http.client
import http.server
import json
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import Program, Tap, run_json, tally_axon
from echo_set import Boom, Echo, Slow, Stream
import bittensor
from bittensor_wallet import Keypair
from messages import plain

HERE = os.path.dirname(os.path.abspath(__file__))
EVE = Keypair.create_from_uri("//Eve")
BOB = Keypair.create_from_uri("//Bob")

# name, synapse, fields, seconds, key
CASES = [
    ("ok", Echo, {"a": 3, "text": "ab"}, 12, "//Bob"),
    ("ok, nothing to repeat", Echo, {"a": 0}, 12, "//Bob"),
    ("ok, text beyond ASCII", Echo, {"a": 2, "text": "π \"quoted\" 'single' \\ \n\t\x7f 漢字 🦀"}, 12, "//Bob"),
    ("ok, a large number", Echo, {"a": -(1 << 70), "text": ""}, 12, "//Bob"),
    ("ping", bittensor.Synapse, {}, 12, "//Bob"),
    ("blacklisted", Echo, {"a": 1}, 12, "//Eve"),
    ("handler fails", Boom, {"a": 1}, 12, "//Bob"),
    ("client gives up", Slow, {"seconds": 1.5}, 0.5, "//Bob"),
    ("slow, in time", Slow, {"seconds": 0.3}, 5, "//Bob"),
    ("a float of many digits", Slow, {"seconds": 0.1 + 0.2}, 5, "//Bob"),
    ("huge body", Echo, {"a": 1, "text": "y" * (2 << 20)}, 12, "//Bob"),
    ("large body", Echo, {"a": 1, "text": "y" * 500_000}, 12, "//Bob"),
]


async def by_the_sdk(target, synapse, timeout, uri):
    async with bittensor.Dendrite(Keypair.create_from_uri(uri)) as dendrite:
        got = await dendrite.call(target, synapse, timeout=timeout, deserialize=False)
    fields = {k: getattr(got, k) for k in ("a", "text", "out", "seconds", "done") if hasattr(got, k)}
    return got.dendrite.status_code, plain(got.dendrite.status_message), fields


def by_tally(tally, folder, target, name, fields, timeout, uri, *options):
    path = os.path.join(folder, "input.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(fields, f)
    _, rows, err = run_json(tally, "dendrite", "query", "--axon", target, "--synapse", name, "--input", "@" + path,
                            "--timeout", str(timeout), "--uri", uri, "--json", *options)
    return rows[0] if rows and "status_code" in rows[0] else {"status_code": err, "status_message": None, "output": {}}


def same_answers(tap, tally, folder, axon, who):
    info = bittensor.AxonInfo(version=10005000, ip="127.0.0.1", port=axon.port, ip_type=4, hotkey=axon.hotkey,
                              coldkey=axon.hotkey)
    for name, kind, fields, timeout, uri in CASES:
        theirs = asyncio.run(by_the_sdk(info, kind(**fields), timeout, uri))
        got = by_tally(tally, folder, f"127.0.0.1:{axon.port}:{axon.hotkey}", kind.__name__, fields, timeout, uri)
        output = got["output"] if isinstance(got["output"], dict) else {}
        # A model that was not answered is what was asked; the SDK gives it back, Tally's line has no output then.
        fields_back = {k: output.get(k) for k in theirs[2]} if output else theirs[2]
        tap.equal(f"tally dendrite to {who}: {name}", (got["status_code"], plain(got["status_message"]), fields_back), theirs)
    got = by_tally(tally, folder, f"127.0.0.1:{axon.port}:{axon.hotkey}", "Stream", {"a": 5, "text": "hey "}, 12, "//Bob")
    tap.check(f"tally dendrite to {who}: stream", got["status_code"] == 200 and "hey hey hey hey hey " in json.dumps(got),
              got)
    definition = os.path.join(folder, "unheard.json")
    with open(definition, "w", encoding="utf-8") as f:
        json.dump({"synapses": [{"name": "Unheard", "fields": [{"name": "a", "type": "int", "default": 1}]}]}, f)
    got = by_tally(tally, folder, f"127.0.0.1:{axon.port}:{axon.hotkey}", "Unheard", {"a": 1}, 12, "//Bob",
                   "--synapse-file", definition)
    tap.equal(f"tally dendrite to {who}: unknown synapse", (got["status_code"], got["status_message"]), (
        404, "Synapse name 'Unheard' not found. Available synapses ['Synapse', 'Echo', 'Slow', 'Stream', 'Boom']"))
    got = by_tally(tally, folder, f"127.0.0.1:1:{axon.hotkey}", "Echo", {"a": 1}, 3, "//Bob")
    tap.equal(f"tally dendrite to {who}: nobody listens", (got["status_code"], got["status_message"]),
              (503, "Service unavailable at 127.0.0.1:1/Echo"))


class Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps what was sent, as it was sent."""
    taken = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Recorder.taken.append((self.path, list(self.headers.items()), body))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def send(port, request, **changed):
    """A recorded request, with headers changed, left out (None) or added; status and message of the answer."""
    path, headers, body = request
    changed = {"bt_header_" + k if k != "computed_body_hash" else k: v for k, v in changed.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        value = changed.get(name.lower(), value)
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    try:
        message = json.loads(data).get("message", "")
    except ValueError:
        message = data.decode(errors="replace")
    names = sorted(k for k, _ in answer.getheaders() if k.startswith("bt_header") or k in ("name", "timeout"))
    return answer.status, plain(message), names


def broken(tap, tally, folder, axon, who):
    """Recorded requests, changed; each axon is asked, and the Python one's answer is the measure."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    target = f"127.0.0.1:{server.server_port}:{axon.hotkey}"

    def record(timeout=12):
        by_tally(tally, folder, target, "Echo", {"a": 2, "text": "ab"}, timeout, "//Bob")
        return Recorder.taken.pop()

    answers, late = {}, record(timeout=1)
    recorded = time.monotonic()
    request = record()
    answers["bad signature"] = send(axon.port, request, dendrite_signature="0x" + "12" * 64)
    answers["signature of another"] = send(axon.port, request, dendrite_hotkey=EVE.ss58_address)
    answers["absent signature"] = send(axon.port, request, dendrite_signature=None)
    answers["another hash"] = send(axon.port, request, computed_body_hash="00" * 32)
    answers["absent hash"] = send(axon.port, request, computed_body_hash=None)
    answers["another nonce"] = send(axon.port, request, dendrite_nonce=str(time.time_ns()))
    answers["absent nonce"] = send(axon.port, request, dendrite_nonce=None)
    answers["a nonce in words"] = send(axon.port, request, dendrite_nonce="soon")
    answers["absent hotkey"] = send(axon.port, request, dendrite_hotkey=None)
    answers["a hotkey that is none"] = send(axon.port, request, dendrite_hotkey="5Grwva")
    answers["absent input_obj"] = send(axon.port, request, input_obj_a=None)
    answers["another body"] = send(axon.port, (request[0], request[1], request[2].replace(b'"ab"', b'"ac"')))
    request = record()  # the axon remembers the nonce of what it refused for its body
    answers["as it was recorded"] = send(axon.port, request)
    answers["sent twice"] = send(axon.port, request)
    cut = record()
    answers["a body that is no JSON"] = send(axon.port, (cut[0], cut[1], b"x" * len(cut[2])))
    time.sleep(max(0.0, 5.3 - (time.monotonic() - recorded)))
    answers["too old"] = send(axon.port, late)
    server.shutdown()
    return answers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tally", required=True)
    tally = parser.parse_args().tally
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        with Program([sys.executable, os.path.join(HERE, "axon_py.py"), "--port", "0", "--blacklist",
                      EVE.ss58_address]) as axon:
            same_answers(tap, tally, folder, axon, "the Python axon")
            theirs = broken(tap, tally, folder, axon, "the Python axon")
        tap.equal("what Tally's dendrite sent is taken by the Python axon",
                  (theirs["as it was recorded"][0], theirs["sent twice"][0], theirs["bad signature"][0],
                   theirs["too old"][0], theirs["absent signature"][0]), (200, 401, 401, 401, 401))
        for mode, flags in (("compat", ["--compat", "sdk"]), ("default", [])):
            with tally_axon(tally, folder, "--blacklist", EVE.ss58_address, *flags) as axon:
                same_answers(tap, tally, folder, axon, f"Tally's axon, {mode}")
                ours = broken(tap, tally, folder, axon, mode)
            for name, answer in ours.items():
                tap.equal(f"changed on the way, {mode}: {name}", answer, theirs[name])
    tap.finish()


main()
