"""The floor: get every document with httpx, fifty at a time, asking for changes only, and do nothing with it."""

import asyncio
import json
import sys
from pathlib import Path

import httpx


async def get_all(folder: Path, seconds: int) -> None:
    """Get them all, and remember their validators."""
    remembered = folder / "etags.json"
    etags = json.loads(remembered.read_text()) if remembered.exists() else {}
    slots = asyncio.Semaphore(50)

    async def get(client: httpx.AsyncClient, url: str) -> None:
        async with slots:
            try:
                answer = await client.get(url, headers={"If-None-Match": etags[url]} if url in etags else {})
                etags[url] = answer.headers.get("etag", "")
            except httpx.HTTPError:
                pass

    async with httpx.AsyncClient(timeout=seconds, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        await asyncio.gather(*(get(client, url) for url in (folder / "urls.txt").read_text().split()))
    remembered.write_text(json.dumps(etags))


asyncio.run(get_all(Path(sys.argv[1]), int(sys.argv[2])))
