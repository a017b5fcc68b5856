"""Back-ups of a throw-away PostgreSQL by pgBackRest, as `deploy/hosts` has them for real hosts."""

import os
import shutil
import subprocess

from common import Broken, until

STANZA = "ichae"
PATIENCE_S = 60


class Backups:
    """A repository beside the database, and what the database is told to send there."""

    def __init__(self, folder):
        self.folder, self.database = folder / "backups", folder / "pg"
        self.config = self.folder / "pgbackrest.conf"
        self.folder.mkdir()
        self.config.write_text(f"""[global]
repo1-path={self.folder}/repository
repo1-retention-full=2
log-path={self.folder}
log-level-file=off
log-level-console=warn
lock-path={self.folder}/lock
start-fast=y
compress-type=lz4

[{STANZA}]
pg1-path={self.database}/data
pg1-socket-path={self.database}
pg1-user=ichae
pg1-database=ichae
""")
        self._give(self.folder, self.config)

    @staticmethod
    def _give(*paths):
        # The server does not run as root, and neither does whoever reads its files.
        if os.geteuid() == 0:
            for path in paths:
                shutil.chown(path, "postgres", "postgres")

    def settings(self):
        """Of the server: every segment goes to the repository before it is forgotten."""
        push = f"pgbackrest --config={self.config} --stanza={STANZA} archive-push %p"
        return "archive_mode=on", f"archive_command={push}"

    def run(self, *words):
        as_ = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        line = [*(as_ if os.geteuid() == 0 else []), "pgbackrest", f"--config={self.config}",
                f"--stanza={STANZA}", *words]
        done = subprocess.run(line, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Broken(f"pgbackrest {words[-1]}: {done.stdout[-300:]}{done.stderr[-300:]}")

    def archived(self, session):
        """Everything up to now is in the repository."""
        (segment,), = session.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()

        def there():
            (last,), = session.execute("SELECT coalesce(last_archived_wal, '') "
                                       "FROM pg_stat_archiver").fetchall()
            return last >= segment
        if not until(there, PATIENCE_S, 0.1):
            raise Broken(f"segment {segment} did not get to the repository")

    def restore(self, moment):
        """The database's folder as it was then; of the one that was there nothing is left."""
        data = self.database / "data"
        data.mkdir(parents=True)
        data.chmod(0o700)
        self._give(self.database, data)
        self.run("--type=time", f"--target={moment}", "--target-action=promote", "restore")
