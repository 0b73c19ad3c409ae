#!/usr/bin/env python3
"""openapi.py [walk|outsider|signed …]: the served OpenAPI document against what the coordinator really answers. TAP lines.

walk      every operation, called as everybody who may or may not call it (nobody, a stranger, a miner, validators with and
          without stake, people of each role), with good and with bent input, in both profiles: each answer has a status that
          the document names for that operation, its media type, its schema, its headers. Methods that a path does not have
          are 405 with Allow. Prints PROOF openapi.
outsider  schemathesis, as anybody would run it, and once more with an admin's token.
signed    schemathesis with a hook that signs each request by btauth/1 as a validator, so that it gets behind the signature.

Without a word: all of them. schemathesis comes from PyPI into build/openapi, pinned; where it cannot be had, its parts are
skipped and the line says why.
"""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import ROOT, TALLY, Network, Tap, last_json, run, ss58  # noqa: E402

VENV = os.path.join(ROOT, "build/openapi")
PINNED = "schemathesis==4.32.5"
METHODS = ("get", "post", "put", "patch", "delete")
POOR = "//Poor"
LIMIT_S = 900


# --- the document, read with a validator of our own for the words that it uses ---

class Document:
    def __init__(self, root):
        self.root = root

    def follow(self, value):
        while "$ref" in value:
            found = self.root
            for part in value["$ref"][2:].split("/"):
                found = found[part]
            value = found
        return value

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def wrong(self, schema, value, at=""):
        """Why the value does not hold to the schema; None when it does."""
        if "$ref" in schema:
            return self.wrong(self.follow(schema), value, at)
        types = schema.get("type")
        types = [types] if isinstance(types, str) else types
        if types and not any(is_type(value, t) for t in types):
            return f"{at or '/'}: {json.dumps(value)[:60]} is not {types}"
        if "enum" in schema and value not in schema["enum"]:
            return f"{at}: {value} is not in {schema['enum']}"
        if "const" in schema and value != schema["const"]:
            return f"{at}: {value} is not {schema['const']}"
        for bad in self._wrong_parts(schema, value, at):
            if bad:
                return bad
        return None

    def _wrong_parts(self, schema, value, at):
        if isinstance(value, str):
            if "pattern" in schema and not re.search(schema["pattern"], value):
                yield f"{at}: {value!r} does not match {schema['pattern']}"
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
                yield f"{at}: {len(value)} characters"
        if is_type(value, "number"):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield f"{at}: {value} is out of range"
        if isinstance(value, list):
            for i, item in enumerate(value):
                yield self.wrong(schema.get("items", {}), item, f"{at}/{i}")
        if isinstance(value, dict):
            for key in schema.get("required", ()):
                if key not in value:
                    yield f"{at}/{key} is missing"
            for key, item in value.items():
                sub = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
                yield f"{at}/{key} is unknown" if sub is False else self.wrong(sub if sub is not True else {}, item,
                                                                               f"{at}/{key}")
        if "anyOf" in schema and all(self.wrong(s, value, at) for s in schema["anyOf"]):
            yield f"{at}: none of anyOf"
        if "oneOf" in schema and sum(self.wrong(s, value, at) is None for s in schema["oneOf"]) != 1:
            yield f"{at}: not exactly one of oneOf"
        for s in schema.get("allOf", ()):
            yield self.wrong(s, value, at)

    def example(self, schema):
        """A small value that holds: what a caller might send."""
        schema = self.follow(schema)
        for word in ("examples", "enum"):
            if word in schema:
                return schema[word][0]
        for word in ("const", "default"):
            if word in schema:
                return schema[word]
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self.example(schema[word][0])
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            return {k: self.example(schema.get("properties", {}).get(k, {"type": "string"})) for k in schema.get("required", ())}
        if kind == "string":
            return text_for(schema)
        return {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1), "boolean": True, "array": [],
                "null": None}[kind]


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return {"null": value is None, "boolean": False, "integer": isinstance(value, int), "number": isinstance(value, (int, float)),
            "string": isinstance(value, str), "array": isinstance(value, list), "object": isinstance(value, dict)}[name]


