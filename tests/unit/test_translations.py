"""Translations: complete and compiled catalogs, and dates, numbers and plurals as each language writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from gettext import GNUTranslations, c2py  # type: ignore[attr-defined]
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from pipeline.digest.compose.correction import corrected
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.digest.render.translations import translator_for
from pipeline.digest.render.translator import LANGUAGES
from pipeline.digest.render.wording import format_duration
from pipeline.model.correction import CorrectionNote
from tests.golden.sample import PUBLICATION, SAMPLE
from tests.golden.update import THEME_NAMES
from tools.catalogs import catalogs, template, updated

CATALOGS = dict(catalogs())
ROOT = Path(__file__).parents[2]
DAY = date(2026, 3, 16)


def forms(message: object) -> Iterator[str]:
    """Yield a message in all its plural forms."""
    yield from [message] if isinstance(message, str) else message  # type: ignore[misc]


def test_these_languages_have_a_catalog() -> None:
    """English needs none: its messages are in the source."""
    assert {*CATALOGS, "en"} == {*LANGUAGES}


@pytest.mark.parametrize("language", CATALOGS)
def test_every_message_is_translated(language: str) -> None:
    """No message of the sources lacks a translation, in every plural form of the language; `make locale` lists them."""
    catalog = updated(CATALOGS[language], language)
    missing = [message.id for message in catalog if message.id and not all(forms(message.string or ""))]
    assert missing == []
    assert {len(message.string) for message in catalog if message.pluralizable} == {catalog.num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_correction_says_so_in_every_language(language: str) -> None:
    """In its subject, and above all stories in HTML and in text."""
    translator = translator_for(language)
    note = CorrectionNote(number=1, text_md="Cafés open at nine.", made_at=SAMPLE.closes_at, corrects="")
    digest = replace(SAMPLE, publication=replace(PUBLICATION, language=language))
    rendered = render(corrected(digest, note, translator), load_theme([ROOT / "templates"], "classic"))
    word = translator.gettext("Correction")
    assert rendered.subject.startswith(word)
    assert rendered.subject.endswith(SAMPLE.subject)
    assert rendered.preheader == "Cafés open at nine."
    html, lead = rendered.html, SAMPLE.stories[0].title
    assert html.index(word, html.index("</head>")) < html.rindex("Cafés open at nine.") < html.rindex(lead)
    assert rendered.text.index(f"> {word}\n>\n> Cafés open at nine.") < rendered.text.index(lead)


@pytest.mark.parametrize("language", CATALOGS)
def test_translations_have_the_same_placeholders(language: str) -> None:
    """A translation has the {names} of the English; only the number of a singular or dual may be a word."""
    for message in updated(CATALOGS[language], language):
        expected = set(re.findall(r"\{\w+\}", " ".join(forms(message.id))))
        for form in forms(message.string):
            names = set(re.findall(r"\{\w+\}", form))
            assert names in ([expected, set()] if message.pluralizable else [expected])


@pytest.mark.parametrize("language", CATALOGS)
def test_catalogs_are_up_to_date_and_compiled(language: str) -> None:
    """The .mo files match the .po files, and both have the messages of the sources: run `make locale`."""
    file = CATALOGS[language]
    catalog = updated(file, language)
    with file.with_suffix(".mo").open("rb") as opened:
        compiled = GNUTranslations(opened)
    for message in catalog:
        if isinstance(message.id, str) and message.id and message.string:
            assert compiled.gettext(message.id) == message.string
    with file.open("rb") as opened:
        written = {next(forms(message.id)) for message in read_po(opened) if message.id}
    assert written == {next(forms(message.id)) for message in template() if message.id}


@pytest.mark.parametrize(
    ("tag", "day", "month"),
    [
        ("en", "16 March 2026", "March 2026"),
        ("en-GB", "16 March 2026", "March 2026"),
        ("EN-us", "March 16, 2026", "March 2026"),
        ("en-US-x-shop", "March 16, 2026", "March 2026"),
        ("de", "16. März 2026", "März 2026"),
        ("fr-CA", "16 mars 2026", "mars 2026"),
        ("ar", "16 مارس 2026", "مارس 2026"),
        ("nl", "16 maart 2026", "maart 2026"),
        ("pt-BR", "16 de março de 2026", "março de 2026"),
        ("tlh", "16 March 2026", "March 2026"),
    ],
)
def test_dates_follow_the_language(tag: str, day: str, month: str) -> None:
    """Tags are read in any case and with unknown parts; a language without a catalog still has its dates."""
    translator = translator_for(tag)
    assert (translator.format_date(DAY), translator.format_month(DAY)) == (day, month)


@pytest.mark.parametrize(
    ("tag", "minutes", "duration"),
    [
        ("ar", 2, "دقيقتان"),
        ("ar", 3, "3\u00a0دقائق"),
        ("ar", 11, "11\u00a0دقيقة"),
        ("ar", 63, "ساعة واحدة و3\u00a0دقائق"),
        ("de", 72, "1\u00a0Std. 12\u00a0Min."),
        ("fr", 42, "42\u00a0min"),
        ("pl", 72, "1\u00a0godz.\u00a012\u00a0min"),
        ("ur", 63, "1\u00a0گھنٹہ 3\u00a0منٹ"),
        ("ja", 72, "1時間12分"),
        ("sv", 42, "42 min"),
        ("he", 42, "\u206842 min\u2069"),
    ],
)
def test_numbers_have_their_plural_forms(tag: str, minutes: int, duration: str) -> None:
    """Arabic has six of them; a language without a catalog gets the English words, isolated where it runs leftwards."""
    assert format_duration(60 * minutes, translator_for(tag)) == duration


@pytest.mark.parametrize(
    ("tag", "n", "posts"),
    [
        *(
            ("pl", 1, "wpis"),
            ("pl", 3, "3 wpisy"),
            ("pl", 5, "5 wpisów"),
            ("pl", 12, "12 wpisów"),
            ("pl", 22, "22 wpisy"),
        ),
        *(("ru", 1, "1 статья"), ("ru", 4, "4 статьи"), ("ru", 11, "11 статей"), ("ru", 21, "21 статья")),
        *(
            ("ja", 1, "記事1本"),
            ("ja", 2, "記事2本"),
            ("zh", 2, "2 篇文章"),
            ("tr", 2, "2 yazı"),
            ("ur", 2, "2 تحریریں"),
        ),
        *(("pt-BR", 1, "um artigo"), ("es-MX", 2, "2 entradas"), ("it", 1, "un articolo"), ("nl", 2, "2 artikelen")),
    ],
)
def test_posts_are_counted_as_each_language_does(tag: str, n: int, posts: str) -> None:
    """Polish and Russian have three forms; Japanese, Chinese and Turkish count without a plural."""
    assert translator_for(tag).ngettext("a post", "{n} posts", n) == posts


@pytest.mark.parametrize("language", CATALOGS)
def test_the_plural_rule_of_a_catalog_uses_each_form(language: str) -> None:
    """It gives the number of a form for every number of things, and each of its forms for some."""
    catalog = updated(CATALOGS[language], language)
    plural = c2py(catalog.plural_expr)
    forms_used = {plural(n) for n in (*range(1000), 1_000_000)}
    assert forms_used == set(range(catalog.num_plurals))


@pytest.mark.parametrize(
    ("n", "links"), [(1, "رابط مفيد"), (4, "4 روابط مفيدة"), (11, "11 رابطًا مفيدًا"), (100, "100 رابط مفيد")]
)
def test_arabic_counts_links(n: int, links: str) -> None:
    """One, few, many and a hundred links have four different forms."""
    assert translator_for("ar").ngettext("a useful link", "{n} useful links", n) == links


def test_templates_contain_no_words() -> None:
    """All words of a theme come from the view, in the publication's language; those of pages are translated."""
    folders = (*THEME_NAMES, "public")
    files = [file for name in folders for file in (ROOT / "templates" / name).glob("**/*.j2")]
    for file in sorted(file for file in files if ".css" not in file.suffixes):
        source = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--\[.*?\]>|<!\[endif\]-->", " ", file.read_text(), flags=re.DOTALL
        )
        plain = re.sub(r"<[^>]*>|&\w+;", " ", source)
        assert re.findall(r"[^\W\d_]{2,}", plain) == [], file


