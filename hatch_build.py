"""Compiles the built-in patterns while a wheel or an editable installation is built.

Without Hyperscan for the building Python nothing is compiled, and the package compiles on its
first start, as it does on other processors: Hyperscan's databases are of one processor and one
version. So the wheel stays one for all platforms.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "guard_wsgi/patterns/compiled"
MAX_SECONDS = 600


class CompiledPatterns(BuildHookInterface):  # type: ignore[type-arg]
    """Leaves the databases in `FOLDER`, which pyproject.toml names as artifacts."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root, FOLDER)
        self.app.display_info("compiling the patterns of detection, some twenty seconds")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "guard_wsgi.detection.built_in"],
                cwd=self.root,
                env={**os.environ, "GUARD_WSGI_CACHE_DIR": str(folder)},
                capture_output=True,
                text=True,
                check=True,
                timeout=MAX_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            reason = getattr(error, "stderr", None) or str(error)
            if "PatternRefused" in reason or "HyperscanRefused" in reason:
                raise RuntimeError(f"Hyperscan refuses a pattern of detection: {reason}") from error
            self.app.display_warning(f"patterns are compiled on the first start: {reason}")
            return
        used = set(done.stdout.split())
        if not used:
            self.app.display_warning("patterns are compiled on the first start: no Hyperscan here")
        # Of earlier patterns, or of another version of Hyperscan.
        for path in folder.glob("*.hsdb"):
            if path.name not in used:
                path.unlink()
