"""A client that asks until it is told, and the same requests asked once more."""

import collections
import json
import random
import time

from common import TOKEN_S, Broken, Raw

TOKEN, REQUEST = "/oauth/token", "/transfer/request"
FIRST = ("group_key", "billing_tran_id", "tran_amt", "api_tran_dtm")
"""The first request's fields, which every repeat has to carry."""

TOGETHER = 256
"""Connections with which many requests are made once more."""

NOTHING_DONE, NOT_KNOWN = ("T0503",), ("T0504", "T0999")
"""Answers after which the same call is made again: what they say of the one before."""

LATE_S = 2
"""A call that takes longer is counted: where the store does not answer, that should be said sooner."""

PATIENCE_S = 60
"""So long a client asks for one answer. No hub is away for as long as that."""


def first_fields(answer):
    return {name: answer.get(name) for name in FIRST}


class Asker:
    """One connection, to one node after the other where one does not answer."""

    def __init__(self, name, ports, credentials, timeout=30):
        self.ports, self.credentials, self.timeout = ports, credentials, timeout
        self.random = random.Random(name)
        self.at = self.random.randrange(len(ports))
        self.raw, self.token, self.fetched = None, None, 0
        self.count = collections.Counter()

    def ask(self, path, fields):
        """The answer, and whether an earlier try may have been carried out."""
        unsure, last = False, None
        end = time.monotonic() + PATIENCE_S
        while True:
            if time.monotonic() > end:
                raise Broken(f"{path} with {fields} got no answer but {last}")
            sent, asked, began = False, False, time.monotonic()
            try:
                if self.raw is None:
                    self.raw = Raw(self.ports[self.at], self.timeout)
                asked = True
                if path != TOKEN and time.monotonic() - self.fetched > TOKEN_S and not self.fetch():
                    self.elsewhere()
                    time.sleep(0.05)
                    continue
                if self.raw.ends:
                    self.elsewhere()
                    continue
                body = json.dumps({**self.credentials, **fields}).encode()
                sent = True
                self.raw.send(Raw.prepared(path, body, self.token))
                answer = json.loads(self.raw.read())
            except OSError as error:
                last = error
                self.count["lost"] += asked
                unsure = unsure or sent
                self.elsewhere()
                time.sleep(self.random.uniform(0.02, 0.08))
                continue
            self.count["late"] += time.monotonic() - began > LATE_S
            if self.raw.ends:
                self.elsewhere()
            code = answer["result"]
            if code == "T0331":
                self.fetched = 0
            elif code in NOTHING_DONE or code in NOT_KNOWN:
                last = answer
                self.count[code] += 1
                unsure = unsure or code in NOT_KNOWN
                self.elsewhere()
                time.sleep(0.05)
            else:
                return answer, unsure

    def elsewhere(self):
        """The next call goes to the next node, or to the same one on a new connection."""
        if self.raw is not None:
            self.raw.close()
        self.raw = None
        self.at = (self.at + 1) % len(self.ports)

    def fetch(self):
        """False: not at this node, at this moment."""
        body = json.dumps({**self.credentials, "code": "abcdef1234"}).encode()
        began = time.monotonic()
        self.raw.send(Raw.prepared(TOKEN, body))
        answer = json.loads(self.raw.read())
        if answer["result"] in (*NOTHING_DONE, *NOT_KNOWN):
            return False
        self.token, self.fetched = answer["access_token"], began
        return True


def token_of(client):
    """The connection that it was fetched with last may have been cut by a kill."""
    try:
        return client.token()
    except OSError:
        return client.token()


def told_again(client, requests):
    """Answers to requests made once more, in their order; many on the way at once, to every node."""
    ports = client.hub.ports
    lines = [Raw(ports[n % len(ports)]) for n in range(min(TOGETHER, len(requests)))]
    for start in range(0, len(requests), TOGETHER):
        part = requests[start:start + TOGETHER]
        token = token_of(client)
        for line, fields in zip(lines, part):
            body = json.dumps({**client.credentials(), **fields}).encode()
            line.send(Raw.prepared(REQUEST, body, token))
        for line, _ in zip(lines, part):
            yield json.loads(line.read())
    for line in lines:
        line.close()


def wrongly_told(client, payouts):
    """Of (request, first fields), those that are not told as they were: lost, altered; and all states."""
    lost, altered, states = [], [], {}
    answers = told_again(client, [fields for fields, _ in payouts])
    for (fields, first), answer in zip(payouts, answers, strict=True):
        if answer["result"] != "R0132":
            lost.append((fields, answer))
        elif first_fields(answer) != first:
            altered.append((fields, first, answer))
        states[fields["distinct_key"]] = answer.get("state")
    return lost, altered, states
