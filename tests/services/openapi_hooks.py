"""A hook of schemathesis: every request is signed by btauth/1, over the bytes that are sent, by the key that the environment
names. So its cases get behind the signature of the routes of miners and validators."""
import json
import os
import subprocess
import tempfile

import requests
import schemathesis


@schemathesis.hook
def before_call(_context, case, kwargs):
    prepared = requests.Request(**{k: v for k, v in case.as_transport_kwargs(base_url=case.operation.base_url).items()
                                   if k in ("method", "url", "params", "headers", "data", "json", "files", "cookies")}).prepare()
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body
    with tempfile.NamedTemporaryFile() as f:
        f.write(body)
        f.flush()
        said = subprocess.run([os.environ["TALLY_BINARY"], "http", "sign", "--method", prepared.method, "--target",
                               prepared.path_url, "--body-file", f.name, "--receiver", os.environ["TALLY_RECEIVER"], "--uri",
                               os.environ["TALLY_URI"], "--json"], capture_output=True, text=True, check=False)
    if said.returncode == 0:
        case.headers = {**{k: v for k, v in (case.headers or {}).items() if not k.lower().startswith("x-bittensor-")},
                        **json.loads(said.stdout)}
