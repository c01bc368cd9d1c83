"""Files that no reader sees half of."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replaced(path: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A file beside ``path``, to be written; at the end of the block it takes the place of
    ``path``. If the block raises, ``path`` stays as it was.

    :param mode: the permissions; the user's alone by default.
    :raises OSError: for a folder that can't be written to, or a disk that is full.
    """
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, mode)
            os.replace(file.name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)
            raise
