#!/usr/bin/env python3
"""wallet.py --tally TALLY --helper HELPER [--sdk11 PYTHON] [--wallet40 PYTHON]: wallets and signatures, both ways.

Runs in the environment of SDK 10.5, whose wallet is 4.1; the other releases come by their interpreters. Each creates what
Tally opens and opens what Tally created: plain and encrypted, right and wrong password, both schemes; and each verifies
ten thousand signatures of Tally's over random messages and signs as many that Tally verifies. Prints TAP.
"""
import argparse
import json
import os
import random
import stat
import subprocess
import sys
import tempfile

from common import Tap

PASSWORD, OTHER = "Correct-Horse 42 ä", "Wrong-Horse 42 ä"
MESSAGES = 10000
SCHEMES = {1: "sr25519", 0: "ed25519"}
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wallet_peer.py")


class Peer:
    """One release, asked by lines."""

    def __init__(self, name, python, schemes, wrong_password):
        self.name, self.schemes, self.wrong_password = name, schemes, wrong_password
        self.process = subprocess.Popen([python, PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def ask(self, act, **question):
        self.process.stdin.write(json.dumps(dict(question, act=act)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "PeerDied", "message": act}

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class Tally:
    """The program, and its helper."""

    def __init__(self, program, helper):
        self.program, self.helper = os.path.abspath(program), os.path.abspath(helper)

    def run(self, *words, env=None):
        done = subprocess.run([self.program, "wallet", *words, "--json"], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})), check=False)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, {"said": done.stdout + done.stderr}

    def lines(self, lines):
        done = subprocess.run([self.helper], input="".join(l + "\n" for l in lines), capture_output=True, text=True,
                              timeout=300, check=False)
        return done.stdout.splitlines()


def secret_file(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "\n")
    return path


def theirs(tap, tally, peer, folder, code, password):
    """What a release made, in Tally's hands."""
    what = f"{peer.name}: {SCHEMES[code]}, {'encrypted' if password else 'plain'}"
    name = f"theirs{code}{'e' if password else 'p'}"
    made = peer.ask("create", path=folder, name=name, hotkey="hot", crypto_type=code, password=password)
    if "error" in made:
        tap.check(f"{what}: creates a wallet", False, made)
        return
    at = ["--wallet", name, "--path", folder]
    rc, cold = tally.run("show", *at)
    tap.check(f"{what}: its coldkey is shown without a password",
              rc == 0 and cold["ss58"] == made["coldkey"]["ss58"] and cold["scheme"] == SCHEMES[code], cold)
    rc, hot = tally.run("show", *at, "--hotkey", "hot")
    tap.check(f"{what}: so is its hotkey",
              rc == 0 and hot["ss58"] == made["hotkey"]["ss58"] and hot["scheme"] == SCHEMES[code], hot)
    right = secret_file(folder, "right", PASSWORD)
    rc, signed = tally.run("sign", *at, "--message", "interop", *(["--password-file", right] if password else []))
    good = peer.ask("verify", ss58=made["coldkey"]["ss58"], crypto_type=code, messages=[b"interop".hex()],
                    signatures=[signed.get("signature", "0x")[2:]])
    tap.check(f"{what}: its coldkey signs here, and it verifies that", rc == 0 and good.get("valid") == [True],
              (signed, good))
    if password:
        wrong = secret_file(folder, "wrong", OTHER)
        rc, error = tally.run("sign", *at, "--message", "interop", "--password-file", wrong)
        tap.check(f"{what}: a wrong password is refused",
                  rc == 5 and error["error"]["code"] == "TL_ERR_REFUSED" and "wrong password" in error["error"]["message"],
                  (rc, error))


