"""attacks.py BUILD: plays the attacks on a running `tally axon run` and counts what got through.

Each kind is a function: it sends what an attacker would, most of it with a good signature of a participant who cheats, and
says for each request what came back. An answer of 2xx has got through; any other answer must be one of those that the wire
spec allows there. Before each kind the same request without the attack must be served, so that no refusal is for another
reason. An honest client of its own process asks all the while in the three protocols.
"""
import gzip
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wire import ORDER, PRIME, Answer, Request, Signer, Wire, answers, ask, ss58  # noqa: E402

BUILD = sys.argv[1]
PROTOCOLS = ("btauth", "epistula", "v10")
MAX_BODY = 1 << 20
SIGNED = {"btauth": 401, "epistula": 401, "v10": 401}
HONEST_KEYS = 4


class Axon:
    def __init__(self, folder, *options, uri="//Alice", port=0):
        self.folder, self.options, self.uri = folder, options, uri
        self.start(port)

    def start(self, port=0):
        self.log = open(self.folder + ".err", "ab")
        self.process = subprocess.Popen(
            [f"{BUILD}/tally", "axon", "run", "--listen", f"127.0.0.1:{port}", "--uri", self.uri, "--echo", "--dir",
             self.folder, "--max-body", str(MAX_BODY), *self.options], stdout=subprocess.PIPE, stderr=self.log)
        ready = json.loads(self.process.stdout.readline())
        self.port, self.hotkey = ready["port"], ready["hotkey"]

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(20)

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


class Kind:
    """What was sent for one kind of attack, and what came of it."""

    def __init__(self, name):
        self.name, self.sent, self.through, self.wrong = name, 0, 0, []

    def expect(self, what, answer, *allowed):
        """allowed: statuses, (status, class) pairs, and 0 for a connection closed without an answer."""
        self.sent += 1
        if 200 <= answer.status < 300:
            self.through += 1
            self.wrong.append(f"{what}: got through")
        elif answer.status not in allowed and (answer.status, answer.error()) not in allowed:
            self.wrong.append(f"{what}: {answer.status} {answer.body[:120]!r}, not {allowed}")

    def control(self, what, answer):
        """Without the attack it is served."""
        if answer.status != 200:
            self.wrong.append(f"{what}, without the attack: {answer.status} {answer.body[:120]!r}")

    def holds(self, what, claim):
        if not claim:
            self.wrong.append(what)


def refused(protocol, name):
    return 401 if protocol == "v10" else (401, name)


def replay(k, a, w):
    for p in PROTOCOLS:
        request = w.fresh(p)
        k.control(p, ask(a.port, request))
        for _ in range(3):
            k.expect(p, ask(a.port, request), refused(p, "ReplayedRequest"))
        k.expect(f"{p} twice on a connection", answers(a.port, request.raw() + request.raw())[-1],
                 refused(p, "ReplayedRequest"))


def replay_across_protocols(k, a, w):
    btauth, epistula, v10 = w.btauth(b"same"), w.epistula(b"same"), w.v10()
    for p, request in (("btauth", btauth), ("epistula", epistula), ("v10", v10)):
        k.control(p, ask(a.port, request))
    for what, one, other in (("btauth in epistula", btauth, epistula), ("epistula in btauth", epistula, btauth),
                             ("v10 in btauth", v10, btauth)):
        mixed = other.copy(headers=other.headers + one.headers, body=b"same")
        k.expect(what + ", both families", ask(a.port, mixed), (401, "MalformedAuth"))
    stolen = v10.value("bt_header_dendrite_signature")
    for p in ("btauth", "epistula"):
        request = w.fresh(p, body=b"same")
        header = "X-Bittensor-Signature" if p == "btauth" else "Epistula-Request-Signature"
        k.expect(f"v10's signature in {p}", ask(a.port, request.with_header(header, stolen)), (401, "BadSignature"))
        other = (epistula if p == "btauth" else btauth)
        taken = other.value("Epistula-Request-Signature" if p == "btauth" else "X-Bittensor-Signature")
        k.expect(f"the other's signature in {p}", ask(a.port, request.with_header(header, taken)), (401, "BadSignature"))
    request = w.v10().with_header("bt_header_dendrite_signature", btauth.value("X-Bittensor-Signature"))
    k.expect("btauth's signature in v10", ask(a.port, request), 401)
    k.expect("v10 on a signed route", ask(a.port, w.v10().copy(target="/echo")), (401, "MalformedAuth"))
    k.expect("btauth on a v10 route", ask(a.port, btauth.copy(target="/Synapse", method="POST")), 401, 500)


def replay_across_routes(k, a, w):
    request = w.btauth(b"", method="GET", target="/whoami")
    k.control("btauth", ask(a.port, request))
    k.expect("btauth", ask(a.port, request.copy(method="POST", target="/echo")),
             (401, "BadSignature"), (401, "ReplayedRequest"))
    request = w.epistula(b"")
    k.control("epistula", ask(a.port, request))
    k.expect("epistula", ask(a.port, request.copy(method="GET", target="/whoami")), (401, "ReplayedRequest"))
    request = w.v10()
    k.control("v10", ask(a.port, request))
    for name in ("Synapse", "Slow", "Stream", "Boom"):
        k.expect(f"v10 to {name}", ask(a.port, request.copy(target="/" + name)), 401, 500)
        k.expect(f"v10, never served, to {name}", ask(a.port, w.v10().copy(target="/" + name)), 401, 500)


