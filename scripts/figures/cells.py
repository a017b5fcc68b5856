"""An installation of two cells: a PostgreSQL with a node for each, one bank, and shards that move between
them. In the place of one hub: clients call whichever node, administrators the first cell.
"""

import itertools
import random
import re
import subprocess
import threading

from bank import Bank, open_banking
from common import Broken, Client, Hub
from postgres import Database, Nodes, free_port

FROZEN = re.compile(r"frozen for (\d+) ms")


class Cells(Nodes):
    def __init__(self, folder, bank=None):
        self.folder = folder
        folder.chmod(0o711)
        self.databases = [self._database(folder / f"cell{no}") for no in range(2)]
        self.bank = bank or Bank(folder)
        ports = [free_port(), free_port()]
        named = ", ".join(f'{{ no = {no}, store = "{database.address}", url = "http://127.0.0.1:{port}" }}'
                          for no, (database, port) in enumerate(zip(self.databases, ports)))
        self.all = [self._node(no, port, named) for no, port in enumerate(ports)]
        self.data = self.all[0].data
        self.turns, self.local = itertools.count(), threading.local()
        self.random, self.funded = random.Random(1), 0

    @staticmethod
    def _database(folder):
        folder.mkdir()
        return Database(folder)

    def _node(self, no, port, named):
        node = Hub(self.folder, name=f"cell{no}", config={
            "store": self.databases[no].address, "keys": str(self.folder / "keys"),
            "server": {"listen": f"127.0.0.1:{port}", "trusted_proxies": ["127.0.0.1/32"]},
            "test": {"any_amount": True},
            "bank": {"rail": "openbanking", "timeout_s": 2, "inquiry_ceiling_s": 2},
            "bank.openbanking": open_banking(self.folder, self.bank),
            "log": {"format": "text", "filter": "warn"},
        })
        # Tables of tables are more than the file of a figure has else.
        file = self.folder / f"cell{no}.toml"
        text = file.read_text()
        file.write_text(f"cells = [{named}]\n{text}")
        return node

    @property
    def logs(self):
        return [*(database.log() for database in self.databases),
                *(log for node in self.all for log in node.logs)]

    def start(self):
        code, out, err = self.shard("init")
        if code:
            raise Broken(f"shard init: {out}{err}")
        for node in self.all:
            node.start()
        return self

    def shard(self, *words, limit_s=60):
        """`ichae shard`: exit code, stdout, stderr."""
        process = self.spawn_shard(*words)
        out, err = process.communicate(timeout=limit_s)
        return process.returncode, out, err

    def spawn_shard(self, *words):
        first = self.all[0]
        line = [first.program, "shard", *map(str, words), "--config", str(self.folder / "cell0.toml"), "--json"]
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                stdin=subprocess.DEVNULL)

    def test_partner(self):
        made = self.partner("test")
        return Client(self, "test", made.cust_key)

    def partner(self, cst_id, limit=10 ** 11, **options):
        return super().partner(cst_id, limit, **options)

    def findings(self):
        return [finding for node in self.all for finding in node.findings()]

    def store(self):
        """The first cell's rows: all of them, once every shard is there."""
        return self.databases[0].session()
