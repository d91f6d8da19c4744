"""QR codes: for a terminal, or as a picture to print."""

import io
from pathlib import Path

import segno


def drawn(link: str) -> str:
    """Return a QR code of `link` as text that phones read from a terminal."""
    picture = io.StringIO()
    segno.make(link).terminal(picture, compact=True)
    return picture.getvalue()


def save(link: str, path: Path) -> None:
    """Write a QR code of `link`; the file's ending says how: svg, png or pdf. Raises `ValueError` for another."""
    if path.suffix not in (".svg", ".png", ".pdf"):
        raise ValueError(f"{path}: end the name in .svg, .png or .pdf")
    segno.make(link).save(str(path), scale=8, border=4)


def painted(link: str) -> bytes:
    """Return a QR code of `link` as a PNG picture."""
    picture = io.BytesIO()
    segno.make(link, error="m").save(picture, kind="png", scale=8, border=4)
    return picture.getvalue()
