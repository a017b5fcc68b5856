"""A hub that pays through a bank that goes wrong in every way, while it is killed: figures 2 and 6.

The bank is `ichae bank simulate`, a process of its own with a journal of its own, which pays whatever
it is told to as often as it is told to. The hub pays through its production connector. What the hub says
of each payout is read from its file, what the bank did from the journal.
"""

import collections
import contextlib
import json
import random
import subprocess
import threading

from bank import INSTITUTION, Bank, open_banking, tran_id
from common import Broken, exchange, side_by_side, until
from postgres import served

ENDED = {3: "settled", 4: "failed", 6: "returned", 7: "canceled"}
UNKNOWN = 5

PER_MILLE = {
    "token-expiry": 2, "drop-before": 1, "http-503-before": 1, "refused": 20, "processing": 45,
    "late-pay": 10, "delay": 10, "pay-then-drop": 45, "reset": 40, "http-500-after-paying": 30,
    "garbage": 20, "truncated": 20, "duplicate-answer": 10, "wrong-echo": 20, "wrong-date": 10,
    "late-return": 1, "inquiry-lost": 50, "inquiry-wrong": 30, "inquiry-no-history": 30,
}
"""Every fault of the plan but the two that stop the rail or the whole bank: those are scripted, on
accounts of their own, because each of them leaves hundreds of payouts without a history."""
AMBIGUOUS = ("processing", "late-pay", "delay", "pay-then-drop", "reset", "http-500-after-paying",
             "garbage", "truncated", "duplicate-answer", "wrong-echo", "drop-before",
             "http-503-before")
MAINTENANCE, OWN_SIDE = "7700000001", "7700000002"

PLAN = """
seed = {seed}
refused_codes = [413, 421, 424, 458]
[per_mille]
{faults}
[size]
delay_ms = 3000
late_pay_ms = 2500
processing_ms = 4000
late_return_ms = 1000
maintenance_ms = 200
inquiries = 2
[[account]]
number = "{maintenance}"
faults = ["maintenance", "none"]
always = true
[[account]]
number = "{own_side}"
faults = ["own-side", "none"]
always = true
"""


def plan_of(seed):
    faults = "\n".join(f"{name} = {chance}" for name, chance in PER_MILLE.items())
    return PLAN.format(seed=seed, faults=faults, maintenance=MAINTENANCE, own_side=OWN_SIDE)


def hub_on(args, bank):
    return served(args, bank=bank, config={
        "test": {"any_amount": True, "resolve_same_day": True},
        "operators": {"second_above": 0},
        "bank": {"rail": "openbanking", "timeout_s": 2, "inquiry_ceiling_s": 5},
        "bank.openbanking": open_banking(args.folder, bank),
        "log": {"format": "text", "filter": "error"},
    })


