#!/usr/bin/env python3
"""coordinator.py TALLY [STORE OPTION…]: tally coordinator run through the real binary, over real HTTP, an epoch of ten seconds after the
other. Attacks: callers who are nobody, requests twice, other people's folders, objects that are not what they are said to
be, reports that go back or come late, votes before their time, SIGKILL between acknowledgement and restart. Prints TAP."""
import gzip
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

TALLY, STORES = os.path.realpath(sys.argv[1]), sys.argv[2:]
SQL = STORES[STORES.index("--postgres"):][:2] if "--postgres" in STORES else []
STATE = tempfile.mkdtemp(prefix="tally-coordinator-")
N = 10
MINERS, VALIDATORS, COORD = ["//M1", "//M2", "//M3"], ["//V1", "//V2"], "//Coord"
count = bad = 0
procs = []


def check(name, fine, detail=""):
    global count, bad
    count += 1
    bad += 0 if fine else 1
    print(f"{'ok' if fine else 'not ok'} {count} - {name}", flush=True)
    if not fine:
        print("#   " + str(detail)[:900].replace("\n", "\n#   "), flush=True)


def run(*words):
    return subprocess.run([TALLY, *words], capture_output=True, text=True, timeout=60)


def ss58(uri):
    return json.loads(run("wallet", "show", "--uri", uri, "--json").stdout)["ss58"]


ME = ss58(COORD)
SS58 = {u: ss58(u) for u in MINERS + VALIDATORS}
META = os.path.join(STATE, "metagraph.json")
with open(META, "w", encoding="utf-8") as f:
    json.dump([{"uid": i, "hotkey": SS58[u], "coldkey": ss58(u + "/cold"), "validator_permit": u in VALIDATORS,
                "stake_rao": 10**14 if u in VALIDATORS else 0} for i, u in enumerate(MINERS + VALIDATORS)], f)


def serve(port=0, *more):
    p = subprocess.Popen([TALLY, "coordinator", "run", "--subnet", "listings", "--listen", f"127.0.0.1:{port}", "--uri",
                          COORD, "--metagraph", META, "--epoch-seconds", str(N), "--dir", STATE + "/c", "--limits", "0",
                          "--json", *STORES, *more], stdout=subprocess.PIPE, stderr=open(STATE + "/log", "a"), text=True)
    procs.append(p)
    return p, json.loads(p.stdout.readline() or "{}")


class Answer:
    def __init__(self, status, headers, body, sent):
        self.status, self.headers, self.sent = status, headers, sent
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.body = body
        self.json = json.loads(body) if "json" in headers.get("Content-Type", "") and body else None

    @property
    def code(self):
        return (self.json or {}).get("error", {}).get("code")


def call(target, method="GET", body=None, uri=None, headers=None):
    sent = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
    if uri:
        name = os.path.join(STATE, "body-" + uuid.uuid4().hex)
        with open(name, "wb") as file:
            file.write(body or b"")
        r = run("http", "sign", "--method", method, "--target", target, "--body-file", name, "--receiver", ME, "--uri", uri,
                "--json")
        os.remove(name)
        sent.update(json.loads(r.stdout))
    u = urllib.parse.urlsplit(URL)
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=20)
    c.request(method, target, body=body, headers=sent)
    r = c.getresponse()
    a = Answer(r.status, r.headers, r.read(), sent)
    c.close()
    return a


def refused(a, status, code):
    return a.status == status and a.code == code and a.json["error"]["correlationId"] == a.headers["X-Correlation-Id"]


def upload(form, key, data):
    boundary = uuid.uuid4().hex
    parts = b""
    for name, value in {**form["fields"], "key": key}.items():
        parts += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    parts += (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\n'
              "Content-Type: application/json\r\n\r\n").encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return call(urllib.parse.urlsplit(form["url"]).path, "POST", parts,
                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})


def until(what, limit=30.0):
    end = time.time() + limit
    while time.time() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    return None


def sha(data):
    return hashlib.sha256(data).hexdigest()


def submit(uri, form, epoch, zipcodes, rows=3, **bend):
    """All objects, then metadata.json, of which bend changes the first object."""
    objects, folder = [], f"data/hotkey={SS58[uri]}/epoch={epoch}/"
    for z in zipcodes:
        data = json.dumps({"zipcode": z, "listings": [{"price": i, "by": uri} for i in range(rows)]}).encode()
        key = f"{folder}zipcode={z}/data_1.json"
        upload(form, key, data)
        objects.append({"key": key, "zipcode": z, "sha256": sha(data), "bytes": len(data), "rows": rows})
    objects[0].update(bend)
    metadata = json.dumps({"epochId": epoch, "hotkey": SS58[uri], "objects": objects}).encode()
    upload(form, folder + "metadata.json", metadata)
    return metadata


