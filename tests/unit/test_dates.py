"""Dates are read whole or not at all, in the spellings and languages of feeds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.dates import parse_date

WHOLE = {
    # RFC 822 and 2822
    "Tue, 10 Feb 2026 08:30:00 GMT": "2026-02-10 08:30",
    "Tue, 10 Feb 2026 08:30 -0430": "2026-02-10 13:00",
    "10 February 2026 08:30:00 CEST": "2026-02-10 06:30",
    "Tue,10 Feb 26 08:30:00 Z": "2026-02-10 08:30",
    "Tue, 10 Feb 2026 08:30:00 +0000 (UTC)": "2026-02-10 08:30",
    "Tue, 10 Feb 2026 08:30:00 (CET)": "2026-02-10 07:30",
    "Sun, 31 May 2026 23:10:00 GMT+2": "2026-05-31 21:10",
    "Sun, 31 May 2026 23:10:00 UTC-11:30": "2026-06-01 10:40",
    "Tue, 10 Feb 2026 08:30:00 +3000": "2026-02-10 08:30",
    # ISO 8601
    "2026-02-10": "2026-02-10 00:00",
    "20260210T0830Z": "2026-02-10 08:30",
    "20260210T083000-0500": "2026-02-10 13:30",
    "20260210083000": "2026-02-10 08:30",
    "2026-02-10T08:30:00.123456+01:00": "2026-02-10 07:30",
    "2026-02-10T24:00:00Z": "2026-02-11 00:00",
    "2026-02-10T08:30:00+01": "2026-02-10 07:30",
    "2026-02-10T08:30:00 \u221203:00": "2026-02-10 11:30",
    "2026-W07-2": "2026-02-10 00:00",
    "2026W072T08:30": "2026-02-10 08:30",
    "2026-041": "2026-02-10 00:00",
    # programs
    "2026-05-31 23:10:00.000000001 -0700 PDT m=+0.000012": "2026-06-01 06:10",
    "2026-05-31 23:10:00 +0330 +0330": "2026-05-31 19:40",
    "2026-05-31T23:10+02:00[Europe/Oslo]": "2026-05-31 21:10",
    "Sun May 31 2026 23:10:00 GMT+0200 (Central European Summer Time)": "2026-05-31 21:10",
    "Tue Feb 10 08:30:00 CET 2026": "2026-02-10 07:30",
    "Tue Feb 10 08:30:00 +0900 2026": "2026-02-09 23:30",
    "1770712200": "2026-02-10 08:30",
    "1770712200000": "2026-02-10 08:30",
    # people
    "Sept. 3, 2025": "2025-09-03 00:00",
    "Tuesday, February 10th, 2026 at 8:30 p.m. EST": "2026-02-11 01:30",
    "8:30pm, 10 Feb 2026": "2026-02-10 20:30",
    "2026 Feb 10, 08:30": "2026-02-10 08:30",
    "2026/02/10 - 08:30": "2026-02-10 08:30",
    "10.02.2026 kl. 08.30": "2026-02-10 08:30",
    "25/02/2026 08:30": "2026-02-25 08:30",
    "02/25/2026 08:30": "2026-02-25 08:30",
    "Ter, 10 Fev 2026 08:30:00 -0300": "2026-02-10 11:30",
    "10 février 2026 à 8h30": "2026-02-10 08:30",
    "martes, 10 de febrero de 2026, 8:30 p. m.": "2026-02-10 20:30",
    "10 февраля 2026 г. в 08:30": "2026-02-10 08:30",
    "3. Mrz 2026, 08:30 Uhr": "2026-03-03 08:30",
    "2026年2月10日(火) 午後8時30分": "2026-02-10 20:30",
    "2026년 2월 10일 화요일 오후 8:30": "2026-02-10 20:30",
    "١٠ فبراير ٢٠٢٦ ٠٨:٣٠": "2026-02-10 08:30",
    "Mon, 01 Jan 0001 00:00:00 +0000": "0001-01-01 00:00",
    "0026-02-10": "0026-02-10 00:00",
}
HALF = [
    "", "soon", "2026", "2026-02", "2026-W07", "Feb 2026", "10 Feb", "08:30", "03/04/2026", "10/02/26",
    "32 Feb 2026", "30 Feb 2026", "2026-13-01", "2026-W54-1", "2026-400", "10 Foo 2026", "0000-00-00",
    "10 Feb 2026 25:00", "10 Feb 2026 08:75", "10 Feb 2026 24:30",
    "10 Feb 2026 08:30 - 09:30", "10 Feb 2026 08:30 Someplace", "2026-02-10T08:30[Europe/Oslo]",
    "2026-02-10 / 2026-02-12", "10 Feb 2026 and more", "10 Feb 2026" + " " * 3 + "x" * 100,
]  # fmt: skip
LANGUAGES = (
    "en", "zh_Hans", "hi", "es", "fr", "ar", "bn", "pt", "ru", "ur", "id", "de", "ja", "sw", "mr",
    "te", "tr", "ta", "vi", "ko", "it", "pl", "nl", "fa", "uk", "cs", "ro", "sv", "el", "hu", "da",
)  # fmt: skip


@pytest.mark.parametrize(("text", "instant"), WHOLE.items())
def test_a_date_is_read_whole(text: str, instant: str) -> None:
    """Day, time and zone all count, however a date is written."""
    assert parse_date(text) == datetime.fromisoformat(f"{instant}+00:00")


@pytest.mark.parametrize("text", HALF)
def test_half_a_date_is_none(text: str) -> None:
    """A date that is incomplete, impossible, ambiguous or followed by something else is None."""
    assert parse_date(text) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_months_of_common_languages_are_read(language: str) -> None:
    """A date as CLDR writes it, with and without the day of the week, is read in each language and month."""
    for month in range(1, 13):
        day = datetime(2026, month, 17, tzinfo=UTC)
        for pattern in (
            "long",
            "full",
            *(() if language in ("zh_Hans", "ja", "ko") else ("EEEE, d MMMM y", "d MMM y")),
        ):
            text = format_date(day, pattern, locale=language)
            assert parse_date(text) == day, text


@given(st.text(max_size=60))
def test_any_text_is_a_utc_date_or_none(text: str) -> None:
    """Parsing never fails, and every date is in UTC."""
    parsed = parse_date(text)
    assert parsed is None or parsed.tzinfo is UTC
