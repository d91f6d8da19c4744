"""Bots to compare with, each in its own process: `python -m tests.bench.telegram_bare SORT PORT API FOLDER`.

`starlette`, `aiogram` and `poll` only say again what was said to them; `naive` keeps it as most bots would.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.telegram_outside import TOKEN
from tests.serving import END, START, environment, free_port

_QUIET = {"log_config": None, "access_log": False, "server_header": False}


@contextmanager
def bare(sort: str, api: str) -> Iterator[int]:
    """Start a bot whose webhook is `/hook`; yield its port when it listens."""
    with (
        TemporaryDirectory(prefix="bare-") as folder,
        listening("tests.bench.telegram_bare", sort, api, folder) as port,
    ):
        yield port


@contextmanager
def listening(module: str, *arguments: str) -> Iterator[int]:
    """Start `module` with its first argument, a port and the others; yield the port when it listens."""
    port = free_port()
    process = child(module, *arguments[:1], str(port), *arguments[1:])
    try:
        until(lambda: _listens(port), process)
        yield port
    finally:
        process.kill()
        process.wait(END)


def child(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `module` in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment())


def until(so: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = START) -> None:
    """Wait until it is so. Raises `RuntimeError` where `process` ends before, or it takes too long."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        if so():
            return
        time.sleep(0.02)
    raise RuntimeError(f"the other process did not come so far, exit status {process.poll()}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), START).close()
    except OSError:
        return False
    return True


def _starlette(port: int, api: str, _folder: str) -> None:
    import aiohttp
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    @asynccontextmanager
    async def connected(app: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as app.state.session:
            yield

    async def echo(request: Request) -> Response:
        message = (await request.json())["message"]
        answer = {"chat_id": message["chat"]["id"], "text": message["text"]}
        async with request.app.state.session.post(f"{api}/bot{TOKEN}/sendMessage", json=answer) as sent:
            await sent.read()
        return Response()

    application = Starlette(routes=[Route("/hook", echo, methods=["POST"])], lifespan=connected)
    uvicorn.run(application, port=port, **_QUIET)  # type: ignore[arg-type]


def _aiogram(port: int, api: str, _folder: str) -> None:
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import Message
    from aiogram.webhook.aiohttp_server import SimpleRequestHandler
    from aiohttp import web

    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(message.text or "")

    async def served() -> web.Application:
        bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(api)))
        application = web.Application()
        SimpleRequestHandler(dispatcher, bot).register(application, "/hook")
        return application

    web.run_app(served(), host="127.0.0.1", port=port, access_log=None, print=None)


def _naive(port: int, api: str, folder: str) -> None:
    asyncio.run(_keep(port, api, Path(folder) / "naive.db"))


async def _keep(port: int, api: str, database: Path) -> None:
    """Serve PTB as its documents do with an own web server: an update goes to its queue, and is acknowledged."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from telegram import Update
    from telegram.ext import ApplicationBuilder, MessageHandler, filters

    from tests.bench import orm

    turn = orm.turn_with(await orm.opened(database), state="{}", reply="{}")
    application = ApplicationBuilder().token(TOKEN).base_url(f"{api}/bot").updater(None).build()

    async def keep(update: Update, _context: object) -> None:
        assert update.message
        await turn(str(update.message.chat_id), str(update.update_id))
        await update.message.reply_text(update.message.text or "")

    application.add_handler(MessageHandler(filters.TEXT, keep))

    async def hook(request: Request) -> Response:
        await application.update_queue.put(Update.de_json(await request.json(), application.bot))
        return Response()

    served = Starlette(routes=[Route("/hook", hook, methods=["POST"])])
    async with application:
        await application.start()
        await uvicorn.Server(uvicorn.Config(served, port=port, **_QUIET)).serve()  # type: ignore[arg-type]
        await application.stop()


def _poll(_port: int, api: str, _folder: str) -> None:
    from telegram import Update
    from telegram.ext import ApplicationBuilder, MessageHandler, filters

    async def echo(update: Update, _context: object) -> None:
        assert update.message
        await update.message.reply_text(update.message.text or "")

    application = ApplicationBuilder().token(TOKEN).base_url(f"{api}/bot").build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    application.run_polling()


if __name__ == "__main__":
    _SORTS = {"starlette": _starlette, "aiogram": _aiogram, "naive": _naive, "poll": _poll}
    _SORTS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
