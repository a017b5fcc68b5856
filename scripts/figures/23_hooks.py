"""Schemathesis hooks of figure 23: calls of a partner that exists, about payouts that exist.

Random bodies alone end at the credentials. So most calls get a fresh token, the test partner's
credentials and identifiers that earlier answers gave; everything else in them stays random, and so
does all of the rest. What a call gets depends on its content only, so that a finding can be repeated.
"""

import atexit
import collections
import datetime
import json
import os
import random
import sys
import types

import schemathesis

sys.path.insert(0, os.path.dirname(__file__))
from common import Client  # noqa: E402: the figures' own client, beside this file

CPAY = "/php/"
AUTH = CPAY + "auth.php"
USER, RECEIPT = CPAY + "cPayUser/api/cPayUserAct.php", CPAY + "taxsave/api/tsAct.php"
ACTS = {USER: ("PUSERINFO", "PUSERDEL", "AUTHREG"), RECEIPT: ("TSREG", "TSCANCEL")}
REFUND_KEY = "a41ce010ede9fcbfb3be86b24858806596a9db68b79d138b147c3e563e1829a0"
CARD_KEY = "NS9qNTgzU2xRNHR2RmFBWWFBTWk5UT09"
ACCOUNT_KEY = "d0toSS9sT084bVJSNThScnFXQm9Gdz09"
"""What the sandbox has from its start."""

CARDS = ("1111000011112222", "9900000000001120", "9900000000003112")
"""Scenario cards of the simulated acquirer: good, undecided, refused."""

IDENTIFIERS = ("billing_tran_id", "group_key", "api_tran_id", "last_key", "bank_tran_date",
               "distinct_key")
KEPT = 64
"""Identifiers of one kind that are kept; the newest, so that some still wait and some are done."""

ACCOUNTS = ("1234567890123456", "9900000412", "9900000421", "9900001415", "9900002804",
            "9900002803", "9900002400", "9900003000", "9900004000")
"""Scenario accounts of the simulated bank: refused, lost, returned, slow."""

GROUP = "$response.body#/group_key"
KEY = "$response.body#/billing_tran_id"
SEQUENCES = (
    ("real_name", "request", {"billing_tran_id": KEY}),
    ("request", "request", "$request.body"),
    ("request", "execute", {"group_key": GROUP, "billing_tran_id": KEY}),
    ("request", "waiting", {"group_key": GROUP}),
    ("execute", "execute", "$request.body"),
    ("execute", "waiting", {"group_key": GROUP}),
    ("execute", "by_group", {"group_key": GROUP}),
    ("by_group", "result", {"api_tran_id": "$response.body#/res_list/0/api_tran_id"}),
    ("by_group", "by_group", {"group_key": GROUP, "last_key": "$response.body#/last_key"}),
    ("by_group", "by_date", {"bank_tran_date": "$response.body#/res_list/0/bank_tran_date"}),
    ("result", "by_group", {"group_key": GROUP}),
)
"""Which call follows which, with what: the stateful phase walks these. Schemathesis cannot guess them
from paths that name no resources."""

PROBLEM = "T0999"
"""A fault inside is told with status 200, so the status alone does not show it."""

hub = types.SimpleNamespace(port=int(os.environ["FIGURE_23_PORT"]))
partner = Client(hub, "test", "abcd1234567890")
session, registered, ordered = [], collections.deque(maxlen=KEPT), collections.deque(maxlen=KEPT)
"""Of cpay: its AuthKey, the keys of cards that were registered, and payments that were captured."""

HEAD = ("PCD_PAY_RST", "PCD_PAY_CODE", "PCD_PAY_MSG")
SEOUL = datetime.timezone(datetime.timedelta(hours=9))
known = {name: collections.deque(maxlen=KEPT) for name in IDENTIFIERS}
told = collections.Counter()
"""How often each operation answered with each code."""


@atexit.register
def summarise():
    counts = [[operation, code, count] for (operation, code), count in sorted(told.items())]
    with open(os.environ["FIGURE_23_SUMMARY"], "w", encoding="utf-8") as file:
        json.dump(counts, file)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    tighten(raw_schema["components"]["schemas"])
    by_name = {operation["operationId"]: operation
               for path in raw_schema["paths"].values() for operation in path.values()}
    for before, after, body in SEQUENCES:
        links = by_name[before]["responses"]["200"].setdefault("links", {})
        links[f"{before} then {after}"] = {"operationId": after, "requestBody": body}


PARTS = ("Credentials", "Page", "BulkRow", "CpayHead", "CpaySession")
"""Schemas that others are put together of, and bodies of ours."""


def tighten(schemas):
    """Makes answers exact. As documented, every answer that has a `result` and a `message` would do as
    a refusal, a success without its fields too; and no answer may have a field that is not told."""
    for name, schema in schemas.items():
        if name.endswith("Request") or name in PARTS or "anyOf" in schema:
            continue
        # What is put together of several has its fields in all of them.
        rest = "unevaluatedProperties" if "allOf" in schema else "additionalProperties"
        schema[rest] = False
        if name.startswith("Cpay") and name != "CpayAuthResponse":
            told = "error" if name == "CpayFailure" else "success"
            schema.setdefault("properties", {})["PCD_PAY_RST"] = {"const": told}
    schemas["Refusal"]["properties"]["result"]["not"] = {"enum": ["T0000", "A0000"]}


