#!/usr/bin/env python3
"""objects.py HELPER: our S3 client beside others' on a real server. boto3, s3cmd and rclone read what we wrote and write
what we read; URLs and forms that we signed are used by Python's own HTTP, as they are and bent. TAP."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))
from common import Tap  # noqa: E402

S3 = os.path.join(HERE, "s3.sh")
BUCKET = "interop-bucket"
KEYS = {
    "data/hotkey=5F/epoch=2026-01-01T00-00-00/zipcode=02139/data_1.json": b'{"zipcode":"02139","listings":[]}',
    "odd/a b+c&d=e%20~'(x)!.json": b"odd",
    "odd/\u00fcml\u00e4ut/\u65e5\u672c.txt": "\u65e5\u672c".encode(),
    "empty": b"",
    "long": bytes((i * 7 + i // 251) % 256 for i in range(1 << 16)) * 180,  # above two parts
}


def skip(reason):
    print(f"ok 1 - objects on S3 # SKIP {reason}\n1..1")
    sys.exit(0)


class Helper:
    def __init__(self, program, url):
        self.process = subprocess.Popen([program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        return self.process.wait(30)


def http(method, url, body=None, headers=None):
    """Status and body, whatever the status."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def post(form, key, data):
    import urllib3

    fields = [(k, v) for k, v in dict(form["fields"], key=key).items()]
    body, content_type = urllib3.filepost.encode_multipart_formdata(fields + [("file", ("data.json", data))])
    return http("POST", form["url"], body, {"Content-Type": content_type})[0]


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Others:
    """The three foreign clients, each as put(key, bytes) and get(key)."""

    def __init__(self, url, folder):
        import boto3
        from botocore.config import Config

        self.folder = folder
        self.host = url.split("//", 1)[1]
        self.boto = boto3.client("s3", endpoint_url=url, region_name="us-east-1",
                                 config=Config(s3={"addressing_style": "path"}))
        self.env = {k: v for k, v in os.environ.items() if k != "AWS_CA_BUNDLE"}
        self.env.update(RCLONE_CONFIG_T_TYPE="s3", RCLONE_CONFIG_T_PROVIDER="Other", RCLONE_CONFIG_T_ENV_AUTH="true",
                        RCLONE_CONFIG_T_ENDPOINT=url, RCLONE_CONFIG_T_REGION="us-east-1", RCLONE_CONFIG="/dev/null")
        self.s3cmd_config = os.path.join(folder, "s3cfg")
        with open(self.s3cmd_config, "w", encoding="utf-8") as f:
            f.write(f"[default]\nhost_base = {self.host}\nhost_bucket = {self.host}\nuse_https = False\n"
                    f"access_key = {os.environ['AWS_ACCESS_KEY_ID']}\nsecret_key = {os.environ['AWS_SECRET_ACCESS_KEY']}\n")

    def path(self, name, data=None):
        at = os.path.join(self.folder, name)
        if data is not None:
            with open(at, "wb") as f:
                f.write(data)
        return at

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, env=self.env, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr.decode()[-400:]}")
        return done.stdout

    def boto3_get(self, key):
        return self.boto.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")["Body"].read()

    def boto3_put(self, key, data):
        self.boto.put_object(Bucket=BUCKET, Key=key, Body=data)

    def s3cmd_get(self, key):
        at = self.path("s3cmd.out")
        self.run("s3cmd", "-c", self.s3cmd_config, "get", "--force", "--quiet", f"s3://{BUCKET}/{key}", at)
        with open(at, "rb") as f:
            return f.read()

    def s3cmd_put(self, key, data):
        self.run("s3cmd", "-c", self.s3cmd_config, "put", "--quiet", self.path("s3cmd.in", data), f"s3://{BUCKET}/{key}")

    def rclone_get(self, key):
        return self.run("rclone", "cat", f"t:{BUCKET}/{key}")

    def rclone_put(self, key, data):
        self.run("rclone", "copyto", self.path("rclone.in", data), f"t:{BUCKET}/{key}")


def attempt(tap, name, call, wanted):
    try:
        got = call()
    except Exception as error:  # pylint: disable=broad-except
        tap.check(name, False, error)
        return
    tap.check(name, got == wanted, f"{len(got or b'')} bytes, wanted {len(wanted or b'')}")


