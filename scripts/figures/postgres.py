"""Two nodes on one PostgreSQL that is thrown away afterwards, in the place of one hub on its file.

`served` gives a figure whichever its options name. Nodes share the keys of the first one, and pay through
one `ichae bank simulate`, because the built-in bank is a file of one node. Clients are spread over the
nodes; whoever's node is gone goes to one that is there.
"""

import contextlib
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading

import stores
from bank import Bank, number_of
from common import Broken, Hub, exchange, owned, until

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "postgres"
NAMES = ("a", "b")
JSON = {"Content-Type": "application/json"}


def served(args, sandbox=(), config=None, ports=(0, 0), bank=None):
    """A hub that serves: `ichae sandbox` with those options, or `ichae serve` with those tables."""
    if args.store == "file":
        return Hub(args.folder, config, sandbox, port=ports[0]).start()
    return Nodes(args.folder, config, sandbox, ports, bank).start()


def free_port():
    """One that no outgoing connection is given, so that it is still free after a kill."""
    random_ = random.Random()
    while True:
        port = random_.randrange(20_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Database:
    """`scripts/postgres`: it ends when its standard input does, so it ends with this script too."""

    def __init__(self, folder, settings=()):
        self.folder = folder / "pg"
        # It runs as another user, who has to get to its own folder.
        folder.chmod(0o711)
        self.process = subprocess.Popen(
            [SCRIPT, self.folder, *settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True)
        owned(self)
        self.address = self.process.stdout.readline().strip()
        if not self.address.startswith("postgres://"):
            raise Broken("PostgreSQL did not start")

    def session(self, database="ichae", write=False):
        return stores.Session(self.folder, database, write)

    def log(self):
        return self.folder / "log"

    # What `owned` asks of a process. Killed hard, the script would leave its server behind.

    def poll(self):
        return self.process.poll()

    def kill(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def wait(self):
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            # A forked process has the other end of its standard input too.
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()


class Node(Hub):
    """One of several on a store. `ichae sandbox` is asked by a file that says where the store is."""

    def __init__(self, nodes, name, config, sandbox, port):
        self.of = nodes
        address = nodes.address
        if config is None:
            sandbox = [*sandbox, "--store", address, "--bank", nodes.bank.url()]
            super().__init__(nodes.folder, sandbox=sandbox, name=name, port=port)
            self.where = ["--config", written(nodes.folder / f"{name}.toml", self.data, address)]
        else:
            super().__init__(nodes.folder, {"store": address, **config}, name=name)

    def store(self):
        return self.of.store()


def written(file, data, address):
    """The least that a command needs to know."""
    file.write_text(f'environment = "test"\ndata = "{data}"\nstore = "{address}"\n'
                    '[bank]\nrail = "simulated"\n')
    return file


class Nodes(Hub):
    """In the place of a hub."""

    def __init__(self, folder, config=None, sandbox=(), ports=(0, 0), bank=None, database=None,
                 address=None):
        """`address`: of the store, where it is not the database's own."""
        self.folder = pathlib.Path(folder)
        self.database = database or Database(self.folder)
        self.address = address or self.database.address
        self.bank = bank or Bank(self.folder)
        self.all = [Node(self, name, config, sandbox, port) for name, port in zip(NAMES, ports)]
        self.turns, self.local = itertools.count(), threading.local()
        self.random = random.Random(1)
        self.funded = 0
        self.data = self.all[0].data

    def start(self):
        first, *others = self.all
        first.start()
        for node in others:
            node.data.mkdir()
            shutil.copytree(first.data / "keys", node.data / "keys")
            node.start()
        return self

    @property
    def nodes(self):
        return self.all

    @property
    def port(self):
        """Each thread has a node; another one where that is gone."""
        if not hasattr(self.local, "node"):
            # Forked processes have the same count, but not the same number.
            self.local.node = os.getpid() + next(self.turns)
        there = [node for node in self.all if node.up()]
        if not there:
            raise ConnectionError("no node is up")
        mine = self.all[self.local.node % len(self.all)]
        return (mine if mine.up() else there[0]).port

    @property
    def starts(self):
        return sum(node.starts for node in self.all)

    @property
    def kills(self):
        return sum(node.kills for node in self.all)

    @property
    def logs(self):
        return [self.database.log(), *(log for node in self.all for log in node.logs)]

    def get(self, path):
        return next(node for node in self.all if node.up()).get(path)

    def restart(self):
        return self.random.choice(self.all).restart()

    def stop(self):
        for node in self.all:
            node.stop()

    def admin_raw(self, *words):
        """By any of them; by the store itself where none is up."""
        node = next((node for node in self.all if node.up()), self.all[0])
        return node.admin_raw(*words)

    def partner(self, cst_id, limit=10_000_000, **options):
        return self.knows(super().partner(cst_id, limit, **options))

    def knows(self, client):
        """What one node was told the others know after a second or so."""
        body = json.dumps({**client.credentials(), "code": "abcdef1234"})
        for port in self.ports:
            if not until(lambda: exchange(port, "POST", "/oauth/token", body, JSON).code() == "T0000", 10):
                raise Broken(f"a node does not know of partner {client.cst_id}")
        return client

    def findings(self):
        return self.all[0].findings()

    def store(self):
        return self.database.session()

    def copy(self):
        return Copy(self)

    def bank_calls(self):
        return [(number_of(tran), amount, paid) for tran, _, amount, _, paid, _, _ in self.bank.calls()]


class Copy(Hub):
    """A copy of the database, with the keys of the first node."""

    def __init__(self, nodes):
        super().__init__(nodes.folder, name="copy")
        self.database = nodes.database
        self.data.mkdir()
        shutil.copytree(nodes.data / "keys", self.data / "keys")
        address = nodes.database.address.removesuffix("ichae") + "copy"
        self.where = ["--config", written(nodes.folder / "copy.toml", self.data, address)]
        self._admin("CREATE DATABASE copy TEMPLATE ichae")

    def _admin(self, sql):
        session = self.database.session("postgres")
        try:
            session.execute(sql)
        finally:
            session.close()

    def store(self):
        return self.database.session("copy", write=True)

    def remove(self):
        shutil.rmtree(self.data)
        self._admin("DROP DATABASE copy WITH (FORCE)")