BULK = "/v1/payouts"
LINES = "application/x-ndjson"


@schemathesis.serializer(LINES)
def lines_of(context, value):
    """One row is a body of one line."""
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"


@schemathesis.deserializer(LINES)
def first_line(context, response):
    """The first row's answer, as the document has it; a refused one also says which row it is."""
    lines = response.content.decode().splitlines()
    line = json.loads(lines[0]) if lines else {"result": "R0131", "message": ""}
    if line.get("result") != "A0000":
        line.pop("row", None)
        line.pop("distinct_key", None)
    return line


def choice(case):
    """Random choices that depend on nothing but the call."""
    return random.Random(f"{case.method} {case.path} {case.body!r} {case.headers!r}")


@schemathesis.hook
def before_call(context, case, kwargs):
    dice = choice(case)
    # A few calls keep what was generated for them: no token, or something that is none.
    if dice.random() < 0.95:
        case.headers["Authorization"] = f"Bearer {partner.token()}"
    if case.path.startswith(CPAY):
        prepare(case, dice)
        return
    if case.path == BULK and dice.random() < 0.95:
        for name, value in partner.credentials().items():
            case.headers["ichae-cust-key" if name == "custKey" else "ichae-cst-id"] = value
    if isinstance(case.body, dict):
        case.body = deepened(case.path, case.body, dice)


def prepare(case, dice):
    """A cpay call with what lets it pass the checks before the ones that it is about."""
    if case.path == AUTH:
        if case.method == "GET":
            case.body = None if dice.random() < 0.9 else case.body
            case.query = {**partner.credentials(), "PCD_PAY_WORK": "PUSERINFO"}
        elif isinstance(case.body, dict) and dice.random() < 0.9:
            case.body = {**case.body, **partner.credentials()}
        return
    act = None
    if case.path in ACTS and dice.random() < 0.95:
        act = dice.choice(ACTS[case.path])
        case.query = {"ACT_": act}
    if isinstance(case.body, dict):
        case.body = with_session(case.path, act, dict(case.body), dice)


def with_session(path, act, body, dice):
    if dice.random() < 0.95:
        body.update(PCD_CST_ID=partner.cst_id, PCD_CUST_KEY=partner.cust_key, PCD_AUTH_KEY=auth_key())
    account = path.endswith(("/SimplePayAct.php", "/RePayAct.php", "/tsAct.php"))
    fits = {"PCD_PAYER_ID": ACCOUNT_KEY if account else CARD_KEY, "PCD_REFUND_KEY": REFUND_KEY,
            "PCD_PAY_DATE": f"{datetime.datetime.now(SEOUL):%Y%m%d}",
            "PCD_PAYCANCEL_FLAG": "Y", "PCD_PAYCHK_FLAG": "Y", "PCD_REFUND_TOTAL": None,
            "PCD_REFUND_TAXTOTAL": None, "PCD_PAY_TAXTOTAL": None, "PCD_TAXSAVE_AMOUNT": None}
    if act == "PUSERDEL":
        # The sandbox's own keys are wanted for the calls to come.
        fits["PCD_PAYER_ID"] = dice.choice(registered or ["none"])
    if act == "AUTHREG":
        body.setdefault("PCD_PAY_CARDNUM", "")
        fits |= {"PCD_PAY_WORK": "AUTHREG", "PCD_PAY_TYPE": "card", "PCD_PAYER_NAME": "홍길동",
                 "PCD_PAYER_BIRTH": "880212", "PCD_PAYER_HP": "01012345678",
                 "PCD_PAY_CARDNUM": dice.choice(CARDS), "PCD_PAY_CARDEXYEAR": "31",
                 "PCD_PAY_CARDEXMONTH": "03", "PCD_PAY_CARDPW": "33"}
    if "Pay" in path.rsplit("/", 1)[-1] and path.endswith("Act.php") and "PCD_PAY_GOODS" in body:
        monthly = "/RePay" in path
        fits |= {"PCD_SIMPLE_FLAG": "Y", "PCD_REGULER_FLAG": "Y" if monthly else None,
                 "PCD_PAY_TYPE": "transfer" if account else "card", "PCD_PAYER_EMAIL": None,
                 "PCD_PAY_TOTAL": str(dice.randint(1000, 9999)), "PCD_PAY_OID": None,
                 "PCD_PAY_YEAR": str(dice.randint(2000, 2999)),
                 "PCD_PAY_MONTH": str(dice.randint(1, 12))}
    elif ordered:
        oid, kind, month = dice.choice(ordered)
        fits |= {"PCD_PAY_OID": oid, "PCD_PAY_TYPE": kind,
                 "PCD_REGULER_FLAG": "Y" if month else None,
                 "PCD_PAY_YEAR": month[:4] or None, "PCD_PAY_MONTH": month[4:] or None}
    if dice.random() < 0.7:
        # All of it together: one of them alone would still be refused for the others.
        for name, value in fits.items():
            if value is None:
                body.pop(name, None)
            elif name in body or act == "AUTHREG":
                body[name] = value
    return body


