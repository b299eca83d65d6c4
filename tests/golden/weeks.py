"""Unusual weeks for the gallery: a heavy one, a thin one, one without images, one of images alone, one in Japanese."""

from __future__ import annotations

from dataclasses import replace

from pipeline.model.digest import Digest, Section
from pipeline.model.entry import Picture
from tests.golden.sample import (
    BOTH,
    COVER,
    EPISODE,
    GUEST_POST,
    LAMP,
    LINKS,
    LOAF,
    POST,
    PUBLICATION,
    SAMPLE,
    SHOW,
    UPLOADS,
    with_levels,
)

_POSTS = (
    "A slow loaf for the shortest month",
    "Five things a boatbuilder keeps by the door",
    "How to fold a sail in a small room",
    "Rye, for people who say they do not like rye",
    "The tide table on the kitchen wall",
    "Mending a net with what is in the drawer",
    "A soup that waits for whoever is late",
    "What the lamplighter knew about fog",
    "Three knots worth teaching a child",
    "Salt, and where ours used to come from",
    "Paint for a hull that winters outside",
    "The bakery that opens at four",
    "Letters found behind the harbour office stove",
    "Wool from sheep that eat seaweed",
)
_EPISODES = (
    "A minute of harbour bells",
    "The ferryman’s last timetable",
    "Who owns the foreshore?",
    "A choir that only sings outdoors",
    "The year the herring came back",
    "Learning to row at seventy",
)
_BLOGS = (
    ("Harbour & Hearth", Picture(url=f"{UPLOADS}/2025/11/site-icon-64x64.png", width=64, height=64)),
    ("The Net Loft", Picture(url=f"{SHOW}/artwork/show.jpg", width=400, height=400)),
)
HEAVY: Digest = with_levels(
    replace(
        SAMPLE,
        sections=(
            Section(
                kind="posts",
                heading="",
                stories=tuple(
                    replace(
                        (POST, GUEST_POST)[number % 2],
                        title=title,
                        picture=(LAMP, None, LOAF)[number % 3],
                        feed_title=_BLOGS[number % 2][0],
                        feed_icon=_BLOGS[number % 2][1],
                    )
                    for number, title in enumerate(_POSTS)
                ),
            ),
            Section(
                kind="episodes",
                heading="",
                stories=tuple(
                    replace(EPISODE, title=title, picture=COVER, duration_seconds=600 * number)
                    for number, title in enumerate(_EPISODES, 1)
                ),
            ),
            Section(kind="links", heading="", stories=LINKS),
        ),
    )
)
"""Twenty stories of two blogs and a podcast."""
THIN: Digest = with_levels(
    replace(
        SAMPLE,
        introduction_md="",
        sections=(Section(kind="posts", heading="", stories=(GUEST_POST,)),),
        archive=(
            Section(kind="archive", heading="", stories=(replace(POST, level="brief"), replace(BOTH, level="brief"))),
        ),
    )
)
TEXT_ONLY: Digest = with_levels(
    replace(
        SAMPLE,
        sections=(
            Section(
                kind="posts",
                heading="",
                stories=tuple(replace(story, picture=None) for story in (POST, GUEST_POST, replace(POST, title="Rye"))),
            ),
            Section(kind="links", heading="", stories=LINKS),
        ),
    )
)
PICTURES_ONLY: Digest = with_levels(
    replace(
        SAMPLE,
        introduction_md="",
        sections=(
            Section(
                kind="posts",
                heading="",
                stories=tuple(
                    replace(POST, title=title, picture=picture, excerpt_md="", author="", reading_minutes=0)
                    for title, picture in (("Low water", LAMP), ("Loaf", LOAF), ("Kiln", COVER))
                ),
            ),
        ),
    )
)
JAPANESE: Digest = with_levels(
    replace(
        SAMPLE,
        publication=replace(
            PUBLICATION, name="港と炉", language="ja", tagline="小さな港町のパンと船", reason="", postal_address=""
        ),
        subject="ゆっくり焼くパン、見知らぬ人のための食卓",
        preheader="二月のパンは二日かかります。十一枚の皿を並べる人の話と、船大工の五つの道具も。",
        introduction_md="雨の埠頭からおはようございます。船は一週間ずっと港にいて、町は二月にいちばん得意なことをしました。",
        sections=(
            Section(
                kind="posts",
                heading="",
                stories=(
                    replace(
                        POST,
                        title="いちばん短い月のための、ゆっくり焼くパン",
                        author="森和奈",
                        excerpt_md="二月は急ぐ人の月ではありません。粉は冷たく、台所も冷たく、酵母は棚の奥で眠っています。",
                    ),
                    replace(
                        GUEST_POST,
                        title="船大工が戸口に掛けている五つのもの",
                        guest="玉井譲",
                        excerpt_md="作業場は十月から五月まで寒く、家に戻れるのは一度だけです。",
                    ),
                ),
            ),
            Section(
                kind="episodes",
                heading="",
                stories=(
                    replace(
                        BOTH,
                        title="見知らぬ人のために食卓を整える人",
                        guest="波戸恵",
                        excerpt_md="毎週日曜日、十一枚の皿を並べ、四人の名前だけを知っています。",
                    ),
                ),
            ),
        ),
    )
)
WEEKS = {"heavy": HEAVY, "thin": THIN, "text-only": TEXT_ONLY, "pictures-only": PICTURES_ONLY, "japanese": JAPANESE}
