"""A PostgreSQL that fails over, as figures use it: `deploy/cluster/cluster` on this machine, in the place of
a database."""

import contextlib
import json
import pathlib
import socket
import struct
import subprocess
import threading
import time

import stores
from common import Broken, exchange, owned

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "deploy/cluster/cluster"
JSON = {"Content-Type": "application/json"}
INSTALL = HERE.parent.parent / "deploy/cluster/install"


class Cluster:
    """Three etcd, three Patroni with a PostgreSQL each, synchronous and strict."""

    def __init__(self, folder):
        # Its servers run as another user, who has to get to their own folder.
        folder.chmod(0o711)
        self.folder = folder / "cluster"
        subprocess.run([INSTALL], check=True, stdout=subprocess.DEVNULL)
        self.ended = False
        owned(self)
        self.tell("up")
        self.tell("wait")
        self.address = self.tell("url").strip()

    def tell(self, word, *more):
        done = subprocess.run([PROGRAM, word, self.folder, *more], capture_output=True, text=True)
        if done.returncode:
            raise Broken(f"cluster {word}: {done.stderr[-400:]}")
        return done.stdout

    def status(self):
        return json.loads(self.tell("status"))

    def session(self, *_, **__):
        """On whoever leads now."""
        status = self.status()
        return Leader(status["members"][status["leader"]]["port"])

    def log(self):
        return self.folder / "logs"

    # What `owned` asks of a process.

    def poll(self):
        return 0 if self.ended else None

    def kill(self):
        with contextlib.suppress(Broken):
            self.tell("down")
        self.ended = True

    def wait(self):
        pass


class Leader(stores.Session):
    """The same over TCP, as the hub's own role."""

    def __init__(self, port):
        self.total_changes = 0
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.settimeout(120)
        self.file = self.socket.makefile("rb", 1 << 18)
        body = struct.pack("!I", stores.STARTUP) + b"user\0ichae\0database\0ichae\0\0"
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self._answer()


class Probe(threading.Thread):
    """Asks a node for one payout after the other, each with a key of its own, and keeps when it was answered
    and how. What a client sees of a gap."""

    PAUSE_S = 0.05

    def __init__(self, port, partner, key):
        super().__init__(daemon=True)
        self.port, self.partner, self.key = port, partner, key
        self.stop, self.answers = threading.Event(), []
        self.token, self.fetched = None, 0.0

    def run(self):
        count = 0
        while not self.stop.is_set():
            count += 1
            began = time.monotonic()
            code, after = self.ask(f"probe-{count}")
            self.answers.append((began, time.monotonic() - began, code, after))
            time.sleep(self.PAUSE_S)

    def ask(self, distinct):
        """(code, Retry-After); (None, None) where there was no answer."""
        try:
            if time.monotonic() - self.fetched > 30:
                fields = {**self.partner.credentials(), "code": "abcdef1234"}
                reply = exchange(self.port, "POST", "/oauth/token", json.dumps(fields), JSON)
                self.token, self.fetched = reply.json()["access_token"], time.monotonic()
            fields = {**self.partner.credentials(), "billing_tran_id": self.key, "tran_amt": "1000",
                      "distinct_key": distinct}
            headers = {**JSON, "Authorization": f"Bearer {self.token}"}
            reply = exchange(self.port, "POST", "/transfer/request", json.dumps(fields), headers)
            return reply.code(), reply.headers.get("retry-after")
        except (OSError, KeyError, ValueError):
            return None, None

    def first_done(self, after):
        """When a call that began later than that was done."""
        found = [at + took for at, took, code, _ in self.answers if code == "A0000" and at > after]
        return found[0] if found else None

    def between(self, began, ended):
        return [answer for answer in self.answers if began <= answer[0] <= ended]
