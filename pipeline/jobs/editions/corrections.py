"""Correct a sent edition: compose its stories anew with a note, seal the result, and send it as one file.

A correction has the stories of its edition, and never others. Their texts are those of the feeds and of the editor's
file now. What is sealed here is shown, tested and sent, byte for byte; the edition itself stays as it was sent.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.delivery.mime import make_test_copy
from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.build import build_selected, write_sealed
from pipeline.jobs.digests.files import remove_correction
from pipeline.jobs.digests.variants import VariantPlan
from pipeline.jobs.editions.recovery import Recovery
from pipeline.jobs.editions.send import deliver_all, require_sealed
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.ports import Mailer
from pipeline.model.correction import MAX_NOTE_CHARS, Correction, CorrectionNote
from pipeline.model.delivery import OPEN_STATES
from pipeline.model.digest import Edition
from pipeline.model.edition import Overrides, SealedEdition
from pipeline.model.entry import StoredEntry
from pipeline.model.errors import AlreadyDeliveredError, DeliveryFailedError, RefusedError, UsageError
from pipeline.model.variant import WHOLE
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.markdown import to_plain
from pipeline.text.message_headers import find_control_character

_TEXTS = ("subject", "preheader", "introduction_md", "notes", "stories", "links")
"""What a correction takes from the editor's file; the choice of stories is that of the edition."""


def make_correction(
    workflow: EditionWorkflow, week: Week, text_md: str, *, now: datetime, overridden: Collection[str] = ()
) -> Correction:
    """Seal a correction with a note and return its record, a draft; an earlier draft is replaced.

    RefusedError if the edition is not sent, or would have other stories; UsageError if the note cannot be shown;
    ChecksFailedError for check errors whose names are not in ``overridden``.
    """
    store, text_md = workflow.store, _require_note(text_md)
    sealed, newest = _require_sent(workflow, week), store.corrections.newest(str(week))
    if newest and newest.state == "sending":
        raise RefusedError(f"Correction {newest.number} of {week} is still being sent: wait until that is finished.")
    note = CorrectionNote(
        number=1 if newest is None else newest.number + (newest.state != "draft"),
        text_md=text_md,
        made_at=now.astimezone(UTC),
        corrects=sealed.edition.content_hash,
        messages=_message_hashes(sealed.edition),
    )
    stories = _stories(store, week, sealed)
    overrides = _overrides(workflow, week, sealed, stories)
    selection = Selection(stories=stories, decisions=(), overrides=overrides)
    plan = VariantPlan.of_sealed(sealed.edition)
    draft = build_selected(store, workflow.context, week, selection, plan, note).edition
    _require_same_stories(week, sealed.edition.manifest, draft.manifest)
    edition = workflow.checked(draft, overridden, now=now, command=f"pipeline correct {week} …")
    corrected = replace(sealed, edition=edition, overrides=overrides, sealed_at=now, sealed_by=workflow.actor)
    return store.corrections.save_draft(note.number, corrected, text_md)


def discard_correction(workflow: EditionWorkflow, week: Week, out: Path) -> Correction:
    """Delete the draft of a correction, and its files below ``out``, and return it; RefusedError if there is none."""
    correction = workflow.store.corrections.newest(str(week))
    if correction is None or correction.state != "draft":
        raise RefusedError(f"{week} has no draft of a correction.")
    workflow.store.corrections.discard(correction)
    remove_correction(out, *correction.key)
    return correction


def send_correction(
    workflow: EditionWorkflow, recovery: Recovery, week: Week, *, now: datetime, content_hash: str = ""
) -> tuple[Correction, Path]:
    """Deliver the bytes of a correction as ``jobs.editions.send.send`` does those of an edition.

    If nothing was delivered, it is a draft again, and DeliveryFailedError is raised. After AlreadyDeliveredError it is
    cancelled, since another correction with its number was sent.
    """
    store, actor, backend = workflow.store, workflow.actor, recovery.backend
    with backend.lock():
        recovery.from_files(store, now=now)
        correction, edition = require_correction(workflow, week, content_hash=content_hash)
        if correction.state == "sent":
            raise RefusedError(f"Correction {correction.number} of {week} has been sent.")
        write_sealed(store, workflow.context, week, recovery.editions_folder, now=now)
        if correction.state == "draft":
            correction = store.corrections.change_state(correction, "sending", now=now, actor=actor)
        try:
            path = deliver_all(backend, edition)
        except DeliveryFailedError:
            store.corrections.change_state(correction, "draft", now=now, actor=actor)
            raise
        except AlreadyDeliveredError as error:
            store.corrections.change_state(correction, "cancelled", now=now, actor=actor, note=str(error))
            raise
        note = backend.outcome
        return store.corrections.change_state(correction, "sent", now=now, actor=actor, note=note), path


def send_test_correction(
    workflow: EditionWorkflow, mailer: Mailer, week: Week, address: str, *, now: datetime
) -> Path | None:
    """Send the newest correction to one address, marked as a test; return the file it was written to, if any."""
    _, edition = require_correction(workflow, week)
    return mailer.send(make_test_copy(edition.eml, address, now=now), address)


