"""What a process that only forks has queued, left to those of its children that serve.

A pipe with one record in it is all they share: how many of the queue were taken so far. Who reads
it takes the others, and writes the new number back; the kernel lets one read it at a time. A child
that is killed in between takes the record with it, and the rest of the estate: a loss, never a
second delivery.
"""

from __future__ import annotations

import os
import struct
from collections import deque

from guard_wsgi.agent.process import Telemetry

_RECORD = struct.Struct("<Q")


class Estate:
    """One queue over forks, each thing in it for one process.

    :param things: the queue; it may go on growing in the parent, for children forked later.
    """

    def __init__(self, things: deque[Telemetry]) -> None:
        self.things = things
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.write(self._writer, _RECORD.pack(0))

    def claim(self) -> int:
        """Leave in ``things`` what is this process's to send; how many are another's.

        Once in a process. Nothing is left when another process is claiming at this moment.
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