def report(uri, epoch, status="COMPLETED", **more):
    body = {"epochId": epoch, "status": status, "listingsScraped": 3, "zipcodesCompleted": [], **more}
    if status == "COMPLETED":
        body["s3UploadComplete"] = True
    return call("/api/v1/zipcode-assignments/status", "POST", body, uri)


def basics():
    cur, stats = "/api/v1/zipcode-assignments/current", "/api/v1/zipcode-assignments/stats"
    doc = call("/openapi.json")
    check("the document names the routes", {cur, stats, "/api/v1/zipcode-assignments/status", "/get-folder-access",
                                            "/api/v1/epochs", "/api/v1/info", "/healthcheck"} <= set(doc.json["paths"]),
          sorted(doc.json["paths"]))
    for x in ("/healthz", "/readyz", "/metrics", "/healthcheck", "/rate-limits", "/structure-info",
              "/commitment-formats", stats, "/api/v1/leaderboard", "/api/v1/epochs"):
        a = call(x)
        check(f"{x} answers", a.status == 200, (a.status, a.body))
    check("the document is compressed and has a tag",
          call("/openapi.json", headers={"Accept-Encoding": "gzip"}).headers.get("Content-Encoding") == "gzip" and
          call("/openapi.json", headers={"If-None-Match": doc.headers["ETag"]}).status == 304)
    check("no such path", refused(call("/no/such"), 404, "NotFound"))
    a = call(stats, "DELETE")
    check("no such method", refused(a, 405, "MethodNotAllowed") and "GET" in a.headers["Allow"], a.headers)
    check("nobody", refused(call(cur), 401, "MalformedAuth"))
    check("a stranger", refused(call(cur, uri="//Stranger"), 403, "NotRegistered"))
    check("no credentials for people", refused(call("/api/v1/admin/audit"), 401, "MalformedAuth"))
    a = call(cur, uri=MINERS[0])
    z = a.json["zipcodes"]
    n = sum(x["expectedListings"] for x in z)
    check("assignments keep their bounds", a.status == 200 and 20 <= len(z) <= 30 and 9000 <= n <= 11000 and
          all(200 <= x["expectedListings"] <= 3000 for x in z), (len(z), n))
    check("assignments tell no secret", a.json["nonceCommit"] and "nonce" not in a.json and
          "honeypot" not in a.body.decode().lower(), sorted(a.json))
    check("a request twice", refused(call(cur, headers=a.sent), 401, "ReplayedRequest"))
    check("a vote of a miner", refused(call(f'/api/v1/epochs/{a.json["epochId"]}/results', "POST", {"commit": "0" * 64},
                                            MINERS[0]), 403, "NotPermitted"))
    check("unknown epochs", call("/api/v1/epochs/2020-01-01T00-00-00").status == 404 and
          call("/api/v1/epochs/x").status in (400, 404))


def fresh_assignments():
    """Of an epoch with most of its time left."""
    until(lambda: time.time() % N < 2.0)
    return call("/api/v1/zipcode-assignments/current", uri=MINERS[0]).json


def join(epoch):
    for u in VALIDATORS:
        a = call(f"/api/v1/epochs/{epoch}/contribution", "POST", {"commit": sha(secret(u).encode())}, u)
        check(f"{u} joins", a.status == 200, a.body)
    a = call(f"/api/v1/epochs/{epoch}/contribution", "POST", {"secret": secret(VALIDATORS[0])}, VALIDATORS[0])
    check("no secret before the end", refused(a, 410, "EpochClosed"), a.body)


def secret(uri):
    return "secret-of-" + sha(uri.encode())


