"""Clients that request, execute, cancel and look up until they are told, and what they were told: figures 1
and 15.

A success answer counts only once it is fsynced in the audit of its process. In the end all of the audit is
asked for again; how often a payout exists is counted in the hub's rows, and what was paid in the bank's
journal.
"""

import asyncio
import collections
import json
import os
import re
import socket
import threading
import time

from asking import REQUEST, Asker, first_fields, wrongly_told
from common import Broken, side_by_side, until

ALONE = 8
"""So many clients have a partner to themselves, and execute ALL. The others share one partner and its
groups, and execute by their billing key."""

ACCOUNTS = {8: "9900000424", 9: "9900000424", 10: "9900002804"}
"""Clients whose deposits are refused, or paid with the answer lost. The others' just work."""

EXECUTE, REMAIN, RESULT = "/transfer/execute", "/account/remain", "/transfer/result"
LIMIT = 10 ** 11

UNDER_WAY = ("executing", "sending", "unknown")
AFTER = {
    "requested": {"requested", "canceled", *UNDER_WAY, "settled", "failed"},
    "executing": {*UNDER_WAY, "settled", "failed"},
    "sending": {"sending", "unknown", "settled", "failed"},
    "unknown": {"unknown", "settled", "failed"},
    **{end: {end} for end in ("settled", "failed", "canceled")},
}
"""What may be seen after a state was seen (H13). Nothing here returns, or is put back to executing."""


class Audit:
    """A file of success answers. What `keep` returned from is on the disk."""

    def __init__(self, file):
        self.file = open(file, "w", encoding="utf-8")
        self.writing, self.syncing = threading.Lock(), threading.Lock()
        self.written = self.synced = 0

    def keep(self, *entry):
        with self.writing:
            self.file.write(json.dumps(entry, separators=(",", ":")) + "\n")
            self.written += 1
            mine = self.written
        # Whoever comes first syncs for all who have written.
        with self.syncing:
            if self.synced < mine:
                with self.writing:
                    self.file.flush()
                    upto = self.written
                os.fsync(self.file.fileno())
                self.synced = upto


class Payout:
    def __init__(self, fields, first):
        self.fields, self.first = fields, first
        self.seen, self.transfer = "requested", None