def text_for(schema):
    pattern = schema.get("pattern", "")
    for text in ("a" * 64, "02134", "2025-10-03T12-00-00", "read", ss58("//M1"), "1", "a" * max(1, schema.get("minLength", 1))):
        if re.search(pattern, text) and schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
            return text
    raise RuntimeError(f"no example for {schema}")


# --- the walk ---

class Walk:
    def __init__(self, network, tap, name):
        self.n, self.tap, self.name = network, tap, name
        self.document = Document(self.get_document())
        self.bad, self.seen, self.answers = [], set(), 0
        state = os.path.join(network.folder, "c0")
        self.tokens = {role: last_json(run("coordinator", "token", "--role", role, "--dir", state, "--json"))["token"]
                       for role in ("viewer", "operator", "admin")}
        self.key = last_json(run("coordinator", "key", "create", "--scope", "admin", "--dir", state, "--json"))["key"]

    def get_document(self):
        status, headers, document = self.n.call("/openapi.json")
        assert status == 200 and headers["Content-Type"] == "application/json", (status, headers)
        assert document["openapi"].startswith("3.1"), document["openapi"]
        return document

    def judge(self, where, operation, answer, allowed=None):
        """An answer beside the document; operation None: a path or method that it does not have."""
        status, headers, body = answer
        self.answers += 1
        responses = operation["responses"] if operation else {}
        said = responses.get(str(status))
        if status in (allowed or ()):
            said = said or {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
        if said is None:
            self.bad.append(f"{where}: {status} is not in the document: {str(body)[:200]}")
            return
        if operation:
            self.seen.add((operation["operationId"], status))
        if not headers.get("X-Correlation-Id"):
            self.bad.append(f"{where}: {status} without X-Correlation-Id")
        content = said.get("content")
        media = headers.get("Content-Type", "").split(";")[0]
        if not content:
            if body:
                self.bad.append(f"{where}: {status} has a body that the document does not have")
            return
        if media not in content:
            self.bad.append(f"{where}: {status} is {media}, the document says {', '.join(content)}")
            return
        if media == "application/json":
            why = self.document.wrong(content[media].get("schema", {}), body)
            if why:
                self.bad.append(f"{where}: {status}: {why}")
        if status >= 400 and media == "application/json" and "error" in body and isinstance(body["error"], dict):
            if body["error"]["correlationId"] != headers["X-Correlation-Id"]:
                self.bad.append(f"{where}: two correlation ids")

    def target(self, path, operation, bent):
        query = []
        for p in operation.get("parameters", ()):
            if p["in"] == "path":
                value = self.values.get(p["name"]) or self.document.example(p["schema"])
                path = path.replace("{" + p["name"] + "}", "%20" if bent else str(value))
            elif p["in"] == "query" and (p.get("required") or (bent and "pattern" in self.document.follow(p["schema"]))):
                query.append(f"{p['name']}={'%00' if bent else self.document.example(p['schema'])}")
            elif p["in"] == "query" and bent:
                query.append(f"{p['name']}=-1&{p['name']}=-1")
        return path + ("?" + "&".join(query) if query else "")

    def body(self, operation, bent):
        media = list(operation.get("requestBody", {}).get("content", {}))
        if not media:
            return None, {}
        if media[0] != "application/json":
            return b"--x\r\n\r\n--x--\r\n", {"Content-Type": media[0] + "; boundary=x"}
        if bent:
            return b'{"epochId":[],"x":1', {"Content-Type": "application/json"}
        value = self.document.example(operation["requestBody"]["content"][media[0]]["schema"])
        if isinstance(value, dict) and "epochId" in value:
            value["epochId"] = self.values.get("epochId", value["epochId"])
        return json.dumps(value).encode(), {"Content-Type": "application/json"}

    def callers(self):
        yield "nobody", {}, None
        for name, uri in (("stranger", "//Stranger"), ("miner", "//M1"), ("validator", "//V1"), ("poor", POOR)):
            yield name, {}, uri
        for role, token in self.tokens.items():
            yield role, {"Authorization": "Bearer " + token}, None
        yield "key", {"X-API-Key": self.key}, None
        yield "bad token", {"Authorization": "Bearer x.y.z"}, None
        yield "bad key", {"X-API-Key": "tk_x"}, None

    def operation(self, path, method, operation):
        signs = any("btauthSignature" in s for s in operation.get("security", ()))
        for name, headers, uri in self.callers():
            if uri and not signs and name != "miner":
                continue
            if not uri and signs and name not in ("nobody", "admin"):
                continue
            for bent in (False, True):
                target, (body, more) = self.target(path, operation, bent), self.body(operation, bent)
                where = f"{method.upper()} {target} as {name}{' (bent)' if bent else ''}"
                try:
                    answer = self.n.call(target, method.upper(), sign=uri, body=body, headers={**headers, **more})
                except OSError as e:
                    raise RuntimeError(f"{where}: {e}\n{self.n.tail()}") from e
                self.judge(where, operation, answer)
                if operation.get("security") and name in ("nobody", "bad token", "bad key") and answer[0] != 401:
                    self.bad.append(f"{where}: {answer[0]}, not 401")
                if answer[0] >= 500:
                    self.bad.append(f"{where}: {answer[0]} {answer[2]}")

    def methods(self, path, item):
        for method in (*METHODS, "trace", "query"):
            if method in item:
                continue
            answer = self.n.call(path.replace("{", "").replace("}", ""), method.upper())
            # a literal beside a parameter may have another set of methods
            self.judge(f"{method.upper()} {path}", None, answer, allowed=(405,))
            if answer[0] == 405 and method.upper() in answer[1].get("Allow", ""):
                self.bad.append(f"{method.upper()} {path}: in Allow, and 405")

    def run(self):
        status, _, info = self.n.call("/api/v1/epochs?limit=1")
        self.values = {"epochId": info["items"][0]["epochId"]} if status == 200 and info["items"] else {}
        operations = list(self.document.operations())
        for path, method, operation in operations:
            self.operation(path, method, operation)
        for path, item in self.document.root["paths"].items():
            self.methods(path, item)
        self.judge("GET /no/such/path", None, self.n.call("/no/such/path"), allowed=(404,))
        self.extras()
        self.tap.check(f"{self.name}: {self.answers} answers of {len(operations)} operations hold to the document", not self.bad,
                       "\n".join(self.bad[:15]))
        refused = {o for o, s in self.seen if s in (401, 403)}
        secured = {o["operationId"] for _, _, o in operations if o.get("security")}
        self.tap.check(f"{self.name}: whoever may not call is refused, on {len(secured)} operations", secured <= refused,
                       sorted(secured - refused))
        return len(operations)

    def extras(self):
        """What the document cannot say: tags, compression, one body for both."""
        status, headers, document = self.n.call("/openapi.json")
        again, _, nothing = self.n.call("/openapi.json", headers={"If-None-Match": headers["ETag"]})
        if (again, nothing) != (304, b""):
            self.bad.append(f"If-None-Match: {again}")
        status, packed, body = self.n.call("/openapi.json", headers={"Accept-Encoding": "gzip"}, raw=True)
        if packed.get("Content-Encoding") != "gzip" or json.loads(gzip.decompress(body)) != document:
            self.bad.append(f"gzip: {status} {packed.get('Content-Encoding')}")
        if packed["ETag"] == headers["ETag"]:
            self.bad.append("two forms of one body have one tag")
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=self.n.call("/metrics")[2], capture_output=True,
                                  check=False)
            if done.returncode != 0 or done.stdout or done.stderr:
                self.bad.append(f"promtool: {(done.stdout + done.stderr).decode()[:300]}")


