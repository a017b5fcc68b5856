"""What the figure scripts share: a server to test, clients, a webhook receiver, and the report.

Standard library only. Nothing here looks inside the program: it is started, called over HTTP, asked
through its command line, and its files are read.
"""

import argparse
import atexit
import base64
import hashlib
import hmac
import http.client
import json
import multiprocessing
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stores

READY_S = 60
"""How long a server may take to become ready. Generous: the machine may be busy building."""

TOKEN_S = 40
"""A token lives 60 seconds; it is fetched anew well before that."""


class Broken(Exception):
    """The check could not be made at all; that is a failure too."""


# --------------------------------------------------------------------------- the server


def binary():
    """The program under test: ICHAE, else the release build."""
    named = os.environ.get("ICHAE")
    target = os.environ.get("CARGO_TARGET_DIR") or pathlib.Path.home() / ".cache/ichae-target"
    root = pathlib.Path(__file__).resolve().parents[2]
    places = [named] if named else [f"{target}/release/ichae", f"{root}/target/release/ichae"]
    # A build under way takes the file away for a moment.
    found = until(lambda: next((p for p in places if os.access(p, os.X_OK)), None), 60)
    if not found:
        raise Broken(f"no program at {' or '.join(map(str, places))}: build it, or set ICHAE")
    return str(pathlib.Path(found).resolve())


