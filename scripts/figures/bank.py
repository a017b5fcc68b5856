"""`ichae bank simulate`: a bank that is a process of its own, with a journal of its own."""

import sqlite3
import subprocess

from common import Broken, binary, exchange, owned, until

INSTITUTION = "M202112389"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def open_banking(folder, bank):
    """The table by which a hub reaches it."""
    files = {"client_secret_file": "sandbox-secret", "contract_account_file": "1101234567890",
             "pass_phrase_file": "NONE", "client_account_file": "1101234567890"}
    table = {"base_url": bank.url(), "institution": INSTITUTION,
             "client_id": "sandbox", "print_content": "정산", "client_name": "ichae",
             "client_bank": "020", "client_number": "FIGURE2", "calls_per_second": 100_000,
             "connect_timeout_s": 1}
    for name, text in files.items():
        file = folder / name
        file.write_text(text)
        file.chmod(0o600)
        table[name] = str(file)
    return table


class Bank:
    """It pays whatever it is told to as often as it is told to, and goes wrong as its plan says."""

    def __init__(self, folder, plan=""):
        self.journal = folder / "bank.db"
        file = folder / "plan.toml"
        file.write_text(plan)
        out = folder / "bank.out"
        with open(out, "wb") as stdout:
            self.process = owned(subprocess.Popen(
                [binary(), "bank", "simulate", "--listen", "127.0.0.1:0", "--journal",
                 str(self.journal), "--plan", str(file)],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT))
        if not until(lambda: "control" in out.read_text(), 10):
            raise Broken(f"the bank did not start: {out.read_text()}")
        self.port = int(out.read_text().partition("\n")[0].rsplit(":", 1)[1])

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def control(self, method, path):
        return exchange(self.port, method, path, timeout=300)

    def calm(self):
        if self.control("POST", "/control/calm").status not in (200, 204):
            raise Broken("the bank cannot be calmed")

    def calls(self):
        """(id, day, amount, known, paid, code, fault) of every deposit that it was sent."""
        file = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=30)
        try:
            yield from file.execute("SELECT bank_tran_id, bank_tran_date, tran_amt, known, paid, "
                                    "code, fault FROM calls ORDER BY no")
        finally:
            file.close()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def tran_id(bank_no):
    """The id by which the bank knows a number of the hub's."""
    tail = ""
    for _ in range(9):
        bank_no, rest = divmod(bank_no, 36)
        tail = DIGITS[rest] + tail
    return f"{INSTITUTION}U{tail}"


def number_of(tran):
    """The other way round."""
    return int(tran.removeprefix(f"{INSTITUTION}U"), 36)
