"""What translators get wrong that breaks nothing: each a warning, for a text may have its reasons."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from bot.library.figures import places
from bot.library.pairs import PHRASES, Pair, list_of, part, phrases
from bot.library.problem import Problem
from bot.library.shape import Words, leaves
from bot.library.source import At, Tree
from bot.library.style import Style

_MARKS = re.compile('["“”„‟«»‹›]')
_ASIDE = re.compile(r"\]\([^)]*\)|\{\{.*?\}\}|\{%.*?%\}|\{\w+\}|https?://\S+|`[^`]*`|/\w+")
"""What is no word of a sentence: targets of links, values, figures, addresses, code, commands."""
_VALUE = re.compile(r"\{\{ *(\w+)")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_DIGITS = re.compile(r"\d+")
_NO_BREAK = "\u00a0\u202f"
_LONGEST_NAME = 3

Slip = tuple[At, str, str]


def slips(pair: Pair, styles: Mapping[str, Style], original: str) -> Iterator[Problem]:
    """Yield the slips of one translation; `styles` is by language, `original` the original's."""
    if pair.words is None:
        return
    find = _Finder(pair.language, styles.get(pair.language, Style()), styles.get(original, Style()))
    found = find.phrases(pair) if pair.kind == PHRASES else find.entry(pair)
    for at, what, fix in found:
        yield pair.words.problem(at, what, fix)


class _Finder:
    def __init__(self, language: str, style: Style, original: Style) -> None:
        self.language = language
        self.style = style
        self.allowed = frozenset("".join(style.quotes))
        self.unspaced = _unspaced(style.spaced, "".join(pair[0] for pair in style.quotes if pair[1] in style.spaced))
        self.numbers = _by_word(style)
        self.original_numbers = _by_word(original)

    def entry(self, pair: Pair) -> Iterator[Slip]:
        """Yield the slips of a file with a model."""
        whole = tuple(_texts(pair.original.tree))
        for leaf in leaves(pair.model, pair.words.tree if pair.words else {}):
            if not isinstance(leaf.mark, Words):
                continue
            at = list_of(leaf.at)
            base = tuple(_texts(part(pair.original.tree, at)))
            yield from self._untranslated(leaf.at, leaf.value, base)
            if leaf.mark.typed:
                continue
            yield from self._shown(leaf.at, leaf.value)
            # What the entry says of itself may take a number from anywhere in it, a part's text only from its own.
            yield from self._counted(leaf.at, leaf.value, whole if len(at) == 1 else base)
            if at == leaf.at:
                yield from self._values(leaf.at, leaf.value, base, leaf.mark)

    def phrases(self, pair: Pair) -> Iterator[Slip]:
        """Yield the slips of a file of phrases, whose values are compared elsewhere."""
        originals = dict(phrases(pair.original.tree))
        for at, value in phrases(pair.words.tree if pair.words else {}):
            base = tuple(_texts(originals.get(at, "")))
            forms = [((*at, name), text) for name, text in value.items()] if isinstance(value, dict) else [(at, value)]
            for here, text in forms:
                if isinstance(text, str):
                    yield from self._untranslated(here, text, base)
                    yield from self._shown(here, text)
                    yield from self._counted(here, text, base)

    def _untranslated(self, at: At, text: str, base: tuple[str, ...]) -> Iterator[Slip]:
        if text in base and is_sentence(text):
            fix = "translate it, or remove it: what a translation leaves out is said as in the original"
            yield at, "is not translated", fix

    def _shown(self, at: At, text: str) -> Iterator[Slip]:
        bare = _ASIDE.sub(_covered, text)
        if self.allowed and (wrong := next((mark for mark in _MARKS.findall(bare) if mark not in self.allowed), None)):
            yield at, f"has the quotation mark {wrong}", f"{self.language} writes {self._quoted(self.style.quotes[0])}"
        if self.unspaced and (found := self.unspaced.search(bare)):
            sign = found[0].strip()
            fix = f"write a no-break space {'after' if found['after'] else 'before'} it (U+00A0 or U+202F)"
            yield at, f"has no no-break space at {sign}", fix

    def _counted(self, at: At, text: str, base: tuple[str, ...]) -> Iterator[Slip]:
        bare = _ASIDE.sub(_covered, text)
        said = {self.numbers[word]: word for word in _words(bare) if word in self.numbers}
        said |= {number: number for number in _DIGITS.findall(bare)}
        if not said or not (unknown := said.keys() - set(self.style.own)):
            return
        words = {piece for one in base for word in _words(one) for piece in (word, *word.split("-"))}
        known = {self.original_numbers[word] for word in words & self.original_numbers.keys()}
        known |= {number for one in base for number in _DIGITS.findall(one)}
        # Years are said in scores in one language and in thousands in another.
        if extra := sorted(unknown - known - ({"100", "1000"} if known else set())):
            fix = "keep to the original's numbers; a helpline of your country goes under 'own:' in style/"
            yield at, f"says '{said[extra[0]]}', a number that the original does not have", fix

    def _quoted(self, marks: str) -> str:
        space = "\u00a0" if marks[1] in self.style.spaced else ""
        return f"{marks[0]}{space}…{space}{marks[1]}"

    def _values(self, at: At, text: str, base: tuple[str, ...], mark: Words) -> Iterator[Slip]:
        """Yield figures and values that the original has and the translation does not, or the other way round."""
        if not base or "{" not in text + base[0]:
            return
        names = places if mark.figures else _values_of
        ours, theirs = names(text), names(base[0])
        for name in sorted(theirs - ours):
            yield at, f"does not name '{name}'", f"write {_braced(name, mark)} where it belongs"
        for name in sorted(ours - theirs):
            yield at, f"names '{name}', which the original does not", "say what the original says"


def is_sentence(text: str) -> bool:
    """Say whether a text has more than three words and is no name, link or code: most of them are not capitalised."""
    words = _words(_ASIDE.sub(" ", text), lower=False)
    small = [word for word in words if not word[0].isupper()]
    return len(words) > _LONGEST_NAME and 2 * len(small) > len(words)


def _covered(found: re.Match[str]) -> str:
    """Return what stands for something that is no word: a bracket that closes, and letters."""
    return "]" + "x" if found[0].startswith("]") else "x"


def _texts(tree: Tree | None) -> Iterator[str]:
    """Yield every text of a list, of a phrase's forms, or a text itself."""
    if isinstance(tree, str):
        yield tree
    elif tree:
        for child in tree.values() if isinstance(tree, dict) else tree:
            yield from _texts(child)


def _words(text: str, *, lower: bool = True) -> list[str]:
    return _WORD.findall(text.lower() if lower else text)


def _values_of(text: str) -> set[str]:
    return set(_VALUE.findall(text))


def _braced(name: str, mark: Words) -> str:
    return f"{{{name}}}" if mark.figures else f"{{{{ {name} }}}}"


@cache
def _unspaced(signs: str, opening: str) -> re.Pattern[str] | None:
    """Return what finds a sign without its no-break space: before `signs` at the end of a word, after `opening`."""
    if not signs:
        return None
    before = rf"(?<![{_NO_BREAK}{re.escape(signs)}…]) ?[{re.escape(signs)}](?=[\s*)\]»”.…{re.escape(signs)}]|$)"
    after = rf"(?P<after>[{re.escape(opening)}](?![{_NO_BREAK}]))" if opening else "(?P<after>(?!))"
    return re.compile(f"{before}|{after}")


def _by_word(style: Style) -> dict[str, str]:
    lines = (line.lower().split() for line in style.numbers)
    return {word: number for number, *words in lines for word in words}