def until(probe, seconds, pause=0.02):
    """Asks until the answer is true or the time is up; gives the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer or time.monotonic() >= end:
            return answer
        time.sleep(pause)


_alive = set()


@atexit.register
def _kill_all():
    for process in list(_alive):
        if process.poll() is None:
            process.kill()
            process.wait()


def owned(process):
    """Ends with this script, however that ends."""
    _alive.add(process)
    return process


class Hub:
    """One server process, its data folder and its log files; it can die and come back."""

    def __init__(self, folder, config=None, sandbox=(), name="hub", port=0):
        """`config`: tables of `ichae serve`'s file. Without it, `ichae sandbox` with those options,
        and on that port."""
        self.folder = pathlib.Path(folder)
        self.data = self.folder / f"{name}-data"
        self.name = name
        self.program = binary()
        self.process = None
        self.port = None
        self.starts = self.kills = 0
        self.logs = []
        self.funded = 0
        if config is None:
            listen = f"127.0.0.1:{port}"
            self.command = ["sandbox", "--listen", listen, "--data", self.data, *sandbox]
            self.where = ["--data", self.data]
        else:
            file = self.folder / f"{name}.toml"
            file.write_text(_toml(config, self.data), encoding="utf-8")
            self.command = ["serve", "--config", file]
            self.where = ["--config", file]

    def start(self):
        self.spawn()
        out, err = self.logs[-2:]
        self.port = until(lambda: self._address(out), READY_S, 0.01)
        if not self.port:
            raise Broken(f"the server did not start: {err.read_text()[-400:]}")
        if not until(self._ready, READY_S, 0.01):
            raise Broken("the server did not become ready")
        return self

    def spawn(self):
        """Starts the process and does not wait for it."""
        self.starts += 1
        out = self.folder / f"{self.name}-{self.starts}.out"
        err = self.folder / f"{self.name}-{self.starts}.err"
        self.logs += [out, err]
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            self.process = subprocess.Popen(
                [self.program, *map(str, self.command)],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        _alive.add(self.process)

    def _address(self, out):
        if self.process.poll() is not None:
            raise Broken(f"the server ended with {self.process.returncode}: "
                         f"{self.logs[-1].read_text()[-400:]}")
        head, end, _ = out.read_text(errors="replace").partition("\n")
        return int(head.rsplit(":", 1)[1]) if end else None

    def _ready(self):
        try:
            return self.get("/readyz").status == 200
        except OSError:
            return False

    def get(self, path):
        return exchange(self.port, "GET", path)

    @property
    def nodes(self):
        """The processes that serve: here it is one, `postgres.Nodes` has several."""
        return [self]

    @property
    def ports(self):
        return [node.port for node in self.nodes]

    def up(self):
        """Whether it was started and not ended; by this process, whoever asks."""
        return self.process is not None and self.process.returncode is None

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        self.kills += 1
        self.process.kill()
        self.process.wait()
        _alive.discard(self.process)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        _alive.discard(self.process)

    def restart(self):
        self.kill()
        return self.start()

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(next(line for line in status if line.startswith("VmRSS:")).split()[1])

    def admin_raw(self, *words):
        """An admin command as it is: exit code, stdout, stderr."""
        line = [self.program, *map(str, words), *map(str, self.where), "--json"]
        done = subprocess.run(line, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def admin(self, *words):
        """An admin command that has to succeed; its JSON."""
        code, out, err = self.admin_raw(*words)
        if code != 0:
            raise Broken(f"ichae {' '.join(map(str, words[:3]))}: {out}{err}")
        return json.loads(out)

    def partner(self, cst_id, limit=10_000_000, **options):
        """Makes and funds a partner. Options are those of `partner add`."""
        words = ["partner", "add", cst_id, "--name", options.pop("name", "파트너")]
        for option, value in options.items():
            words += [f"--{option.replace('_', '-')}", value]
        made = self.admin(*words)
        if limit:
            self.fund(cst_id, limit)
        return Client(self, cst_id, made["cust_key"], made["webhook_secret"])

    def knows(self, client):
        """Once every node knows of the partner; here there is one."""
        return client

    def fund(self, cst_id, won):
        self.funded += 1
        self.admin("partner", "fund", cst_id, won, "--reference", f"r{self.funded}")

    def test_partner(self):
        """The sandbox's own partner, whose key is in the public documents."""
        return Client(self, "test", "abcd1234567890", None)

    def findings(self):
        """What the ledger check has to say; it runs beside the server too."""
        line = [self.program, "check", *map(str, self.where), "--json"]
        done = subprocess.run(line, capture_output=True, timeout=300)
        try:
            found = json.loads(done.stdout)["findings"]
        except (ValueError, KeyError):
            found = [done.stdout.decode() + done.stderr.decode()]
        return found if found or done.returncode == 0 else [f"exit code {done.returncode}"]

    def store(self):
        """The hub's own file, to be read only; it may be written to meanwhile."""
        return stores.embedded(f"{self.data}/hub.db")

    def copy(self):
        """A copy of the data that nobody serves, to be tampered with. Only of one that has stopped."""
        return Copy(self)

    def bank_calls(self):
        """The simulated bank's own journal: (bank_no, amount, paid) of each deposit it was sent."""
        file = f"file:{self.data}/bank.db?mode=ro"
        journal = sqlite3.connect(file, uri=True, timeout=10)
        try:
            return journal.execute("SELECT bank_no, amount, paid FROM calls").fetchall()
        finally:
            journal.close()


class Copy(Hub):
    def __init__(self, hub):
        super().__init__(hub.folder, name="copy")
        shutil.copytree(hub.data, self.data, ignore=shutil.ignore_patterns("*.sock", "lock"))

    def store(self):
        return stores.embedded(self.data / "hub.db", write=True)

    def remove(self):
        shutil.rmtree(self.data)


