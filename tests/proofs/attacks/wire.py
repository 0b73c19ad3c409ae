"""Requests as the three protocols sign them, and a client that sends exactly the bytes it is given."""
import base64
import hashlib
import json
import socket
import subprocess
import threading
import time
import uuid as uuids

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19


class Signer:
    """The helper process; one line a signature."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()

    def sign(self, message, key="//Bob", scheme="sr25519"):
        """-> (address, public key, signature)"""
        with self.lock:
            self.process.stdin.write(f"{scheme} {key} {message.hex()}\n")
            self.process.stdin.flush()
            address, public, signature = self.process.stdout.readline().split()
        return address, bytes.fromhex(public), bytes.fromhex(signature)

    def address(self, key, scheme="sr25519"):
        return self.sign(b"", key, scheme)[0]


def ss58(public, prefix=42):
    body = bytes([prefix]) + public
    data = body + hashlib.blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2]
    digits, number = "", int.from_bytes(data, "big")
    while number:
        number, rest = divmod(number, 58)
        digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def sha3(text):
    return hashlib.sha3_256(text.encode()).hexdigest()


class Request:
    """Method, target, headers as a list of pairs, body; bytes on demand."""

    def __init__(self, method, target, headers, body=b""):
        self.method, self.target, self.headers, self.body = method, target, list(headers), body

    def copy(self, **changes):
        new = Request(self.method, self.target, self.headers, self.body)
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    def with_header(self, name, value):
        """The header replaced, or added."""
        kept = [(n, v) for n, v in self.headers if n.lower() != name.lower()]
        return self.copy(headers=kept + [(name, value)])

    def with_more(self, *pairs):
        return self.copy(headers=self.headers + list(pairs))

    def without(self, name):
        return self.copy(headers=[(n, v) for n, v in self.headers if n.lower() != name.lower()])

    def value(self, name):
        return next(v for n, v in self.headers if n.lower() == name.lower())

    def head(self, framing=None):
        if framing is None:
            framing = [("Content-Length", str(len(self.body)))]
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: axon"]
        lines += [f"{n}: {v}" for n, v in self.headers + framing]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def raw(self):
        return self.head() + self.body


class Wire:
    def __init__(self, signer, receiver):
        self.signer, self.receiver = signer, receiver

    def btauth(self, body=b"hello", method="POST", target="/echo", key="//Bob", scheme="sr25519", nonce=None,
               receiver=None, sender=None, signed_nonce=None):
        nonce = str(time.time_ns()) if nonce is None else str(nonce)
        receiver = self.receiver if receiver is None else receiver
        sender = sender or self.signer.address(key, scheme)
        payload = "\n".join(["btauth/1", scheme, method, target, hashlib.sha256(body).hexdigest(),
                             signed_nonce or nonce, sender, receiver or "-"])
        signature = self.signer.sign(payload.encode(), key, scheme)[2]
        headers = [("X-Bittensor-Version", "1"), ("X-Bittensor-Hotkey", sender), ("X-Bittensor-Nonce", nonce),
                   ("X-Bittensor-Signature", "0x" + signature.hex())]
        headers += [("X-Bittensor-Crypto", scheme)] if scheme != "sr25519" else []
        headers += [("X-Bittensor-Receiver", receiver)] if receiver else []
        return Request(method, target, headers, body)

    def epistula(self, body=b"hello", method="POST", target="/echo", key="//Bob", uuid=None, timestamp=None,
                 receiver=None):
        uuid = uuid or str(uuids.uuid4())
        timestamp = str(time.time_ns() // 10**6) if timestamp is None else str(timestamp)
        receiver = self.receiver if receiver is None else receiver
        sender = self.signer.address(key)
        message = f"{hashlib.sha256(body).hexdigest()}.{uuid}.{timestamp}.{receiver}"
        signature = self.signer.sign(message.encode(), key)[2]
        return Request(method, target, [
            ("Epistula-Version", "2"), ("Epistula-Timestamp", timestamp), ("Epistula-Uuid", uuid),
            ("Epistula-Signed-By", sender), ("Epistula-Signed-For", receiver),
            ("Epistula-Request-Signature", "0x" + signature.hex())], body)

    def v10(self, a=2, text="x", key="//Bob", uuid="6d1d5a5e-0000-11f0-8000-000000000001", nonce=None, receiver=None,
            body=None, name="Echo", timeout="12.0", version="10005000", dendrite=None):
        nonce = str(time.time_ns()) if nonce is None else str(nonce)
        receiver = self.receiver if receiver is None else receiver
        sender = self.signer.address(key)
        body_hash = sha3(sha3(str(a)) + sha3(text))
        message = f"{nonce}.{sender}.{receiver}.{uuid}.{body_hash}"
        signature = "0x" + self.signer.sign(message.encode(), key)[2].hex()
        headers = [("name", name), ("timeout", timeout), ("bt_header_axon_ip", "127.0.0.1"),
                   ("bt_header_axon_port", "8091"), ("bt_header_axon_hotkey", receiver),
                   ("bt_header_dendrite_ip", "127.0.0.1"), ("bt_header_dendrite_version", version),
                   ("bt_header_dendrite_nonce", nonce), ("bt_header_dendrite_uuid", uuid),
                   ("bt_header_dendrite_hotkey", sender), ("bt_header_dendrite_signature", signature),
                   ("bt_header_input_obj_a", base64.b64encode(b"0").decode()), ("header_size", "184"),
                   ("total_size", "800"), ("computed_body_hash", body_hash), ("Content-Type", "application/json")]
        if body is None:
            body = json.dumps({"name": name, "a": a, "text": text, "out": None,
                               "dendrite": dendrite or {"ip": "127.0.0.1", "hotkey": sender}}).encode()
        return Request("POST", "/" + name, headers, body)

    def fresh(self, protocol, **how):
        return getattr(self, protocol)(**how)


class Answer:
    def __init__(self, status, head, body):
        self.status, self.head, self.body = status, head, body

    def error(self):
        try:
            return json.loads(self.body).get("error")
        except ValueError:
            return None


def answers(port, data, limit_s=5.0, half_close=False, first_only=False):
    """Sends the bytes on a new connection; every answer until it closes or is silent, or the first one."""
    found, buffer = [], b""
    try:
        with socket.create_connection(("127.0.0.1", port), limit_s) as s:
            try:
                s.sendall(data)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before all was sent: the answer may still be there
            s.settimeout(limit_s)
            while True:
                whole = parse(buffer)
                if whole:
                    answer, used = whole
                    found.append(answer)
                    buffer = buffer[used:]
                    if first_only:
                        break
                    s.settimeout(0.15)  # is there another one that should not be?
                    continue
                part = s.recv(65536)
                if not part:
                    break
                buffer += part
    except OSError:
        pass
    return found


def parse(buffer):
    """-> (Answer, bytes used), or None while it is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].decode("latin-1")
    status = int(head.split(" ", 2)[1])
    fields = {}
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    if "content-length" in fields:
        length = int(fields["content-length"])
        if len(buffer) < end + 4 + length:
            return None
        return Answer(status, head, buffer[end + 4:end + 4 + length]), end + 4 + length
    return Answer(status, head, buffer[end + 4:]), len(buffer)


def ask(port, request, limit_s=5.0):
    """One request, one answer; status 0 when the connection was closed without one."""
    found = answers(port, request.raw(), limit_s, first_only=True)
    return found[0] if found else Answer(0, "", b"")
