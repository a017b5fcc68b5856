"""Whether a history of one account could have happened one call after the other: figure 12.

Amounts of an account are powers of two, so a sum names the payouts that are in it, and a balance is a list of
them. From who saw what come the dependencies between calls, as Elle names them: `ww`, one wrote over what the
other wrote; `wr`, one saw what the other wrote; `rw`, one did not see yet what the other wrote; and `rt`, one
was answered before the other was sent. Calls that could have happened one after the other have no cycle.
What a history leaves open gives no dependency, so nothing is found that was not there.
"""

import collections
import dataclasses

TOOK = ("cancel", "now")


@dataclasses.dataclass
class Op:
    """A call from its first sending to the answer that stood."""

    kind: str
    """`add` of a payout, `cancel` and `now` of a group, `read` of the balance, `again`: a payout's state."""
    begin: float
    end: float
    bits: int = 0
    """Of the payouts: added, taken, in the balance, asked for again."""
    group: str = ""
    state: str = ""
    unsure: bool = False
    """An earlier try may have been carried out: what it took, its answer does not say."""


def each(mask):
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


class Account:
    """The calls of one, and what depends on what."""

    def __init__(self, ops):
        self.ops = sorted(ops, key=lambda op: op.begin)
        self.wrong = []
        self.added, self.taken, self.open = {}, {}, set()
        for at, op in enumerate(self.ops):
            if op.kind == "add":
                if op.bits in self.added:
                    self.wrong.append(("added twice", op))
                self.added[op.bits] = at
        self._who_took()
        self.after = [collections.defaultdict(set) for _ in self.ops]
        for at, op in enumerate(self.ops):
            getattr(self, f"_{op.kind}")(at, op)
        for at, op in enumerate(self.ops):
            for later in range(at + 1, len(self.ops)):
                if op.end < self.ops[later].begin:
                    self.after[at][later].add("rt")

    def _who_took(self):
        """Each payout is taken once; by whom is open where answers of two for its group were lost."""
        unsure = collections.Counter(op.group for op in self.ops if op.kind in TOOK and op.unsure)
        self.open = {group for group, count in unsure.items() if count > 1}
        for at, op in enumerate(self.ops):
            if op.kind in TOOK and not op.unsure:
                for bit in each(op.bits):
                    self._took(bit, at, op)
        for at, op in enumerate(self.ops):
            # Of what it saw taken, the one that nobody else says to have taken.
            if op.kind in TOOK and op.unsure and op.group not in self.open:
                for bit in each(op.bits):
                    if bit not in self.taken:
                        self._took(bit, at, op)

    def _took(self, bit, at, op):
        if bit not in self.added:
            self.wrong.append(("took what nobody asked for", op))
        elif bit in self.taken:
            self.wrong.append(("taken twice", op, self.ops[self.taken[bit]]))
        else:
            self.taken[bit] = at

    def _edge(self, before, after, kind):
        if before != after:
            self.after[before][after].add(kind)

    def _killer(self, bit):
        at = self.taken.get(bit)
        return at if at is not None and self.ops[at].kind == "cancel" else None

    def _may_be_taken(self, bit):
        """By a call that nobody knows of."""
        return self.ops[self.added[bit]].group in self.open

    def _add(self, at, op):
        pass

    def _cancel(self, at, op):
        for bit, added in self.added.items():
            if self.taken.get(bit) == at:
                self._edge(added, at, "ww")
            elif (self.ops[added].group == op.group and bit not in self.taken and not op.unsure
                  and not self._may_be_taken(bit)):
                # It takes all that waits: what it left was not there yet.
                self._edge(at, added, "rw")

    def _now(self, at, op):
        self._cancel(at, op)

    def _read(self, at, op):
        for bit in each(op.bits):
            if bit not in self.added:
                self.wrong.append(("saw what nobody asked for", op))
                continue
            self._edge(self.added[bit], at, "wr")
            if self._killer(bit) is not None:
                self._edge(at, self._killer(bit), "rw")
        for bit, added in self.added.items():
            if op.bits & bit:
                continue
            killer = self._killer(bit)
            if killer is None and self._may_be_taken(bit):
                continue
            if killer is None:
                self._edge(at, added, "rw")
            elif self.ops[added].end < op.begin:
                self._edge(killer, at, "wr")
            elif op.end < self.ops[killer].begin:
                self._edge(at, added, "rw")

    def _again(self, at, op):
        self._edge(self.added[op.bits], at, "wr")
        took = self.taken.get(op.bits)
        if op.state == "requested":
            if took is not None:
                self._edge(at, took, "rw")
        elif took is not None:
            if (op.state == "canceled") != (self.ops[took].kind == "cancel"):
                self.wrong.append(("is what it was not made", op, self.ops[took]))
            self._edge(took, at, "wr")
        elif not self._may_be_taken(op.bits):
            self.wrong.append(("is what nobody made it", op))

    def cycles(self):
        """One for each knot of calls that cannot be put in an order: what it is called, and its calls."""
        for knot in knots(self.after):
            yield self._named(shortest(self.after, knot))

    def _named(self, cycle):
        kinds = [self.after[a][b] for a, b in zip(cycle, cycle[1:] + cycle[:1])]
        # Of several dependencies the one that says most counts.
        least = [next(k for k in ("ww", "wr", "rt", "rw") if k in of) for of in kinds]
        crossed = least.count("rw")
        name = {0: "G1c" if "wr" in least else "G0", 1: "G-single"}.get(crossed, "G2")
        return name + ("-realtime" if "rt" in least else ""), [self.ops[at] for at in cycle]


def knots(after):
    """Strongly connected sets of more than one (Tarjan), without recursion."""
    index, low, on, stack, found = {}, {}, set(), [], []
    for root in range(len(after)):
        if root in index:
            continue
        path = [(root, iter(after[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while path:
            node, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    knot = set()
                    while True:
                        last = stack.pop()
                        on.discard(last)
                        knot.add(last)
                        if last == node:
                            break
                    if len(knot) > 1:
                        found.append(knot)
            elif following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                on.add(following)
                path.append((following, iter(after[following])))
            elif following in on:
                low[node] = min(low[node], index[following])
    return found


def shortest(after, knot):
    """The shortest cycle through any of a knot's calls."""
    best = None
    for start in knot:
        came, queue = {start: None}, collections.deque([start])
        while queue:
            node = queue.popleft()
            if start in after[node]:
                cycle = []
                while node is not None:
                    cycle.append(node)
                    node = came[node]
                cycle.reverse()
                if best is None or len(cycle) < len(best):
                    best = cycle
                break
            for following in after[node]:
                if following in knot and following not in came:
                    came[following] = node
                    queue.append(following)
    return best


def judged(ops):
    """Everything that is wrong with the history of an account: (name, calls)."""
    account = Account(ops)
    return [(what, calls) for what, *calls in account.wrong] + list(account.cycles())
