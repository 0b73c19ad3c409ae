#!/usr/bin/env python3
"""wallet.py TALLY: tally wallet through the real binary. Attacks keys that would be lost or shown: overwriting, passwords
that are short, wrong or missing, names that lead elsewhere, terminals that would echo, interruptions. Prints TAP."""
import base64
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time

TALLY = os.path.realpath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
PHRASE = open(os.path.join(HERE, "wallet", "mnemonic.txt"), encoding="utf-8").read().strip()
ADDRESS, ADDRESS_ED = ("5HDvhV6WDCjCKyrXqGQSDYqQAzkzabNhctmiDYEqgBC66BsX",
                       "5HhFH9GvwCST4kRVoFREE7qDJcjYteR5unhQCrBGhhGuRgNb")
ALICE, ALICE_ED = ("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
                   "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu")
PASSWORD = "Correct-Horse 42"
LIMIT_S = 120
count = bad = 0


def check(name, fine, detail=""):
    global count, bad
    count += 1
    bad += 0 if fine else 1
    print(f"{'ok' if fine else 'not ok'} {count} - {name}", flush=True)
    if not fine:
        print("#   " + str(detail)[:900].replace("\n", "\n#   "), flush=True)


def run(*words, env=None, stdin=subprocess.DEVNULL):
    done = subprocess.run([TALLY, "wallet", *words], capture_output=True, text=True, timeout=LIMIT_S, stdin=stdin,
                          env=dict(os.environ, **(env or {})), check=False)
    return done.returncode, done.stdout, done.stderr


def ask(*words, env=None):
    """Exit code and JSON."""
    rc, out, err = run(*words, "--json", env=env)
    try:
        return rc, json.loads(out)
    except ValueError:
        return rc, {"out": out, "err": err}


def refused(name, want, words, *about):
    rc, out, err = run(*words)
    check(name, rc == want and out == "" and all(re.search(a, err) for a in about), (rc, out, err))


def text_file(name, text):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    return os.path.abspath(name)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Terminal:
    """The program on a terminal of its own; says(TEXT) waits for it, types(TEXT) is a person's line."""

    def __init__(self, *words):
        self.master, slave = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen([TALLY, "wallet", *words], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)
        self.slave = slave

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.master, 65536).decode()
            except OSError:
                return False
        return True

    def says(self, text, seconds=LIMIT_S):
        end = time.monotonic() + seconds
        while text not in self.seen:
            if time.monotonic() > end or not self.read(0.2):
                return False
            if self.process.poll() is not None:
                self.read(0.2)
                break
        fine = text in self.seen
        self.seen = self.seen.split(text, 1)[-1] if fine else self.seen
        return fine

    def types(self, text):
        os.write(self.master, text.encode() + b"\n")

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def ends(self):
        end = time.monotonic() + LIMIT_S
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.1)
        while select.select([self.master], [], [], 0.1)[0]:
            if not self.read(0):
                break
        rc = self.process.wait()
        os.close(self.slave)
        os.close(self.master)
        return rc


