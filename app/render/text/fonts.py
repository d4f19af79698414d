"""Fonts: which one has a character.

First those of the job (:mod:`app.render.text.brandfonts`), then the vendored ones, then
those that are installed in the directories of ``PREVIEW_FONT_DIR``. Without such a
directory only fonts of this package are used, never the system's: the same text
gives the same pixels on every machine.

A film's fonts are set around all that measures or draws its texts, with
:func:`using`: caches below know texts by fonts, so that films may be planned at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from app.render.model.request import Request
from app.render.model.themes import NIGHT, Theme
from app.render.text import emoji, fontfiles
from app.render.text.breaks import clusters
from app.render.text.coverage import covers, invisible, overhang
from app.render.text.fontfiles import Face, Family
from app.render.text.languages import region_of

#: Where the vendored font files lie.
FONT_DIRECTORY: Final = Path(__file__).parent / "vendored"
#: Vendored families in the order in which they are asked for a character.
FAMILIES: Final = (
    "NotoSans",
    "NotoSansArabic",
    "NotoSansHebrew",
    "NotoSansSymbols2",
    "NotoSansSymbols",
)
#: Ink of Noto may reach so far outside a line's advances (a "j" does), in ems.
OVERHANG: Final = 0.09
#: A note about missing glyphs names so many of them.
_NAMED: Final = 20
#: The languages of these regions, and the scripts that they share.
_LANGUAGES: Final = {
    "JP": "ja", "KR": "ko", "SC": "zh-hans", "TC": "zh-hant", "HK": "zh-hant-hk",
}  # fmt: skip
_EAST_ASIAN: Final = frozenset({"Hani", "Hira", "Kana", "Hang", "Bopo"})


def font_files() -> tuple[Path, ...]:
    """Return every vendored font file, sorted by name."""
    return fontfiles.font_files(FONT_DIRECTORY)


def _vendored(name: str) -> Family:
    regular, bold = (FONT_DIRECTORY / f"{name}-{style}.ttf" for style in ("Regular", "Bold"))
    return Family(name, Face(regular), Face(bold if bold.exists() else regular), vendored=True)


@lru_cache(maxsize=1)
def vendored() -> tuple[Family, ...]:
    """Return the families of this package that serve every theme."""
    return tuple(map(_vendored, FAMILIES))


@lru_cache
def theme_family(theme: Theme) -> Family:
    """Return the family of a theme: its face for text, and its display face for what is bold."""
    face, display = (
        Face(FONT_DIRECTORY / f"{name}-{style}.ttf")
        for name, style in ((theme.face[0], "Regular"), (theme.display[0], "Bold"))
    )
    return Family(theme.name, face, display, vendored=True)


class Fonts:
    """The fonts of a film. Compared by identity: it is part of many cache keys.

    Args:
        brand: The job's own.
        theme: The film's theme, whose family follows those.
        directories: Where fonts are installed; looked at when a character needs it.
        region: Names of families that end so are preferred among those: ``JP``, ``KR``,
            ``SC``, ``TC`` or ``HK``.
        language: BCP 47; of a font's forms of a letter, those of this language are drawn.
    """

    def __init__(
        self,
        *,
        brand: Sequence[Family] = (),
        theme: Theme = NIGHT,
        directories: Sequence[Path] = (),
        region: str = "",
        language: str = "",
    ) -> None:
        self.brand = tuple(brand)
        self.theme = theme
        self.language = language
        self._directories = tuple(directories)
        self._region = region

    @cached_property
    def base(self) -> Family:
        """The family of Latin text."""
        own = (family for family in self.brand if not family.emoji)
        return next(own, theme_family(self.theme))

    def scale(self, *, bold: bool) -> float:
        """Return the factor of sizes at which the theme's fonts look as large as Noto's."""
        if any(not family.emoji for family in self.brand):
            return 1.0
        return (self.theme.display if bold else self.theme.face)[1]

    @property
    def fallback(self) -> Family:
        """The family whose empty box stands for characters that no font has."""
        return vendored()[0]

    def language_of(self, script: str) -> str:
        """Return the language in whose forms letters of ``script`` are drawn.

        That of the film, but for Chinese characters that it quotes in another language.
        """
        if script in _EAST_ASIAN and not self.language.lower().startswith(("ja", "ko", "zh")):
            return _LANGUAGES.get(self._region, self.language)
        return self.language

    @cached_property
    def overhang(self) -> float:
        """How far ink may reach outside a line's advances, in ems."""
        return max([OVERHANG, *map(overhang, (*self.brand, theme_family(self.theme)))])

    @cached_property
    def installed(self) -> tuple[Family, ...]:
        """Families of the directories, those of the film's region first."""
        found = fontfiles.installed_families(self._directories)
        return tuple(sorted(found, key=lambda family: not family.name.endswith(f" {self._region}")))

    def coloured(self, sequence: str) -> Family | None:
        """Return the family that has ``sequence``, an emoji, as a picture; None for none."""
        families = (*self.brand, *self.installed)
        return next((one for one in families if one.emoji and covers(one, sequence)), None)

    def family_of(self, cluster: str, *, previous: Family) -> Family | None:
        """Return the family that draws ``cluster``, or None when no font has it.

        Args:
            cluster: A character, with the marks on it.
            previous: Family of the text before it. It is kept for spaces and punctuation, so
                that these do not break a run apart.
        """
        return _family_of(self, cluster, previous)

    def first_with(self, cluster: str, previous: Family) -> Family | None:
        """Ask the fonts in turn; :meth:`family_of` keeps the answers."""
        if all(map(invisible, cluster)):
            return previous
        if not cluster[0].isalnum() and covers(previous, cluster):
            return previous
        known = (*self.brand, theme_family(self.theme), *vendored())
        found = next((one for one in known if not one.emoji and covers(one, cluster)), None)
        if found is not None or cluster.isascii():
            return found
        return next((one for one in self.installed if not one.emoji and covers(one, cluster)), None)

    def pieces(self, text: str) -> Iterator[tuple[int, int, Family | None]]:
        """Yield (start, end, family) of each cluster or emoji; no family for what no font has."""
        position, previous = 0, self.base
        for match in emoji.SEQUENCE.finditer(text) if not text.isascii() else ():
            family = self.coloured(match[0])
            if family is None:
                continue
            for piece in self._clusters(text, position, match.start(), previous):
                previous = piece[2] or self.base
                yield piece
            yield *match.span(), family
            position = match.end()
        yield from self._clusters(text, position, len(text), previous)

    def _clusters(
        self, text: str, start: int, end: int, previous: Family
    ) -> Iterator[tuple[int, int, Family | None]]:
        for first, after in clusters(text, start, end):
            found = self.family_of(text[first:after], previous=previous)
            if found is None and after > first + 1:  # no font has all of it: the letter alone
                found = self.family_of(text[first], previous=previous)
                yield first, first + 1, found
                for place in range(first + 1, after):
                    yield place, place + 1, found if invisible(text[place]) else None
            else:
                yield first, after, found
            previous = found or self.base

    def signature(self, texts: Iterable[str]) -> list[list[str]]:
        """Return what determines how texts look, apart from the vendored fonts."""
        texts = tuple(texts)
        # Without a job's fonts, vendored ones have all of ASCII.
        asked = [text for text in texts if self.brand or not text.isascii()]
        used = {family for text in asked for *_, family in self.pieces(text) if family}
        if self.brand and any(texts):
            used.add(self.base)
        found = [
            [family.name, *map(fontfiles.fingerprint, (family.regular, family.bold))]
            for family in used
            if not family.vendored
        ]
        return sorted(found)


