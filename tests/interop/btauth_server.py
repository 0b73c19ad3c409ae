"""btauth_server.py [--port N]: FastAPI with bittensor 11.3.0's http_auth.verify, as its guide shows: the server that
Tally's dendrite must please, and the peer of the bench.

POST and GET of every path: the body as it came where the signature holds, {"error": CLASS, "message": …} where not.
The key is //Alice. Prints {"ready":true,"port":…,"hotkey":…} when it listens."""
import argparse
import asyncio
import json
import socket


import fastapi
import uvicorn
from bittensor import http_auth

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
app = fastapi.FastAPI()
store = http_auth.InMemoryNonceStore()


def target_of(request):
    """The request target as it was sent: FastAPI's own path is decoded already."""
    query = request.scope["query_string"]
    return (request.scope["raw_path"] + (b"?" + query if query else b"")).decode()


@app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
async def any_route(request: fastapi.Request):
    body = await request.body()
    try:
        http_auth.verify(request.headers, body, method=request.method, path=target_of(request),
                         self_hotkey_ss58=ALICE, nonce_store=store)
    except http_auth.AuthError as error:
        status = 403 if isinstance(error, http_auth.WrongReceiver) else 401
        return fastapi.responses.JSONResponse({"error": type(error).__name__, "message": str(error)}, status)
    return fastapi.Response(body, media_type="application/octet-stream")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    config = uvicorn.Config(app, log_level="critical", access_log=False)
    print(json.dumps({"ready": True, "port": listener.getsockname()[1], "hotkey": ALICE}), flush=True)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


main()
