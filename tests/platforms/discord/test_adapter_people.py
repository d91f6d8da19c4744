"""What people see on Discord, through a simulator that we did not write (simcord) and discord.py's real client."""

from typing import Any

import pytest
import simcord

from bot.core.message import Address, Choice, Image, Reply
from bot.core.platform import DeliveryError
from tests.platforms.discord.conftest import Desk, Sim

pytestmark = pytest.mark.simcord(shard_count=1)

CARD = "Taken together, studies find that newcomers change local jobs and wages very little."


def labels(message: Any) -> list[str]:
    return [item["label"] for row in message.components for item in row["components"] if "label" in item]


async def test_a_rumour_is_answered_to_whoever_asks_and_to_nobody_else(sim: Sim) -> None:
    hello, card = await sim.shown(sim.ana.slash(sim.channel, "rumour", words="they take our jobs"))
    assert hello.content.startswith("Hello, I'm Hearsay, an automated assistant.")
    assert CARD in card.content
    assert hello.ephemeral
    assert card.ephemeral
    assert "More facts" in labels(card)


async def test_what_everybody_may_see_is_shown_to_everybody(sim: Sim) -> None:
    await sim.shown(sim.ana.slash(sim.channel, "rumours"))
    assert sim.said()[-1] == "Pick a theme. Every card opens with what is true:"


async def test_a_button_of_a_private_card_goes_on_in_private(sim: Sim) -> None:
    *_, card = await sim.shown(sim.ana.slash(sim.channel, "rumour", words="jobs"))
    (facts,) = await sim.shown(sim.ana.click(card, label="The feeling behind it"))
    assert facts.ephemeral
    assert sim.said() == []


async def test_a_private_command_pressed_in_public_is_answered_in_private(sim: Sim) -> None:
    *_, themes = await sim.shown(sim.ana.slash(sim.channel, "rumours"))
    (cards,) = await sim.shown(sim.ana.click(themes, label=labels(themes)[0]))
    assert not cards.ephemeral
    *_, card = await sim.shown(sim.ana.click(cards, label=labels(cards)[0]))
    assert card.ephemeral


async def test_a_long_list_is_a_select(sim: Sim) -> None:
    *_, letters = await sim.shown(sim.ana.slash(sim.channel, "terms"))
    (select,) = letters.components[0]["components"]
    assert select["placeholder"] == "Pick one"
    (words,) = await sim.shown(sim.ana.select(letters, [select["options"][1]["value"]]))
    assert labels(words)[0].startswith("b")


async def test_a_prompt_opens_a_form_and_what_is_written_there_is_the_answer(sim: Sim) -> None:
    *_, question = await sim.shown(sim.ana.slash(sim.channel, "rumour"))
    opened = await sim.ana.click(question, label="What you heard")
    assert opened.modal is not None
    assert opened.modal["title"] == "What you heard"
    (card,) = await sim.shown(sim.ana.submit_modal(opened, {"answer": "they take our jobs"}))
    assert CARD in card.content
    assert card.ephemeral


async def test_a_question_that_has_passed_is_asked_again_for_whoever_pressed(sim: Sim) -> None:
    *_, first = await sim.shown(sim.ana.slash(sim.channel, "rumour"))
    await sim.shown(sim.ana.slash(sim.channel, "rumour"))
    opened = await sim.ana.click(first, label="What you heard")
    aside, again = await sim.shown(sim.ana.submit_modal(opened, {"answer": "they take our jobs"}))
    assert aside.content == "That question has passed."
    assert labels(again) == ["What you heard"]


async def test_half_typed_words_are_completed(sim: Sim) -> None:
    found = await sim.ana.autocomplete(sim.channel, "rumour", "words", "job")
    assert {"name": "Jobs and newcomers", "value": "jobs"}.items() <= found[0].items()
    assert len(await sim.ana.autocomplete(sim.channel, "term", "words", "")) == 25
    *_, card = await sim.shown(sim.ana.slash(sim.channel, "rumour", words=found[0]["value"]))
    assert CARD in card.content


async def test_somebodys_message_is_checked_for_whoever_asks_alone(sim: Sim) -> None:
    said = await sim.eva.send(sim.channel, "They take our jobs, I tell you.")
    *_, card = await sim.shown(sim.ana.context_menu(sim.channel, "Check this rumour", said))
    assert CARD in card.content
    assert card.ephemeral
    assert sim.said() == []


async def test_a_command_in_somebodys_message_is_not_given_by_whoever_checks_it(sim: Sim) -> None:
    said = await sim.eva.send(sim.channel, "/forget")
    *_, answer = await sim.shown(sim.ana.context_menu(sim.channel, "Check this rumour", said))
    assert "deleted" not in answer.content


async def test_a_picture_that_is_checked_is_not_looked_at(sim: Sim) -> None:
    said = await sim.eva.send(sim.channel, attachments=[("meme.png", b"png")])
    *_, answer = await sim.shown(sim.ana.context_menu(sim.channel, "Check this rumour", said))
    assert answer.content.startswith("I can't hear or see what you sent")


async def test_words_in_a_direct_message_are_answered_there(sim: Sim) -> None:
    await sim.ana.send_dm("they take our jobs")
    await sim.settled()
    direct = sim.ana.user.dm_channel
    assert CARD in sim.said(direct)[-1]
    card = direct.last_message
    (feeling,) = await sim.shown(sim.ana.user.click(card, label="The feeling behind it"))
    assert not feeling.ephemeral