class Buyer(threading.Thread):
    """One client. It asks until it is told."""

    def __init__(self, number, seed, ports, partner, key, audit, hook, stop):
        super().__init__(daemon=True)
        self.name = f"c{number}"
        self.alone, self.plain = number < ALONE, number not in ACCOUNTS
        self.key, self.audit, self.hook, self.stop = key, audit, hook, stop
        asker = Asker(f"{seed}-{self.name}", ports, partner.credentials())
        self.ask, self.random, self.count = asker.ask, asker.random, asker.count
        self.payouts, self.rows = [], collections.Counter()
        self.waits = collections.defaultdict(list)
        self.wrong, self.written = [], []

    def run(self):
        try:
            while not self.stop.is_set():
                for _ in range(self.random.randint(1, 6)):
                    self.pay()
                self.repeat()
                self.look()
                if self.random.random() < 0.7:
                    self.execute()
        except Exception as error:  # a client that broke off no longer checks anything
            self.wrong.append(f"{self.name} broke off: {error!r}")

    def pay(self):
        fields = {"billing_tran_id": self.key, "tran_amt": str(self.random.randint(1, 9999)),
                  "distinct_key": f"{self.name}-{len(self.payouts)}"}
        answer, unsure = self.ask(REQUEST, fields)
        first = first_fields(answer)
        kept = answer["result"] == "R0132" and unsure and answer["state"] == "requested"
        same = first["billing_tran_id"] == self.key and first["tran_amt"] == fields["tran_amt"]
        if not (answer["result"] == "A0000" or kept) or not same:
            raise Broken(f"{fields} was answered {answer}, unsure {unsure}")
        self.written.append(time.monotonic())
        self.audit.keep("payout", self.name, fields, first)
        self.count["acknowledged"] += 1
        self.count["kept though the answer was lost"] += kept
        payout = Payout(fields, first)
        self.payouts.append(payout)
        self.rows[first["group_key"]] += 1
        self.waits[first["group_key"]].append(payout)

    def repeat(self):
        payout = self.random.choice(self.payouts[-200:])
        answer, _ = self.ask(REQUEST, payout.fields)
        if answer["result"] != "R0132" or first_fields(answer) != payout.first:
            self.wrong.append(("repeat", payout.fields, payout.first, answer))
            return
        self.written.append(time.monotonic())
        payout.transfer = answer.get("api_tran_id")
        self.saw(payout, answer["state"])

    def saw(self, payout, state):
        # Nobody else moves it, so until its own execution it waits.
        waits = payout.seen == "requested"
        if state not in AFTER[payout.seen] or (waits and state != "requested"):
            self.wrong.append(("went back", payout.fields, payout.seen, state))
        if state != payout.seen:
            self.audit.keep("seen", [payout.fields["distinct_key"]], state)
            payout.seen = state
        self.count["looked up"] += 1

    def look(self):
        payout = self.random.choice(self.payouts[-200:])
        if payout.transfer:
            row, _ = self.ask(RESULT, {"api_tran_id": payout.transfer})
            told = {"A0000": "settled", "A0009": "failed", "A0001": None}
            same = all(row.get(name) == value for name, value in payout.fields.items())
            if row["result"] not in told or not same or row["group_key"] != payout.first["group_key"]:
                self.wrong.append(("result", payout.fields, row))
            elif told[row["result"]]:
                self.saw(payout, told[row["result"]])
            elif payout.seen not in UNDER_WAY:
                self.wrong.append(("no outcome any more", payout.fields, payout.seen, row))
        elif self.alone:
            # Nothing of a partner with one client is under way, so its limit is known to the won.
            spent = sum(int(payout.fields["tran_amt"]) for payout in self.payouts
                        if payout.seen != "canceled")
            answer, _ = self.ask(REMAIN, {})
            told = answer["remain_amt"], answer["total_transfer_amt"]
            if told != (str(LIMIT - spent), str(spent)):
                self.wrong.append(("remain", spent, answer))

    def execute(self):
        for group in list(self.waits):
            payouts = self.waits.pop(group)
            kind = self.random.choice(("NOW", "NOW", "CANCEL"))
            fields = {"group_key": group, "billing_tran_id": "ALL" if self.alone else self.key,
                      "execute_type": kind}
            if kind == "NOW":
                fields["webhook_url"] = self.hook
            answer, unsure = self.ask(EXECUTE, fields)
            won = sum(int(payout.fields["tran_amt"]) for payout in payouts)
            if answer["result"] == "A0000":
                good = answer["tot_tran_amt"] == str(won)
            else:
                # The one before was taken: then the call counts all of this client's rows there.
                counted = sum(int(line["count"]) for line in answer.get("states", ()))
                good = answer["result"] == "E0130" and unsure and counted == self.rows[group]
            if not good:
                raise Broken(f"{fields} was answered {answer}, unsure {unsure}, waiting {won}")
            self.written.append(time.monotonic())
            state = "executing" if kind == "NOW" else "canceled"
            self.audit.keep("seen", [payout.fields["distinct_key"] for payout in payouts], state)
            for payout in payouts:
                payout.seen = state
            self.count[kind] += 1


# --------------------------------------------------------------------------- a webhook receiver


class Taker(asyncio.Protocol):
    """Takes every webhook: nobody looks at them here, but they should not pile up."""

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while True:
            head, ended, rest = self.data.partition(b"\r\n\r\n")
            length = int(re.search(rb"content-length: *(\d+)", head, re.I)[1]) if ended else 0
            if not ended or len(rest) < length:
                return
            self.data = rest[length:]
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def take_webhooks(listener, stop):
    async def serve():
        server = await asyncio.get_running_loop().create_server(Taker, sock=listener)
        async with server:
            while not stop.is_set():
                await asyncio.sleep(0.2)
    asyncio.run(serve())


# --------------------------------------------------------------------------- the audit, read


class Audits:
    """The audit files, read as they grow."""

    def __init__(self, files):
        self.places = dict.fromkeys(files, 0)

    def news(self):
        """Whole lines since the last time."""
        lines = []
        for file, place in self.places.items():
            with open(file, "rb") as opened:
                opened.seek(place)
                data = opened.read()
            whole = data[:data.rfind(b"\n") + 1]
            self.places[file] += len(whole)
            lines.append([json.loads(line) for line in whole.splitlines()])
        return lines


# --------------------------------------------------------------------------- the hub


class World:
    """A hub's partners and their billing keys, and processes of clients."""

    def __init__(self, folder, hub, seed, clients=64, processes=4):
        self.hub, self.seed = hub, seed
        self.clients, self.processes = clients, processes
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.hook = f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"
        shared = self.hub.test_partner()
        alone = side_by_side(lambda n: hub.partner(f"alone{n}", limit=LIMIT), range(ALONE))
        self.partners = alone + [shared] * (clients - ALONE)
        self.keys = [partner.key(ACCOUNTS.get(n, "1002003004005"), sub_id=f"c{n}")
                     for n, partner in enumerate(self.partners)]
        self.files = [folder / f"audit-{n}" for n in range(processes)]
        for file in self.files:
            file.touch()

    def client(self, name):
        return self.partners[int(name[1:])]

    def work(self, number, stop):
        """One process of clients: what they counted, were told wrongly, and when they were told that
        something was written."""
        audit = Audit(self.files[number])
        buyers = [Buyer(n, self.seed, self.hub.ports, self.partners[n], self.keys[n], audit, self.hook,
                        stop) for n in range(number, self.clients, self.processes)]
        for buyer in buyers:
            buyer.start()
        for buyer in buyers:
            buyer.join()
        count = sum((buyer.count for buyer in buyers), collections.Counter())
        return (count, [wrong for buyer in buyers for wrong in buyer.wrong],
                [at for buyer in buyers for at in buyer.written])