def miners(epoch, zipcodes):
    forms = {}
    for u in MINERS:
        a = call("/get-folder-access", "POST", {}, u)
        check(f"{u} is lent a folder", a.status == 200 and a.json["folder"] == f"data/hotkey={SS58[u]}/", a.body)
        forms[u] = a.json
    a = upload(forms[MINERS[0]], f"data/hotkey={SS58[MINERS[1]]}/epoch={epoch}/x.json", b"{}")
    check("nobody writes to another's folder", refused(a, 403, "Forbidden"), (a.status, a.body))
    a = upload(forms[MINERS[0]], f"data/hotkey={SS58[MINERS[0]]}/../x.json", b"{}")
    check("no key leads out of the folder", a.status in (400, 403), (a.status, a.body))
    a = upload(forms[MINERS[0]], f"data/hotkey={SS58[MINERS[0]]}/epoch={epoch}/x.json", b"")
    check("an empty object", a.status == 400, (a.status, a.body))
    check("a report without an upload", refused(report(MINERS[0], epoch), 409, "Conflict"))
    submit(MINERS[0], forms[MINERS[0]], epoch, zipcodes[:1], sha256="0" * 64)
    check("an object that is not what it is said to be", refused(report(MINERS[0], epoch), 409, "Conflict"))
    submit(MINERS[0], forms[MINERS[0]], epoch, zipcodes[:1], zipcode="00000")
    a = report(MINERS[0], epoch)
    check("a zipcode that nobody asked for", refused(a, 400, "InvalidRequest") and
          "zipcode" in a.json["error"]["field"], a.body)
    submit(MINERS[0], forms[MINERS[0]], epoch, zipcodes[:1], key=f"data/hotkey={SS58[MINERS[1]]}/epoch={epoch}/x")
    check("another's object", refused(report(MINERS[0], epoch), 400, "InvalidRequest"))
    check("a report that goes on", report(MINERS[0], epoch, "IN_PROGRESS").json == {"success": True})
    kept = {}
    for u in MINERS[:2]:
        metadata = submit(u, forms[u], epoch, zipcodes)
        a = report(u, epoch)
        check(f"{u} is acknowledged", a.status == 200 and a.json["submission"]["contentHash"] == sha(metadata) and
              a.json["submission"]["objects"] == len(zipcodes), a.body)
        kept[u] = a.json["submission"]
    submit(MINERS[0], forms[MINERS[0]], epoch, zipcodes[:2], rows=9)
    a = report(MINERS[0], epoch)
    check("the first whole set counts", a.status == 200 and a.json["submission"] == kept[MINERS[0]], a.body)
    check("no way back", refused(report(MINERS[0], epoch, "IN_PROGRESS"), 409, "Conflict"))
    check("no other end", refused(report(MINERS[0], epoch, "FAILED"), 409, "Conflict"))
    check("a report of no epoch", refused(report(MINERS[2], "2020-01-01T00-00-00"), 404, "NotFound"))
    a = call(f"/api/v1/epochs/{epoch}/submissions", uri=MINERS[0])
    check("a miner sees its own", [i["hotkey"] for i in a.json["items"]] == [SS58[MINERS[0]]], a.body)
    a = call(f"/api/v1/epochs/{epoch}/submissions", uri=VALIDATORS[0])
    check("a validator sees nothing yet", refused(a, 409, "Conflict"), a.body)
    return kept, forms