def require_correction(workflow: EditionWorkflow, week: Week, *, content_hash: str = "") -> tuple[Correction, Edition]:
    """Return the newest correction of a sent edition, and what was sealed.

    RefusedError if there is none to send, or it is not the one with ``content_hash``.
    """
    _require_sent(workflow, week)
    correction = workflow.store.corrections.newest(str(week))
    sealed = workflow.store.corrections.sealed(*correction.key) if correction else None
    if correction is None or sealed is None or correction.state == "cancelled":
        raise RefusedError(f"There is no correction of {week}: make one with `pipeline correct {week} --message “…”`.")
    if not correction.content_hash.startswith(content_hash):
        raise RefusedError(f"The correction of {week} has changed since you saw it: look at it again, then decide.")
    return correction, sealed.edition


def _require_sent(workflow: EditionWorkflow, week: Week) -> SealedEdition:
    """Return what was sent as the edition of a week; RefusedError while it is not sent, or being sent."""
    record = workflow.store.editions.get(str(week))
    if record.state != "sent":
        advice = "it can be corrected once it is sent"
        if record.state == "sending":
            advice = f"wait until that is finished, or end it with `pipeline deliveries {week} --cancel`"
        elif record.state in ("draft", "approved"):
            advice = "change it before you send it"
        raise RefusedError(
            f"{week} is {_STATES.get(record.state, record.state)}, so nothing is to be corrected: {advice}."
        )
    dispatch = workflow.store.dispatches.get(str(week))
    if dispatch and dispatch.state in OPEN_STATES:
        raise RefusedError(
            f"{week} is still being sent ({dispatch.state}): wait until that is finished, or end it with "
            f"`pipeline deliveries {week} --cancel`."
        )
    return require_sealed(workflow, week)


_STATES = {"draft": "not sent", "approved": "not sent yet", "sending": "being sent"}


def _require_note(text_md: str) -> str:
    """Return the note without blanks around it; UsageError if it cannot be shown."""
    text_md = text_md.replace("\r\n", "\n").strip()
    if not to_plain(text_md):
        raise UsageError("Say in a sentence or two what was wrong: subscribers read it first.")
    if len(text_md) > MAX_NOTE_CHARS:
        raise UsageError(f"Shorten the note to {MAX_NOTE_CHARS:,} characters: it has {len(text_md):,}.")
    if name := find_control_character(text_md):
        raise UsageError(f"The note contains the control character {name}, which cannot be published: delete it.")
    return text_md


def _message_hashes(edition: Edition) -> Mapping[str, str]:
    messages = {WHOLE.name: edition.eml} | {variant.name: variant.eml for variant in edition.variants}
    return {name: sha256(message).hexdigest() for name, message in messages.items()}


def _stories(store: Store, week: Week, sealed: SealedEdition) -> tuple[tuple[StoredEntry, ...], ...]:
    """Return the stories of an edition as they are stored now; RefusedError if an entry is missing."""
    entries = {stored.entry_id: stored for stored in store.entries.by_id(sealed.entry_ids)}
    if len(entries) < len(sealed.entry_ids):
        raise RefusedError(
            f"{week} cannot be composed again, since entries of it are no longer stored: put what was wrong into the "
            "next edition."
        )
    return tuple(tuple(entries[entry_id] for entry_id in story) for story in sealed.stories)


def _overrides(
    workflow: EditionWorkflow, week: Week, sealed: SealedEdition, stories: tuple[tuple[StoredEntry, ...], ...]
) -> Overrides:
    """Return the editor's choices for an edition with the texts of the editor's file, if there is one."""
    entries = [stored for story in stories for stored in story]
    written = workflow.context.read_overrides(week, entries)
    if written == Overrides():
        return sealed.overrides
    return replace(sealed.overrides, **{name: getattr(written, name) for name in _TEXTS})


def _require_same_stories(week: Week, sealed: bytes, draft: bytes) -> None:
    """Raise RefusedError if a draft has other stories than the sealed edition; the editor may have removed a link."""
    (own, links), (new, new_links) = (_story_keys(json.loads(manifest)) for manifest in (sealed, draft))
    if own != new or len(new_links) > len(links):
        added = next((title for title in new_links if title not in links), "")
        example = f", such as “{added}”" if added else ""
        raise RefusedError(
            f"A correction has the stories of its edition, and {week}.md would add others{example}: change texts and "
            "addresses there, and put what is new into the next edition."
        )


def _story_keys(manifest: Mapping[str, Any]) -> tuple[Counter[tuple[Any, ...]], list[str]]:
    """Return the entries of each story, but those of the editor's own links; of these, the titles."""
    stories: Counter[tuple[Any, ...]] = Counter()
    links = []
    for story in manifest["stories"]:
        if story["entries"][0]["feed_id"] == EDITOR_FEED_ID:
            links.append(story["title"])
        else:
            stories[tuple(sorted((entry["feed_id"], entry["guid"]) for entry in story["entries"]))] += 1
    return stories, links
