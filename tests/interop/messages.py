"""Messages of axons and dendrites, without what differs by chance."""
import re


def plain(text):
    """A message without what differs by chance: ids, ages, signatures, the hotkeys and nonces of this very run."""
    if text is None:
        return None
    text = re.sub(r"#[0-9a-f]{8}-[0-9a-f-]{27}", "#ID", str(text))
    text = re.sub(r"0x[0-9a-f]{128}", "SIGNATURE", text)
    text = re.sub(r"\b\d{19}\.", "NONCE.", text)
    text = re.sub(r"\.[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f-]{17}\.", ".UUID.", text)
    text = re.sub(r"blacklisted: .*", "blacklisted: REASON", text)
    text = re.sub(r"Invalid SS58 address: .*", "Invalid SS58 address: REASON", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
    return re.sub(r"request was \d+\.\d\d seconds", "request was AGE seconds", text)