def _toml(config, data):
    """Top-level values and one level of tables is all that the file has."""
    def value(v):
        return str(v).lower() if isinstance(v, bool) else json.dumps(v)
    config = {"environment": "test", "data": str(data), **config}
    config.setdefault("bank", {"rail": "simulated"})
    config["server"] = {"listen": "127.0.0.1:0", **config.get("server", {})}
    lines = [f"{k} = {value(v)}" for k, v in config.items() if not isinstance(v, dict)]
    for name, table in config.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{k} = {value(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


# --------------------------------------------------------------------------- calls


class Reply:
    """An HTTP answer."""

    def __init__(self, status, headers, data):
        self.status = status
        self.headers = headers
        self.data = data

    def json(self):
        return json.loads(self.data)

    def code(self):
        """The `result` of the body, or the bare status where there is none."""
        try:
            return self.json().get("result", f"HTTP {self.status}")
        except (ValueError, AttributeError):
            return f"HTTP {self.status}"


def exchange(port, method, path, body=None, headers=None, timeout=30):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())
    except http.client.HTTPException as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


class Line:
    """One kept-alive connection; it is opened anew after a loss."""

    def __init__(self, hub, timeout=30):
        self.hub = hub
        self.timeout = timeout
        self.port = None
        self.connection = None

    def post(self, path, body, headers=None):
        if self.connection is None or self.port != self.hub.port:
            self.close()
            self.port = self.hub.port
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                         timeout=self.timeout)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.connection.request("POST", path, body,
                                    {"Content-Type": "application/json", **(headers or {})})
            answer = self.connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        except http.client.HTTPException as error:
            self.close()
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        except OSError:
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Raw:
    """One kept-alive connection for prepared requests: cheap enough to make a load with."""

    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.ends = False

    @staticmethod
    def prepared(path, body, token=None):
        head = f"POST {path} HTTP/1.1\r\nHost: ichae\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def send(self, request):
        self.socket.sendall(request)

    def read(self):
        """The next answer's body. No list: those are streamed without a length."""
        data = self.rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        self.ends = b"\r\nconnection: close" in head
        _, named, length = head.partition(b"\r\ncontent-length:")
        if not named:
            raise ConnectionError("an answer without a length")
        whole = end + 4 + int(length.split(b"\r", 1)[0])
        while len(data) < whole:
            data += self._more()
        self.rest = data[whole:]
        return data[end + 4:whole]

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed in the middle of an answer, or before it")
        return data

    def close(self):
        self.socket.close()


class Client:
    """A partner's side: credentials, a cached token, one connection per thread."""

    def __init__(self, hub, cst_id, cust_key, webhook_secret=None):
        self.hub = hub
        self.cst_id = cst_id
        self.cust_key = cust_key
        self.webhook_secret = webhook_secret
        self.local = threading.local()
        self.lock = threading.Lock()
        self.cached = (None, 0.0)

    def line(self):
        if not hasattr(self.local, "line"):
            self.local.line = Line(self.hub)
        return self.local.line

    def send(self, path, body, token=None):
        """A body as it is; bytes are not looked at."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.line().post(path, data, headers)

    def credentials(self):
        return {"cst_id": self.cst_id, "custKey": self.cust_key}

    def token(self, fresh=False):
        with self.lock:
            token, at = self.cached
            if fresh or token is None or time.monotonic() - at > TOKEN_S:
                at = time.monotonic()
                answer = self.send("/oauth/token", {**self.credentials(), "code": "abcdef1234"})
                token = answer.json().get("access_token")
                if token is None:
                    raise Broken(f"no token: {answer.data.decode()}")
                self.cached = (token, at)
            return token

    def reply(self, path, fields):
        """A call with credentials and token; `fields` may overwrite them."""
        return self.send(path, {**self.credentials(), **fields}, self.token())

    def call(self, path, **fields):
        return self.reply(path, fields).json()

    def patient(self, path, seconds=60, **fields):
        """The same, repeated while the server is away: only for calls that may be repeated."""
        end = time.monotonic() + seconds
        while True:
            try:
                answer = self.call(path, **fields)
                if answer["result"] not in ("T0503", "T0504", "T0999"):
                    return answer
            except OSError:
                pass
            if time.monotonic() > end:
                raise Broken(f"{path} got no answer in {seconds} s")
            time.sleep(0.05)

    def done(self, path, **fields):
        """A call that has to succeed."""
        answer = self.call(path, **fields)
        if answer["result"] != "A0000":
            raise Broken(f"{path} answered {answer}")
        return answer

    def key(self, account, bank="020", info="880212", kind="0", **fields):
        """A billing key for an account."""
        return self.done("/inquiry/real_name", bank_code_std=bank, account_num=account,
                         account_holder_info_type=kind, account_holder_info=info,
                         **fields)["billing_tran_id"]

    def request(self, key, **fields):
        return self.done("/transfer/request", billing_tran_id=key,
                         **{"tran_amt": "1000", **fields})

    def execute(self, group, key="ALL", kind="NOW", **fields):
        return self.done("/transfer/execute", group_key=group, billing_tran_id=key,
                         execute_type=kind, **fields)

    def remain(self):
        return int(self.done("/account/remain")["remain_amt"])

    def results(self, group):
        """Rows with an outcome, and rows without one."""
        answer = self.call("/transfer/result/group_key", group_key=group)
        return answer.get("res_list", []), answer.get("pending_list", [])

    def settle(self, group, count, seconds=30):
        """Waits until so many rows of a group have an outcome."""
        return until(lambda: (lambda rows: rows if len(rows) >= count else None)(
            self.results(group)[0]), seconds, 0.05)


def side_by_side(work, items, threads=16):
    """Runs `work` over the items on several threads; the first exception is raised."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


