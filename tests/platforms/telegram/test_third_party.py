"""A third party's Telegram: what tg-auto-test, which knows nothing of us, sees of a private chat."""

from typing import Any, cast

import pytest
from telegram import Bot, Update
from telegram.ext import Application, TypeHandler
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from bot.app import App, Content
from bot.platforms.telegram import Telegram
from bot.platforms.telegram.ears import Ears
from bot.storage.store import Store
from tests.platforms.telegram.booth import memory
from tests.platforms.telegram.server import TOKEN

pytest.importorskip("tg_auto_test", reason="tg-auto-test needs Python 3.12")


class Through:
    """Asks by the third party's transport in the place of ours."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def ask(self, url: str, fields: dict[str, Any]) -> Any:
        parameters = [RequestParameter.from_input(name, value) for name, value in fields.items()]
        return await self._bot.request.post(url, RequestData(parameters))


async def test_a_conversation_by_its_means(content: Content) -> None:
    from tg_auto_test.test_utils.serverless_telegram_client import ServerlessTelegramClient

    store: Store = await memory()
    telegram = Telegram(TOKEN)
    app = App(store, content, {telegram.name: telegram})
    ears = Ears(telegram, app.assistant)

    async def hear(update: Update, _: Any) -> None:
        if not telegram.me.id:
            await telegram.connect(app.assistant)
        await ears.take(update.to_dict())
        await app.delivery.idle()

    def build(builder: Any) -> Any:
        application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
        application.add_handler(TypeHandler(Update, hear))
        telegram.bot = application.bot
        telegram._request = cast(Any, Through(application.bot))
        return application

    client: Any = ServerlessTelegramClient(build_application=build)
    await client.connect()
    async with client.conversation("test_bot") as talk:
        await talk.send_message("/start")
        hello = await talk.get_response()
        assert "automated assistant" in hello.text
        await talk.send_message("they get all the flats before us")
        card = await talk.get_response()
        assert "Rules for council homes favour need" in card.text
        await card.click(text="The feeling behind it")
        assert "Questions to ask" in (await talk.get_response()).text
    await client.disconnect()
    store.close()
