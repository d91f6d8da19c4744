"""PO files, which the tools of translators know: written from pairs, and read back as what is to be put into files."""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po, write_po
from babel.plural import PluralRule, to_gettext

from bot.library.pairs import PHRASES, Field, NoTextError, Unit, field_of
from bot.library.plurals import counted
from bot.library.problem import Problem, did_you_mean
from bot.library.source import Tree
from bot.library.template import template_problem, values

_FIGURE = re.compile(r"\{(\w+)\}")
_LONG = 700  # characters; nobody comes near more
_LINK = re.compile(r"\]\((/[^)]*)\)")
_HEADER = """\
Texts of {pack} in {name}. Translate with any tool for PO files; leave empty what you are unsure of.
Keep what stands in {{ }} and in ](/ ) as it is. A text of several lines is a list: an item a line.
Then: hearsay translate {language} --take THIS_FILE"""


def plural_header(language: str) -> tuple[int, str]:
    """Return how many forms whole numbers have in `language`, and gettext's expression that chooses one, by CLDR."""
    forms = counted(language)
    rules = Locale.parse(language).plural_form.rules
    first = PluralRule({form: rules[form] for form in forms[:-1] if form in rules})  # the last holds all other numbers
    return len(forms), to_gettext(first).partition("plural=")[2].rstrip(";")


def export(units: Iterable[Unit], language: str, pack: str, changed: Callable[[Unit], bool]) -> bytes:
    """Return a PO file of `units`; what `changed` since its translation is fuzzy."""
    catalog = _catalog(language, pack)
    for unit in units:
        message = Message(_ids(unit), _strings(unit), auto_comments=list(comments(unit)), context=unit.name)
        message.locations = [(unit.pair.original.path, unit.pair.original.problem(unit.at, "").line)]
        message.flags = {"fuzzy"} if unit.words and changed(unit) else set()
        if _takes_figures(unit):
            message.flags.add("python-brace-format")
        catalog[message.id] = message
    written = io.BytesIO()
    write_po(written, catalog, width=0)
    return written.getvalue()


def _catalog(language: str, pack: str) -> Catalog:
    name = Locale.parse(language).get_display_name("en")
    header = "\n".join(f"# {line}" for line in _HEADER.format(pack=pack, name=name, language=language).split("\n"))
    catalog = Catalog(language, project=pack, version="1", header_comment=header, fuzzy=False, charset="utf-8")
    vars(catalog).update(zip(("_num_plurals", "_plural_expr"), plural_header(language), strict=True))
    return catalog


def _ids(unit: Unit) -> str | tuple[str, str]:
    return unit.original[0] if len(unit.original) == 1 else (unit.original[0], unit.original[1])


def _strings(unit: Unit) -> str | tuple[str, ...]:
    if len(unit.original) == 1:
        return unit.words[0] if unit.words else ""
    return unit.words or ("",) * len(counted(unit.pair.language))


def _takes_figures(unit: Unit) -> bool:
    return unit.mark.figures and bool(_FIGURE.search(unit.original[0]))


# -------------------- what a translator is told


def comments(unit: Unit) -> Iterator[str]:
    """Yield what a translator should know of a text: what it is, how long it may be, what must stay."""
    field = field_of(unit) if unit.pair.model else Field()
    if field.description:
        yield field.description
    if unit.mark.most and f"{unit.mark.most} words" not in field.description:
        yield f"At most {unit.mark.most} words"
    if 0 < field.longest < _LONG and f"{field.longest} characters" not in field.description:
        yield f"At most {field.longest} characters{' a line' if unit.is_list else ''}"
    if unit.pair.kind == PHRASES and unit.at[0] == "name":
        yield "The name of a command, as it is typed: up to 32 small letters from a to z, digits and _"
    if unit.is_list and unit.mark.typed:
        yield "Not a translation: what people really type and say in your language, one a line, as many as you find"
    elif unit.is_list:
        yield "A list, an item a line"
    if kept := sorted(_kept(unit)):
        yield f"Must stay: {' '.join(kept)}"
    yield from _form_comments(unit)


