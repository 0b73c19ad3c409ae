"""postings: a double-entry journal in CPython: balances in a dict, entries packed by struct, chained by hashlib.

It is handed the entries that the ledger's work made, decoded beforehand, and does with each what a ledger must: the
postings sum to zero, no account but the sources goes below zero, nothing happens when one would; canonical bytes, hash,
chain. It need not work out the settlements. A chain of small entries cannot be vectorised: each hash needs the last.
"""
import hashlib
import struct

from common import FOLDER, best, report

TAG = b"tally/ledger/entry/1"
HAS_ID = {7, 8, 9}
HAS_EPOCH = {9, 10}
SOURCES = {1, 2}
HEAD = struct.Struct("<I20sQ32sQ")


def text_at(data, at):
    size = int.from_bytes(data[at:at + 4], "little")
    return data[at + 4:at + 4 + size], at + 4 + size


def read(path):
    """(height, epoch, cause, text, [(kind, id, account, amount)]) of each entry; equal texts are one object."""
    with open(path, "rb") as file:
        data = file.read()
    entries, known, at = [], {}, 0
    while at < len(data):
        at += 4
        height = HEAD.unpack_from(data, at)[4]
        epoch, at = text_at(data, at + HEAD.size)
        epoch = known.setdefault(epoch, epoch)
        cause = data[at]
        text, at = text_at(data, at + 1)
        count = int.from_bytes(data[at:at + 4], "little")
        at += 4
        postings = []
        for _ in range(count):
            kind, size = data[at], 32 if data[at] in HAS_ID else 0
            head = data[at:at + 1 + size]
            amount = int.from_bytes(data[at + 1 + size:at + 9 + size], "little", signed=True)
            head = known.setdefault(head, head)
            account = (head, epoch) if kind in HAS_EPOCH else head
            postings.append((head, known.setdefault(account, account), amount))
            at += 9 + size
        entries.append((height, epoch, cause, known.setdefault(text, text), postings))
    return entries


def post_all(transactions):
    balances, journal, previous, posted = {}, [], bytes(32), 0
    pack_amount = struct.Struct("<q").pack
    tag = struct.pack("<I", len(TAG)) + TAG
    sources = {bytes([kind]) for kind in SOURCES}
    get = balances.get
    for index, (height, epoch, cause, text, postings) in enumerate(transactions):
        if sum([p[2] for p in postings]) != 0:
            raise ValueError("debits and credits differ")
        after = {}
        for head, account, amount in postings:
            balance = after.get(account)
            if balance is None:
                balance = get(account, 0)
            balance += amount
            if balance < 0 and head not in sources:
                raise ValueError("too little is there")
            after[account] = balance
        parts = [tag, index.to_bytes(8, "little"), previous, height.to_bytes(8, "little"),
                 len(epoch).to_bytes(4, "little"), epoch, bytes((cause,)), len(text).to_bytes(4, "little"), text,
                 len(postings).to_bytes(4, "little")]
        for head, _, amount in postings:
            parts.append(head)
            parts.append(pack_amount(amount))
        previous = hashlib.sha256(b"".join(parts)).digest()
        balances.update(after)
        journal.append((height, epoch, cause, text, postings, previous))
        posted += len(postings)
    if sum(balances.values()) != 0:
        raise ValueError("money came or went")
    return posted, len(journal), previous


def main():
    transactions = read(f"{FOLDER}/entries.bin")
    seconds, runs, (posted, entries, head) = best(lambda: post_all(transactions))
    import platform

    report("postings", seconds, runs, [posted, entries, int.from_bytes(head[:3], "big")],
           peer="CPython, hashlib", version=platform.python_version())


if __name__ == "__main__":
    main()
