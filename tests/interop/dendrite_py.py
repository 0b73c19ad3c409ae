"""dendrite_py.py --tally PROGRAM: the Python dendrite of bittensor 10.5.0 asks three axons the same questions.

The axons: bittensor's own, Tally's in its compatibility mode, Tally's default. In compatibility mode each answer is
the SDK's; in the default mode it is too, but for the rows of DEFAULT, each a hole that the SDK keeps (wire spec
section 1.8 and 8). This table is the matrix of docs/interop.md."""
import argparse
import asyncio
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import Program, Tap, tally_axon
from messages import plain
from echo_set import Boom, Echo, Slow, Stream, Unheard
import bittensor
from bittensor_wallet import Keypair

HERE = os.path.dirname(os.path.abspath(__file__))
BOB, CHARLIE, EVE = (Keypair.create_from_uri(u) for u in ("//Bob", "//Charlie", "//Eve"))
SECOND = 1_000_000_000


class Dendrite(bittensor.Dendrite):
    """Signs as ever, then lets a test change what was signed, or what is sent."""

    def __init__(self, keypair, nonce=None, change=None):
        super().__init__(keypair)
        self.nonce, self.change = nonce, change

    def preprocess_synapse_for_request(self, target_axon_info, synapse, timeout=12.0):
        synapse = super().preprocess_synapse_for_request(target_axon_info, synapse, timeout)
        if self.nonce is not None:
            d = synapse.dendrite
            d.nonce = self.nonce
            message = f"{d.nonce}.{d.hotkey}.{synapse.axon.hotkey}.{d.uuid}.{synapse.body_hash}"
            d.signature = "0x" + self.keypair.sign(message).hex()
        if self.change is not None:
            self.change(synapse)
        return synapse


def set_field(side, field, value):
    return lambda synapse: setattr(getattr(synapse, side), field, value)


async def ask(target, synapse, keypair=BOB, timeout=12.0, **how):
    async with Dendrite(keypair, **how) as dendrite:
        got = await dendrite.call(target, synapse, timeout=timeout, deserialize=False)
    output = {k: v for k, v in got.model_dump().items() if k in ("out", "done", "a", "text")}
    if len(str(output)) > 200:
        output = len(str(output))
    return (got.dendrite.status_code, plain(got.dendrite.status_message), output)


async def twice(target, offset):
    """One endpoint, two requests: the second with the first's nonce and some."""
    dendrite = Dendrite(BOB, nonce=time.time_ns())
    first = await dendrite.call(target, Echo(a=1), deserialize=False)
    dendrite.nonce += offset
    second = await dendrite.call(target, Echo(a=1), deserialize=False)
    await dendrite.aclose_session()
    return tuple((s.dendrite.status_code, plain(s.dendrite.status_message)) for s in (first, second))


async def stream(target, synapse):
    dendrite = Dendrite(BOB)
    chunks = [c async for c in dendrite.call_stream(target, synapse, deserialize=False)]
    await dendrite.aclose_session()
    last = chunks.pop()
    return ("".join(chunks), last.dendrite.status_code, plain(last.dendrite.status_message))


CASES = {
    "ok": lambda t: ask(t, Echo(a=3, text="ab")),
    "ok, nothing to repeat": lambda t: ask(t, Echo(a=0, text="ab")),
    "ok, text beyond ASCII": lambda t: ask(t, Echo(a=2, text="π \"quoted\" \\ \n\t\x7f 漢字 🦀")),
    "ok, negative number": lambda t: ask(t, Echo(a=-5, text="")),
    "ping": lambda t: ask(t, bittensor.Synapse()),
    "blacklisted": lambda t: ask(t, Echo(a=1), keypair=EVE),
    "bad signature": lambda t: ask(t, Echo(a=1), change=set_field("dendrite", "signature", "0x" + "11" * 64)),
    "signature of another": lambda t: ask(t, Echo(a=1), change=set_field("dendrite", "hotkey", CHARLIE.ss58_address)),
    "signature is no hex": lambda t: ask(t, Echo(a=1), change=set_field("dendrite", "signature", "hello")),
    "absent signature": lambda t: ask(t, Echo(a=1), change=set_field("dendrite", "signature", None)),
    "empty signature": lambda t: ask(t, Echo(a=1), change=set_field("dendrite", "signature", "")),
    "absent nonce": lambda t: ask(t, Echo(a=1), change=set_field("dendrite", "nonce", None)),
    "stale nonce": lambda t: ask(t, Echo(a=1), nonce=time.time_ns() - 20 * SECOND),
    "old, within the window": lambda t: ask(t, Echo(a=1), nonce=time.time_ns() - 10 * SECOND),
    "nonce from the future": lambda t: ask(t, Echo(a=1), nonce=time.time_ns() + 30 * SECOND),
    "old version, stale nonce": lambda t: ask(t, Echo(a=1), nonce=time.time_ns() - 20 * SECOND,
                                              change=set_field("dendrite", "version", 7001000)),
    "replayed nonce": lambda t: twice(t, 0),
    "nonce that falls": lambda t: twice(t, -1),
    "nonce that rises": lambda t: twice(t, 1),
    "unknown synapse": lambda t: ask(t, Unheard(a=1)),
    "handler fails": lambda t: ask(t, Boom(a=1)),
    "client gives up": lambda t: ask(t, Slow(seconds=1.5), timeout=0.5),
    "slow, in time": lambda t: ask(t, Slow(seconds=0.3), timeout=5.0),
    "huge body": lambda t: ask(t, Echo(a=1, text="y" * (2 << 20))),
    "large body": lambda t: ask(t, Echo(a=1, text="y" * 500_000)),
    "stream": lambda t: stream(t, Stream(a=5, text="hey ")),
    "stream of nothing": lambda t: stream(t, Stream(a=0, text="hey ")),
}

# Where Tally's default does not answer as the SDK.
FUTURE = "Not Verified with error: Nonce is too far in the future"
DEFAULT = {
    "nonce from the future": lambda got: got[0] == 401 and got[1].startswith(FUTURE),
    "old version, stale nonce": lambda got: got[0] == 401 and "Nonce is too old" in got[1],
}


async def all_answers(port, hotkey):
    target = bittensor.AxonInfo(version=10005000, ip="127.0.0.1", port=port, ip_type=4, hotkey=hotkey, coldkey=hotkey)
    answers = {}
    for name, case in CASES.items():
        try:
            answers[name] = await case(target)
        except Exception as error:  # a case that cannot be asked is a finding, not the end
            answers[name] = f"{type(error).__name__}: {error}"
    return answers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tally", required=True)
    options = parser.parse_args()
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        with Program([sys.executable, os.path.join(HERE, "axon_py.py"), "--port", "0", "--blacklist",
                      EVE.ss58_address]) as axon:
            theirs = asyncio.run(all_answers(axon.port, axon.hotkey))
        for mode, flags in (("compat", ["--compat", "sdk"]), ("default", [])):
            with tally_axon(options.tally, folder, "--blacklist", EVE.ss58_address, *flags) as axon:
                ours = asyncio.run(all_answers(axon.port, axon.hotkey))
            for name, answer in ours.items():
                differs = DEFAULT.get(name) if mode == "default" else None
                if differs is not None:
                    tap.check(f"python dendrite, {mode}: {name}: refused, unlike the SDK",
                              differs(answer) and theirs[name][0] == 200, f"got {answer!r}, the SDK {theirs[name]!r}")
                else:
                    tap.equal(f"python dendrite, {mode}: {name}", answer, theirs[name])
    tap.finish()


main()