async def test_talk_among_others_is_left_alone(sim: Sim) -> None:
    await sim.ana.send(sim.channel, "they take our jobs")
    await sim.settled()
    assert sim.said() == []


async def test_a_mention_and_a_reply_are_answered_as_replies_that_ping_nobody(sim: Sim) -> None:
    asked = await sim.ana.send(sim.channel, f"<@{sim.me}> they take our jobs")
    await sim.settled()
    hello, card = [one for one in sim.channel.history() if one.author.bot]
    assert CARD in card.content
    assert hello.reference is not None
    assert hello.reference.message_id == asked.id
    assert hello.mentions == []
    await sim.ana.send(sim.channel, "/terms", reply_to=card)
    await sim.settled()
    assert "Pick a letter" in sim.said()[-1]


async def test_another_bot_is_never_answered(sim: Sim) -> None:
    robot = sim.guild.add_member(sim.env.create_user("robot", bot=True))
    await robot.send(sim.channel, f"<@{sim.me}> hello")
    await sim.settled()
    assert len(sim.channel.history()) == 1


async def test_a_thread_is_a_conversation_of_its_own(sim: Sim, desk: Desk) -> None:
    where = await desk.discord.open_room(Address("discord", str(sim.channel.id)), "Team Blue")
    await desk.tell(where, Reply("Welcome to your room."), "1.0")
    (thread,) = sim.channel.threads
    assert (thread.name, sim.said(thread)) == ("Team Blue", ["Welcome to your room."])


async def test_only_those_who_run_a_server_change_its_language(sim: Sim) -> None:
    *_, choices = await sim.shown(sim.eva.slash(sim.channel, "language"))
    (refused,) = await sim.shown(sim.ana.click(choices, label="Español"))
    assert refused.content == "In a shared chat, only those who run it can do that."
    assert refused.ephemeral
    (done,) = await sim.shown(sim.eva.click(choices, label="Español"))
    assert "español" in done.content
    *_, themes = await sim.shown(sim.ana.slash(sim.channel, "rumours"))
    assert themes.content.startswith("Elige un tema")


async def test_the_menu_hides_from_others_what_only_those_who_run_a_server_may_do(sim: Sim) -> None:
    assert {"language", "forget", "bye"}.isdisjoint(sim.ana.available_commands(sim.channel))
    assert {"language", "forget", "bye", "rumour"} <= set(sim.eva.available_commands(sim.channel))
    assert "bye" not in sim.ana.user.available_commands()


async def test_who_is_sent_away_says_goodbye_and_goes(sim: Sim) -> None:
    await sim.eva.slash(sim.channel, "bye")
    await sim.settled()
    assert list(sim.env.bot.guilds) == []
    *_, bye, leaving = [call for call in sim.env.http_requests if call.method in ("POST", "DELETE")]
    assert "Goodbye." in str(bye.json)
    assert leaving.path.startswith("/users/@me/guilds/")


async def test_an_image_is_described_to_those_who_do_not_see_it(sim: Sim, desk: Desk) -> None:
    picture = Image("A torn newspaper", data=b"\x89PNG")
    await desk.tell(Address("discord", str(sim.channel.id)), Reply("Look.", image=picture), "1.0")
    (shown,) = sim.channel.history()
    assert (shown.content, shown.attachments[0].description) == ("Look.", "A torn newspaper")


async def test_a_card_is_replaced_where_it_stands_and_shown_anew_where_it_is_gone(sim: Sim, desk: Desk) -> None:
    where = Address("discord", str(sim.channel.id))
    ref = await desk.tell(where, Reply("Two voted.", (Choice("Yes", "yes"),)), "1.0", turn=1)
    assert await desk.tell(where, Reply("Three voted."), "2.0", edit=ref) == ref
    assert sim.said() == ["Three voted."]
    await sim.channel.history()[-1].delete()
    again = await desk.tell(where, Reply("Four voted."), "3.0", edit=ref)
    assert again != ref
    assert sim.said() == ["Four voted."]


async def test_a_dead_channel_is_not_asked_again_for_a_while(sim: Sim, desk: Desk) -> None:
    where = Address("discord", str(sim.channel.id))
    sim.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    before = len(sim.env.http_requests)
    for key in ("1.0", "2.0"):
        with pytest.raises(DeliveryError) as refused:
            await desk.tell(where, Reply("Hello"), key)
        assert refused.value.permanent
    assert len(sim.env.http_requests) == before + 1


async def test_buttons_work_after_a_restart(sim: Sim, desk: Desk, simcord_env: simcord.Env) -> None:
    *_, card = await sim.shown(sim.ana.slash(sim.channel, "rumour", words="jobs"))
    *_, question = await sim.shown(sim.ana.slash(sim.channel, "rumour"))
    again = Desk(desk.store, desk.content)
    await simcord_env.restart_bot(again.client())
    sim.desk = again
    (feeling,) = await sim.shown(sim.ana.click(card, label="The feeling behind it"))
    assert feeling.ephemeral
    opened = await sim.ana.click(question, label="What you heard")
    (found,) = await sim.shown(sim.ana.submit_modal(opened, {"answer": "they take our jobs"}))
    assert CARD in found.content
    assert not [call for call in simcord_env.http_requests[-6:] if call.method == "PUT"]
