"""axon_py.py [--port N] [--blacklist SS58]: the Python axon of bittensor 10.5.0 with the echo set of `tally axon run`.

Port 0 takes a free one. Prints {"ready":true,"port":…,"hotkey":…} when it answers; serves until it is told to end.
The key is //Alice."""
import argparse
import asyncio
import json
import os
import socket
import sys
import time
import typing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from echo_set import Boom, Echo, Slow, Stream
import bittensor
from bittensor_wallet import Keypair

LARGE = 1 << 20


class Wallet:
    """What an axon asks of a wallet, without files."""

    def __init__(self, uri):
        self.hotkey = Keypair.create_from_uri(uri)
        self.coldkeypub = self.hotkey


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def echo(synapse: Echo) -> Echo:
    if len(synapse.text) > LARGE:
        raise ValueError("too large")
    synapse.out = synapse.text * max(synapse.a, 0)
    return synapse


async def slow(synapse: Slow) -> Slow:
    await asyncio.sleep(synapse.seconds)
    synapse.done = True
    return synapse


def boom(synapse: Boom) -> Boom:
    raise RuntimeError("boom")


def stream(synapse: Stream) -> Stream:
    async def chunks(send):
        for _ in range(min(synapse.a, 1000)):
            await send({"type": "http.response.body", "body": synapse.text.encode(), "more_body": True})
            await asyncio.sleep(0.01)

    return synapse.create_streaming_response(chunks)


def attach(axon, forward, kind, refused):
    def blacklist(synapse: kind) -> typing.Tuple[bool, str]:
        return synapse.dendrite.hotkey in refused, "Blacklisted"

    axon.attach(forward, blacklist if refused else None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--blacklist", action="append", default=[])
    parser.add_argument("--uri", default="//Alice")
    options = parser.parse_args()
    port = options.port or free_port()
    wallet = Wallet(options.uri)
    axon = bittensor.Axon(wallet=wallet, port=port, ip="127.0.0.1", external_ip="127.0.0.1")
    for forward, kind in ((echo, Echo), (slow, Slow), (stream, Stream), (boom, Boom)):
        attach(axon, forward, kind, options.blacklist)
    axon.start()
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    print(json.dumps({"ready": True, "port": port, "hotkey": wallet.hotkey.ss58_address}), flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        axon.stop()


main()