def uris_and_messages():
    rc, key = ask("show", "--uri", "//Alice")
    check("the well-known key", rc == 0 and key["ss58"] == ALICE and key["scheme"] == "sr25519" and
          key["public_key"].startswith("0xd43593c7"), key)
    check("the same words under ed25519", ask("show", "--uri", "//Alice", "--crypto-type", "ed25519")[1]["ss58"] == ALICE_ED and
          ask("show", "--uri", "//Alice", "--crypto-type", "0")[1]["ss58"] == ALICE_ED)
    check("a mnemonic and its seed", ask("show", "--uri", PHRASE)[1]["ss58"] == ADDRESS and ask(
        "show", "--uri", "0xda3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143")[1]["ss58"] == ADDRESS)
    blob = os.path.abspath("blob")
    with open(blob, "wb") as f:
        f.write(bytes(range(256)) * 4)
    for scheme, address in (("sr25519", ALICE), ("ed25519", ALICE_ED)):
        at = ["--crypto-type", scheme]
        signed = ask("sign", "--uri", "//Alice", *at, "--message-file", blob)[1]
        verify = ["verify", *at, "--signature", signed["signature"]]
        check(f"{scheme}: bytes of a file are signed and hold",
              signed["ss58"] == address and ask(*verify, "--ss58", address, "--message-file", blob) == (0, {"valid": True}))
        check(f"{scheme}: not for another message, exit 1",
              ask(*verify, "--ss58", address, "--message", "x") == (1, {"valid": False}))
        other = ADDRESS if scheme == "sr25519" else ADDRESS_ED
        check(f"{scheme}: nor under another key", ask(*verify, "--ss58", other, "--message-file", blob)[0] == 1)
        wrapped = ask("sign", "--uri", "//Alice", *at, "--message", "<Bytes>hello</Bytes>")[1]["signature"]
        check(f"{scheme}: what a browser extension signs holds",
              ask("verify", *at, "--uri", "//Alice", "--message", "hello", "--signature", wrapped)[0] == 0)
        check(f"{scheme}: a cut signature is no signature",
              ask("verify", *at, "--ss58", address, "--message-file", blob, "--signature", signed["signature"][:-2])[0] == 1)
    check("text beginning with 0x is text", ask("verify", "--uri", "//Alice", "--message", "0x68", "--signature", ask(
        "sign", "--uri", "//Alice", "--message", "0x68")[1]["signature"])[0] == 0)
    check("a key under which anyone can sign proves nothing", ask(
        "verify", "--ss58", "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM", "--message", "x", "--signature",
        "00" * 63 + "80")[0] == 1)
    refused("a signature that is no hex is bad input", 3, ["verify", "--uri", "//Alice", "--message", "x", "--signature", "zz"],
            "signature")
    refused("an address with a wrong letter is bad input", 3,
            ["verify", "--ss58", ALICE[:-1] + "Z", "--message", "x", "--signature", "00"], "ss58|checksum|address")
    refused("two messages are wrong usage", 2, ["sign", "--uri", "//Alice", "--message", "x", "--message-file", blob], "message")
    refused("no message too", 2, ["sign", "--uri", "//Alice"], "message")
    refused("a URI and a wallet are two keys", 2, ["show", "--uri", "//Alice", "--wallet", "x"], "two keys")
    refused("a soft junction under ed25519", 3, ["show", "--uri", "//Alice/soft", "--crypto-type", "ed25519"], "soft")
    rc, out, err = run("show", "--uri", PHRASE + " extra")
    check("a bad phrase is not repeated", rc == 3 and "leopard" not in out + err, err)


def plain_wallets():
    rc, made = ask("create", "--wallet", "first", "--hotkey", "h1", "--no-password", "--path", "w")
    check("create makes both keys", rc == 0 and made["coldkey"]["ss58"] != made["hotkey"]["ss58"] and
          made["wallet"] == "first" and not made["coldkey"]["encrypted"], made)
    check("and shows no mnemonic unasked", "mnemonic" not in json.dumps(made))
    check("for its owner alone", all(mode(p) == 0o600 for p in (
        "w/first/coldkey", "w/first/coldkeypub.txt", "w/first/hotkeys/h1", "w/first/hotkeys/h1pub.txt")) and
        mode("w") == mode("w/first") == mode("w/first/hotkeys") == 0o700)
    six = json.load(open("w/first/hotkeys/h1", encoding="utf-8"))
    check("the six text fields, which every release reads",
          sorted(six) == ["accountId", "privateKey", "publicKey", "secretPhrase", "secretSeed", "ss58Address"] and
          all(isinstance(v, str) for v in six.values()))
    rc, made = ask("new-hotkey", "--wallet", "first", "--hotkey", "h10", "--words", "24", "--show-mnemonic", "--path", "w",
                   "--crypto-type", "ed25519")
    phrase = made["hotkey"]["mnemonic"]
    check("a mnemonic of 24 words where it is asked for", rc == 0 and len(phrase.split()) == 24, made)
    check("it is the key's", ask("show", "--uri", phrase, "--crypto-type", "ed25519")[1]["ss58"] == made["hotkey"]["ss58"])
    ed = json.load(open("w/first/hotkeys/h10", encoding="utf-8"))
    check("ed25519 with its number and its seed", ed["cryptoType"] == 0 and ed["privateKey"] == ed["secretSeed"] and
          len(ed["privateKey"]) == 66)
    rc, shown = ask("show", "--wallet", "first", "--hotkey", "h10", "--path", "w")
    check("show knows its scheme", rc == 0 and shown["scheme"] == "ed25519" and shown["ss58"] == made["hotkey"]["ss58"])
    refused("another scheme is not what was asked for", 3,
            ["show", "--wallet", "first", "--hotkey", "h10", "--path", "w", "--crypto-type", "sr25519"], "ed25519")
    env = {"BT_WALLET_PATH": "w", "BT_WALLET_NAME": "first"}
    rc, signed = ask("sign", "--message", "x", "--hotkey", "h10", env=env)
    check("the variables of other tools name the wallet", rc == 0 and signed["ss58"] == made["hotkey"]["ss58"], signed)
    check("without --hotkey it is the coldkey", ask("show", env=dict(env, BT_WALLET_HOTKEY="h10"))[1]["ss58"] ==
          json.load(open("w/first/coldkeypub.txt", encoding="utf-8"))["ss58Address"])


