"""What `cluster` needs of the machine: processes, ports, programs, and the user it runs as."""

import os
import pathlib
import pwd
import random
import shutil
import socket
import time

HERE = "127.0.0.1"

PORTS = range(20000, 32000)
"""Below the kernel's own range: a port must still be free when a killed member comes back."""


class Broken(Exception):
    """It cannot be done; the text says why."""


def until(probe, seconds, pause=0.1):
    """Asks until the answer is true or the time is up; gives the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer or time.monotonic() >= end:
            return answer
        time.sleep(pause)


def look(pid):
    """A process's state letter, parent and start time; None if there is none, or only its remains."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    words = text.rpartition(")")[2].split()  # the name before may hold anything
    return None if words[0] in "ZX" else (words[0], int(words[1]), words[19])


def with_descendants(roots):
    """These processes and everything below them."""
    children = {}
    for entry in os.listdir("/proc"):
        seen = look(entry) if entry.isdigit() else None
        if seen:
            children.setdefault(seen[1], []).append(int(entry))
    found = list(roots)
    for pid in found:  # grows while it is walked
        found += children.get(pid, [])
    return found


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def free_ports(count):
    """All of them are held until the last one is found, so that none is given twice."""
    held = []
    try:
        for port in random.sample(PORTS, len(PORTS)):
            held.append(socket.socket())
            try:
                held[-1].bind((HERE, port))
            except OSError:
                held.pop().close()
            if len(held) == count:
                return [one.getsockname()[1] for one in held]
        raise Broken("there are not enough free ports")
    finally:
        for one in held:
            one.close()


def programs():
    """The newest PostgreSQL's folder of programs; whether the rest is there."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    where = f"{found[-1].parent if found else ''}:/usr/sbin:/usr/bin:/sbin:/bin"
    wanted = ("postgres", "psql", "etcd", "patroni", "haproxy")
    missing = [program for program in wanted if not shutil.which(program, path=where)]
    if missing:
        raise Broken(f"missing: {', '.join(missing)}; deploy/cluster/install installs it")
    return found[-1].parent, where


def as_owner(folder, create):
    """Makes the folder if that is wanted. Root goes on as the folder's owner: PostgreSQL refuses root."""
    if create and not folder.exists():
        folder.mkdir(mode=0o700)
    elif not folder.is_dir():
        raise Broken(f"there is no folder {folder}")
    if os.geteuid() == 0:
        if folder.stat().st_uid == 0:
            if not create or any(folder.iterdir()):
                raise Broken(f"{folder} is root's, and no cluster")
            shutil.chown(folder, "postgres", "postgres")
        owner = pwd.getpwuid(folder.stat().st_uid)
        os.chdir("/")
        os.initgroups(owner.pw_name, owner.pw_gid)
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Broken(f"user {pwd.getpwuid(os.geteuid()).pw_name} cannot use {folder}: take a folder "
                     "whose parents everybody may enter, for example below /tmp")
