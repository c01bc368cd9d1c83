"""Files that no reader sees half of."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replaced(path: Path, *, mode: int = 0o600, is_new: bool = False) -> Iterator[IO[bytes]]:
    """A file beside ``path``, to be written; at the end of the block it takes the place of
    ``path``. If the block raises, ``path`` stays as it was.

    :param mode: the permissions; the user's alone by default.
    :param is_new: whether there may be no file at ``path`` yet.
    :raises FileExistsError: when there is one already, and ``is_new``.
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
            if is_new:
                os.link(file.name, path)
                os.unlink(file.name)
            else:
                os.replace(file.name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)
            raise
