"""The script and the language of a text."""

from __future__ import annotations

import pytest

from pipeline.text.scripts import foreign_language, main_script

TEXTS = {
    "English": "The boats of the town are in the harbour, and nobody has the time to look for what is left of it as "
    "they have to be there with the tide.",
    "German": "Das Brot braucht einen Tag, und wer es nicht eilig hat, der wartet auf den Duft aus dem Ofen. Wir sind "
    "mit der ersten Fähre gekommen und haben es für die Kinder gebacken.",
    "French": "Les bateaux sont dans le port, et la ville attend avec nous que la marée du soir les porte au large; "
    "mais personne ne sait plus qui est parti pour une autre île.",
    "Spanish": "Los barcos están en el puerto, y la gente que vive con la marea sabe para qué se levanta por las "
    "mañanas; pero su pan es muy bueno como lo son las sopas del mar.",
    "Italian": "Il pane che si fa con la farina del mulino è una cosa per la domenica, ma anche gli altri giorni non "
    "sono da meno: di sera lo zio cuoce più pani nel forno della casa.",
    "Portuguese": "Os barcos que estão no porto não são para a pesca; como o pão é mais do que uma coisa da mesa, ao "
    "domingo as famílias o levam na viagem, mas não foi sempre em paz.",
    "Dutch": "Het brood van de bakker is niet voor de kinderen, maar wij zijn er ook bij en het wordt met zout "
    "gebakken aan de haven naar een recept dat ik van je oma heb.",
}
CODES = dict(zip(TEXTS, ["en", "de", "fr", "es", "it", "pt", "nl"], strict=True))


@pytest.mark.parametrize("name", TEXTS)
def test_languages_in_latin_script(name: str) -> None:
    """Each of seven is recognised; in a newsletter in another language than these nothing is foreign."""
    for tag in ("en", "EN-GB", "de", "nl-BE"):
        own = CODES[name] == tag.split("-")[0].lower()
        assert foreign_language(TEXTS[name], tag) == ("" if own else name)
    assert foreign_language(TEXTS[name], CODES[name]) == ""
    assert foreign_language(TEXTS[name], "sv") == ""


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Хлеб печётся медленно, и никто никуда не торопится.", "en", "Cyrillic"),
        ("Хлеб печётся медленно, и никто никуда не торопится.", "ru", ""),
        ("Bread is baked slowly, and nobody is in a hurry here.", "ru", "Latin"),
        ("Хлеб", "en", ""),
        ("", "en", ""),
    ],
)
def test_scripts(text: str, language: str, found: str) -> None:
    """Another script is another language; a few letters are no evidence."""
    assert foreign_language(text, language) == found


def test_a_language_takes_25_words() -> None:
    """A quarter of them are its commonest, and hardly any are those of the expected one."""
    german = "der die das und ist nicht Brot Salz Rauch Fett Teer Korb Tau Netz Boot Kai Ebbe Flut Sturm Mole Bug Heck"
    assert len(german.split()) == 22
    assert foreign_language(f"{german} Mast Kiel", "en") == ""
    assert foreign_language(f"{german} Mast Kiel Watt", "en") == "German"
    assert foreign_language(f"{german.removeprefix('der ')} Mast Kiel Watt Wind", "en") == ""  # five of 25
    assert foreign_language(f"{german} Mast Kiel the", "en") == "German"  # one of 25 is English
    assert foreign_language(f"{german} Mast the and", "en") == ""


@pytest.mark.parametrize(
    ("text", "script"), [("a" * 30, "Latin"), ("a" * 29, ""), ("a" * 21 + "б" * 9, "Latin"), ("a" * 20 + "б" * 10, "")]
)
def test_the_script_of_most_of_a_text(text: str, script: str) -> None:
    """Seven of ten letters are enough, of 30 or more."""
    assert main_script(text) == script