def test_colons_before_urls_are_the_languages_own() -> None:
    """A French colon has its no-break space before every URL: in introduction, stories, notes and footer."""
    story = replace(SAMPLE.sections[0].stories[0], note_md="Voir [la marée](https://tides.example.org/m).")
    posts = replace(SAMPLE.sections[0], stories=(story,))
    publication = replace(PUBLICATION, language="fr", call_to_action_md="Voir [la lettre](https://harbour.example/l).")
    introduction = "Voir [le four](https://oven.example.org/f)."
    french = replace(SAMPLE, publication=publication, introduction_md=introduction, sections=(posts,))
    text = render(french, load_theme([ROOT / "templates"], "classic")).text
    before = re.findall(r"(..):\s+https?://", text)
    assert len(before) > 5
    assert {characters[1] for characters in before} == {"\N{NO-BREAK SPACE}"}


@pytest.mark.parametrize(("tag", "kept"), [("de", "6 Min."), ("fr", "6 min"), ("ar", "6 دقائق")])
def test_a_number_keeps_its_unit_in_a_byline(tag: str, kept: str) -> None:
    """A no-break space of a translation is not broken at a line's end, in the text as in the HTML."""
    posts = replace(SAMPLE.sections[0], stories=SAMPLE.sections[0].stories[:1])
    digest = replace(SAMPLE, publication=replace(PUBLICATION, language=tag), sections=(posts,))
    assert kept.replace(" ", "\N{NO-BREAK SPACE}") in render(digest, load_theme([ROOT / "templates"], "classic")).text
