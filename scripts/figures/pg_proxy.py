"""A proxy before a PostgreSQL that goes wrong at a COMMIT: figure 15.

It understands the frames of the protocol's version 3 in both directions. At a COMMIT it may

- pass it on and cut the client off, at once or when the server has answered: the answer is lost;
- cut without passing it on: nothing was committed, and the client cannot tell that from the above;
- keep it for a while, or for longer than the server leaves a session its locks;
- pass it on, cut everybody off, and take no connections for a while: an outage.

It can also keep the server's warnings to itself, to show what would be if nobody heeded them.

It runs in a process of its own. Its counters and its mode are in memory that both share.
"""

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import socket
import struct
import threading
import time

SSL, GSS, CANCEL = 80877103, 80877104, 80877102
"""What stands in place of the protocol's version in packets that begin otherwise."""

COMMIT = b"COMMIT\0"
COUNTED = ("connections", "cancels", "commits", "lost at once", "lost after the answer", "not passed on",
           "kept", "kept too long", "outages", "of the lost, committed", "of the lost, rolled back",
           "warnings", "warnings at a commit")
CUTS = ("lost at once", "lost after the answer", "not passed on", "outages")
FAULTS = (("lost at once", 0.25), ("lost after the answer", 0.25), ("not passed on", 0.15), ("kept", 0.02),
          ("kept too long", 0.0003), ("outages", 0.0015))
"""How often each strikes a COMMIT."""

KEPT_S, TOO_LONG_S, OUTAGE_S = (0.01, 0.3), (11, 13), (1.0, 2.5)
"""Too long: the server ends a session of ours that holds locks and says nothing for 10 s."""


class Proxy:
    """In front of the socket in `folder`, on a port of its own."""

    def __init__(self, folder, seed, faults=FAULTS):
        fork = multiprocessing.get_context("fork")
        self.counts = fork.RawArray("q", len(COUNTED))
        self.faulty, self.mute = fork.RawValue("b", 0), fork.RawValue("b", 0)
        self.server, self.faults, self.random = f"{folder}/.s.PGSQL.5432", faults, random.Random(seed)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.dark_until, self.clients, self.parent = 0, set(), os.getpid()
        self.process = fork.Process(target=self._run, daemon=True)
        self.process.start()
        self.listener.close()

    def __getitem__(self, name):
        return self.counts[COUNTED.index(name)]

    def cuts(self):
        return sum(self[name] for name in CUTS)

    def go_wrong(self, wrong=True):
        self.faulty.value = wrong

    def hide_warnings(self, hidden):
        self.mute.value = hidden

    # From here on in the proxy's process.

    def _run(self):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        threading.Thread(target=self._orphaned, daemon=True).start()
        asyncio.run(self._serve())

    def _orphaned(self):
        while os.getppid() == self.parent:
            time.sleep(0.2)
        os._exit(0)

    async def _serve(self):
        server = await asyncio.start_server(self._client, sock=self.listener)
        async with server:
            await server.serve_forever()

    def count(self, name):
        self.counts[COUNTED.index(name)] += 1

    async def _client(self, reader, writer):
        if time.monotonic() < self.dark_until:
            writer.transport.abort()
            return
        self.count("connections")
        # A listener that was not made by asyncio does not give this to its connections.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            answers, server = await asyncio.open_unix_connection(self.server)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection(self, reader, writer, answers, server)
        self.clients.add(connection)
        try:
            await connection.run()
        finally:
            self.clients.discard(connection)

    def drawn(self):
        """What goes wrong with this COMMIT; nothing, mostly."""
        if not self.faulty.value:
            return None
        chance = self.random.random()
        for name, share in self.faults:
            chance -= share
            if chance < 0:
                return name
        return None

    def darken(self):
        self.dark_until = time.monotonic() + self.random.uniform(*OUTAGE_S)
        for connection in list(self.clients):
            connection.cut()


class Connection:
    """One client's connection, and ours to the server for it."""

    def __init__(self, proxy, reader, writer, answers, server):
        self.proxy = proxy
        self.reader, self.writer = reader, writer
        self.answers, self.server = answers, server
        # Whether a COMMIT is under way, and what goes wrong with it.
        self.committing, self.fault = False, None

    async def run(self):
        back = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await self._opened():
                back = asyncio.ensure_future(self._backward())
                await self._forward()
        # What was passed on is carried out; its end is waited for, to know it.
        if back and self.fault in CUTS and self.committing:
            await asyncio.wait([back], timeout=60)
        self.server.transport.abort()
        self.cut()
        if back:
            await asyncio.wait([back])

    def cut(self):
        """The client is told nothing more."""
        self.writer.transport.abort()

    async def _opened(self):
        """The packets before the first message, which have no type. `False`: it was not a session."""
        while True:
            head = await self.reader.readexactly(8)
            length, code = struct.unpack("!II", head)
            self.server.write(head + await self.reader.readexactly(length - 8))
            if code == CANCEL:
                self.proxy.count("cancels")
                return False
            if code not in (SSL, GSS):
                return True
            # One letter, without a length. Here it is no, as there are no certificates.
            self.writer.write(await self.answers.readexactly(1))

    async def _forward(self):
        while True:
            head = await self.reader.readexactly(5)
            body = await self.reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"Q" and body.strip() == COMMIT and await self._commit():
                return
            self.server.write(head + body)
            await self.server.drain()

    async def _commit(self):
        """Whether the client is cut off here."""
        proxy = self.proxy
        proxy.count("commits")
        self.fault = proxy.drawn()
        if self.fault:
            proxy.count(self.fault)
        if self.fault in ("kept", "kept too long"):
            span = KEPT_S if self.fault == "kept" else TOO_LONG_S
            await asyncio.sleep(proxy.random.uniform(*span))
        if self.fault == "not passed on":
            return True
        self.committing = True
        if self.fault not in CUTS:
            return False
        self.server.write(b"Q" + struct.pack("!I", len(COMMIT) + 4) + COMMIT)
        if self.fault == "lost at once":
            self.cut()
        if self.fault == "outages":
            proxy.darken()
        # The server's answer to it ends this connection.
        return True

    async def _backward(self):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await self.answers.readexactly(5)
                body = await self.answers.readexactly(struct.unpack("!I", head[1:])[0] - 4)
                hidden = self._warning(head[:1], body) and self.proxy.mute.value
                if self._ended(head[:1], body):
                    break
                if not hidden and not self.writer.is_closing():
                    self.writer.write(head + body)
        self.cut()

    def _warning(self, kind, body):
        warning = kind == b"N" and b"VWARNING\0" in body
        if warning:
            self.proxy.count("warnings")
            if self.committing:
                self.proxy.count("warnings at a commit")
        return warning

    def _ended(self, kind, body):
        """Whether this is the answer that the client is not to get."""
        if kind != b"C" or body not in (COMMIT, b"ROLLBACK\0") or not self.committing:
            return False
        self.committing = False
        if self.fault not in CUTS:
            return False
        self.proxy.count("of the lost, committed" if body == COMMIT else "of the lost, rolled back")
        return True
