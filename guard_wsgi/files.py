"""Atomic writes: a reader sees the old file or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replaced(path: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Open a new file that replaces ``path`` at the end of the block.

    If the block raises, ``path`` stays as it was.

    :param mode: the permissions; by default, only the user may read and write.
    :raises OSError: if the folder is not writable or the disk is full.
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


def create(path: Path, data: bytes, *, mode: int = 0o600) -> bool:
    """Write a file that does not exist yet. Return false if it does: of several processes, one
    writes it.

    :raises OSError: if the folder is not writable or the disk is full.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(data)
        file.flush()
        os.chmod(file.name, mode)
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
    return True
