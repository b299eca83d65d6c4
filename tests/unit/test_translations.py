"""The mail's words in other languages: complete, compiled, and as those languages write dates and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.dates import format_date, format_skeleton

from pipeline.digest.render import wording as words
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.digest.render.translations import translator_for
from tests.golden.sample import PUBLICATION, SAMPLE
from tests.golden.update import THEME_NAMES
from tools.catalogs import catalogs, template, updated

CATALOGS = dict(catalogs())
LANGUAGES = sorted(language for language in CATALOGS if "_" not in language)
ROOT = Path(__file__).parents[2]


def forms(message: object) -> Iterator[str]:
    """Give a text in all its plural forms."""
    yield from [message] if isinstance(message, str) else message  # type: ignore[misc]


def test_these_languages_are_there() -> None:
    """English is the words themselves; a region's catalog holds what it says otherwise, such as dates in America."""
    assert sorted(CATALOGS) == ["ar", "de", "de_AT", "en_US", "fr"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated(language: str) -> None:
    """No word of the sources lacks a translation, in every plural form the language has; `make locale` lists them."""
    catalog = updated(CATALOGS[language], language)
    missing = [message.id for message in catalog if message.id and not all(forms(message.string or ""))]
    assert missing == []
    assert {len(message.string) for message in catalog if message.pluralizable} == {catalog.num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_is_lost(language: str) -> None:
    """A translation fills in the same {names} as the English; only the number of a singular or dual may be a word."""
    for message in updated(CATALOGS[language], language):
        wanted = set(re.findall(r"\{\w+\}", " ".join(forms(message.id))))
        for form in forms(message.string):
            assert set(re.findall(r"\{\w+\}", form)) in ([wanted, set()] if message.pluralizable else [wanted])


@pytest.mark.parametrize("language", CATALOGS)
def test_catalogs_are_up_to_date_and_compiled(language: str) -> None:
    """What the program reads is what people wrote, and both know the words of the sources: run `make locale`."""
    file = CATALOGS[language]
    catalog = updated(file, language)
    with file.with_suffix(".mo").open("rb") as opened:
        compiled = GNUTranslations(opened)
    for message in catalog:
        if isinstance(message.id, str) and message.id and message.string:
            assert compiled.gettext(message.id) == message.string
    written = re.findall(r'^msgid "(.+)"$', file.read_text(), re.MULTILINE)
    sources = {next(forms(message.id)) for message in template() if message.id}
    assert set(written) <= sources
    assert set(written) == sources or "_" in language


@pytest.mark.parametrize("tag", ["en-GB", "en-US", "de", "de-AT", "fr", "fr-CA", "ar", "ar-EG"])
@pytest.mark.parametrize("month", range(1, 13))
def test_dates_are_as_the_language_writes_them(tag: str, month: int) -> None:
    """Babel, which knows the Unicode locale data, is the referee; the program itself does without its weight."""
    at, locale = date(2026, month, 16), tag.replace("-", "_")
    assert translator_for(tag).format_date(at) == format_date(at, "long", locale=locale)
    assert translator_for(tag).format_month(at) == format_skeleton("yMMMM", at, locale=locale)


@pytest.mark.parametrize(
    ("tag", "minutes", "said"),
    [
        ("ar", 2, "دقيقتان"),
        ("ar", 3, "3\u00a0دقائق"),
        ("ar", 11, "11\u00a0دقيقة"),
        ("ar", 63, "ساعة واحدة و3\u00a0دقائق"),
        ("de", 72, "1\u00a0Std. 12\u00a0Min."),
        ("fr", 42, "42\u00a0min"),
        ("pt-BR", 42, "42 min"),
    ],
)
def test_numbers_take_their_plural_forms(tag: str, minutes: int, said: str) -> None:
    """Arabic has six of them; a language without a catalog is spoken to in English."""
    assert words.format_duration(60 * minutes, translator_for(tag)) == said


@pytest.mark.parametrize(
    ("n", "said"), [(1, "رابط مفيد"), (4, "4 روابط مفيدة"), (11, "11 رابطًا مفيدًا"), (100, "100 رابط مفيد")]
)
def test_arabic_counts_links(n: int, said: str) -> None:
    """One, few, many and hundreds of a thing are four words."""
    assert translator_for("ar").ngettext("a useful link", "{n} useful links", n) == said


@pytest.mark.parametrize("tag", ["EN-us", "en-US", "en-us-x-shop"])
def test_tags_are_read_in_any_case(tag: str) -> None:
    """BCP 47 tags mean the same in capitals and with more parts than we know."""
    assert translator_for(tag).format_date(date(2026, 3, 1)) == "March 1, 2026"


def test_templates_hold_no_words_of_their_own() -> None:
    """All that a theme says comes through the page, in the publication's language."""
    for file in sorted(file for theme in THEME_NAMES for file in (ROOT / "templates" / theme).glob("**/*.j2")):
        source = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--\[.*?\]>|<!\[endif\]-->", " ", file.read_text(), flags=re.DOTALL
        )
        plain = re.sub(r"<[^>]*>|&\w+;", " ", source)
        assert re.findall(r"[^\W\d_]{2,}", plain) == [], file


def test_every_colon_before_an_address_is_the_languages_own() -> None:
    """In French text a colon has its no-break space wherever an address follows: under words, stories, notes, below."""
    story = replace(SAMPLE.sections[0].stories[0], note_md="Voir [la marée](https://tides.example.org/m).")
    posts = replace(SAMPLE.sections[0], stories=(story,))
    publication = replace(PUBLICATION, language="fr", call_to_action_md="Voir [la lettre](https://harbour.example/l).")
    introduction = "Voir [le four](https://oven.example.org/f)."
    french = replace(SAMPLE, publication=publication, introduction_md=introduction, sections=(posts,))
    text = render(french, load_theme([ROOT / "templates"], "classic")).text
    before = re.findall(r"(..):\s+https?://", text)
    assert len(before) > 5
    assert {each[1] for each in before} == {"\N{NO-BREAK SPACE}"}


@pytest.mark.parametrize(("tag", "kept"), [("de", "6 Min."), ("fr", "6 min"), ("ar", "6 دقائق")])
def test_a_number_keeps_its_unit_in_a_byline(tag: str, kept: str) -> None:
    """What a translation keeps together with a no-break space, no line's end parts, in the text as in the HTML."""
    posts = replace(SAMPLE.sections[0], stories=SAMPLE.sections[0].stories[:1])
    letter = replace(SAMPLE, publication=replace(PUBLICATION, language=tag), sections=(posts,))
    assert kept.replace(" ", "\N{NO-BREAK SPACE}") in render(letter, load_theme([ROOT / "templates"], "classic")).text
