"""What the interop programs share: TAP lines, and programs started for the length of a test.

Standard library only, so that it runs in each virtual environment."""
import json
import os
import subprocess
import sys
import tempfile


class Tap:
    """Counts and prints; a test says what it wanted and what it got."""

    def __init__(self):
        self.count = 0
        self.bad = 0

    def check(self, name, fine, detail=""):
        self.count += 1
        self.bad += 0 if fine else 1
        print(f"{'ok' if fine else 'not ok'} {self.count} - {name}", flush=True)
        if not fine and detail:
            for line in str(detail).splitlines()[:12]:
                print(f"# {line[:600]}", flush=True)

    def equal(self, name, got, wanted):
        self.check(name, got == wanted, f"got    {got!r}\nwanted {wanted!r}")

    def finish(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.bad else 0)


class Program:
    """A server that prints a line of JSON when it is ready, and ends with the block that it was started for."""

    def __init__(self, command, env=None):
        self.errors = tempfile.NamedTemporaryFile("w+", suffix=".err", delete=False)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env=dict(os.environ, **(env or {})))
        line = self.process.stdout.readline()
        try:
            self.ready = json.loads(line)
        except ValueError:
            self.process.kill()
            self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"{command[0]} said {line!r} instead of being ready: {self.errors.read()[-800:]}")
        self.port = self.ready["port"]
        self.hotkey = self.ready.get("hotkey")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        os.unlink(self.errors.name)


def tally_axon(tally, folder, *options, uri="//Alice"):
    """`tally axon run --echo` on a free loopback port, its state in a fresh folder below `folder`."""
    state = tempfile.mkdtemp(dir=folder)
    return Program([tally, "axon", "run", "--listen", "127.0.0.1:0", "--uri", uri, "--echo", "--dir", state, *options])


def run_json(*command, stdin=None, timeout=60):
    """Exit status and the JSON lines of a command's standard output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, input=stdin, check=False)
    rows = []
    for line in done.stdout.splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            rows.append(line)
    return done.returncode, rows, done.stderr
