"""dendrite.py FILE: the dendrite of bittensor 10.5.0 asks all targets of the file (HOST:PORT:SS58 a line) at once, Echo
over v10, as tally_fanout does; one event loop, its session kept from round to round. Prints one line of JSON."""
import asyncio
import json
import os
import platform
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/interop"))
from echo_set import Echo
import bittensor
from bittensor_wallet import Keypair

TEXT, ROUNDS = "x" * 256, 5


def targets(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            host, port, hotkey = line.strip().rsplit(":", 2)
            yield bittensor.AxonInfo(version=10005000, ip=host, port=int(port), ip_type=4, hotkey=hotkey, coldkey=hotkey)


async def measure(path):
    axons = list(targets(path))
    dendrite = bittensor.Dendrite(Keypair.create_from_uri("//Bob"))
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answers = await dendrite.forward(axons, Echo(a=1, text=TEXT), timeout=12, deserialize=False)
        took.append(time.perf_counter() - start)
        wrong = [a for a in answers if a.dendrite.status_code != 200 or a.out != TEXT]
        if wrong:
            raise SystemExit(f"{len(wrong)} of {len(answers)} answers are bad: {wrong[0].dendrite.status_code} "
                             f"{wrong[0].dendrite.status_message}")
    await dendrite.aclose_session()
    return took, len(axons)


def main():
    took, count = asyncio.run(measure(sys.argv[1]))
    print(json.dumps({
        "name": "dendrite_256", "seconds": min(took), "runs": len(took), "threads": 1,
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1), "first_s": took[0],
        "mean_s": sum(took) / len(took), "peer": "bittensor dendrite", "version": bittensor.__version__,
        "python": platform.python_version(), "figures": [count]}))


main()
