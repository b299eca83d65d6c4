"""The settings that the desk offers, and how it names their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.digest.render.style import FONTS

DAYS = {
    "mon": "Mondays",
    "tue": "Tuesdays",
    "wed": "Wednesdays",
    "thu": "Thursdays",
    "fri": "Fridays",
    "sat": "Saturdays",
    "sun": "Sundays",
}
EVERY_DAY = {"daily": "every day"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """A setting as a field of the page."""

    section: str
    key: str
    label: str
    hint: str = ""
    kind: Literal["text", "colour", "choice", "theme", "time"] = "text"
    options: tuple[tuple[str, str], ...] = ()
    """Values and what they are called; of a time, its days."""
    words: str = ""
    """How a sentence names it; the label in lower case if empty."""

    @property
    def name(self) -> str:
        """The setting, as ``publication.name``."""
        return f"{self.section}.{self.key}"

    @property
    def anchor(self) -> str:
        """The HTML id of its field."""
        return f"{self.section}-{self.key}"

    def describe(self, value: str) -> str:
        """Return the setting and a value of it, for a sentence.

        >>> FIELDS["schedule.send"].describe("fri 07:00"), FIELDS["publication.tagline"].describe("")
        ('goes out Fridays 07:00', 'no tagline')
        """
        words = self.words or self.label.lower()
        if self.kind == "time":
            return f"{words} {time_in_words(value)}"
        return (
            f"{words} {dict(self.options).get(value, value).lower() if self.options else value}"
            if value
            else (f"no {words}" if self.kind == "text" else f"{words} of the theme")
        )


def split_time(value: str) -> tuple[str, str]:
    """Return the day and the time of a schedule on one day; the whole of any other one as the day.

    >>> split_time("fri 07:00"), split_time("tue,fri 07:00"), split_time("")
    (('fri', '07:00'), ('tue,fri 07:00', ''), ('', ''))
    """
    day, _, time = value.strip().partition(" ")
    name = day.lower()
    short = name if name in EVERY_DAY else next((known for known in DAYS if name.startswith(known)), "")
    return (short, time.strip()) if short and "," not in name else (value, "")


def time_in_words(value: str) -> str:
    """Return a schedule as ``Fridays 07:00``, or as it is written.

    >>> time_in_words("fri 07:00"), time_in_words("every 6 hours"), time_in_words("")
    ('Fridays 07:00', 'every 6 hours', 'when you send it')
    """
    day, time = split_time(value)
    return f"{(DAYS | EVERY_DAY)[day]} {time}" if time else value or "when you send it"


_DAY_OPTIONS = tuple(DAYS.items())
_DAILY_OPTIONS = (*_DAY_OPTIONS, *EVERY_DAY.items())
_FONT_NAMES = {"": "Those of the theme", "system": "System, without serifs"}
_FIELDS = (
    SettingField(section="publication", key="name", label="Name", hint="In the sender, the masthead and the archive."),
    SettingField(
        section="publication", key="sender", label="Sender", hint="As Harbour & Hearth <news@harbour.example>."
    ),
    SettingField(
        section="publication",
        key="postal_address",
        label="Postal address",
        hint="In the footer; the law requires one in many countries.",
    ),
    SettingField(section="publication", key="tagline", label="Tagline", hint="A line below the name."),
    SettingField(
        section="publication",
        key="logo_url",
        label="Logo",
        hint="The web address of a picture that is shown instead of the name, https://….",
    ),
    SettingField(
        section="publication",
        key="accent",
        label="Colour",
        hint="Of links and buttons, as #135e4b; adjusted to be readable. That of the theme if it is empty.",
        kind="colour",
    ),
    SettingField(
        section="publication",
        key="fonts",
        label="Fonts",
        kind="choice",
        options=tuple((name, _FONT_NAMES.get(name, name.capitalize())) for name in ("", *FONTS)),
    ),
    SettingField(section="digest", key="theme", label="Theme", kind="theme"),
    SettingField(
        section="digest",
        key="week_closes",
        label="The week closes",
        kind="time",
        options=_DAY_OPTIONS,
        hint="Later entries belong to the next edition.",
    ),
    SettingField(
        section="schedule",
        key="draft",
        label="The draft is made",
        kind="time",
        options=_DAILY_OPTIONS,
        hint="After the week has closed, and before it goes out.",
    ),
    SettingField(
        section="schedule",
        key="send",
        label="It goes out",
        kind="time",
        options=(("", "when you press Send"), *_DAILY_OPTIONS),
        words="goes out",
    ),
    SettingField(
        section="digest",
        key="approval",
        label="Approval",
        kind="choice",
        options=(("required", "Only after you have approved it"), ("unless-held", "Unless you hold it")),
        hint="“Unless you hold it” needs a mail server: you must have had the proof for an hour.",
    ),
)
FIELDS = {field.name: field for field in _FIELDS}
"""All fields, in the order of the page, by name."""