class World:
    """Hub, bank, four partners and two operators."""

    def __init__(self, args, seed, count):
        self.folder, self.count, self.seed = args.folder, count, seed
        self.random = random.Random(seed)
        self.bank = Bank(args.folder, plan_of(seed))
        self.hub = hub_on(args, self.bank)
        self.partners = [self.hub.partner(f"p{n}", limit=10 ** 11) for n in range(4)]
        self.keys = [[client.key(f"33000000{n}{m}") for m in range(6)]
                     for n, client in enumerate(self.partners)]
        first = self.partners[0]
        self.special = [first.key(MAINTENANCE), first.key(OWN_SIDE)]
        self.operators = {}
        for name in ("kim", "lee"):
            file = args.folder / f"{name}.key"
            signed = ["--key", self.operators["kim"]] if self.operators else []
            self.hub.admin("operator", "add", name, "--make", file, *signed)
            self.operators[name] = file
        self.stopping = threading.Event()
        self.kills = self.resumes = 0

    def signed(self, name, *words):
        return self.hub.admin(*words, "--key", self.operators[name])

    def request_all(self):
        """Everything is requested and executed before the first kill: what is measured is paying."""
        share = self.count // len(self.partners)
        for client, keys in zip(self.partners, self.keys):
            for start in range(0, share, 20_000):
                rows = [{"billing_tran_id": keys[n % len(keys)], "tran_amt": str(1 + n % 9973),
                         "distinct_key": f"d{n}"} for n in range(start, min(share, start + 20_000))]
                if client is self.partners[0] and start == 0:
                    for n, key in enumerate(self.special * 2):
                        rows[len(rows) // 5 * (n + 1)]["billing_tran_id"] = key
                group = bulk(client, rows)
                # Nobody listens there; webhooks have a figure of their own.
                client.execute(group, webhook_url="http://127.0.0.1:9/hook")

    def kill_on(self, shortest, longest):
        while not self.stopping.wait(self.random.uniform(shortest, longest)):
            self.hub.restart()
            self.kills += 1

    def resume_on(self):
        """Own-side trouble pauses the rail (M3); an operator looks and lets it go on."""
        while not self.stopping.wait(0.5):
            with contextlib.suppress(Broken, subprocess.TimeoutExpired):
                if self.hub.admin("bank", "status")["paused"]:
                    self.signed("kim", "bank", "resume")
                    self.resumes += 1

    def left(self):
        """How many have not been sent yet, and how many were and have no end."""
        with contextlib.closing(self.hub.store()) as store:
            unsent = store.execute("SELECT coalesce(sum(unclaimed), 0) FROM groups "
                                   "WHERE unclaimed > 0").fetchone()[0]
            counts = dict(store.execute("SELECT own, count(*) FROM payouts "
                                        "WHERE own IN (1, 2, 5) GROUP BY own"))
        return unsent + counts.get(1, 0) + counts.get(2, 0), counts.get(UNKNOWN, 0)

    def pay_under_fire(self, shortest, longest, limit_s):
        threads = [threading.Thread(target=work, daemon=True, args=args)
                   for work, args in ((self.kill_on, (shortest, longest)), (self.resume_on, ()))]
        for thread in threads:
            thread.start()
        try:
            if not until(lambda: self.left()[0] == 0, limit_s, 0.5):
                raise Broken(f"not everything was sent within {limit_s} s: {self.left()}")
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join(120)

    def truth(self):
        """What the bank did under each id: times paid, amount paid, whether it can be asked."""
        paid, known, faults = collections.Counter(), set(), collections.Counter()
        again, last, days = [], {}, {}
        for number, day, _, can_be_asked, is_paid, _, fault in self.bank.calls():
            paid[number] += is_paid
            if can_be_asked:
                known.add(number)
            # A number comes again only after the gateway refused the token of the call before.
            struck = fault.split("+") if fault else ["none"]
            if number in last and "token-expiry" not in last[number]:
                again.append((number, last[number]))
            last[number], days[number] = struck, day
            faults.update(struck)
            faults["ambiguous"] += any(name in AMBIGUOUS for name in struck)
            faults["calls"] += 1
        return paid, known, faults, again, days

    def rows(self):
        """(payout, state, id, amount, when it ended) of every payout."""
        with contextlib.closing(self.hub.store()) as store:
            rows = store.execute("SELECT p.no, p.own, a.bank_no, p.amount, a.answered_at "
                                 "FROM payouts p LEFT JOIN attempts a ON a.payout = p.no")
            for number, own, bank_no, amount, ended in rows:
                yield number, own, bank_no and tran_id(bank_no), amount, ended

    def unknown(self):
        found, after = [], 0
        while True:
            page = self.hub.admin("payout", "unknown", "--after", after, "--limit", 1000)
            found += page["payouts"]
            if len(page["payouts"]) < 1000:
                return found
            after = page["payouts"][-1]["payout"]

    def resolve(self, listed, paid, days):
        """Two operators end what no inquiry can: they look into the bank's own journal."""
        def one(row):
            number = row["bank_tran_id"]
            how = ["--paid-on", days[number]] if paid[number] else ["--failed"]
            said = self.signed("kim", "payout", "resolve", row["payout"], *how, "--evidence",
                               "journal of the bank")
            return self.signed("lee", "proposal", "approve", said["proposal"])["state"]
        return collections.Counter(side_by_side(one, listed, 4))

    def stop(self):
        self.hub.stop()
        self.bank.stop()


def bulk(client, rows):
    """A whole group in one call; its key."""
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    headers = {"Authorization": f"Bearer {client.token()}", "Content-Type": "application/x-ndjson",
               "ichae-cst-id": client.cst_id, "ichae-cust-key": client.cust_key}
    answer = exchange(client.hub.port, "POST", "/v1/payouts", body, headers, timeout=300)
    lines = [json.loads(line) for line in answer.data.splitlines()]
    if answer.status != 200 or any(line["result"] != "A0000" for line in lines):
        raise Broken(f"bulk: {answer.status} {lines[:1]}")
    return lines[-1]["group_key"]


def compared(report, world):
    """Figure 2 and the first half of figure 6: what the hub says against what the bank did."""
    paid, known, faults, again, days = world.truth()
    twice = [number for number, times in paid.items() if times > 1]
    report.none("payouts that the bank's journal holds twice", twice)
    report.none("sent again after anything but a refused token", again)
    lies = {"failed, but the bank paid": [], "settled, but the bank did not pay": [],
            "waiting, but the bank paid": []}
    states, numbers = collections.Counter(), set()
    for number, own, bank_id, amount, _ in world.rows():
        state = ENDED.get(own, "unknown" if own == UNKNOWN else "waiting")
        states[state] += 1
        numbers.add(bank_id)
        times = paid.get(bank_id, 0)
        if state in ("failed", "canceled") and times:
            lies["failed, but the bank paid"].append(number)
        if state in ("settled", "returned") and not times:
            lies["settled, but the bank did not pay"].append(number)
        if state == "waiting" and times:
            lies["waiting, but the bank paid"].append(number)
    for what, found in lies.items():
        report.none(f"reported {what}", found)
    report.none("paid by the bank and unknown to the hub",
                [number for number, times in paid.items() if times and number not in numbers])
    return paid, known, faults, days, states
