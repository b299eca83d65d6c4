"""Make editions of the corpus's feeds to judge by eye: ``python -m tests.mail.corpus_editions build/editions 40``.

Each edition is a week of a feed in which it published several entries, with up to two other feeds in the same language
that published in the same week. It is fetched and built as the command line does, without the network. ``index.html``
shows all of them.

Of the corpus, which is mostly made of test data of feed parsers, ordinary blogs and podcasts are taken. Left out are:
feeds that show less than a week, or usually publish again within eight hours, which are those of news agencies, forums
and lists of advertisements; samples whose entries lead to no page and no sound, or to an example's; second copies of a
feed; and feeds in a language that the newsletter does not speak.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from html import escape
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pipeline.app import App
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher
from pipeline.digest.render.theme import load_theme
from pipeline.digest.render.translator import LANGUAGES
from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.jobs.digests.build import current_edition
from pipeline.model.digest import Edition
from pipeline.model.entry import Entry
from pipeline.model.errors import PipelineError
from pipeline.model.feed import Feed
from pipeline.model.week import Week
from pipeline.text.plain_text import count_words
from pipeline.text.scripts import foreign_language

ROOT = Path(__file__).parents[2]
THEMES = ("classic", "journal", "letter")
MIN_ENTRIES, MAX_ENTRIES = 2, 20
MIN_WORDS = 15
"""Of an entry's text on average: feeds of less are made for tests of parsers, weeks of less have nothing to show."""
MIN_SPAN = timedelta(weeks=1)
MIN_INTERVAL = timedelta(hours=8)
MAX_FEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedWeeks:
    """A feed of the corpus, and how many entries it published in each week."""

    path: Path
    title: str
    language: str
    is_podcast: bool
    weeks: Counter[Week]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A week, and the feeds to make an edition of, the most important first."""

    week: Week
    feeds: tuple[FeedWeeks, ...]


def ordinary_feeds(corpus: Path) -> Iterator[FeedWeeks]:
    """Yield the blogs and podcasts whose entries have titles, dates and text."""
    titles: set[str] = set()
    for path in sorted(path for path in corpus.rglob("*") if path.is_file() and path.suffix != ".tsv"):
        url = f"https://{path.stem.lower().replace('_', '-')[:40]}.invalid/feed.xml"
        try:
            parsed = parse_feed(path.read_bytes(), url=url)
            feed = Feed(id="feed", url=url, kind="blog")
            entries = normalise(parsed, feed, url=url, now=datetime(2026, 11, 21, tzinfo=UTC))
        except PipelineError:
            continue
        usable = [entry for entry in entries if entry.title and entry.dated_by == "published"]
        language = parsed.channel.language.split("-")[0].lower() or "en"
        if parsed.channel.title not in titles and _is_ordinary(usable, language):
            titles.add(parsed.channel.title)
            is_podcast = sum(entry.is_episode for entry in usable) > len(usable) / 2
            title = parsed.channel.title
            weeks = _weeks(usable)
            yield FeedWeeks(path=path, title=title, language=language, is_podcast=is_podcast, weeks=weeks)


def _weeks(entries: Sequence[Entry]) -> Counter[Week]:
    """Return how many entries there are of each week in which they have enough text."""
    words: Counter[Week] = Counter()
    weeks = Counter(Week.of(entry.published_at) for entry in entries)
    for entry in entries:
        words[Week.of(entry.published_at)] += count_words(entry.excerpt_text)
    return Counter({week: number for week, number in weeks.items() if words[week] >= MIN_WORDS * number})


def _is_ordinary(entries: Sequence[Entry], language: str) -> bool:
    """Check whether these are the entries of a blog or podcast that a newsletter may be made of."""
    if len(entries) < MIN_ENTRIES or (language != "en" and language not in LANGUAGES):
        return False
    dates = sorted(entry.published_at for entry in entries)
    span = dates[-1] - dates[0]
    words = sum(count_words(entry.excerpt_text) for entry in entries)
    pages = [entry.url or (entry.enclosure.url if entry.enclosure else "") for entry in entries]
    return (
        span >= MIN_SPAN
        and median(later - earlier for earlier, later in pairwise(dates)) >= MIN_INTERVAL
        and words >= MIN_WORDS * len(entries)
        and not any(page == "" or "example." in page for page in pages)
        and not foreign_language(" ".join(entry.excerpt_text for entry in entries), language)
    )


def plan(feeds: list[FeedWeeks], count: int) -> list[Plan]:
    """Return plans: first the fullest week of each feed, then the second fullest, and so on."""
    plans: list[Plan] = []
    for rank in range(20):
        for feed in feeds:
            weeks = [week for week, number in feed.weeks.most_common() if MIN_ENTRIES <= number <= MAX_ENTRIES]
            if rank < len(weeks) and len(plans) < count:
                others = [
                    other
                    for other in feeds
                    if other is not feed
                    and other.language == feed.language
                    and 0 < other.weeks[weeks[rank]] <= MAX_ENTRIES
                ]
                plans.append(Plan(week=weeks[rank], feeds=(feed, *others[: MAX_FEEDS - 1])))
    return plans


def build(plan: Plan, theme: str) -> Edition:
    """Return the edition of a plan; raise PipelineError if there is nothing to publish."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        lines = [
            f'[publication]\nname = "{plan.feeds[0].title.replace(chr(34), "") or "Weekly"}"',
            'url = "https://letter.example/"\nsender = "letter@letter.example"',
            f'language = "{plan.feeds[0].language}"',
            '[fetch]\nfixtures = "fixtures"\n[digest]\nmin_links = 0',
        ]
        for number, feed in enumerate(plan.feeds):
            host = f"feed{number}.example"
            target = folder / "fixtures" / host / "feed.xml"
            target.parent.mkdir(parents=True)
            target.write_bytes(feed.path.read_bytes())
            kind = "podcast" if feed.is_podcast else "blog"
            lines.append(f'[[feeds]]\nid = "feed{number}"\nurl = "https://{host}/feed.xml"\nkind = "{kind}"')
        (folder / "config.toml").write_text("\n".join(lines), encoding="utf-8")
        with App.load(folder / "config.toml") as app:
            now = datetime.combine(plan.week.next().monday, time(9), UTC)
            build_refresher(app).refresh(app.feeds, now=now)
            context = replace(build_digest_context(app), theme=load_theme([ROOT / "templates"], theme))
            return current_edition(app.store(), context, plan.week, now=now)


def main(folder: Path, count: int) -> None:
    """Write the editions and a page that shows them beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    feeds = list(ordinary_feeds(Path(os.environ["PIPELINE_CORPUS"])))
    page = ["<!doctype html><meta charset=utf-8><title>Editions</title>"]
    for number, planned in enumerate(plan(feeds, count), 1):
        theme = THEMES[number % len(THEMES)]
        names = ", ".join(feed.path.name for feed in planned.feeds)
        try:
            edition = build(planned, theme)
        except PipelineError as error:
            print(f"{number:2} {planned.week} {names}: {error}")
            continue
        (folder / f"{number:02}.html").write_bytes(edition.html)
        (folder / f"{number:02}.txt").write_bytes(edition.text)
        print(f"{number:2} {planned.week} {theme} {len(edition.html) / 1000:.0f} kB {names}")
        page.append(f"<h2>{number}. {escape(names)}, {planned.week}, {theme}</h2>")
        page.append(f"<p>{escape(edition.subject)} | {escape(edition.preheader)}</p>")
        page.append(f'<iframe src="{number:02}.html" width="640" height="900"></iframe>')
        page.append(f'<iframe src="{number:02}.txt" width="640" height="900"></iframe>')
    (folder / "index.html").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