def keys_that_come_back():
    phrase, seed = text_file("phrase", PHRASE + "\n"), text_file(
        "seed", "da3cf5b1e9144931a0f0db65664aab662673b099415a7f8121b7245fb0be4143\n")
    private = text_file("private", "0x1f1995bdf3a17b60626a26cfe6f564b337d46056b7a1281b64c649d592ccda0a9cffd34d9fb01cae1f"
                                   "ba61aeed184c817442a2186d5172416729a4b54dd4b84e")
    at = ["--wallet", "back", "--path", "w"]
    for name, words, want in (("m", ["--mnemonic-file", phrase], ADDRESS), ("s", ["--seed-file", seed], ADDRESS),
                              ("p", ["--seed-file", private], ADDRESS),
                              ("e", ["--mnemonic-file", phrase, "--crypto-type", "ed25519"], ADDRESS_ED),
                              ("a", ["--ss58", ADDRESS], ADDRESS)):
        rc, made = ask("regen-hotkey", *at, "--hotkey", name, *words)
        check(f"a hotkey from {words[0]}{' as ed25519' if name == 'e' else ''}", rc == 0 and made["hotkey"]["ss58"] == want and
              ask("show", *at, "--hotkey", name)[1]["ss58"] == want, made)
    check("of an address only the public file is there",
          not os.path.exists("w/back/hotkeys/a") and os.path.exists("w/back/hotkeys/apub.txt"))
    golden = json.load(open(os.path.join(HERE, "../../src/sdk/wallet/test/golden/wallet.json"), encoding="utf-8"))["polkadot_json_v3"]
    js, js_password = text_file("js.json", json.dumps(golden)), text_file("js.password", golden["passphrase"] + "\n")
    rc, made = ask("regen-coldkey", *at, "--json-path", js, "--json-password-file", js_password, "--no-password")
    check("a coldkey from polkadot-js JSON", rc == 0 and made["coldkey"]["ss58"] == golden["address"], made)
    refused("not with another password", 5, ["regen-coldkey", "--wallet", "b2", "--path", "w", "--no-password", "--json-path", js,
                                             "--json-password-file", phrase], "wrong password")
    refused("nor as ed25519", 2, ["regen-coldkey", "--wallet", "b2", "--path", "w", "--no-password", "--json-path", js,
                                  "--json-password-file", js_password, "--crypto-type", "ed25519"], "sr25519")
    refused("without a source it is wrong usage", 2, ["regen-hotkey", *at, "--hotkey", "n"], "mnemonic-file")
    refused("with two of them too", 2, ["regen-hotkey", *at, "--hotkey", "n", "--seed-file", seed, "--mnemonic-file", phrase],
            "mnemonic-file")
    refused("a seed of another length is bad input", 3, ["regen-hotkey", *at, "--hotkey", "n", "--seed-file",
                                                         text_file("short", "0x1234")], "short")
    refused("a phrase with a wrong word too, and it is not told", 3,
            ["regen-hotkey", *at, "--hotkey", "n", "--mnemonic-file", text_file("typo", PHRASE.replace("fire", "fyre"))], "typo")
    typo = os.path.abspath("typo")
    rc, answer = ask("regen-hotkey", *at, "--hotkey", "n", "--mnemonic-file", typo)
    check("the error names the file", rc == 3 and answer["error"]["field"] == typo and "fyre" not in str(answer), answer)
    check("nothing was left of these", not os.path.exists("w/b2/coldkey") and not os.path.exists("w/back/hotkeys/n"))