@lru_cache(maxsize=32_768)
def _family_of(fonts: Fonts, cluster: str, previous: Family) -> Family | None:
    return fonts.first_with(cluster, previous)


#: The fonts of everything that is measured or drawn, unless :func:`using` says otherwise.
_current: Final = ContextVar("fonts", default=Fonts())  # noqa: B039 - never changed


def current() -> Fonts:
    """Return the fonts of the film that is being planned or rendered."""
    return _current.get()


@contextmanager
def using(fonts: Fonts) -> Iterator[None]:
    """Have texts measured and drawn with ``fonts``; threads of one's own need the context, too."""
    token = _current.set(fonts)
    try:
        yield
    finally:
        _current.reset(token)


def film_fonts(
    request: Request, *, directories: Sequence[Path] = (), brand: Sequence[Family] = ()
) -> Fonts:
    """Return the fonts of a film.

    Args:
        request: Its theme, and its language and texts, which choose among fonts for one region
            of East Asia.
        directories: Where fonts are installed.
        brand: The job's own.
    """
    language = request.options.language
    region = region_of(language, "\n".join(request.texts))
    if brand:
        return Fonts(
            brand=brand,
            theme=request.theme,
            directories=directories,
            region=region,
            language=language,
        )
    return _known(tuple(directories), request.theme, region, language, _state(directories))


@lru_cache(maxsize=16)
def _known(
    directories: tuple[Path, ...],
    theme: Theme,
    region: str,
    language: str,
    state: object,  # noqa: ARG001 - a cache key: other files, other fonts
) -> Fonts:
    return Fonts(theme=theme, directories=directories, region=region, language=language)


def _state(directories: Sequence[Path]) -> tuple[object, ...]:
    files = [path for directory in directories for path in fontfiles.font_files(directory)]
    found: list[object] = []
    for path in files:
        with suppress(OSError):  # it has just been removed
            stat = path.stat()
            found.append((path, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def missing_note(text: str) -> str:
    """Return which characters of ``text`` no font has, in words; "" when there are none."""
    missing = missing_characters(text)
    if not missing:
        return ""
    names = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:_NAMED])
    return f"no font has {names}" + (
        f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    )


def missing_characters(text: str) -> tuple[str, ...]:
    """Return the characters of ``text`` that no font has, each once, in order."""
    if text.isascii():
        return ()
    pieces = current().pieces(text)
    found = (text[start:end] for start, end, family in pieces if family is None)
    return tuple(dict.fromkeys(found))