def votes(epoch, kept, zipcodes):
    a = report(MINERS[2], epoch, "IN_PROGRESS")
    check("a report after the deadline", refused(a, 410, "EpochClosed"), a.body)
    x = call(f"/api/v1/epochs/{epoch}").json
    check("the nonce is shown", x["nonce"] and sha(x["nonce"].encode()) == x["nonceCommit"], x)
    check("a late commitment", refused(call(f"/api/v1/epochs/{epoch}/contribution", "POST", {"commit": "0" * 64},
                                            VALIDATORS[0]), 409, "Conflict") or x["state"] != "reveal")
    for u in VALIDATORS:
        a = call(f"/api/v1/epochs/{epoch}/contribution", "POST", {"secret": secret(u)}, u)
        check(f"{u} shows its secret", a.status == 200, a.body)
    x = until(lambda: (lambda e: e["beacon"] and e)(call(f"/api/v1/epochs/{epoch}").json), 5)
    shown = [(c["hotkey"], c["secret"]) for c in x["contributions"]]
    text = "tally-beacon/1\n" + x["nonce"] + "\n" + "".join(f"{h}:{s}\n" for h, s in shown)
    check("the beacon is everybody's", sha(text.encode()) == x["beacon"] and len(shown) == 2, x)
    check("zipcodes and honeypots are told", [z["zipcode"] for z in x["zipcodes"]] == zipcodes and
          1 <= len(x["honeypotZipcodes"]) <= 3, x["honeypotZipcodes"])
    a = call(f"/api/v1/epochs/{epoch}/submissions?limit=1", uri=VALIDATORS[0])
    b = call(f"/api/v1/epochs/{epoch}/submissions?limit=5&cursor={a.json['nextCursor']}", uri=VALIDATORS[0])
    items = a.json["items"] + b.json["items"]
    check("validators see all, page by page", {i["hotkey"] for i in items} == {SS58[u] for u in kept} and
          {i["contentHash"] for i in items} == {k["contentHash"] for k in kept.values()}, items)
    o = items[0]["objects"][0]
    u = urllib.parse.urlsplit(o["url"])
    a = call(u.path + "?" + u.query)
    check("what was kept is what was named", a.status == 200 and sha(a.body) == o["sha256"], (a.status, a.body[:80]))
    check("a URL of another signature", call(u.path + "?" + u.query[:-2] + "00").status in (200, 403) and
          call(u.path + "?expires=1&signature=" + "0" * 64).status == 403)
    for v in VALIDATORS:
        evidence = {"epochId": epoch, "items": [], "noEvidenceRate": 0}
        a = call(f"/api/v1/epochs/{epoch}/evidence", "POST", evidence, v)
        check(f"{v} gives evidence", a.status == 200, a.body)
    a = until(lambda: (lambda e: e.json["closed"] and e)(call(f"/api/v1/epochs/{epoch}/evidence", uri=VALIDATORS[0])), 5)
    check("evidence is exchanged", a and len(a.json["items"]) == 2 and
          a.json["items"][0]["stakeRao"] == 10**14, a and a.body)


def ballots(epoch):
    roots = [sha(b"e"), sha(b"s"), sha(b"w")]
    whole = hashlib.sha256(b"tally/listings/roots/1\0" + b"".join(bytes.fromhex(r) for r in roots)).hexdigest()
    salts = {v: "salt-" + sha(v.encode()) for v in VALIDATORS}
    target = f"/api/v1/epochs/{epoch}/results"
    shown = {v: {"hash": whole, "salt": salts[v], "evidenceRoot": roots[0], "scoreRoot": roots[1], "weightRoot": roots[2],
                 "uids": [0, 1], "weights": [65535, 40000], "winners": [], "findings": [], "held": [], "strikes": [],
                 "scoreboard": [{"hotkey": SS58[MINERS[0]], "reward_rao": 700, "score_millionths": 600000,
                                 "listings": 9, "places": [2, 1, 0]}]} for v in VALIDATORS}
    a = call(target, "POST", shown[VALIDATORS[0]], VALIDATORS[0])
    check("no result before all have committed", a.status in (409, 410), a.body)
    for v in VALIDATORS:
        a = call(target, "POST", {"commit": sha(f"{whole}:{salts[v]}".encode())}, v)
        check(f"{v} commits", a.status == 200, a.body)
    until(lambda: call(f"/api/v1/epochs/{epoch}/ballots", uri=VALIDATORS[0]).json["commitsClosed"], 5)
    a = call(target, "POST", {**shown[VALIDATORS[0]], "salt": "another-salt-of-16"}, VALIDATORS[0])
    check("another salt than committed", refused(a, 409, "Conflict"), a.body)
    a = call(target, "POST", {**shown[VALIDATORS[0]], "hash": sha(b"x")}, VALIDATORS[0])
    check("a hash that is not of its roots", refused(a, 400, "InvalidRequest"), a.body)
    check("no result is told early", refused(call(target), 404, "NotFound"))
    for v in VALIDATORS:
        a = call(target, "POST", shown[v], v)
        check(f"{v} shows its result", a.status == 200, a.body)
    a = until(lambda: (lambda r: r.status == 200 and r)(call(target)), 5)
    check("the result is everybody's", a and a.json["status"] == "PERFECT_CONSENSUS" and a.json["hash"] == whole and
          a.json["rate"] == 1 and a.json["weights"] == [65535, 40000] and not a.json["outliers"], a and a.body)
    a = call("/api/v1/leaderboard").json["items"]
    check("the standings follow", a and a[0]["hotkey"] == SS58[MINERS[0]] and a[0]["rewardRao"] == 700 and
          a[0]["wins"] == 3, a)