def what_is_there_stays():
    before = open("w/first/hotkeys/h1", encoding="utf-8").read()
    cold = open("w/first/coldkey", encoding="utf-8").read()
    at = ["--wallet", "first", "--hotkey", "h1", "--path", "w"]
    refused("an existing hotkey is refused without a terminal", 5, ["new-hotkey", *at], "there already")
    refused("so is a wallet", 5, ["create", *at, "--no-password"], "there already")
    refused("and a regeneration", 5, ["regen-hotkey", *at, "--seed-file", "seed"], "there already")
    refused("and a coldkey", 5, ["new-coldkey", "--wallet", "first", "--path", "w", "--no-password"], "there already")
    check("nothing changed", open("w/first/hotkeys/h1", encoding="utf-8").read() == before and
          open("w/first/coldkey", encoding="utf-8").read() == cold)
    check("--overwrite replaces it", ask("new-hotkey", *at, "--overwrite")[0] == 0 and
          open("w/first/hotkeys/h1", encoding="utf-8").read() != before)
    for name in ("../out", "..", "a/b", "", ".x", "x.lock", "xpub.txt"):
        refused(f"no wallet is called \"{name}\"", 3, ["create", "--wallet", name, "--path", "w", "--no-password"], "name")
        refused("no hotkey either", 3, ["new-hotkey", "--wallet", "first", "--hotkey", name, "--path", "w"], "name")
    check("nothing was made outside", not os.path.exists("out") and not os.path.exists("w/out"))
    refused("a key that is not there is not found", 4, ["show", "--wallet", "nobody", "--path", "w"], "nobody")
    refused("a hotkey neither", 4, ["sign", "--wallet", "first", "--hotkey", "nobody", "--path", "w", "--message", "x"], "nobody")
    text_file("w/first/hotkeys/bad", '{"secretSeed":"0x' + "11" * 32 + '","ss58Address":"' + ALICE + '"}')
    refused("a file that contradicts itself is refused", 3,
            ["sign", "--wallet", "first", "--hotkey", "bad", "--path", "w", "--message", "x"], "ss58Address")
    os.unlink("w/first/hotkeys/bad")


def lists():
    os.makedirs("w/first/evmkeys")
    text_file("w/first/evmkeys/main", '{"version":3}')
    text_file("w/first/hotkeys/h1.lock", "")
    text_file("w/first/hotkeys/broken", "{")
    ask("new-hotkey", "--wallet", "first", "--hotkey", "h2", "--path", "w")
    rc, seen = ask("list", "--path", "w")
    first = next(c for c in seen["coldkeys"] if c["coldkey"] == "first")
    check("list names wallets and hotkeys, h2 before h10", rc == 0 and
          [h["name"] for h in first["hotkeys"]] == ["broken", "h1", "h2", "h10"] and
          [h["scheme"] for h in first["hotkeys"]] == [None, "sr25519", "sr25519", "ed25519"], seen)
    check("with the problem of a broken one", first["hotkeys"][0]["ss58"] is None and first["hotkeys"][0]["problem"])
    rc, out, _ = run("list", "--path", "w")
    check("as text too", rc == 0 and "h10" in out and "evmkeys" not in out and "lock" not in out, out)
    check("a folder that is not there has none", ask("list", "--path", "none") ==
          (0, {"coldkeys": [], "path": "none"}))