def replay_across_receivers(k, a, w):
    other = w.signer.address("//Dave")
    for p in PROTOCOLS:
        k.control(p, ask(a.port, w.fresh(p)))
        k.expect(f"{p} for somebody else", ask(a.port, w.fresh(p, receiver=other)),
                 401 if p == "v10" else (403, "WrongReceiver"))
    k.expect("btauth for nobody", ask(a.port, w.btauth(receiver="")), (403, "WrongReceiver"))
    k.expect("btauth re-addressed", ask(a.port, w.btauth(receiver=other).with_header("X-Bittensor-Receiver", a.hotkey)),
             (401, "BadSignature"))
    k.expect("epistula re-addressed", ask(a.port, w.epistula(receiver=other).with_header("Epistula-Signed-For", a.hotkey)),
             (401, "BadSignature"))
    k.expect("epistula for nobody", ask(a.port, w.epistula().without("Epistula-Signed-For")), 401, 403)
    k.expect("v10 re-addressed", ask(a.port, w.v10(receiver=other).with_header("bt_header_axon_hotkey", a.hotkey)), 401)


def again_after(k, w, folder, number):
    axon = Axon(folder)
    try:
        begun = time.monotonic()
        kept = {p: w.fresh(p) for p in PROTOCOLS}
        for p in PROTOCOLS:
            k.control(p, ask(axon.port, kept[p]))
        code = axon.kill(number)
        k.holds(f"exit code {code} after SIGTERM", number == signal.SIGKILL or code == 0)
        port = axon.port
        axon.start(port)
        for p in PROTOCOLS:
            found = ask(axon.port, kept[p])
            is_slow = time.monotonic() - begun > 8  # then it may be too old besides
            k.expect(p, found, refused(p, "ReplayedRequest"), *([(401, "StaleRequest")] if is_slow else []))
            k.control(f"{p} after it", ask(axon.port, w.fresh(p)))
    finally:
        axon.kill()


def replay_after_restart(k, a, w):
    again_after(k, w, a.folder + "-restart", signal.SIGTERM)


def replay_after_kill(k, a, w):
    again_after(k, w, a.folder + "-kill", signal.SIGKILL)


def nonce_reuse(k, a, w):
    nonce = time.time_ns()
    k.control("btauth", ask(a.port, w.btauth(b"one", nonce=nonce)))
    k.expect("btauth, another body", ask(a.port, w.btauth(b"two", nonce=nonce)), (401, "ReplayedRequest"))
    k.expect("btauth, another route", ask(a.port, w.btauth(b"", method="GET", target="/whoami", nonce=nonce)),
             (401, "ReplayedRequest"))
    k.expect("btauth, another prefix of the same key",
             ask(a.port, w.btauth(b"one", nonce=nonce, sender=ss58(w.signer.sign(b"")[1], 0))), (401, "ReplayedRequest"))
    first = w.epistula(b"one")
    k.control("epistula", ask(a.port, first))
    k.expect("epistula, another body", ask(a.port, w.epistula(b"two", uuid=first.value("Epistula-Uuid"))),
             (401, "ReplayedRequest"))
    endpoint, other = "aaaaaaaa-0000-11f0-8000-000000000001", "aaaaaaaa-0000-11f0-8000-000000000002"
    nonce = time.time_ns()
    request = w.v10(uuid=endpoint, nonce=nonce)
    k.control("v10", ask(a.port, request))
    k.expect("v10, another body", ask(a.port, w.v10(a=3, uuid=endpoint, nonce=nonce)), 401)
    k.expect("v10, an older nonce", ask(a.port, w.v10(uuid=endpoint, nonce=nonce - 1)), 401)
    k.expect("v10, another endpoint under the old signature",
             ask(a.port, request.with_header("bt_header_dendrite_uuid", other)), 401)


def swapped_body(k, a, w):
    for p in ("btauth", "epistula"):
        for body in (b"hellO", b"hello ", b"", b"hello" * 1000):
            k.expect(p, ask(a.port, w.fresh(p).copy(body=body)), (401, "BadSignature"))
    other = w.v10(a=7).body
    k.expect("v10", ask(a.port, w.v10(a=2).copy(body=other)), 500)
    k.expect("v10, the hash with it", ask(a.port, w.v10(a=2).copy(body=other).with_header(
        "computed_body_hash", w.v10(a=7).value("computed_body_hash"))), 401)
    k.expect("v10, no hash", ask(a.port, w.v10().without("computed_body_hash")), 401)
    request = w.v10(dendrite={"hotkey": w.signer.address("//Alice"), "ip": "1.2.3.4"})
    k.control("v10, a body that names another caller", ask(a.port, request))  # believed by nobody: AXON-2
    request = w.btauth(b'{"hotkey":"somebody else"}')
    k.control("btauth, a body that names another caller", ask(a.port, request))