def _kept(unit: Unit) -> set[str]:
    """Return what a translation must hold as the original does."""
    links = {f"]({target})" for text in unit.original for target in _LINK.findall(text)}
    if unit.mark.figures:
        return links | {f"{{{name}}}" for name in _FIGURE.findall(unit.original[0])}
    sound = [text for text in unit.original if "{" in text and not template_problem(text)]
    return links | {f"{{{{ {name} }}}}" for text in sound for name in values(text)}


def _form_comments(unit: Unit) -> Iterator[str]:
    if len(unit.original) > 1:
        rule = Locale.parse(unit.pair.language).plural_form
        for number, form in enumerate(counted(unit.pair.language)):
            examples = [str(count) for count in range(200) if rule(count) == form][:4]
            yield f"msgstr[{number}] is for {', '.join(examples)}" + (" …" if len(examples) > 3 else "")


# -------------------- back again


@dataclass(frozen=True)
class Taken:
    """A text as a PO file has it: what it says, made from which original, where it stands in the PO file."""

    unit: Unit
    words: tuple[str, ...]
    original: tuple[str, ...]
    value: Tree
    line: int

    @property
    def is_new(self) -> bool:
        """Whether it says something else than the file does."""
        return self.words != self.unit.words


def take(path: Path, units: Iterable[Unit], language: str) -> tuple[list[Taken], list[Problem]]:
    """Return what a PO file says of `units`, and what of it makes no sense; what is empty or fuzzy is passed over."""
    known = {unit.name: unit for unit in units}
    catalog = _read(path, language)
    if isinstance(catalog, Problem):
        return [], [catalog]
    taken: list[Taken] = []
    problems: list[Problem] = []
    for message in catalog:
        if not message.id or message.fuzzy:
            continue
        found = _taken(message, known)
        if isinstance(found, Taken):
            taken.append(found)
        elif found:
            problems.append(Problem(str(path), message.lineno or 1, 1, *found))
    return taken, problems


def _read(path: Path, language: str) -> Catalog | Problem:
    fix = "open it in a tool for PO files, which mends it, or export anew"
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return _fitting(read_po(io.StringIO(text), locale=language, abort_invalid=True), path, language)
    except OSError as error:
        return Problem(str(path), 1, 1, f"cannot be read: {error.strerror}", "check the file and its permissions")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Problem(str(path), line, 1, "is not UTF-8 text", "save the file as UTF-8")
    except PoFileError as error:
        return Problem(str(path), error.lineno + 1, 1, f"is not a PO file: {error}", fix)
    except Exception as error:  # whatever the reader was not made for
        return Problem(str(path), 1, 1, f"is not a PO file: {error}", fix)


def _fitting(catalog: Catalog, path: Path, language: str) -> Catalog | Problem:
    said = str(catalog.locale_identifier or language)
    if said.partition("_")[0] != language:
        return Problem(str(path), 1, 1, f"is for '{said}', not for '{language}'", f"run: hearsay translate {said} …")
    needed = len(counted(language))
    if catalog.num_plurals != needed:
        what = f"has {catalog.num_plurals} plural forms; {language} has {needed}"
        return Problem(str(path), 1, 1, what, "keep the line 'Plural-Forms' as it was exported")
    return catalog


def _taken(message: Message, known: dict[str, Unit]) -> Taken | tuple[str, str] | None:
    """Return what a message says; what is wrong with it and how to mend it; or None where it says nothing."""
    words = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    if not any(word.strip() for word in words):
        return None
    unit = known.get(message.context or "")
    if unit is None:
        near = did_you_mean(message.context or "", known)
        return f"no text is called '{message.context}'", near if near.startswith("did") else "export anew"
    original = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    if len(original) != len(unit.original):
        return "the original has other forms now", "export anew, and put the translation there"
    if not all(word.strip() for word in words):
        return "some of its plural forms are empty", "write them all, or leave them all empty"
    if words != unit.words and unit.pair.kind != PHRASES:
        words = tuple(word.strip() for word in words)
    try:
        return Taken(unit, words, original, unit.value(words), message.lineno or 1)
    except NoTextError as error:
        what, _, fix = str(error).partition("; ")
        return what, fix
