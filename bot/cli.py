"""The `hearsay` command. Heavy imports stand inside the commands, so that `--help` answers at once."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from bot.app import Content
    from bot.library.pairs import Pair
    from bot.library.problem import Problem
    from bot.translating import Outcome

LANGUAGE = "language code, for example es"
DAYS = ["list", "show", "preview", "approve", "edit", "move", "results"]  # what is done with a town's days
DAYS += ["join", "leave", "skip", "pause", "resume", "stop"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    chosen = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = chosen.command
    from bot.core.platform import RefusedError
    from bot.library.problem import ContentError
    from bot.settings import SettingsError

    try:
        return command(chosen)
    except ContentError as error:
        return _print_problems(error.problems)
    except (SettingsError, RefusedError) as error:
        print(error, file=sys.stderr)
        return 2
    except (KeyboardInterrupt, BrokenPipeError):
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = argparse.ArgumentParser("hearsay", description="Calm answers to rumours, in the chats where people are.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], help_: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_, description=help_)
        added.set_defaults(command=command)
        return added

    run = add("run", _run, "serve the web chat and every platform that is set up")
    run.add_argument("--room", action="store_true", help="serve to the local network, with a QR code")
    _add_chat(add)
    _add_check(add)
    _add_translating(add)
    _add_matching(add)
    add("schema", _schema, "write the editors' JSON Schemas into the content folder")
    new = add("new", _new, "write a commented file to fill in")
    new.add_argument("kind", choices=["rumour", "term", "technique", "quiz", "campaign"])
    new.add_argument("id", help="lower-case words joined by hyphens")
    new.add_argument("--theme", help="for a rumour: the folder it belongs in")
    _add_printing(add)
    link = add("link", _link, "print the link that opens something on Telegram, with a QR code")
    link.add_argument("what", help='what to open, as it is typed: "/rumour jobs", "/tip family", "/start youth"')
    link.add_argument("--qr", type=Path, metavar="FILE", help="write the QR code to a .svg, .png or .pdf file")
    discord = add("discord", _discord, "invite: print the link that brings Hearsay into a Discord server")
    discord.add_argument("what", choices=["invite"])
    add("migrate", _migrate, "create or upgrade the database")
    _add_copying(add)
    _add_desk(add)
    _add_proving(add)
    _add_campaigns(add)
    return whole


def _add_check(add: Callable[..., argparse.ArgumentParser]) -> None:
    check = add("check", _check, "check all content and say what is wrong")
    check.add_argument("--missing", metavar="LANGUAGE", help="list what this language lacks")
    check.add_argument("--phrasings", action="store_true", help="list each way of saying a rumour that finds another")
    check.add_argument("--coverage", action="store_true", help="count what each language has, and who has read it")


def _add_chat(add: Callable[..., argparse.ArgumentParser]) -> None:
    chat = add("chat", _chat, "talk in the terminal; nothing is kept")
    chat.add_argument("--as", dest="drawn_as", default="terminal", choices=["terminal", "web", "telegram", "discord"])
    chat.add_argument("--in", dest="language", metavar="LANGUAGE", help=LANGUAGE)
    chat.add_argument("--play", type=Path, metavar="FOLDER", help="play the game in it, anew whenever it is saved")
    chat.add_argument("--record", type=Path, metavar="FILE", help="write the conversation as a transcript")


def _add_desk(add: Callable[..., argparse.ArgumentParser]) -> None:
    add("missed", _missed, "list the words that people looked up in vain")
    lost = add("unmatched", _unmatched, "list what people asked and nobody knew, near ones together, where it is kept")
    lost.add_argument("--city", help='one city only; "" is none of its own')
    lost.add_argument("--language", metavar="LANGUAGE", help=LANGUAGE)
    lost.add_argument("--file", type=Path, metavar="FILE", help="write them to a CSV file instead")
    _add_figures(add)
    listed = add("reports", _reports, "list what people left for the city, and settle it")
    listed.add_argument("--city", help='one city only; "" is none of its own')
    listed.add_argument("--state", choices=["new", "answered", "declined"])
    listed.add_argument("--csv", type=Path, metavar="FILE", help="write them to a CSV file instead")
    settle = listed.add_subparsers(metavar="answer|decline")
    answer = settle.add_parser("answer", help="say which card answers a report; whoever asked is told, once")
    answer.add_argument("id", type=int)
    answer.add_argument("card", help="the id of a rumour")
    answer.set_defaults(command=_answer_report)
    decline = settle.add_parser("decline", help="say that a report gets no card; whoever asked is told, once")
    decline.add_argument("id", type=int)
    decline.add_argument("--reason", required=True, choices=["unclear", "no-rumour", "no-figures", "person"])
    decline.set_defaults(command=_decline_report)


def _add_figures(add: Callable[..., argparse.ArgumentParser]) -> None:
    figures = add("figures", _figures, "show what was asked and answered, day by day counted, never by person")
    figures.add_argument("--city", help='one city only; "" is none of its own')
    figures.add_argument("--from", dest="first", metavar="DAY", help="first day, such as 2026-11-01; else thirty days")
    figures.add_argument("--to", dest="last", metavar="DAY", help="last day; else today (in UTC)")
    figures.add_argument("--in", dest="language", metavar="LANGUAGE", help=LANGUAGE)
    figures.add_argument("--csv", type=Path, metavar="FILE", help="write them to a CSV file too")
    figures.add_argument("--svg", type=Path, metavar="FILE", help="draw them to an SVG file too")


def _add_proving(add: Callable[..., argparse.ArgumentParser]) -> None:
    show = add("show", _show, "print what was live on a day")
    show.add_argument("id", help="of a rumour, a technique, a term, or any other file")
    show.add_argument("--on", type=_day, required=True, metavar="DATE", help="the day, for example 2026-11-20")
    show.add_argument("--kind", help="for example rumour, technique, term, quiz, sources, phrases")
    show.add_argument("--lang", metavar="LANGUAGE", help=LANGUAGE)
    show.add_argument("--city", metavar="CITY", help="also what this city's pack laid over it")
    withdraw = add("withdraw", _withdraw, "hide a card, a technique or a word at once, everywhere or in one city")
    withdraw.add_argument("id", help="of the rumour, technique or term")
    withdraw.add_argument("--reason", default="", help="why, in a plain sentence; people who ask for it read it")
    withdraw.add_argument("--back", action="store_true", help="show it again")
    withdraw.add_argument("--kind", default="", choices=["rumour", "technique", "term"])
    withdraw.add_argument("--city", default="", metavar="CITY", help="hide it in this city only")
    add("audit", _audit, "list what was withdrawn and brought back, when and why")


def _add_campaigns(add: Callable[..., argparse.ArgumentParser]) -> None:
    invite = add("invite", _invite, "coordinator: print a code that makes one person a town's coordinator, once")
    invite.add_argument("what", choices=["coordinator"])
    days = add("campaigns", _campaigns, "prepare a town's international days, as coordinators do in the chat")
    days.add_argument("what", nargs="?", default="list", choices=DAYS)
    days.add_argument("day", nargs="?", help="id of the day, for example refugee-day")
    days.add_argument("--in", dest="language", metavar="LANGUAGE", help=LANGUAGE)
    days.add_argument("--on", default="terminal", choices=["telegram", "discord", "web", "terminal"], help="to draw as")
    days.add_argument("--message", metavar="ID", help="edit: which message, for example today")
    days.add_argument("--variant", choices=["text", "short", "child"], help="edit, preview: which version")
    days.add_argument("--text", help="edit: what to say this year")
    days.add_argument("--file", type=Path, metavar="FILE", help="edit: the same, from a file")
    days.add_argument("--back", action="store_true", help="edit: say what the day's own file says")
    days.add_argument("--to", metavar="DATE", help="move: the date, for example 2027-06-18, or back")
    days.add_argument("--yes", action="store_true", help="approve: what was shown without it")
    hold = add("hold", _hold, "hold all messages of a town's days, also those that wait to be sent")
    resume = add("resume", _hold, "let a town's messages go on")
    for one in (invite, days, hold, resume):
        one.add_argument("--city", metavar="CITY", help='id of the city; "" is none of its own')
    hold.set_defaults(held=True)
    resume.set_defaults(held=False)


def _day(text: str) -> "date":
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write one such as 2026-11-20") from None


def _add_translating(add: Callable[..., argparse.ArgumentParser]) -> None:
    translate = add("translate", _translate, "list what a translation lacks, or what changed since; PO files and back")
    translate.add_argument("language", metavar="LANGUAGE", help=LANGUAGE)
    way = translate.add_mutually_exclusive_group()
    way.add_argument("--export", type=Path, metavar="FILE", help="write all texts to a PO file, for the tools you know")
    way.add_argument("--take", type=Path, metavar="FILE", help="put what a PO file says into the pack's own files")
    mark = "note that translations are up to date: the new ones, and all in the originals FILE"
    way.add_argument("--mark", nargs="*", metavar="FILE", help=mark)
    drafted = "who wrote the first version of what is taken (people, if not said)"
    translate.add_argument("--drafted", choices=["people", "machine"], default="people", help=drafted)


def _add_matching(add: Callable[..., argparse.ArgumentParser]) -> None:
    match = add("match", _match, "say which rumour each line of standard input means, as JSON lines")
    match.add_argument("--lang", metavar="LANGUAGE", help=LANGUAGE)
    match.add_argument("--city", metavar="CITY", help="also with the rumours of this city's pack")
    match.add_argument(
        "--explain", metavar="TEXT", help="instead: say which words, aliases and letters of TEXT counted"
    )


def _add_copying(add: Callable[..., argparse.ArgumentParser]) -> None:
    backup = add("backup", _backup, "copy the database to a file, also while Hearsay runs")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.add_argument("--force", action="store_true", help="replace the file if it is there already")
    restore = add("restore", _restore, "put a backup in the place of the database, which is kept beside it")
    restore.add_argument("file", type=Path, metavar="FILE")


def _add_printing(add: Callable[..., argparse.ArgumentParser]) -> None:
    print_ = add("print", _print, "write an escape game as sheets to print, answers and notes included")
    print_.add_argument("quiz", help="id of the game, for example lido")
    print_.add_argument("file", type=Path, metavar="FILE", help="the HTML file to write")
    print_.add_argument("--in", dest="language", metavar="LANGUAGE", help=LANGUAGE)


def _print_problems(problems: "Sequence[Problem]") -> int:
    for problem in problems:
        print(problem)
    files = len({problem.path for problem in problems})
    print(f"\n{_count(len(problems), 'problem')} in {_count(files, 'file')}.")
    return 1


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _run(chosen: argparse.Namespace) -> int:
    from bot.serve import serve

    return serve(room=chosen.room)


def _chat(chosen: argparse.Namespace) -> int:
    import asyncio

    from bot.app import App, content_of
    from bot.platforms.terminal import NAME, Terminal
    from bot.settings import load
    from bot.storage.store import Store
    from bot.storage.tables import METADATA
    from bot.trying import Trying

    async def talk() -> None:
        folder = chosen.play.absolute() if chosen.play else None
        settings = load(**({"quizzes": folder.parent, "campaigns": folder} if folder else {}))  # days open other games
        content = content_of(settings)
        terminal = Terminal(chosen.drawn_as, chosen.record)
        store = Store(":memory:")
        await store.run(METADATA.create_all)
        app = App(store, content, {NAME: terminal}, city=settings.city)
        trying = Trying(app.assistant, settings, folder).look if folder else lambda: None
        await terminal.talk(app.assistant, app.delivery, chosen.language, trying)
        store.close()

    asyncio.run(talk())
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from bot.app import load_pairs
    from bot.coverage import table
    from bot.settings import load

    settings = load()
    content, pairs = load_pairs(settings.content, settings.roots, settings.cities)
    if content.broken:
        return _print_problems([problem for found in content.broken.values() for problem in found])
    if chosen.coverage:
        print("\n".join(table(content, pairs)))
        return 0
    everywhere = [content, *content.cities.values()]
    if chosen.missing:
        lacking = [(path, at) for part in everywhere for lang, path, at in part.missing if lang == chosen.missing]
        for path, at in lacking:
            print(f"{path}: {'.'.join(map(str, at)) or 'has no translation'}")
        return 1 if lacking else 0
    warnings = list(_warnings(content, pairs, every=chosen.phrasings))
    for warning in warnings:
        print(f"warning: {warning}")
    warned = f", {_count(len(warnings), 'warning')}" if warnings else ""
    print(f"{_count(sum(part.files for part in everywhere), 'file')}, no problems{warned}.")
    return 0


def _warnings(content: "Content", pairs: "Mapping[str, list[Pair]]", *, every: bool) -> Iterator[str]:
    from bot.app import old_sources, phrasing_warnings, slips_of, utc_now

    for name in old_sources(content.library, utc_now()):
        yield f"the source '{name}' has not been opened for a year; check it, and write the day"
    yield from phrasing_warnings(content, every=every)
    yield from map(str, slips_of(content, pairs))


def _translate(chosen: argparse.Namespace) -> int:
    from bot import translating
    from bot.settings import load

    work = translating.begin(load(), chosen.language)
    if chosen.mark is not None:
        print(translating.mark(work, chosen.mark))
    elif chosen.export:
        translating.export(work, chosen.export)
        print(chosen.export)
    elif chosen.take:
        return _take(translating.take(work, chosen.take, chosen.drafted))
    else:
        for line in translating.listed(work):
            print(line)
    return 0


def _take(outcome: "Outcome") -> int:
    for name in outcome.files:
        print(name)
    print(f"{_count(outcome.taken, 'text')} taken into {_count(len(outcome.files), 'file')}.")
    return _print_problems(outcome.problems) if outcome.problems else 0


def _match(chosen: argparse.Namespace) -> int:
    import json
    from dataclasses import replace

    from bot.app import carer, learner, load_content, rumour_finder, tongues
    from bot.settings import SettingsError, load

    settings = load()
    content = load_content(settings.content, settings.roots, settings.cities if chosen.city else None)
    if chosen.city and chosen.city not in content.cities:
        raise SettingsError(f"--city: HEARSAY_CITIES holds no sound city called '{chosen.city}'.")
    if chosen.lang and chosen.lang not in content.library.pack.languages:
        known = ", ".join(content.library.pack.languages)
        raise SettingsError(f"{chosen.lang!r} is not a language of the pack. It has: {known}.")
    content = replace(content, learn=learner(settings.semantic))
    finder = rumour_finder(content, tongues(content.library))
    if chosen.explain is not None:
        from bot.features.rumours.explain import explain

        print("\n".join(explain(finder, chosen.explain, chosen.lang, chosen.city or "")))
        return 0
    care = carer(content.library, finder)
    for line in sys.stdin:
        text = line.rstrip("\n")
        sign = care.recognise(text)
        if sign in ("danger", "hurt"):
            heeded: dict[str, object] = {"text": text, "decision": "care", "care": sign, "candidates": []}
            print(json.dumps(heeded, ensure_ascii=False), flush=True)
            continue
        found = finder.find(text, chosen.lang, chosen.city or "")
        candidates = [{"id": m.entry, "score": round(m.score, 4), "phrase": m.phrase} for m in found.candidates]
        marked = {"care": sign} if sign else {}
        sure = {"confidence": round(found.confidence, 3), "language": found.language, "sort": found.sort}
        answer = {"text": text, "decision": found.decision, **sure, **marked, "candidates": candidates}
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    return 0


def _schema(_: argparse.Namespace) -> int:
    from bot.app import KINDS
    from bot.library.schema import write_schemas
    from bot.settings import load

    for path in write_schemas(load().content, KINDS):
        print(path)
    return 0


def _new(chosen: argparse.Namespace) -> int:
    from bot.app import KINDS
    from bot.library.scaffold import NewEntryError, write_new, write_sample
    from bot.settings import load

    kind = next(kind for kind in KINDS if kind.name == chosen.kind)
    settings = load()
    try:
        if kind.root:
            print(write_sample(settings.roots[kind.root], settings.content, kind, chosen.id))
            return 0
        print(write_new(settings.content, kind, chosen.id, chosen.theme))
    except NewEntryError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _print(chosen: argparse.Namespace) -> int:
    from bot.app import content_of, printed
    from bot.library.problem import did_you_mean
    from bot.platforms.web.paper import self_contained
    from bot.settings import SettingsError, load
    from bot.whole import write

    settings = load()
    content = content_of(settings)
    languages = content.library.pack.languages
    language = chosen.language or next(iter(languages))
    if language not in languages:
        raise SettingsError(f"{language!r} is not a language of the pack. It has: {', '.join(languages)}.")
    booklet = printed(content, chosen.quiz, language)
    if booklet is None:
        known = content.library.entries["quiz"][language]
        print(f"No game is called {chosen.quiz!r}. {did_you_mean(chosen.quiz, known) or ', '.join(known)}")
        return 1
    try:
        write(chosen.file, self_contained(booklet, content.phrases.say_in(language)).encode())
    except OSError as error:
        raise SettingsError(f"{chosen.file} cannot be written: {error.strerror}") from None
    print(chosen.file)
    return 0


def _link(chosen: argparse.Namespace) -> int:
    import asyncio

    from bot import qr
    from bot.app import content_of, repertoires
    from bot.platforms.telegram.service import link
    from bot.settings import SettingsError, load

    settings = load()
    payload = repertoires(content_of(settings), settings.city).of("").payload(chosen.what)
    if payload is None:
        print(f'{chosen.what!r} leads nowhere. A link may open a card, a tip, a word, ... : "/rumour jobs"')
        return 1
    if settings.telegram_token is None:
        raise SettingsError("HEARSAY_TELEGRAM_TOKEN is not set; the link holds the bot's name.")
    found = asyncio.run(link(settings.telegram_token.get_secret_value(), settings.telegram_api, payload))
    if chosen.qr:
        try:
            qr.save(found, chosen.qr)
        except (OSError, ValueError) as error:
            raise SettingsError(str(error)) from None
    print(f"{found}\n\n{qr.drawn(found)}")
    return 0


def _discord(_: argparse.Namespace) -> int:
    import asyncio

    from bot.settings import SettingsError, load

    settings = load()
    if settings.discord_token is None:
        raise SettingsError("HEARSAY_DISCORD_TOKEN is not set; the link holds the application's number.")
    from bot.platforms.discord.invite import invitation

    print(asyncio.run(invitation(settings.discord_token.get_secret_value(), settings.discord_api)))
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from bot.serve import prepare_database
    from bot.settings import load
    from bot.storage.database import named

    print(named(prepare_database(load().database)))
    return 0


def _file() -> Path:
    """Return the database's file. Raises `SettingsError` where a server keeps it."""
    from bot.settings import SettingsError, load

    database = load().database
    if not isinstance(database, Path):
        raise SettingsError(
            "HEARSAY_DATABASE is on a PostgreSQL server: pg_dump and pg_restore make and bring back copies."
        )
    return database


