"""What is costly to work out is kept in the user's cache folder; without it nothing changes but the time it takes."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from bot.whole import write

MOST = 32  # files; a dozen belong to one state of the content with five languages


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return what was kept under `name`, else make it and try to keep it; the name must change with what goes in."""
    path = user_cache_path("hearsay", appauthor=False) / name
    try:
        return path.read_bytes()
    except OSError:
        made = make()
    with suppress(OSError):  # a full disk, a folder that nobody may write to: it is made again next time
        _keep(path, made)
    return made


def _keep(path: Path, made: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, made)
    old = sorted(path.parent.glob("learnt-*"), key=lambda found: found.stat().st_mtime)
    for found in old[:-MOST]:
        found.unlink(missing_ok=True)