def passwords():
    right, short = text_file("right", PASSWORD + "\r\n"), text_file("short6", "12345\n")
    at = ["--wallet", "locked", "--path", "w"]
    for command in ("create", "new-coldkey"):
        refused(f"{command}: fewer than 6 characters are refused", 3, [command, *at, "--password-file", short], "6 characters")
        refused(f"{command}: an empty password too", 3, [command, *at, "--password-file", text_file("empty", "\n")], "6 characters")
        refused(f"{command}: no password at all, and nobody to ask", 5, [command, *at], "no-password")
        refused(f"{command}: a password and none contradict", 2, [command, *at, "--password-file", right, "--no-password"],
                "contradict")
    check("nothing was made", not os.path.exists("w/locked"))
    phrase = text_file("phrase", PHRASE)
    rc, made = ask("regen-coldkey", *at, "--mnemonic-file", phrase, "--password-file", right)
    check("an encrypted coldkey", rc == 0 and made["coldkey"]["encrypted"] and
          open("w/locked/coldkey", "rb").read(5) == b"$NACL", made)
    check("its address needs no password", ask("show", *at)[1]["ss58"] == ADDRESS)
    rc, out = ask("sign", *at, "--message", "x")
    check("signing does", rc == 5 and "password" in out["error"]["message"], out)
    rc, out = ask("sign", *at, "--message", "x", "--password-file", phrase)
    check("a wrong one is refused, and not told", rc == 5 and "wrong password" in out["error"]["message"] and
          "leopard" not in json.dumps(out), out)
    check("the right one signs", ask("sign", *at, "--message", "x", "--password-file", right)[1].get("ss58") == ADDRESS)
    new = text_file("new", "Another-Horse 43\n")
    sealed = open("w/locked/coldkey", "rb").read()
    refused("rotation: a short password is refused", 3,
            ["rotate-password", *at, "--password-file", right, "--new-password-file", short], "6 characters")
    refused("rotation: the wrong old one too", 5,
            ["rotate-password", *at, "--password-file", new, "--new-password-file", right], "wrong password")
    check("rotation: the file stays", open("w/locked/coldkey", "rb").read() == sealed)
    rc, out = ask("rotate-password", *at, "--password-file", right, "--new-password-file", new)
    check("rotation: a new password", rc == 0 and out["ss58"] == ADDRESS and mode("w/locked/coldkey") == 0o600, out)
    variable = "BT_PW_W_LOCKED_COLDKEY"
    value = base64.b64encode(bytes(c ^ ord(variable[i % len(variable)]) for i, c in enumerate(b"Another-Horse 43"))).decode()
    rc, out = ask("rotate-password", *at, "--no-password", env={variable: value})
    check("rotation: the environment's opens it, and it is plain", rc == 0 and not out["encrypted"] and
          json.load(open("w/locked/coldkey", encoding="utf-8"))["secretPhrase"] == PHRASE, out)
    check("no part of a file is left over", sorted(os.listdir("w/locked")) == ["coldkey", "coldkeypub.txt"])


