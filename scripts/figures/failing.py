"""Clients on two nodes while their database fails over: what figures 13 and 14 share."""

import collections
import time

from asking import PATIENCE_S
from buyers import LIMIT, World, paid_once, replayed, take_webhooks
from cluster import Cluster, Probe
from common import Broken, Workers, p, until
from postgres import Nodes, free_port

CLIENTS, PROCESSES = 16, 2
SOON_S = 1.0
"""Within which a client is told that it has to come again."""


def ms(seconds):
    return f"{seconds * 1000:.0f} ms"


class Run:
    """A cluster, two nodes, the clients of figure 1, and a probe that sees the gaps."""

    def __init__(self, args, report, seed):
        self.args, self.report, self.seed = args, report, seed
        self.cluster = Cluster(args.folder)
        self.hub = Nodes(args.folder, sandbox=["--any-amount", "--limit", LIMIT],
                         ports=(free_port(), free_port()), database=self.cluster).start()
        self.world = World(args.folder, self.hub, seed, CLIENTS, PROCESSES)
        partner = self.hub.partner("probe", limit=LIMIT)
        self.probe = Probe(self.hub.ports[0], partner, partner.key("1002003004005"))
        self.in_gaps = []
        report.note("seed, clients", f"{seed}, {CLIENTS}")

    def begin(self):
        self.receiver = Workers(1, lambda _, stop: take_webhooks(self.world.listener, stop))
        self.workers = Workers(PROCESSES, self.world.work)
        self.probe.start()
        if not until(lambda: self.probe.first_done(0), 20):
            raise Broken("the probe was never answered")

    def gap(self, began, patience=90):
        """From then to the first payout that was acknowledged again."""
        if not until(lambda: self.probe.first_done(began), patience):
            raise Broken(f"nothing was acknowledged in {patience} s: {self.cluster.tell('status')}")
        back = self.probe.first_done(began)
        self.in_gaps += self.probe.between(began, back)
        return back - began

    def longest_pause(self, began):
        """The longest time between two that were acknowledged since, up to one that was asked for now."""
        now = time.monotonic()
        if not until(lambda: self.probe.first_done(now), 90):
            raise Broken(f"nothing was acknowledged in 90 s: {self.cluster.tell('status')}")
        done = [at + took for at, took, code, _ in self.probe.between(began, time.monotonic())
                if code == "A0000"]
        pause, first, last = max((b - a, a, b) for a, b in zip(done, done[1:]))
        self.in_gaps += self.probe.between(first, last)
        return pause

    def end(self):
        """Stops the clients, and judges what they were told."""
        self.probe.stop.set()
        self.probe.join(40)
        self.workers.stop.set()
        results = self.workers.join(PATIENCE_S + 60)
        total = sum((counted for counted, _, _ in results), collections.Counter())
        report = self.report
        report.none("what the clients were told wrongly",
                    [wrong for _, wrongs, _ in results for wrong in wrongs])
        probed = [answer for answer in self.probe.answers if answer[2] == "A0000"]
        report.none("nodes that ended by themselves",
                    [node.name for node in self.hub.nodes if node.process.poll() is not None])
        there = self.rows_of("probe")
        replayed(report, self.world, total, stored=there)
        report.check("payouts of the probe that exist", there, f">= {len(probed)}", there >= len(probed))
        paid_once(report, self.hub, 300 if self.args.full else 60)
        report.none("findings of the ledger check", self.hub.findings())
        self.receiver.stop.set()
        self.receiver.join(10)

    def told_in_gaps(self, least=10):
        """Nobody hangs, and whoever is refused is told when to come again."""
        report = self.report
        refused = [(took, code, after) for _, took, code, after in self.in_gaps if code != "A0000"]
        codes = collections.Counter(code for _, code, _ in refused)
        report.note("answers in the gaps, by code", dict(codes))
        report.check("refused in the gaps", len(refused), f">= {least}", len(refused) >= least)
        busy = {"T0503", "T0504"}
        report.none("of these other than T0503 and T0504", [code for code in codes if code not in busy])
        report.none("without Retry-After", [r for r in refused if r[1] in busy and not r[2]])
        times = [took for took, _, _ in refused] or [0]
        report.note("answered in the gaps after, p50, p99, longest",
                    " ".join(ms(value) for value in (p(times, 0.5), p(times, 0.99), max(times))))
        report.most("and p99", p(times, 0.99), SOON_S, ms)

    def rows_of(self, cst_id):
        store = self.hub.store()
        (count,), = store.execute("SELECT count(*) FROM payouts p JOIN partners q ON q.no = p.partner "
                                  "WHERE q.cst_id = ?", [cst_id]).fetchall()
        store.close()
        return count
