"""The queue of a process that only forks. Its children that serve inherit it.

The processes share a pipe with one record: how many items of the queue were taken so far. A child
reads the record, takes the remaining items, and writes the new number back. The kernel lets only
one child read it at a time. If a child is killed in between, the record and the remaining items are
lost; no item is ever sent twice.
"""

from __future__ import annotations

import os
import struct
from collections import deque

from guard_wsgi.agent.process import Telemetry

_RECORD = struct.Struct("<Q")


class SharedQueue:
    """A queue that is shared over forks; exactly one process takes each item.

    :param things: the queue. It may keep growing in the parent, for children that are forked later.
    """

    def __init__(self, things: deque[Telemetry]) -> None:
        self.things = things
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.write(self._writer, _RECORD.pack(0))

    def claim(self) -> int:
        """Keep in ``things`` what this process sends; return how many items belong to others.

        Call it once per process. Nothing is left if another process is claiming at this moment.
        """
        taken: int
        try:
            (taken,) = _RECORD.unpack(os.read(self._reader, _RECORD.size))
        except (BlockingIOError, struct.error):
            taken = len(self.things)
        else:
            os.write(self._writer, _RECORD.pack(max(taken, len(self.things))))
        os.close(self._reader)
        os.close(self._writer)
        others = min(taken, len(self.things))
        for _ in range(others):
            self.things.popleft()
        return others