def _backup(chosen: argparse.Namespace) -> int:
    from bot.settings import SettingsError
    from bot.storage.backup import BackupError, backup

    try:
        backup(_file(), chosen.file, force=chosen.force)
    except BackupError as error:
        raise SettingsError(str(error)) from None
    print(chosen.file)
    return 0


def _restore(chosen: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from bot.settings import SettingsError
    from bot.storage.backup import BackupError, restore

    path = _file()
    try:
        aside = restore(path, chosen.file, datetime.now(UTC))
    except BackupError as error:
        raise SettingsError(str(error)) from None
    print(path)
    if aside:
        print(f"What was there before is kept in {aside}; delete it when all is well.")
    return 0


def _missed(_: argparse.Namespace) -> int:
    from bot.serve import in_database
    from bot.settings import load
    from bot.storage import missed

    for word, language, count in in_database(load(), missed.most_wanted):
        print(f"{count:6} {language} {word}")
    return 0


def _unmatched(chosen: argparse.Namespace) -> int:
    from bot import desk
    from bot.settings import load

    for line in desk.list_unmatched(load(), chosen.city, chosen.language, chosen.file):
        print(line)
    return 0


def _reports(chosen: argparse.Namespace) -> int:
    from bot import desk
    from bot.settings import load

    for line in desk.list_reports(load(), chosen.city, chosen.state, chosen.csv):
        print(line)
    return 0


def _answer_report(chosen: argparse.Namespace) -> int:
    from bot import desk
    from bot.settings import load

    print(desk.answer(load(), chosen.id, chosen.card))
    return 0


def _decline_report(chosen: argparse.Namespace) -> int:
    from bot import desk
    from bot.settings import load

    print(desk.decline(load(), chosen.id, chosen.reason))
    return 0


def _figures(chosen: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from bot import desk
    from bot.settings import load

    asked = desk.Asked(chosen.city, chosen.first, chosen.last, chosen.language, chosen.csv, chosen.svg)
    for line in desk.show_figures(load(), asked, datetime.now(UTC)):
        print(line)
    return 0


def _show(chosen: argparse.Namespace) -> int:
    from bot.proof import Wanted, show
    from bot.settings import load

    status, told = show(load(), Wanted(chosen.id, chosen.on, chosen.kind, chosen.lang, chosen.city))
    print(told, file=sys.stderr if status else None)
    return status


def _withdraw(chosen: argparse.Namespace) -> int:
    from bot.proof import bring_back, withdraw
    from bot.settings import load
    from bot.storage.withdrawn import Entry

    entry = Entry(chosen.city, chosen.kind, chosen.id)
    status, told = (bring_back if chosen.back else withdraw)(load(), entry, chosen.reason)
    print(told, file=sys.stderr if status else None)
    return status


def _audit(_: argparse.Namespace) -> int:
    from bot.proof import acts
    from bot.settings import load

    if told := acts(load()):
        print(told)
    return 0


def _invite(chosen: argparse.Namespace) -> int:
    from bot.coordinator import invite
    from bot.settings import load

    for line in invite(load(), chosen.city):
        print(line)
    return 0


def _campaigns(chosen: argparse.Namespace) -> int:
    from bot.coordinator import Asked, campaigns
    from bot.settings import load

    rest = {name: value for name, value in vars(chosen).items() if name != "command"}
    status, told = campaigns(load(), Asked(**rest))
    print(told)
    return status


def _hold(chosen: argparse.Namespace) -> int:
    from bot.coordinator import hold
    from bot.settings import load

    status, told = hold(load(), chosen.city, held=chosen.held)
    print(told)
    return status