class Workers:
    """Processes that run `work(number, stop)`: one Python alone is too slow to make a load. They are
    forked, end with this process, and give back what `work` returns."""

    def __init__(self, count, work):
        fork = multiprocessing.get_context("fork")
        self.stop = fork.Event()
        self.work = work
        self.parent = os.getpid()
        self.running = []
        for number in range(count):
            ours, theirs = fork.Pipe(duplex=False)
            process = fork.Process(target=self._run, args=(number, theirs), daemon=True)
            process.start()
            theirs.close()
            self.running.append((process, ours))

    def _run(self, number, pipe):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        threading.Thread(target=self._orphaned, daemon=True).start()
        try:
            pipe.send((True, self.work(number, self.stop)))
        except Exception:  # told and raised by the parent
            pipe.send((False, traceback.format_exc()))

    def _orphaned(self):
        while os.getppid() == self.parent:
            time.sleep(0.2)
        os._exit(1)

    def join(self, seconds):
        """What each of them returned."""
        end = time.monotonic() + seconds
        results = []
        for number, (process, pipe) in enumerate(self.running):
            if not pipe.poll(max(0, end - time.monotonic())):
                raise Broken(f"worker {number} was not done within {seconds} s")
            try:
                good, value = pipe.recv()
            except EOFError:
                raise Broken(f"worker {number} ended without a word") from None
            if not good:
                raise Broken(f"worker {number}: {value}")
            results.append(value)
            process.join(10)
        return results


# --------------------------------------------------------------------------- webhooks


def verified(secret, headers, body):
    """Whether a webhook's signature is that of Standard Webhooks: id.timestamp.body."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(part, f"v1,{mac}") for part in given)


class Receiver:
    """A webhook receiver. `answer(post)` gives a status, or None to close without a word."""

    def __init__(self, answer=lambda post: 200):
        self.answer = answer
        self.posts = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.server = None
        self.port = 0
        self.up()

    def up(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                receiver.take(self)

            def do_GET(self):
                receiver.take(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, *_):
                pass  # a hub that was killed resets its connections

        self.stopping.clear()
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        """Off the air: connections are refused, open ones are closed at their next request."""
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def url(self, path="/hook"):
        return f"http://127.0.0.1:{self.port}{path}"

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        handler.close_connection = True
        if self.stopping.is_set():
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        post = {"at": time.monotonic(), "path": handler.path, "headers": headers, "body": body}
        try:
            post["json"] = json.loads(body)
        except ValueError:
            post["json"] = {}
        with self.lock:
            self.posts.append(post)
        status = self.answer(post)
        post["status"] = status
        if status is None:
            return
        handler.close_connection = False
        handler.send_response(status)
        handler.send_header("content-length", "0")
        if "location" in post:
            handler.send_header("location", post["location"])
        handler.end_headers()


# --------------------------------------------------------------------------- the report


def p(values, share):
    """The percentile by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def ms(seconds):
    return f"{seconds * 1000:.1f} ms"


