"""The other side of wallet.py: one release's wallet, asked by lines of JSON on standard input.

Runs in the virtual environment of bittensor-wallet 4.x or of SDK 11, and imports whichever is there."""
import ctypes
import json
import os
import sys

try:
    from bittensor_wallet import Keypair, Wallet
    from bittensor_wallet import keyfile as functions
    from bittensor_wallet.keyfile import Keyfile
    IS_SDK11 = False
except ImportError:
    import bittensor_core as functions
    from bittensor.keyfiles import Keyfile, Keypair
    from bittensor.wallet import Wallet
    IS_SDK11 = True


LIBC = ctypes.CDLL(None)
LIBC.getenv.restype = ctypes.c_char_p


def typed(crypto_type):
    """4.0 has no argument of that name; 1 is the default of the others."""
    return {} if crypto_type == 1 else {"crypto_type": crypto_type}


def told(keypair):
    public = keypair.public_key
    public = public.hex() if isinstance(public, bytes) else public.removeprefix("0x")
    return {"ss58": keypair.ss58_address, "public_key": public, "crypto_type": keypair.crypto_type}


def create(path, name, hotkey, crypto_type, password):
    """Both keys; the coldkey encrypted where there is a password."""
    wallet = Wallet(name=name, hotkey=hotkey, path=path)
    wallet.create_new_coldkey(n_words=12, use_password=password is not None, coldkey_password=password, suppress=True,
                              overwrite=False, **typed(crypto_type))
    wallet.create_new_hotkey(n_words=24, use_password=False, suppress=True, overwrite=False, **typed(crypto_type))
    return {"coldkey": told(wallet.coldkeypub), "hotkey": told(wallet.hotkey)}


def read(path, password=None):
    """The key of one file, and a signature by it where it can sign."""
    keypair = Keyfile(path, "key").get_keypair(password) if password is not None else Keyfile(path, "key").get_keypair()
    answer = told(keypair)
    try:
        answer["signature"] = bytes(keypair.sign(b"interop")).hex()
    except Exception as error:  # a public file
        answer["signature"] = None
        answer["why"] = f"{type(error).__name__}: {error}"
    return answer


def write(path, uri, crypto_type, password):
    """A key of a URI into a file: it has neither phrase nor seed."""
    keypair = Keypair.create_from_uri(uri, **typed(crypto_type))
    Keyfile(path, "key").set_keypair(keypair, encrypt=password is not None, overwrite=False, password=password)
    return told(keypair)


def legacy(plain, password):
    """The Ansible form, by the helper that releases still carry."""
    return {"file": bytes(functions.legacy_encrypt_keyfile_data(plain.encode(), password)).decode()}


def decrypt(path, password):
    with open(path, "rb") as f:
        return {"plain": bytes(functions.decrypt_keyfile_data(f.read(), password)).decode()}


def environment(path, password):
    """The variable in which a release keeps a password."""
    keyfile = Keyfile(path, "key")
    keyfile.save_password_to_env(password)
    name = keyfile.env_var_name()
    value = LIBC.getenv(name.encode())  # set behind Python's back: os.environ does not see it
    return {"name": name, "value": value.decode() if value else os.environ.get(name)}


def keypair_of(seed, crypto_type):
    return Keypair.create_from_seed(bytes.fromhex(seed) if IS_SDK11 else "0x" + seed, **typed(crypto_type))


def sign(seed, crypto_type, messages):
    keypair = keypair_of(seed, crypto_type)
    return dict(told(keypair), signatures=[bytes(keypair.sign(bytes.fromhex(m))).hex() for m in messages])


def verify(ss58, crypto_type, messages, signatures):
    keypair = Keypair(ss58_address=ss58, **typed(crypto_type))
    return {"valid": [bool(keypair.verify(bytes.fromhex(m), bytes.fromhex(s))) for m, s in zip(messages, signatures)]}


ACTS = {f.__name__: f for f in (create, read, write, legacy, decrypt, environment, sign, verify)}


def main():
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the releases print is no answer
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = ACTS[question.pop("act")](**question)
        except BaseException as error:  # theirs panic too
            answer = {"error": type(error).__name__, "message": str(error)}
        out.write(json.dumps(answer) + "\n")
        out.flush()


main()