def told_wrongly(world, payouts):
    """Acknowledged payouts that are not told as they were: those lost, those altered."""
    by_partner = collections.defaultdict(list)
    for name, fields, first in payouts:
        by_partner[world.client(name)].append((fields, first))
    lost, altered, states = [], [], {}
    for client, mine in by_partner.items():
        gone, other, now = wrongly_told(client, mine)
        lost, altered, states = lost + gone, altered + other, states | now
    return lost, altered, states


def replayed(report, world, total, stored=0):
    """All of the audit, asked for again; and counted in the hub's rows, with those that were stored
    before."""
    payouts, seen = [], {}
    for kind, *entry in (entry for news in Audits(world.files).news() for entry in news):
        if kind == "payout":
            payouts.append(entry)
        else:
            names, state = entry
            for name in names:
                seen.setdefault(name, []).append(state)
    report.same("payouts in the audit", len(payouts), total["acknowledged"])
    least = 100 * world.processes
    report.check("and at least", len(payouts), f">= {least}", len(payouts) >= least)
    lost, altered, states = told_wrongly(world, payouts)
    report.none("of these lost", lost)
    report.none("of these altered", altered)
    backwards = []
    for name, state in states.items():
        history = ["requested", *seen.get(name, [])]
        # Whoever never executed it still waits for it.
        after = AFTER[history[-1]] if len(history) > 1 else {"requested"}
        if state not in after or any(b not in AFTER[a] for a, b in zip(history, history[1:])):
            backwards.append((name, history, state))
    report.none(f"of {sum(map(len, seen.values()))} states seen, not before the one now", backwards)
    code, out, err = world.hub.admin_raw("check")
    if code:
        raise Broken(f"check: {out}{err}")
    expected = len(payouts) + stored
    report.same("payouts that exist, for the ledger check", json.loads(out)["payouts"], expected)
    store = world.hub.store()
    (there, different), = store.execute(
        "SELECT count(*), count(DISTINCT partner || ' ' || distinct_key) FROM payouts").fetchall()
    store.close()
    report.same("rows of payouts, and different keys", (there, different), (expected, expected))


def paid_once(report, hub, patience):
    """The bank's journal against the hub's file, once nothing is under way any more."""
    def look():
        journal, states = collections.defaultdict(list), collections.defaultdict(list)
        store = hub.store()
        rows = store.execute(
            "SELECT coalesce(p.own, CASE g.mode WHEN 2 THEN 1 WHEN 3 THEN 7 ELSE 0 END), p.amount, "
            "a.bank_no FROM payouts p JOIN groups g ON g.no = p.grp "
            "LEFT JOIN attempts a ON a.payout = p.no").fetchall()
        store.close()
        for state, won, bank_no in rows:
            states[state].append((won, bank_no))
        for bank_no, won, paid in hub.bank_calls():
            journal[bank_no].append((won, paid))
        # Executing, sending, and unknown of which the bank knows.
        open_ = len(states[1]) + len(states[2]) + sum(no in journal for _, no in states[5])
        return open_, states, journal
    until(lambda: not look()[0], patience, 1)
    open_, states, journal = look()
    report.same("payouts under way of which the bank knows", open_, 0)
    report.note("unknown for ever: never arrived at the bank", len(states[5]))
    report.check("settled, failed, canceled", tuple(len(states[n]) for n in (3, 4, 7)), "each >= 1",
                 all(states[n] for n in (3, 4, 7)))
    report.none("bank numbers that came more than once", [n for n, c in journal.items() if len(c) > 1])
    report.none("settled, not paid exactly once with its amount",
                [no for won, no in states[3] if journal[no] != [(won, 1)]])
    report.none("failed, but paid", [no for won, no in states[4] if journal[no] != [(won, 0)]])
    report.none("waiting or canceled, but sent", [no for n in (0, 7) for _, no in states[n] if no])
    report.same("paid by the bank and settled, in won",
                sum(won * paid for calls in journal.values() for won, paid in calls),
                sum(won for won, _ in states[3]))