def ours(tap, tally, peer, folder, code, password):
    """What Tally made, in a release's hands."""
    what = f"{peer.name}: our {SCHEMES[code]}, {'encrypted' if password else 'plain'}"
    name = f"ours{code}{'e' if password else 'p'}"
    right = secret_file(folder, "right", PASSWORD)
    rc, made = tally.run("create", "--wallet", name, "--hotkey", "hot", "--path", folder, "--crypto-type", SCHEMES[code],
                         *(["--password-file", right] if password else ["--no-password"]))
    if rc != 0:
        tap.check(f"{what}: is created", False, made)
        return
    cold = peer.ask("read", path=made["coldkey"]["path"], **({"password": password} if password else {}))
    if code not in peer.schemes:
        tap.check(f"{what}: is refused, since this release reads no cryptoType", "error" in cold, cold)
        return
    tap.check(f"{what}: opens, with our address", cold.get("ss58") == made["coldkey"]["ss58"] and
              cold.get("crypto_type") == code, cold)
    rc, valid = tally.run("verify", "--ss58", made["coldkey"]["ss58"], "--crypto-type", SCHEMES[code], "--message",
                          "interop", "--signature", cold.get("signature") or "00")
    tap.check(f"{what}: signs there, and we verify that", rc == 0 and valid == {"valid": True}, (rc, valid))
    hot = peer.ask("read", path=made["hotkey"]["path"])
    public = [peer.ask("read", path=made[part]["public_path"]) for part in ("coldkey", "hotkey")]
    tap.check(f"{what}: so do its hotkey and both public files",
              hot.get("ss58") == made["hotkey"]["ss58"] and
              [p.get("ss58") for p in public] == [made["coldkey"]["ss58"], made["hotkey"]["ss58"]] and
              [p.get("crypto_type") for p in [hot, *public]] == [code] * 3 and public[0].get("signature") is None,
              (hot, public))
    if password:
        wrong = peer.ask("read", path=made["coldkey"]["path"], password=OTHER)
        tap.equal(f"{what}: a wrong password is refused there", wrong.get("error"), peer.wrong_password)


def rotated(tap, tally, peer, folder):
    """Passwords that change hands, and the environment."""
    what = f"{peer.name}: rotation"
    path = os.path.join(folder, "theirs1e", "coldkey")
    right, new = secret_file(folder, "right", PASSWORD), secret_file(folder, "new", "Another-Horse 43")
    before = tally.run("show", "--wallet", "theirs1e", "--path", folder)[1].get("ss58")
    rc, done = tally.run("rotate-password", "--wallet", "theirs1e", "--path", folder, "--password-file", right,
                         "--new-password-file", new)
    tap.check(f"{what}: gives its file a new password", rc == 0 and done.get("ss58") == before, done)
    tap.equal(f"{what}: it opens the file with that", peer.ask("read", path=path, password="Another-Horse 43").get("ss58"),
              before)
    tap.equal(f"{what}: the mode stays 0600", stat.S_IMODE(os.stat(path).st_mode), 0o600)
    variable = peer.ask("environment", path=path, password="Another-Horse 43")
    rc, signed = tally.run("sign", "--wallet", "theirs1e", "--path", folder, "--message", "interop",
                           env={variable.get("name", "X"): variable.get("value") or ""})
    tap.check(f"{what}: the variable that it sets opens the file here", rc == 0 and signed.get("ss58") == before,
              (variable, signed))


def uris(tap, tally, peer, folder):
    """Files without phrase and seed; the addresses of URIs."""
    for code in peer.schemes:
        for n, uri in enumerate(["//Alice", "//Bob//stash", "//hard/soft"][:3 if code == 1 else 2]):
            path = os.path.join(folder, "uris", "hotkeys", f"k{code}{n}")
            made = peer.ask("write", path=path, uri=uri, crypto_type=code, password=None)
            at = ["--wallet", "uris", "--path", folder, "--hotkey", f"k{code}{n}"]
            shown = [tally.run("show", *at)[1].get("ss58"),
                     tally.run("show", "--uri", uri, "--crypto-type", SCHEMES[code])[1].get("ss58")]
            tap.equal(f"{peer.name}: {SCHEMES[code]} of {uri} is the same key", shown, [made.get("ss58")] * 2)