def people(epoch):
    r = run("coordinator", "token", "--role", "admin", "--dir", STATE + "/c", "--json", *SQL)
    token = json.loads(r.stdout)["token"]
    bearer = {"Authorization": "Bearer " + token}
    a = call("/api/v1/admin/keys", "POST", {"scopes": "read", "label": "test"}, headers=bearer)
    check("an admin makes a key", a.status == 201, a.body)
    key = {"X-API-Key": a.json["key"]}
    check("a reader reads", call("/api/v1/admin/audit", headers=key).status == 200)
    now = call("/api/v1/zipcode-assignments/current", uri=MINERS[0]).json["epochId"]
    extend = f"/api/v1/admin/epochs/{now}/extend"
    check("a reader extends nothing", refused(call(extend, "POST", {"seconds": 5, "reason": "x"}, headers=key), 403,
                                              "NotPermitted"))
    a = call(extend, "POST", {"seconds": 5, "reason": "a test"}, headers=bearer)
    check("an admin extends", a.status == 200 and a.json["hotkey"] == ME, a.body)
    if a.status == 200:
        e = a.json
        text = f"tally-extension/1\n{now}\n5\n{e['submissionDeadline']}\na test\n"
        r = run("wallet", "verify", "--ss58", ME, "--message", text, "--signature", "0x" + e["signature"])
        check("the extension is signed", r.returncode == 0, r.stdout + r.stderr)
        x = call(f"/api/v1/epochs/{now}").json
        check("everybody sees it", x["extensions"] == [e] and x["submissionDeadline"] == e["submissionDeadline"], x)
    r = run("coordinator", "extend", "--epoch", now, "--seconds", "5", "--reason", "once more", "--dir", STATE + "/c",
            "--json", *SQL)
    check("so does the command, by the state folder's key", r.returncode == 0, r.stderr)
    if r.returncode == 0:
        e = json.loads(r.stdout)
        d = e["delegation"]
        text = f"tally-extension/1\n{now}\n5\n{e['submissionDeadline']}\nonce more\n"
        first = run("wallet", "verify", "--ss58", ME, "--message", f"tally-delegate/1\n{e['hotkey']}\n", "--signature",
                    "0x" + d["signature"])
        second = run("wallet", "verify", "--ss58", e["hotkey"], "--message", text, "--signature", "0x" + e["signature"])
        check("whose certificate and signature hold", first.returncode == 0 and second.returncode == 0 and
              d["hotkey"] == ME and d["delegate"] == e["hotkey"], (first.stdout, second.stdout, e))
        seen = until(lambda: e in call(f"/api/v1/epochs/{now}").json["extensions"], 3)
        check("the running coordinator takes it up", seen)
    check("an epoch that is over", refused(call(f"/api/v1/admin/epochs/{epoch}/extend", "POST",
                                                {"seconds": 5, "reason": "late"}, headers=bearer), 409, "Conflict"))
    audit = call("/api/v1/admin/audit", headers=bearer).json["items"]
    check("every act is noted", [x["act"] for x in audit][-1:] == ["epoch.extend"] and len(audit) >= 3, audit)


try:
    process, line = serve()
    check("the ready line", line.get("ready") is True and line["hotkey"] == ME and line["subnet"] == "listings" and
          line["profile"] == "tally" and line["epoch_id"] and line["pid"] == process.pid, line)
    URL = line["url"]
    basics()
    given = fresh_assignments()
    EPOCH, ZIPS = given["epochId"], [z["zipcode"] for z in given["zipcodes"]]
    join(EPOCH)
    KEPT, FORMS = miners(EPOCH, ZIPS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process, line = serve(urllib.parse.urlsplit(URL).port)
    check("killed and started again it goes on", line.get("url") == URL, line)
    check("what was acknowledged is there", report(MINERS[0], EPOCH).json["submission"] == KEPT[MINERS[0]])
    until(lambda: call(f"/api/v1/epochs/{EPOCH}").json["state"] == "reveal", 12)
    votes(EPOCH, KEPT, ZIPS)
    ballots(EPOCH)
    people(EPOCH)
    metrics = call("/metrics").body.decode()
    check("metrics tell of epochs", 'tally_coordinator_epochs_total{state="settled"} 1' in metrics and
          "\ntally_coordinator_is_leader 1\n" in metrics, metrics[:400])
    process.terminate()
    check("SIGTERM ends it well", process.wait(20) == 0)
finally:
    for p in procs:
        if p.poll() is None:
            p.kill()
            p.wait()
    shutil.rmtree(STATE, ignore_errors=True)
print(f"1..{count}")
sys.exit(1 if bad else 0)