def changed_target(k, a, w):
    for target in ("/echo?a=%7e&b=1", "/echo?", "/echo?a"):
        k.control(target, ask(a.port, w.btauth(target=target)))
    for signed, sent in (("/echo?a=%7e", "/echo?a=~"), ("/echo?a=1&b=2", "/echo?b=2&a=1"), ("/echo?", "/echo"),
                         ("/echo", "/echo?"), ("/echo?a=1", "/echo?a=2"), ("/echo?a=1", "/echo")):
        k.expect(f"{signed} as {sent}", ask(a.port, w.btauth(target=signed).copy(target=sent)), (401, "BadSignature"))
    k.expect("method", ask(a.port, w.btauth(b"", method="POST", target="/whoami").copy(method="GET")), (401, "BadSignature"))
    for target in ("//echo", "/echo/", "/./echo", "/%65cho", "/echo%00", "/ECHO"):
        k.expect(target, ask(a.port, w.btauth(target=target)), 404, 401, 307, 400, 500)


def header_injection(k, a, w):
    evil = [b"/x\tInjected: 1", b"/x%0d%0aInjected:%201", b"/\xc3\xa9\xff", b"/x'); Injected: 1", b"/" + b"x" * 3000]
    for target in evil:
        for found in answers(a.port, b"POST " + target + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"):
            k.expect(repr(target[:30]), found, 400, 404, 405, 414, 431)
            k.holds(f"{target!r}: a header was injected", not re.search(r"^injected", found.head, re.I | re.M))
    for value in ("a\rInjected: 1", "a\x00b", "a\x0bb"):
        request = w.v10().with_header("bt_header_dendrite_uuid", value)
        found = ask(a.port, request)
        k.expect(repr(value), found, 400, 401, 500, 0)
        k.holds(f"{value!r}: a header was injected", not re.search(r"^injected", found.head, re.I | re.M))
    for field in ("ip", "uuid", "hotkey", "status_message"):
        found = ask(a.port, w.v10(dendrite={field: "x\r\nInjected: 1"}))
        k.expect(f"a line end in the body's {field}", found, 500)
        k.holds(f"{field}: a header was injected", not re.search(r"^injected", found.head, re.I | re.M))
    found = ask(a.port, w.btauth().with_more(("X-Correlation-Id", 'a"b\tInjected: 1')))
    k.holds("correlation id: a header was injected", not re.search(r"injected", found.head, re.I))


def duplicate_headers(k, a, w):
    for p in PROTOCOLS:
        request = w.fresh(p)
        for name, value in request.headers:
            if name.lower() in ("name", "header_size", "total_size", "content-type", "epistula-version"):
                continue
            again = w.fresh(p)
            other = "0" if value.isdigit() else value
            k.expect(f"{p} {name} twice", ask(a.port, again.with_more((name.upper(), other))), 400, 401)
            k.expect(f"{p} {name} twice, the same", ask(a.port, w.fresh(p).with_more((name, w.fresh(p).value(name)))), 400, 401)
    for name in ("Content-Length", "Host"):
        request = w.btauth()
        extra = [(name, "5"), (name, "6")]
        data = request.head(framing=extra) + request.body
        k.expect(f"{name} twice", (answers(a.port, data) or [Answer(0, "", b"")])[0], 400)


def folded_headers(k, a, w):
    for p in PROTOCOLS:
        for what, change in (
                ("folded", lambda h: h.replace(b"\r\nHost: axon", b"\r\nHost: axon\r\n folded", 1)),
                ("folded by a tab", lambda h: h.replace(b"\r\nHost: axon", b"\r\nX-A: 1\r\n\tb", 1)),
                ("white space before the colon", lambda h: h.replace(b"Host:", b"Host :", 1)),
                ("a zero byte", lambda h: h.replace(b"Host: axon", b"Host: ax\0on", 1)),
                ("a bare line feed", lambda h: h.replace(b"\r\nHost", b"\nHost", 1)),
                ("a bare carriage return", lambda h: h.replace(b"Host: axon", b"Host: ax\ron", 1)),
                ("no colon", lambda h: h.replace(b"Host: axon", b"Host axon", 1)),
                ("an empty name", lambda h: h.replace(b"Host: axon", b": axon", 1)),
                ("white space in front", lambda h: h.replace(b"\r\nHost: axon", b"\r\n Host: axon", 1)),
                ("a version of its own", lambda h: h.replace(b"HTTP/1.1", b"HTTP/1.9", 1))):
            request = w.fresh(p)
            found = answers(a.port, change(request.head()) + request.body)
            k.expect(f"{p} {what}", found[0] if found else Answer(0, "", b""), 400, 505, 0)


def lenient_numbers(k, a, w):
    for change in ("+{}", "0{}", " {}x", "{}_0", "-{}", "{}.0", "{}e0", "0x{:x}", "９{}", "", "{}" * 3, "1" * 4000):
        nonce = time.time_ns()
        text = change.format(nonce, nonce, nonce)
        text = text.encode("utf-8").decode("latin-1")
        for p in ("btauth", "epistula"):
            request = (w.btauth(nonce=text, signed_nonce=str(nonce)) if p == "btauth"
                       else w.epistula(timestamp=str(nonce // 10**6)).with_header(
                           "Epistula-Timestamp", change.format(*[nonce // 10**6] * 3).encode().decode("latin-1")))
            k.expect(f"{p} {change}", ask(a.port, request), (401, "MalformedAuth"), (401, "StaleRequest"), 400)
    number = time.time_ns()
    # v10 keeps Python's forms: what is signed is the canonical figure, so a changed spelling is the same request once
    first = w.v10(nonce=number, uuid="bbbbbbbb-0000-11f0-8000-000000000001")
    k.control("v10", ask(a.port, first))
    for text in (f"+{number}", f"{str(number)[:3]}_{str(number)[3:]}", f" {number} "):
        k.expect(f"v10 {text}", ask(a.port, first.with_header("bt_header_dendrite_nonce", text)), 401)
    for text in ("0x10", "1__0", "ten", "1.5"):
        k.expect(f"v10 {text}", ask(a.port, w.v10().with_header("bt_header_dendrite_nonce", text)), 401, 500)
    for text in ("nan", "inf", "1e9", "-1"):
        old = w.v10(nonce=time.time_ns() - 200 * 10**9, timeout=text, uuid=f"cccccccc-0000-11f0-8000-{text:>012}")
        k.expect(f"v10, an old nonce with the timeout {text}", ask(a.port, old), 401)


def change_signature(p, request, change):
    header = {"btauth": "X-Bittensor-Signature", "epistula": "Epistula-Request-Signature",
              "v10": "bt_header_dendrite_signature"}[p]
    return request.with_header(header, change(request.value(header)))


def malleable_signatures(k, a, w):
    def scalar(add):
        def change(text):
            raw = bytearray(bytes.fromhex(text[2:]))
            s = int.from_bytes(raw[32:64], "little") & (2**255 - 1)
            s = (s + add) % 2**255
            return "0x" + (raw[:32] + (s | 2**255).to_bytes(32, "little")).hex()
        return change

    def point(text):  # R + p, and R with its sign turned
        raw = bytes.fromhex(text[2:])
        return "0x" + ((int.from_bytes(raw[:32], "little") + PRIME) % 2**256).to_bytes(32, "little").hex() + raw[32:].hex()

    changes = {
        "s + order": scalar(ORDER), "s + 2 * order": scalar(2 * ORDER), "s + 1": scalar(1),
        "R + p": point,
        "R negated": lambda t: "0x" + ((PRIME - int.from_bytes(bytes.fromhex(t[2:66]), "little")) % PRIME)
                     .to_bytes(32, "little").hex() + t[66:],
        "no marker": lambda t: t[:-2] + f"{int(t[-2:], 16) & 0x7f:02x}",
        "bit 254": lambda t: t[:-2] + f"{int(t[-2:], 16) ^ 0x40:02x}",
        "63 bytes": lambda t: t[:-2], "65 bytes": lambda t: t + "00", "empty": lambda t: "0x", "odd": lambda t: t[:-1],
        "0X": lambda t: "0X" + t[2:], "0x0x": lambda t: "0x" + t, "white space": lambda t: t[:10] + " " + t[10:],
        "zeros": lambda t: "0x" + "00" * 64, "zeros with a marker": lambda t: "0x" + "00" * 63 + "80",
    }
    for p in PROTOCOLS:
        k.control(p, ask(a.port, w.fresh(p)))
        for what, change in changes.items():
            k.expect(f"{p} {what}", ask(a.port, change_signature(p, w.fresh(p), change)), 401, 500)
    for add in (ORDER, 2 * ORDER):
        request = w.btauth(scheme="ed25519")
        k.control("ed25519", ask(a.port, request))
        raw = bytes.fromhex(w.btauth(scheme="ed25519").value("X-Bittensor-Signature")[2:])
        request = w.btauth(scheme="ed25519")
        raw = bytes.fromhex(request.value("X-Bittensor-Signature")[2:])
        s = int.from_bytes(raw[32:], "little") + add
        k.expect("ed25519 s + order", ask(a.port, request.with_header(
            "X-Bittensor-Signature", "0x" + (raw[:32] + s.to_bytes(32, "little")).hex())), (401, "BadSignature"))


def weak_keys(k, a, w):
    zero = bytes(32)
    identity = (1).to_bytes(32, "little")
    eight = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    weak = {"sr25519": [zero], "ed25519": [identity, (PRIME + 1).to_bytes(32, "little"), zero, eight,
                                           (PRIME - 1).to_bytes(32, "little"), bytes(31) + b"\x80",
                                           identity[:31] + b"\x80", PRIME.to_bytes(32, "little")]}
    for scheme, keys in weak.items():
        signature = (zero + bytes(31) + b"\x80") if scheme == "sr25519" else identity + zero
        for key in keys:
            for _ in range(8 if scheme == "ed25519" else 1):  # one message in eight suits a point of order eight
                request = w.btauth(scheme=scheme).with_header("X-Bittensor-Hotkey", ss58(key)).with_header(
                    "X-Bittensor-Signature", "0x" + signature.hex())
                k.expect(f"{scheme} {key.hex()[:8]}", ask(a.port, request), (401, "BadSignature"), (401, "MalformedAuth"))
    forged = "0x" + (zero + bytes(31) + b"\x80").hex()
    k.expect("epistula", ask(a.port, w.epistula().with_header("Epistula-Signed-By", ss58(zero)).with_header(
        "Epistula-Request-Signature", forged)), (401, "BadSignature"))
    k.expect("v10", ask(a.port, w.v10().with_header("bt_header_dendrite_hotkey", ss58(zero)).with_header(
        "bt_header_dendrite_signature", forged)), 401)


def stolen_names(k, a, w):
    victim = w.signer.address("//Eve")
    for p, header in (("btauth", "X-Bittensor-Hotkey"), ("epistula", "Epistula-Signed-By"), ("v10", "bt_header_dendrite_hotkey")):
        k.expect(p, ask(a.port, w.fresh(p).with_header(header, victim)), refused(p, "BadSignature"))
        k.expect(f"{p}, a broken address", ask(a.port, w.fresh(p).with_header(header, victim[:-1] + "1")),
                 refused(p, "MalformedAuth"))
        k.expect(f"{p}, no address", ask(a.port, w.fresh(p).without(header)), refused(p, "MalformedAuth"))
    k.expect("ed25519 under an sr25519 name", ask(a.port, w.btauth(scheme="ed25519", sender=victim)), (401, "BadSignature"))
    k.expect("the scheme renamed", ask(a.port, w.btauth().with_header("X-Bittensor-Crypto", "ed25519")),
             (401, "BadSignature"), (401, "MalformedAuth"))


def missing_signatures(k, a, w):
    for p in PROTOCOLS:
        request = w.fresh(p)
        for name, _ in request.headers:
            if re.search("signature|nonce|timestamp|uuid|version$", name.lower()) and "dendrite_version" not in name.lower():
                k.expect(f"{p} without {name}", ask(a.port, w.fresh(p).without(name)), 401)
                if "uuid" not in name.lower():
                    k.expect(f"{p} with an empty {name}", ask(a.port, w.fresh(p).with_header(name, "")), 401, 500)
    k.expect("no family", ask(a.port, Request("POST", "/echo", [], b"x")), (401, "MalformedAuth"))
    k.expect("nothing on v10", ask(a.port, Request("POST", "/Synapse", [("Content-Type", "application/json")], b"{}")), 401)


def wrong_times(k, a, w):
    now = time.time_ns()
    for offset_s in (-11, -60, -3600, 4, 60, 10**6):
        at = now + offset_s * 10**9
        k.expect(f"btauth {offset_s} s", ask(a.port, w.btauth(nonce=at)), (401, "StaleRequest"))
        k.expect(f"epistula {offset_s} s", ask(a.port, w.epistula(timestamp=at // 10**6)), (401, "StaleRequest"))
        if offset_s > 0 or offset_s < -16:
            k.expect(f"v10 {offset_s} s", ask(a.port, w.v10(nonce=at, uuid=f"dddddddd-0000-11f0-8000-{offset_s:012}")), 401)
            k.expect(f"v10 {offset_s} s, an old version", ask(a.port, w.v10(
                nonce=at, version="7001000", uuid=f"eeeeeeee-0000-11f0-8000-{offset_s:012}")), 401)
    for nonce in (0, 2**63, 2**64, 10**38, 10**39):
        k.expect(f"btauth {nonce}", ask(a.port, w.btauth(nonce=nonce)), (401, "StaleRequest"), (401, "MalformedAuth"))


def chunked(request, coded, **how):
    data = request.head(framing=[("Transfer-Encoding", "chunked")]) + coded
    return (answers(how.pop("port"), data, first_only=True, **how) or [Answer(0, "", b"")])[0]


def bad_chunks(k, a, w):
    good = b"5\r\nhello\r\n0\r\n\r\n"
    for p in ("btauth", "epistula"):
        k.control(p, chunked(w.fresh(p), good, port=a.port))
        k.control(f"{p} in small chunks", chunked(w.fresh(p), b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", port=a.port))
        for what, coded in {
                "longer than said": b"4\r\nhello\r\n0\r\n\r\n", "shorter than said": b"6\r\nhello\r\n0\r\n\r\n",
                "no size": b"\r\nhello\r\n0\r\n\r\n", "a sign": b"+5\r\nhello\r\n0\r\n\r\n", "a minus": b"-5\r\nhello\r\n0\r\n\r\n",
                "0x": b"0x5\r\nhello\r\n0\r\n\r\n", "too large a size": b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
                "2^64 - 1": b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "bare line feeds": b"5\nhello\n0\n\n",
                "white space": b" 5 \r\nhello\r\n0\r\n\r\n", "another body": b"5\r\nhellO\r\n0\r\n\r\n",
                "a chunk more": b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"}.items():
            k.expect(f"{p} {what}", chunked(w.fresh(p), coded, port=a.port, limit_s=1.0), 400, (401, "BadSignature"), 413, 0)
        for what, coded in {"cut in a chunk": b"5\r\nhel", "cut before the last": b"5\r\nhello\r\n", "cut in the end": b"5\r\nhello\r\n0\r\n"}.items():
            k.expect(f"{p} {what}", chunked(w.fresh(p), coded, port=a.port, limit_s=1.0, half_close=True), 400, 0)
    request = w.v10()
    body = request.body
    k.control("v10", chunked(request, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), port=a.port))
    k.expect("v10 cut", chunked(w.v10(), b"%x\r\n%s" % (len(body), body[:-9]), port=a.port, limit_s=1.0, half_close=True), 400, 0)


def oversized_bodies(k, a, w):
    for p in PROTOCOLS:
        big = b"x" * (MAX_BODY + 1)
        request = w.fresh(p)
        k.expect(f"{p} announced", ask(a.port, request.copy(body=big)), 413)
        head = request.head(framing=[("Content-Length", str(10**15))])
        k.expect(f"{p} a petabyte announced", (answers(a.port, head) or [Answer(0, "", b"")])[0], 413)
        coded = b"".join(b"10000\r\n" + b"x" * 65536 + b"\r\n" for _ in range(MAX_BODY // 65536 + 2))
        k.expect(f"{p} in chunks", chunked(w.fresh(p), coded, port=a.port), 413)
        extended = (b"1;" + b"e" * 400 + b"\r\nx\r\n") * 5000
        k.expect(f"{p} in extensions of chunks", chunked(w.fresh(p), extended, port=a.port, limit_s=1.0), 400, 401, 413, 0)


def smuggling(k, a, w):
    hidden = w.btauth(b"smuggled").raw()
    for what, framing, body in (
            ("both lengths", [("Content-Length", "5"), ("Transfer-Encoding", "chunked")], b"0\r\n\r\n"),
            ("both lengths, the other order", [("Transfer-Encoding", "chunked"), ("Content-Length", "5")], b"0\r\n\r\n"),
            ("two lengths", [("Content-Length", "5"), ("Content-Length", str(5 + len(hidden)))], b"hello"),
            ("a list of lengths", [("Content-Length", "5, 5")], b"hello"),
            ("a signed length", [("Content-Length", "+5")], b"hello"),
            ("a negative length", [("Content-Length", "-5")], b"hello"),
            ("a hexadecimal length", [("Content-Length", "0x5")], b"hello"),
            ("an underscore", [("Content-Length", "0_5")], b"hello"),
            ("a long length", [("Content-Length", "18446744073709551621")], b"hello"),
            ("an unknown coding", [("Transfer-Encoding", "xchunked")], b"5\r\nhello\r\n0\r\n\r\n"),
            ("chunked and more", [("Transfer-Encoding", "chunked, identity")], b"5\r\nhello\r\n0\r\n\r\n"),
            ("chunked twice", [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], b"5\r\nhello\r\n0\r\n\r\n"),
            ("a vertical tab", [("Transfer-Encoding", "\x0bchunked")], b"5\r\nhello\r\n0\r\n\r\n"),
            ("gzip, chunked", [("Transfer-Encoding", "gzip, chunked")], b"5\r\nhello\r\n0\r\n\r\n")):
        for p in ("btauth", "epistula"):
            found = answers(a.port, w.fresh(p).head(framing=framing) + body + hidden, limit_s=1.0)
            k.expect(f"{p} {what}", found[0] if found else Answer(0, "", b""), 400, 401, 501, 0)
            k.expect(f"{p} {what}, the hidden one", found[1] if len(found) > 1 else Answer(0, "", b""), 400, 0)
    request = w.v10()
    found = answers(a.port, request.head(framing=[("Content-Length", str(len(request.body))), ("Transfer-Encoding", "chunked")])
                    + request.body + hidden, limit_s=1.0)
    k.expect("v10 both lengths", found[0] if found else Answer(0, "", b""), 400)


def oversized_heads(k, a, w):
    for p in PROTOCOLS:
        for what, extra in (("a long field", [("X-Long", "x" * 17000)]), ("many fields", [(f"X-{i}", "1") for i in range(120)]),
                            ("a long name", [("X" * 17000, "1")])):
            k.expect(f"{p} {what}", ask(a.port, w.fresh(p).with_more(*extra)), 431)
        k.expect(f"{p} a long target", ask(a.port, w.fresh(p).copy(target="/echo?" + "x" * 17000)), 414, 431)
    endless = b"POST /echo HTTP/1.1\r\n" + b"X: " + b"y" * (1 << 20)
    k.expect("an endless head", (answers(a.port, endless) or [Answer(0, "", b"")])[0], 431, 0)
    k.control("btauth", ask(a.port, w.btauth().with_more(("X-Fits", "x" * 12000))))


def json_bombs(k, a, w):
    deep = 100000
    def model(extra):
        return b'{"a":2,"text":"x",' + extra + b"}"
    for what, body, allowed in (
            ("depth in a key", model(b'"y":' + b"[" * deep + b"]" * deep), (422,)),
            ("depth of objects", model(b'"y":' + b'{"a":' * deep + b"1" + b"}" * deep), (422,)),
            ("depth, not closed", model(b'"y":' + b"[" * deep), (422,)),
            ("a number of 300,000 digits", b'{"text":"x","a":' + b"9" * 300000 + b"}", (422, 500)),
            ("an exponent", b'{"text":"x","a":1e999999999}', (422, 500)),
            ("half a surrogate pair", b'{"a":2,"text":"\\ud800"}', (422, 500)),
            ("bytes that are no UTF-8", b'{"a":2,"text":"\xff\xfe"}', (422, 500)),
            ("not closed", b'{"a":2,"text":"x"', (422,)), ("two values", b'{"a":2,"text":"x"}{}', (422,)),
            ("a list", b"[1]", (422, 500)), ("nothing", b"", (500,)), ("a megabyte of quotes", b'"' * MAX_BODY, (422,)),
            ("an answer of gigabytes", b'{"a":2000000000,"text":"x"}', (500,))):
        request = w.v10(body=body)
        if what == "an answer of gigabytes":
            request = w.v10(a=2000000000, body=body)
        begun = time.monotonic()
        k.expect(what, ask(a.port, request), *allowed)
        k.holds(f"{what} took {time.monotonic() - begun:.1f} s", time.monotonic() - begun < 5)
    k.control("v10", ask(a.port, w.v10(body=model(b'"y":[[1]]'))))


def compressed_bodies(k, a, w):
    bomb = gzip.compress(bytes(200 * MAX_BODY), 9)[:MAX_BODY]
    for coding in ("gzip", "deflate", "br"):
        request = w.v10().copy(body=bomb).with_more(("Content-Encoding", coding))
        k.expect(f"v10 {coding}", ask(a.port, request), 422, 415, 500)
    before = a.rss_mb()
    for p in ("btauth", "epistula"):  # the body is what was sent: nothing is unpacked
        found = ask(a.port, w.fresh(p, body=bomb).with_more(("Content-Encoding", "gzip")))
        k.holds(f"{p}: the echo of a bomb is the bomb", found.status == 200 and found.body == bomb)
    k.holds("memory grew by a bomb", a.rss_mb() - before < 50)


def concurrent_copies(k, a, w):
    for p in PROTOCOLS:
        request, found, gate = w.fresh(p), [], threading.Barrier(16)

        def send():
            with socket.create_connection(("127.0.0.1", a.port), 10) as s:
                gate.wait()
                s.sendall(request.raw())
                found.append(int(s.recv(65536).split(b" ", 2)[1]))
        threads = [threading.Thread(target=send) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        k.sent += 15
        k.through += max(0, found.count(200) - 1)
        k.holds(f"{p}: {sorted(found)}", sorted(found) == [200] + [401] * 15)


def penalties(k, a, w):
    """With --limit-loopback our own address is a stranger's: it is shut out for what it does, its neighbours are not."""
    axon = Axon(a.folder + "-limits", "--limit-loopback")
    try:
        many = []
        for _ in range(560):
            s = socket.create_connection(("127.0.0.1", axon.port), 5)
            many.append(s)
        time.sleep(0.5)
        open_now = 0
        for s in many:
            s.settimeout(0.01)
            try:
                open_now += s.recv(64) != b"" and 0
            except TimeoutError:
                open_now += 1
            except OSError:
                pass
        for s in many:
            s.close()
        k.holds(f"{open_now} connections of one address are open", open_now <= 512)
        time.sleep(0.2)
        statuses = [x.status for x in answers(axon.port, Request("POST", "/echo", [], b"x").raw() * 60)]  # faster than a bucket fills
        k.sent += len(statuses)
        k.through += statuses.count(200)
        k.holds(f"no penalty: {statuses}", statuses[0] == 401 and statuses[-1] == 429)
        found = ask(axon.port, w.btauth())
        k.expect("a good request of an address under penalty", found, (429, "TooManyRequests"))
        k.holds("no Retry-After", "retry-after" in found.head.lower())
        k.expect("v10 under penalty", ask(axon.port, w.v10()), 429)
    finally:
        axon.kill()


class Slow:
    """Connections that send a byte now and then: opened first, looked at last."""

    def __init__(self, port, w):
        self.sockets, self.begun = [], time.monotonic()
        head, body = b"POST /echo HTTP/1.1\r\nHost: a\r\n", w.btauth(b"x" * 1000)
        for i in range(200):
            s = socket.create_connection(("127.0.0.1", port), 5)
            s.sendall(head if i % 2 == 0 else body.head()[:-5])
            self.sockets.append(s)
        self.thread = threading.Thread(target=self.drip, daemon=True)
        self.thread.start()

    def drip(self):
        while time.monotonic() - self.begun < 40:
            for s in self.sockets:
                try:
                    s.send(b"x")
                except OSError:
                    pass
            time.sleep(0.5)

    def judge(self, k):
        while time.monotonic() - self.begun < 13:
            time.sleep(0.2)
        for s in self.sockets:
            s.settimeout(0.02)
            data = b""
            is_open = False
            try:
                while part := s.recv(4096):
                    data += part
            except TimeoutError:
                is_open = True
            except OSError:
                pass
            status = int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else 0
            k.expect("a slow head", Answer(status, "", b""), 0, 400, 408)
            k.holds("a slow head is still open after 13 s", not is_open)
            s.close()


def idle_connections(k, a, w):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    wanted = min(10000, limit[1] - 500)
    held, served = [], 0
    for i in range(wanted):
        s = socket.create_connection(("127.0.0.1", a.port), 5)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        held.append(s)
    for s in held:
        s.settimeout(10)
        served += s.recv(1024).startswith(b"HTTP/1.1 200")
    k.sent += wanted
    k.holds(f"{served} of {wanted} idle connections were served", served == wanted)
    for p in PROTOCOLS:
        k.control(f"{p} beside {wanted} idle connections", ask(a.port, w.fresh(p)))
    rss = a.rss_mb()
    k.holds(f"{rss:.0f} MB with {wanted} idle connections", rss < 150)
    print(f"# {wanted} connections, each used once and now idle: {rss:.1f} MB", flush=True)
    for s in held:
        s.close()


KINDS = (replay, replay_across_protocols, replay_across_routes, replay_across_receivers, nonce_reuse, swapped_body,
         changed_target, header_injection, duplicate_headers, folded_headers, lenient_numbers, malleable_signatures,
         weak_keys, stolen_names, missing_signatures, wrong_times, bad_chunks, oversized_bodies, smuggling, oversized_heads,
         json_bombs, compressed_bodies, concurrent_copies, penalties, replay_after_restart, replay_after_kill,
         idle_connections)


def honest(port, receiver):
    """The honest client: a process of its own, one request at a time, until its input ends."""
    import select
    w = Wire(Signer(f"{BUILD}/tests/proofs/attacks/attack_signer"), receiver)
    times, failed, i = [], [], 0
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        p = PROTOCOLS[i % 3]
        how = {"key": f"//Honest//{i % HONEST_KEYS}"}
        if p == "v10":
            how["uuid"] = "00000000-0000-11f0-8000-0000000000aa"
        request = w.fresh(p, **how)
        begun = time.monotonic()
        found = ask(port, request, 10.0)
        times.append(time.monotonic() - begun)
        if found.status != 200:
            failed.append(f"{p}: {found.status} {found.body[:80]!r}")
        i += 1
    print(json.dumps({"times": sorted(times), "failed": failed}))


def main():
    folder = tempfile.mkdtemp(prefix="attacks.", dir=BUILD)
    signer = Signer(f"{BUILD}/tests/proofs/attacks/attack_signer")
    axon = Axon(folder + "/state")
    w = Wire(signer, axon.hotkey)
    client = subprocess.Popen([sys.executable, os.path.abspath(__file__), BUILD, "--honest", str(axon.port), axon.hotkey],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    slow, kinds = Slow(axon.port, w), []
    rows = list(KINDS) + [None]
    for count, row in enumerate(rows, 1):
        k = Kind(row.__name__ if row else "slowloris")
        begun = time.monotonic()
        kinds.append(k)
        try:
            row(k, axon, w) if row else slow.judge(k)
            k.holds("the axon is gone", axon.process.poll() is None)
        except Exception as e:  # pylint: disable=broad-except
            k.wrong.append(f"{type(e).__name__}: {e}")
        print(f"{'not ok' if k.wrong or k.through else 'ok'} {count} - {k.name}: {k.sent} sent, {k.through} through, "
              f"{time.monotonic() - begun:.1f} s", flush=True)
        for line in k.wrong[:10]:
            print("# " + line, flush=True)
    out = json.loads(client.communicate("", 30)[0])
    times, failed = out["times"], out["failed"]
    is_fine = not failed and len(times) > 100
    print(f"{'ok' if is_fine else 'not ok'} {len(rows) + 1} - honest_client: {len(times)} asked, {len(failed)} failed")
    print(f"# honest client: p50 {times[len(times) // 2] * 1e3:.1f} ms, p99 {times[len(times) * 99 // 100] * 1e3:.1f} ms")
    for line in failed[:10]:
        print("# " + line)
    code = axon.kill(signal.SIGTERM)
    print(f"{'ok' if code == 0 else 'not ok'} {len(rows) + 2} - the_axon_drains_at_the_end: exit code {code}")
    sent, through = sum(k.sent for k in kinds), sum(k.through for k in kinds)
    print(f"1..{len(rows) + 2}")
    print(f"# PROOF attacks kinds={len(kinds)} sent={sent} through={through} honest={len(times)} honest_failed={len(failed)}")
    is_clean = is_fine and code == 0 and not any(k.wrong or k.through for k in kinds)
    if is_clean:
        shutil.rmtree(folder)  # else what the axons said is kept
    return 0 if is_clean else 1


if __name__ == "__main__":
    if "--honest" in sys.argv:
        honest(int(sys.argv[3]), sys.argv[4])
    else:
        sys.exit(main())
