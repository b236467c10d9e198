"""The machine's memory, kept in use.

Memory that nobody uses may not be there: a virtual machine gives it back to its host, and a page that is used again has to be fetched, which
took 10 us where a page that was there took 0.9 (docs/performance.md). Who writes to the page cache then measures the host. On a machine that
has run for a while the page cache is full, and a new page is an old one: so it is here when a file is read until little memory is free.
"""

import os

CHUNK = 16 << 20


def meminfo(name):
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name + ":"))


FREE = meminfo("MemTotal") // 8  # what may be left; with less the kernel would be reclaiming all the time


class Filler:
    """A file that is read into the page cache whenever much memory is free. It has no blocks to be read from the disk."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self.chunks = meminfo("MemTotal") // CHUNK
        os.ftruncate(self.file, self.chunks * CHUNK)
        self.buffer = bytearray(CHUNK)
        self.next = 0

    def fill(self):
        """Reads on from where it has stopped, once around at most."""
        for _ in range(self.chunks):
            if meminfo("MemFree") < FREE:
                return
            os.preadv(self.file, [self.buffer], self.next * CHUNK)
            self.next = (self.next + 1) % self.chunks