def catches_interrupts(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        caught = next(line.split()[1] for line in f if line.startswith("SigCgt"))
    return int(caught, 16) & 1 << (signal.SIGINT - 1) != 0


def second_thoughts():
    """Ctrl-C while the coldkey is being encrypted: no new key is there, and an old one stays."""
    at = ["--wallet", "doubt", "--path", "w"]
    check("a hotkey", ask("new-hotkey", *at)[0] == 0)
    before = open("w/doubt/hotkeys/default", encoding="utf-8").read()
    process = subprocess.Popen([TALLY, "wallet", "create", *at, "--password-file", text_file("doubt.password", PASSWORD),
                                "--overwrite", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    while not catches_interrupts(process.pid):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=LIMIT_S)[0]
    check("an interrupted creation leaves what was there", process.returncode == 130 and
          json.loads(out)["error"]["code"] == "TL_ERR_INTERRUPTED" and not os.path.exists("w/doubt/coldkey") and
          open("w/doubt/hotkeys/default", encoding="utf-8").read() == before, (process.returncode, out))


def other_files_in_the_way():
    """A folder that cannot be written: an error, and nothing half done."""
    text_file("w/file", "")
    refused("a wallet where a file stands", 3, ["create", "--wallet", "file", "--no-password", "--path", "w"], "w/file")
    refused("a root that is a file", 4, ["create", "--wallet", "x", "--no-password", "--path", "w/file"], "w/file")


def terminals():
    t = Terminal("regen-hotkey", "--wallet", "tty", "--path", "w")
    fine = t.says("mnemonic: ")
    check("on a terminal the mnemonic is asked for, and not echoed", fine and not t.echoes(), t.seen)
    t.types(PHRASE)
    rc = t.ends()
    check("the terminal shows the address and no word of it", rc == 0 and ADDRESS in t.seen and "leopard" not in t.seen,
          (rc, t.seen))
    t = Terminal("new-hotkey", "--wallet", "tty", "--path", "w")
    fine = t.says("(y/N) ")
    check("an existing key is asked about", fine and t.echoes(), t.seen)
    t.types("n")
    rc = t.ends()
    check("no is no", rc == 5 and "stays as it is" in t.seen and ask("show", "--wallet", "tty", "--path", "w", "--hotkey", "default")[1]["ss58"] == ADDRESS,
          (rc, t.seen))
    t = Terminal("new-hotkey", "--wallet", "tty", "--path", "w")
    t.says("(y/N) ")
    t.types("yes")
    rc = t.ends()
    words = re.search(r"mnemonic  ([a-z ]+)", t.seen)
    check("yes replaces it, and the mnemonic is on the terminal", rc == 0 and words and len(words[1].split()) == 12,
          (rc, t.seen))
    t = Terminal("new-coldkey", "--wallet", "tty", "--path", "w")
    t.says("new password of")
    t.says(": ")
    t.types("12345")
    fine = t.says("fewer than 6 characters") and t.says("new password of") and t.says(": ")
    hidden = not t.echoes()
    t.types("  " + PASSWORD + " ")
    fine = fine and t.says("again: ")
    t.types("something else")
    fine = fine and t.says("two passwords") and t.says("new password of") and t.says(": ")
    t.types(PASSWORD)
    fine = fine and t.says("again: ")
    t.types(PASSWORD)
    rc = t.ends()
    check("a new password is asked for twice, until it is one", fine and hidden and rc == 0 and PASSWORD not in t.seen,
          (rc, t.seen))
    t = Terminal("sign", "--wallet", "tty", "--path", "w", "--message", "x")
    fine = t.says("password of")
    t.says(": ")
    t.types("wrong one")
    fine = fine and t.says("wrong password") and t.says("password of") and t.says(": ")
    t.types(PASSWORD)
    rc = t.ends()
    check("a wrong password may be typed again", fine and rc == 0 and "signature  0x" in t.seen and PASSWORD not in t.seen,
          (rc, t.seen))
    for number, name in ((signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "a signal")):
        t = Terminal("sign", "--wallet", "tty", "--path", "w", "--message", "x")
        t.says("password of")
        t.says(": ")
        end = time.monotonic() + LIMIT_S
        while t.echoes() and time.monotonic() < end:
            time.sleep(0.01)
        t.process.send_signal(number)
        end = time.monotonic() + LIMIT_S
        while t.process.poll() is None and time.monotonic() < end:
            t.read(0.05)
        restored = t.echoes()
        rc = t.ends()
        check(f"{name} at the prompt: exit 130, and the terminal echoes again", rc == 130 and restored, (rc, restored, t.seen))
    t = Terminal("sign", "--wallet", "tty", "--path", "w", "--message", "x")
    t.says("password of")
    t.says(": ")
    t.types("x" * 1100)
    rc = t.ends()
    check("an answer without end is refused", rc == 3 and "more than 1024 bytes" in t.seen, (rc, t.seen))
    t = Terminal("sign", "--wallet", "tty", "--path", "w", "--message", "x", "--json")
    rc = t.ends()
    check("--json asks nothing, on a terminal too", rc == 5 and "password of" not in t.seen and "TL_ERR_REFUSED" in t.seen,
          (rc, t.seen))


def main():
    for name in [n for n in os.environ if n.startswith("BT_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ.update(HOME=folder, NO_COLOR="1", XDG_STATE_HOME=folder + "/state")
        for part in (uris_and_messages, plain_wallets, keys_that_come_back, what_is_there_stays, lists, passwords, second_thoughts,
                     other_files_in_the_way, terminals):
            part()
        os.chdir("/")
    print(f"1..{count}")
    sys.exit(1 if bad else 0)


main()