def short(value, size=160):
    text = str(value)
    return text if len(text) <= size else f"{text[:size]} …"


def width(text):
    """Columns on a terminal: Hangul takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(rows):
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (cell + " " * (widths[i] - width(cell)) for i, cell in enumerate(row))
        print("  ".join(cells).rstrip())


class Report:
    """What was measured. Each row can fail."""

    def __init__(self):
        self.rows = []
        self.failed = []

    def check(self, what, measured, wanted, good):
        """One measured value against what is wanted of it."""
        mark = "ok" if good else "FAIL"
        self.rows.append((what, short(measured, 60), short(wanted, 40), mark))
        if not good:
            self.failed.append(f"{what}: {short(measured, 400)}, wanted {short(wanted, 200)}")

    def none(self, what, found):
        """A list that has to be empty; its first entries are shown where it is not."""
        found = list(found)
        self.check(what, f"{len(found)}" + (f": {found[0]}" if found else ""), "0", not found)
        for entry in found[1:10]:
            print(f"  also: {short(entry, 400)}", file=sys.stderr)

    def same(self, what, measured, wanted):
        self.check(what, measured, str(wanted), measured == wanted)

    def most(self, what, measured, limit, text=str):
        self.check(what, text(measured), f"<= {text(limit)}", measured <= limit)

    def note(self, what, measured):
        self.rows.append((what, short(measured, 60), "", ""))


def main(number, about, body, limit_s=180, full_limit_s=4 * 3600, choice=False):
    """Runs a figure: options, a work folder, a time limit, the table, PASS or FAIL. `choice`: it can be
    had on another store."""
    options = argparse.ArgumentParser(description=about.split("\n")[0])
    options.add_argument("--full", action="store_true", help="the figure's whole scale")
    options.add_argument("--keep", action="store_true", help="keep the work folder")
    if choice:
        options.add_argument("--store", choices=["file", "postgres"], default="file",
                             help="one hub on its file, or two nodes on one PostgreSQL")
    options.set_defaults(store="file")
    args = options.parse_args()

    def ended(*_):
        raise Broken("ended by a signal")

    # Ending by a signal still ends the server, sweeps the folder and says FAIL.
    signal.signal(signal.SIGTERM, ended)
    report = Report()
    args.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"ichae-figure-{number}-"))
    began = time.monotonic()

    def too_long():
        print(f"FAIL figure {number}: not done within its time limit", flush=True)
        _kill_all()
        os._exit(1)

    watch = threading.Timer(full_limit_s if args.full else limit_s, too_long)
    watch.daemon = True
    watch.start()
    try:
        body(args, report)
    except Exception as error:  # whatever went wrong, the figure was not reached
        traceback.print_exc()
        report.failed.append(f"{type(error).__name__}: {short(error, 300)}")
    finally:
        _kill_all()
        if args.keep:
            print(f"work folder: {args.folder}")
        else:
            shutil.rmtree(args.folder, ignore_errors=True)
    watch.cancel()
    scale = "full scale" if args.full else "reduced scale"
    scale += ", two nodes on PostgreSQL" if choice and args.store == "postgres" else ""
    if not report.rows and not report.failed:
        report.failed.append("nothing was measured")
    if report.rows:
        table([("checked", "measured", "wanted", ""), *report.rows])
    print(f"{scale}, {time.monotonic() - began:.1f} s")
    failed = report.failed
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    print(f"FAIL figure {number}: {failed[0]}{more}" if failed else f"PASS figure {number}",
          flush=True)
    # Threads that wait for a receiver or a socket have nothing left to do.
    sys.stdout.flush()
    os._exit(1 if failed else 0)