def signatures(tap, tally, peer, code):
    """Ten thousand random messages, each way."""
    rnd = random.Random(f"{peer.name}{code}")
    scheme = SCHEMES[code]
    seed = rnd.randbytes(32).hex()
    messages = [rnd.randbytes(rnd.choice([0, 1, 31, 32, 33, 64, 136, 255, 256, 257, 1000])).hex() for _ in range(MESSAGES)]
    public = tally.lines([f"public {scheme} {seed}"])[0]
    mine = tally.lines([f"sign {scheme} {seed} {m or '-'}" for m in messages])
    signed = peer.ask("sign", seed=seed, crypto_type=code, messages=messages)
    tap.equal(f"{peer.name}: {scheme}: one seed, one public key", signed.get("public_key"), public)
    said = peer.ask("verify", ss58=signed.get("ss58"), crypto_type=code, messages=messages, signatures=mine)
    tap.check(f"{peer.name}: {scheme}: {MESSAGES} signatures of ours hold there", said.get("valid") == [True] * MESSAGES,
              str(said)[:200])
    here = tally.lines([f"verify {scheme} {public} {m or '-'} {s}" for m, s in zip(messages, signed["signatures"])])
    tap.check(f"{peer.name}: {scheme}: {MESSAGES} of theirs hold here", here == ["1"] * MESSAGES, here[:3])
    turned = signed["signatures"][1:] + signed["signatures"][:1]
    changed = [(m, s) for m, s, t in zip(messages, turned, messages[1:] + messages[:1]) if m != t]
    here = tally.lines([f"verify {scheme} {public} {m or '-'} {s}" for m, s in changed])
    tap.check(f"{peer.name}: {scheme}: none of them holds for another message", here == ["0"] * len(changed) != [],
              here[:3])
    if code == 0:
        tap.check(f"{peer.name}: {scheme}: signatures are the same bytes", mine == signed["signatures"])


def old_forms(tap, tally, peers, folder):
    """The forms of encryption that are only read."""
    plain = json.dumps({"secretPhrase": "bottom drive obey lake curtain smoke basket hold race lonely fit walk"})
    right = secret_file(folder, "right", PASSWORD)
    wanted = tally.run("show", "--uri", json.loads(plain)["secretPhrase"])[1]["ss58"]
    for peer in peers:
        made = peer.ask("legacy", plain=plain, password=PASSWORD)
        if "file" not in made:
            continue
        path = os.path.join(folder, "old", "hotkeys", peer.name.split()[-1])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(made["file"])
        rc, signed = tally.run("sign", "--wallet", "old", "--hotkey", os.path.basename(path), "--path", folder, "--message",
                               "x", "--password-file", right)
        tap.check(f"{peer.name}: its Ansible vault opens here", rc == 0 and signed.get("ss58") == wanted, signed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tally", required=True)
    parser.add_argument("--helper", required=True)
    parser.add_argument("--sdk11")
    parser.add_argument("--wallet40")
    words = parser.parse_args()
    tap, tally = Tap(), Tally(words.tally, words.helper)
    peers = [Peer("wallet 4.1", sys.executable, [1, 0], "KeyFileError")]
    if words.wallet40:
        peers.append(Peer("wallet 4.0", words.wallet40, [1], "KeyFileError"))
    if words.sdk11:
        peers.append(Peer("SDK 11", words.sdk11, [1, 0], "WrongPasswordError"))
    with tempfile.TemporaryDirectory() as everything:
        for peer in peers:
            folder = os.path.join(everything, peer.name.replace(" ", "_"))
            os.makedirs(folder, mode=0o700)
            for code in SCHEMES:
                # an encrypted key is half a second and 512 MiB each time: ed25519 with one release
                for password in (None, PASSWORD) if code == 1 or peer.name == "SDK 11" else (None,):
                    if code in peer.schemes:
                        theirs(tap, tally, peer, folder, code, password)
                    if code in peer.schemes or password is None:
                        ours(tap, tally, peer, folder, code, password)
            rotated(tap, tally, peer, folder)
            uris(tap, tally, peer, folder)
            for code in peer.schemes:
                signatures(tap, tally, peer, code)
        old_forms(tap, tally, peers, everything)
    for peer in peers:
        peer.close()
    tap.finish()


main()
