"""Files that live only as long as somebody holds on to them."""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path


class ScratchFile:
    """A temporary file that is removed when the last holder lets go, or at exit."""

    def __init__(self, suffix: str) -> None:
        handle, name = tempfile.mkstemp(prefix="reader-", suffix=suffix)
        os.close(handle)
        self.path = Path(name)
        weakref.finalize(self, self.path.unlink, missing_ok=True)
