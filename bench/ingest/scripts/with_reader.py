"""lemon24/reader: add the feeds (time-out 0) or update them all, with ten threads."""

import sys
from pathlib import Path

from reader import make_reader

folder, seconds = Path(sys.argv[1]), int(sys.argv[2])
reader = make_reader(str(folder / "reader.db"), session_timeout=(seconds or 1, seconds or 1))
if seconds:
    reader.update_feeds(workers=10, scheduled=False)
else:
    for url in (folder / "urls.txt").read_text().split():
        reader.add_feed(url)
reader.close()
