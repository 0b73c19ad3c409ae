"""The echo set of `tally axon run --echo` as classes of bittensor 10.5.0 (cli spec, the paragraph of --echo)."""
from typing import ClassVar, Optional

import bittensor
import bittensor.utils.networking

# Neither side may ask the internet for its own address.
bittensor.utils.networking.get_external_ip = lambda: "127.0.0.9"


class Echo(bittensor.Synapse):
    a: int
    text: str = "x"
    out: Optional[str] = None
    required_hash_fields: ClassVar[tuple[str, ...]] = ("a", "text")


class Slow(bittensor.Synapse):
    seconds: float = 3.0
    done: bool = False
    required_hash_fields: ClassVar[tuple[str, ...]] = ("seconds",)


class Boom(bittensor.Synapse):
    a: int = 1


class Unheard(bittensor.Synapse):
    a: int = 1


class Stream(bittensor.StreamingSynapse):
    a: int = 3
    text: str = "x"
    got: str = ""

    async def process_streaming_response(self, response):
        async for chunk in response.content.iter_any():
            self.got += chunk.decode()
            yield chunk.decode()

    def extract_response_json(self, response):
        fields = {"name": response.headers.get("name", ""), "a": self.a, "text": self.text, "got": self.got}
        for side in ("axon", "dendrite"):
            prefix = f"bt_header_{side}_"
            fields[side] = {k[len(prefix):]: v for k, v in response.headers.items() if k.startswith(prefix)}
        return fields

    def deserialize(self):
        return self.got
