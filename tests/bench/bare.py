"""Bare servers to compare with, each in its own process: `python -m tests.bench.bare echo|memory PORT [FOLDER]`.

`echo` answers the page's form with its own words. `memory` has one route and one table of a SQLite file open.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.serving import END, START, environment, free_port

SETTINGS = {"log_config": None, "access_log": False, "server_header": False, "proxy_headers": True}


@contextmanager
def bare(sort: str) -> Iterator[tuple[int, int]]:
    """Start a bare server; yield its port and pid when it answers."""
    port = free_port()
    with TemporaryDirectory(prefix="bare-") as folder:
        arguments = [sys.executable, "-m", "tests.bench.bare", sort, str(port), folder]
        process = subprocess.Popen(arguments, env=environment(), cwd=folder)
        try:
            _await(process, port)
            yield port, process.pid
        finally:
            process.kill()
            process.wait(END)


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=START).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the bare server did not start")


def _echo(port: int) -> None:
    from urllib.parse import parse_qsl

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def echo(request: Request) -> PlainTextResponse:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        return PlainTextResponse(form["text"])

    routes = [Route("/say", echo, methods=["POST"]), Route("/healthz", lambda _: PlainTextResponse("ok"))]
    uvicorn.run(Starlette(routes=routes), port=port, **SETTINGS)  # type: ignore[arg-type]


def _memory(port: int, folder: str) -> None:
    import uvicorn
    from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    table = Table("notes", metadata := MetaData(), Column("id", Integer, primary_key=True), Column("text", String))
    engine = create_engine(f"sqlite:///{Path(folder) / 'bare.db'}")
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(table).values(text="one"))
    application = Starlette(routes=[Route("/healthz", lambda _: PlainTextResponse("ok"))])
    uvicorn.run(application, port=port, **SETTINGS)  # type: ignore[arg-type]


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        _echo(int(sys.argv[2]))
    else:
        _memory(int(sys.argv[2]), sys.argv[3])
