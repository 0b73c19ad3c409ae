#!/usr/bin/env python3
"""Answers what `tally axon run --exec examples/exec_echo.py` hands over: standard library only.

A frame is two lengths (head, body; 32 bits, little-endian), a head of JSON and a raw body. docs/axon.md tells the rest.
"""
import json
import struct
import sys


def send(head, body=b""):
    text = json.dumps(head).encode()
    sys.stdout.buffer.write(struct.pack("<II", len(text), len(body)) + text + body)
    sys.stdout.buffer.flush()


def receive():
    lengths = sys.stdin.buffer.read(8)
    if len(lengths) < 8:
        sys.exit(0)  # the axon has closed our input: it is over
    head_len, body_len = struct.unpack("<II", lengths)
    return json.loads(sys.stdin.buffer.read(head_len)), sys.stdin.buffer.read(body_len)


send({"tally_exec": 1, "routes": ["POST /shout"], "synapses": [
    {"name": "Shout", "fields": [{"name": "text", "type": "str"}, {"name": "out", "type": "str?", "default": None}],
     "hash": ["text"]}]})
while True:
    head, body = receive()
    if head["kind"] == "route":  # the body as it came, whoever signed it
        send({"id": head["id"], "content_type": "text/plain"}, body.upper())
    elif head["kind"] == "synapse":  # the model as JSON; what comes back replaces those fields
        send({"id": head["id"]}, json.dumps({"out": json.loads(body)["text"].upper()}).encode())