def check_clients(tap, helper, others, folder):
    ours = {}
    for key, data in KEYS.items():
        answer = helper.ask("put", key, others.path("ours", data))
        tap.equal(f"we put {key[:40]}", (answer["error"], answer.get("sha256")), (None, digest(data)))
        ours[key] = data
    for name in ("boto3", "s3cmd", "rclone"):
        for key, data in KEYS.items():
            if name == "s3cmd" and not data:
                continue  # it warns of empty files and answers with an error
            attempt(tap, f"{name} gets {key[:40]}", lambda n=name, k=key: getattr(others, f"{n}_get")(k), data)
        for index, (key, data) in enumerate(KEYS.items()):
            theirs = f"{name}/{key}"
            try:
                getattr(others, f"{name}_put")(theirs, data)
            except Exception as error:  # pylint: disable=broad-except
                tap.check(f"{name} puts {key[:40]}", False, error)
                continue
            at = os.path.join(folder, f"got{index}")
            answer = helper.ask("get", theirs, at)
            tap.equal(f"we get what {name} put, {key[:40]}", (answer["error"], answer.get("sha256")), (None, digest(data)))
    listed = [item["Key"] for page in others.boto.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
              for item in page.get("Contents", [])]
    tap.equal("we list what boto3 lists, in its order", helper.ask("list", "")["keys"], listed)
    tap.equal("a prefix cuts the list", helper.ask("list", "odd/")["keys"], [k for k in listed if k.startswith("odd/")])


def check_lending(tap, helper, others):
    key, data = next(iter(KEYS.items()))
    url = helper.ask("presign", "GET", key, 60, 0)["url"]
    tap.equal("a URL that we signed is read", http("GET", url), (200, data))
    tap.equal("bent, it is not", http("GET", url[:-1] + ("0" if url[-1] != "0" else "1"))[0], 403)
    tap.equal("it is no URL to write to", http("PUT", url, b"x")[0], 403)
    tap.equal("expired, it is not read", http("GET", helper.ask("presign", "GET", key, 60, 3600)["url"])[0], 403)
    odd = "odd/put with + and \u00fc.json"
    url = helper.ask("presign", "PUT", odd, 60, 0)["url"]
    tap.equal("a URL to write to is written to", http("PUT", url, b"by URL")[0], 200)
    attempt(tap, "and holds what was written", lambda: others.boto3_get(odd), b"by URL")
    expired = helper.ask("presign", "PUT", odd, 60, 3600)["url"]
    tap.equal("expired, it is not written to", http("PUT", expired, b"x")[0], 403)
    tap.equal("nobody gets a URL to write to what is kept",
              helper.ask("presign", "PUT", "kept/sha256/aa/x", 60, 0)["error"], "TL_ERR_REFUSED")

    form = helper.ask("post", "data/hotkey=5F/", 2, 1000, 60, 0)
    tap.check("a form takes a file below its prefix", post(form, "data/hotkey=5F/a/b.json", b"{}") in (200, 201, 204))
    attempt(tap, "and it is there", lambda: others.boto3_get("data/hotkey=5F/a/b.json"), b"{}")
    tap.equal("not above it", post(form, "data/hotkey=6F/b.json", b"{}"), 403)
    tap.equal("not below kept/", post(form, "kept/sha256/aa/x", b"{}"), 403)
    tap.check("not too short", post(form, "data/hotkey=5F/short", b"1") in (400, 403))
    tap.check("not too long", post(form, "data/hotkey=5F/long", b"1" * 1001) in (400, 403))
    bent = dict(form, fields=dict(form["fields"], **{"x-amz-signature": "0" * 64}))
    tap.equal("not with another signature", post(bent, "data/hotkey=5F/bent", b"{}"), 403)
    late = helper.ask("post", "data/hotkey=5F/", 2, 1000, 60, 3600)
    tap.equal("not when it has expired", post(late, "data/hotkey=5F/late", b"{}"), 403)
    kept = helper.ask("keep", "data/hotkey=5F/a/b.json")
    tap.equal("what came by the form is kept under its hash", kept.get("key"),
              f"kept/sha256/{digest(b'{}')[:2]}/{digest(b'{}')}")
    attempt(tap, "where boto3 finds it", lambda: others.boto3_get(kept["key"]), b"{}")


def main():
    try:
        import boto3  # noqa: F401  pylint: disable=unused-import
    except ImportError:
        skip("no python3-boto3")
    for tool in ("s3cmd", "rclone"):
        if shutil.which(tool) is None:
            skip(f"no {tool}")
    with tempfile.TemporaryDirectory(prefix="tally-s3.") as folder:
        started = subprocess.run([S3, "start", folder], capture_output=True, text=True, check=False)
        if started.returncode == 77:
            skip("no build/deps/versitygw: scripts/fetch-versitygw needs Go")
        if started.returncode != 0:
            sys.exit(started.stderr)
        for word in started.stdout.splitlines()[0].split():
            name, value = word.split("=", 1)
            os.environ[name] = value
        try:
            tap = Tap()
            url = os.environ["S3_URL"]
            helper = Helper(sys.argv[1], f"{url}/{BUCKET}")
            others = Others(url, folder)
            check_clients(tap, helper, others, folder)
            check_lending(tap, helper, others)
            tap.equal("our side ends well", helper.close(), 0)
        finally:
            subprocess.run([S3, "stop", folder], check=False)
    tap.finish()


if __name__ == "__main__":
    main()