def auth_key():
    """Good for half an hour and for every job, so that one is enough."""
    if not session:
        answer = partner.send(AUTH, {**partner.credentials(), "PCD_PAY_WORK": "PUSERINFO"}).json()
        session.append(answer["AuthKey"])
    return session[0]


def deepened(path, body, dice):
    """The body with what lets it pass the checks before the ones that it is about."""
    body = dict(body)
    if dice.random() < 0.9:
        body.update(partner.credentials())
    for name, value in body.items():
        # What a sequence took from the answer before stays.
        if known.get(name) and value not in known[name] and dice.random() < 0.8:
            body[name] = dice.choice(known[name])
    # A group and a key that were drawn apart seldom belong together.
    if path == "/transfer/execute" and dice.random() < 0.6:
        body["billing_tran_id"] = "ALL"
    # Most known keys would only be refused as repeats.
    if path == "/transfer/request" and dice.random() < 0.5:
        body.pop("distinct_key", None)
    # Money would run out within seconds, and every later request would be refused for that.
    if len(str(body.get("tran_amt", ""))) > 4 and dice.random() < 0.9:
        body["tran_amt"] = str(dice.randint(1, 9999))
    if "account_num" in body and dice.random() < 0.8:
        body["account_num"] = dice.choice(ACCOUNTS)
    # A receiver that is not there: deliveries are figure 16's matter.
    if path == "/transfer/execute" and dice.random() < 0.8:
        body["webhook_url"] = "http://127.0.0.1:9/"
    return body


@schemathesis.hook
def after_call(context, case, response):
    answer = body_of(response)
    code = answer.get("PCD_PAY_CODE") or answer.get("result", f"HTTP {response.status_code}")
    told[f"{case.method} {case.path}", code] += 1
    if answer.get("PCD_PAY_RST") == "success":
        learn_cpay(case.path, code, answer)
    rows = [answer]
    for name in ("res_list", "pending_list"):
        rows += answer.get(name) or []
    for row in rows:
        # What a refusal carries or an answer repeats was sent by us and may be random.
        if row.get("result", "A0000") == "A0000":
            learn(row)


def learn_cpay(path, code, answer):
    if code == "CDAU0000":
        registered.append(answer["PCD_PAYER_ID"])
    elif "PCD_PAY_GOODS" in answer and path.startswith((CPAY + "SimplePay", CPAY + "RePay")):
        month = answer.get("PCD_PAY_YEAR", "") + answer.get("PCD_PAY_MONTH", "")
        ordered.append((answer["PCD_PAY_OID"], answer["PCD_PAY_TYPE"], month))


def learn(row):
    for name, values in known.items():
        value = row.get(name)
        if value and value != "ALL" and value not in values:
            values.append(value)


def body_of(response):
    try:
        answer = json.loads(response.content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@schemathesis.check
def busy_says_when(ctx, response, case):
    """A busy answer says when to come back (decision H1)."""
    if response.status_code in (429, 503) and "retry-after" not in response.headers:
        raise AssertionError(f"{response.status_code} without Retry-After")


@schemathesis.check
def no_fault_inside(ctx, response, case):
    """A fault inside is as bad as a 500."""
    answer = body_of(response)
    if PROBLEM in (answer.get("result"), answer.get("PCD_PAY_CODE")):
        raise AssertionError(f"{PROBLEM}: {answer}")


@schemathesis.check
def refusals_are_told_apart(ctx, response, case):
    """The fields that say how a call went are there whenever the answer is JSON, whatever it is."""
    if response.status_code == 200 and case.method == "GET" and case.path != AUTH:
        return
    if case.path.startswith(CPAY):
        wanted = ("result", "result_msg") if case.path == AUTH else HEAD
        # A path that is none, and a method that is not served, are told in the fields of all of them.
        if response.status_code in (404, 405):
            wanted = HEAD + ("result", "message")
        if not all(isinstance(body_of(response).get(name), str) for name in wanted):
            raise AssertionError(f"not all of {wanted}")
        return
    if case.path == BULK and response.status_code == 200 and not response.content.strip():
        return  # no row, no line
    answer = body_of(response)
    if not all(isinstance(answer.get(name), str) for name in ("result", "message")):
        raise AssertionError("no result or no message")


def warm_up():
    """One payout that is done and one that waits, so that the first calls have something to name."""
    key = partner.key("1002003004005")
    done = partner.request(key)["group_key"]
    partner.execute(done, webhook_url="http://127.0.0.1:9/")
    rows = partner.settle(done, 1) or []
    for row in [*rows, partner.request(key)]:
        learn(row)


warm_up()