# --- schemathesis ---

def outsider():
    """The program, installed once; None and why when it cannot be had."""
    program, mark = os.path.join(VENV, "bin/schemathesis"), os.path.join(VENV, "installed")
    if os.path.exists(mark) and open(mark, encoding="utf-8").read() == PINNED:
        return program, ""
    for step in ([sys.executable, "-m", "venv", VENV],
                 [os.path.join(VENV, "bin/pip"), "install", "-q", "--disable-pip-version-check", PINNED]):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None, ((done.stderr or done.stdout).strip().splitlines() or ["?"])[-1]
    with open(mark, "w", encoding="utf-8") as f:
        f.write(PINNED)
    return program, ""


def schemathesis(tap, name, program, network, *words, count=25, env=None):
    start = time.monotonic()
    done = subprocess.run([program, "run", "--no-color", "--checks", "all", "-n", str(count), *words, network.url + "/openapi.json"],
                          capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=network.folder,
                          env=dict(os.environ, **(env or {})))
    cases = re.search(r"(\d+) generated", done.stdout)
    found = done.stdout.partition("= FAILURES =")[2].partition("= WARNINGS =")[0]
    told = [line[:200] for line in found.splitlines() if re.match(r"_+ |- |\[\d+\]|    (`|curl|Invalid)", line.strip(" ") and line)]
    tap.check(f"{name}: schemathesis finds nothing in {cases.group(1) if cases else '?'} cases"
              f" ({time.monotonic() - start:.0f} s)", done.returncode == 0,
              "\n".join(told[:15]) or done.stdout[-300:] + done.stderr[-300:])


