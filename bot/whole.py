"""Write a file whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp


def write(path: Path, data: bytes) -> None:
    """Put `data` into `path`; nobody ever reads half of it, and nothing stays behind. Raises `OSError`."""
    handle, name = mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink()