# --- the parts ---

class Service(Network):
    """The network's coordinator, with one more registered hotkey: a permit without stake."""

    def __init__(self, *more, env=None):
        super().__init__(epoch_seconds=600, env=env, more=["--validator-stake", "1000", *more])

    def __enter__(self):
        self.validators.append(POOR)
        super().__enter__()
        self.validators.remove(POOR)
        with open(self.metagraph, encoding="utf-8") as f:
            rows = json.load(f)
        for row in rows:
            row["stake_rao"] = 999 if row["hotkey"] == ss58(POOR) else row["stake_rao"]
        with open(self.metagraph, "w", encoding="utf-8") as f:
            json.dump(rows, f)
        time.sleep(1.5)  # it reads the file again when it has changed
        return self

    def call(self, path, method="GET", sign=None, body=None, headers=None, url=None, raw=False):
        if raw:
            import http.client
            import urllib.parse
            u = urllib.parse.urlsplit(self.url)
            c = http.client.HTTPConnection(u.hostname, u.port, timeout=30)
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            answer = r.status, r.headers, r.read()
            c.close()
            return answer
        return super().call(path, method, sign, body, headers, url)


def walk(tap):
    for profile in ("tally", "compat"):
        with Service("--profile", profile, "--limits", "0") as network:
            w = Walk(network, tap, profile)
            operations = w.run()
            print(f"# PROOF openapi profile={profile} operations={operations} answers={w.answers} statuses={len(w.seen)} "
                  f"undocumented={len(w.bad)}", flush=True)


def run_outsider(tap):
    program, why = outsider()
    if program is None:
        print(f"ok - schemathesis # SKIP it cannot be installed: {why}", flush=True)
        return
    for profile in ("tally", "compat"):
        with Service("--profile", profile) as network:
            schemathesis(tap, f"{profile}, anybody", program, network, count=25 if profile == "tally" else 10)
            token = last_json(run("coordinator", "token", "--role", "admin", "--dir", os.path.join(network.folder, "c0"),
                                  "--json"))["token"]
            schemathesis(tap, f"{profile}, an admin", program, network, "-H", "Authorization: Bearer " + token,
                         # an epoch that is called off makes the service unready, as it should
                         "--exclude-checks", "ignored_auth", "--exclude-operation-id", "voidEpoch", count=10)


def run_signed(tap):
    program, why = outsider()
    if program is None:
        print(f"ok - schemathesis # SKIP it cannot be installed: {why}", flush=True)
        return
    for uri in ("//M1", "//V1"):
        with Service("--limits", "0") as network:
            env = {"SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": os.path.join(ROOT, "tests/services"),
                   "TALLY_BINARY": TALLY, "TALLY_URI": uri, "TALLY_RECEIVER": network.receiver}
            # The first two leave the signature out, and the hook puts it there. What a validator may say depends on the
            # stage of the epoch (410): no schema tells.
            without = "ignored_auth,missing_required_header" + (",positive_data_acceptance" if uri == "//V1" else "")
            schemathesis(tap, f"signed by {uri}", program, network, "--exclude-checks", without, env=env, count=10)


PARTS = {"walk": walk, "outsider": run_outsider, "signed": run_signed}


def main():
    tap = Tap()
    for name in sys.argv[1:] or PARTS:
        PARTS[name](tap)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
