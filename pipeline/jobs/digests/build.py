"""Build, show and write a week's digest.

A sealed week is shown and written from its sealed bytes, whatever has changed since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipeline.digest.build import BuiltEdition, compose_edition
from pipeline.digest.edition.diff import manifest_changes
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.files import correction_folder, correction_record, write_edition
from pipeline.jobs.digests.inputs import load_inputs
from pipeline.jobs.digests.selection import select_entries
from pipeline.jobs.digests.variants import VariantPlan
from pipeline.model.correction import CorrectionNote
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, SealedEdition, refusal
from pipeline.model.errors import NothingToPublishError, PipelineError, RefusedError, ThinWeekError
from pipeline.model.week import Week
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDigest:
    """A digest that was written to disk."""

    edition: Edition
    record: EditionRecord
    paths: tuple[Path, ...]
    editor_file: Path | None = None
    """The editor's file, if it was created together with this digest."""


def build_draft(
    store: Store, context: DigestContext, week: Week, *, now: datetime, plan: VariantPlan | None = None
) -> BuiltEdition:
    """Return a week's edition as it would be built now, with the variants that subscribers want; write nothing.

    Raise NothingToPublishError if the week has no stories (ThinWeekError if too few), TemplateError if the theme is
    broken.
    """
    selection = select_entries(store, context, week, now=now)
    if shortage := _shortage(store, context, week, selection):
        raise shortage
    plan = plan or VariantPlan.of_subscribers(store, context, week, now=now)
    return build_selected(store, context, week, selection, plan)


def build_selected(
    store: Store,
    context: DigestContext,
    week: Week,
    selection: Selection,
    plan: VariantPlan,
    correction: CorrectionNote | None = None,
) -> BuiltEdition:
    """Return the edition of selected entries, or a correction; the same arguments and store give the same bytes."""
    inputs = load_inputs(store, context, week, selection, plan.load_month(store, context, week))
    composed = compose_edition(
        inputs,
        context.theme,
        plan.keys,
        counting_url=context.counting_url,
        public_url=context.public_url,
        correction=correction,
    )
    return plan.seal(composed)


def current_edition(store: Store, context: DigestContext, week: Week, *, now: datetime) -> Edition:
    """Return a week's edition as subscribers would get it: its sealed bytes, or else a new draft."""
    record, sealed = store.editions.get(str(week)), store.editions.sealed(str(week))
    if sealed and record.is_sealed:
        return with_status(store, context, sealed, record, now=now)
    return replace(build_draft(store, context, week, now=now).edition, state=record.state)


def with_status(
    store: Store, context: DigestContext, sealed: SealedEdition, record: EditionRecord, *, now: datetime
) -> Edition:
    """Return a sealed edition with its state and, while it is approved, with what has changed since."""
    changes = changes_since_approval(store, context, sealed, now=now) if record.state == "approved" else ()
    return replace(sealed.edition, state=record.state, changes=changes)


def changes_since_approval(
    store: Store, context: DigestContext, sealed: SealedEdition, *, now: datetime
) -> tuple[str, ...]:
    """Return how a draft built now would differ from a sealed edition, a phrase for each difference."""
    try:
        plan = VariantPlan.of_sealed(sealed.edition)
        draft = build_draft(store, context, Week.parse(sealed.edition.week), now=now, plan=plan)
    except PipelineError as error:
        return (f"a draft cannot be made now: {error}",)
    return manifest_changes(sealed.edition.manifest, draft.edition.manifest)


def write_digest(store: Store, context: DigestContext, week: Week, out: Path, *, now: datetime) -> WrittenDigest:
    """Write a week's digest below ``out``; if the week has closed, also record which entries it includes.

    Raise RefusedError if the week is held or was skipped, or as ``require_confirmed``; otherwise as ``build_draft``.
    """
    require_confirmed(store, week)
    record, sealed = store.editions.get(str(week)), store.editions.sealed(str(week))
    if sealed and record.is_sealed:
        edition = with_status(store, context, sealed, record, now=now)
        return WrittenDigest(edition=edition, record=record, paths=write_edition(edition, out / str(week), record))
    if record.state != "draft":
        raise RefusedError(refusal("approve", record))
    has_closed = now >= context.calendar.bounds(week)[1]
    selection = select_entries(store, context, week, now=now)
    if shortage := _shortage(store, context, week, selection):
        if has_closed and isinstance(shortage, ThinWeekError):
            carried_over = [*selection.entry_ids, *selection.carried_over]
            decided = [*selection.excluded_by_editor, *selection.repeats]
            store.weeks.close(str(week), decided, now=now, carried_over=carried_over)
        raise shortage
    context.enrich(selection, now)
    plan = VariantPlan.of_subscribers(store, context, week, now=now)
    built = build_selected(store, context, week, selection, plan)
    paths = write_edition(built.edition, out / str(week))
    _record(store, week, built, now, has_closed=has_closed)
    editor_file = context.create_editor_file(built.edition, selection, out)
    return WrittenDigest(edition=built.edition, record=record, paths=paths, editor_file=editor_file)


def require_confirmed(store: Store, week: Week) -> None:
    """Raise RefusedError while an edition of another week may have been sent, with entries this one would repeat."""
    unconfirmed = store.editions.unconfirmed()
    if unconfirmed and unconfirmed.week != str(week):
        raise RefusedError(refusal("send", unconfirmed))


def _record(store: Store, week: Week, built: BuiltEdition, now: datetime, *, has_closed: bool) -> None:
    """Save new excerpts; if the week has closed, close it with the entries of the edition."""
    if built.new_excerpts:
        store.excerpts.save(built.new_excerpts, now=now)
    if has_closed:
        selection = built.selection
        included = [*selection.entry_ids, *selection.excluded_by_editor, *selection.repeats]
        store.weeks.close(str(week), included, now=now, carried_over=selection.carried_over)
        store.editions.link_counterparts(selection.published_elsewhere)


def write_sealed(store: Store, context: DigestContext, week: Week, out: Path, *, now: datetime) -> tuple[Path, ...]:
    """Write a week's newest sealed edition, its corrections, and their states below ``out``.

    Do nothing if there is none; return the paths of the edition.
    """
    record, sealed = store.editions.get(str(week)), store.editions.sealed(str(week))
    if sealed is None:
        return ()
    for correction in store.corrections.of_week(str(week)):
        if corrected := store.corrections.sealed(*correction.key):
            folder = correction_folder(out, *correction.key)
            write_edition(corrected.edition, folder, correction_record(correction, record.number))
    return write_edition(with_status(store, context, sealed, record, now=now), out / str(week), record)


def _is_thin(context: DigestContext, selection: Selection) -> bool:
    """Check whether a week has fewer posts and episodes than required and the editor has put back none."""
    links = context.link_feed_ids
    stories = [story for story in selection.stories if story[0].entry.feed_id not in links]
    return len(stories) < context.min_stories and not selection.overrides.put_back


def _shortage(store: Store, context: DigestContext, week: Week, selection: Selection) -> NothingToPublishError | None:
    """Return the error to raise if a selection is not enough for an edition."""
    is_thin = context.skip_thin_weeks and _is_thin(context, selection)
    if not selection.stories and not (is_thin and selection.carried_over):
        return NothingToPublishError(_explain_empty(store, context, week, selection))
    if is_thin:
        return ThinWeekError(
            f"{week} has fewer than {context.min_stories} stories ([digest] min_entries), so its entries carry over to "
            f"the next digest. To publish it anyway, put back an entry in {week}.md."
        )
    return None


def _explain_empty(store: Store, context: DigestContext, week: Week, selection: Selection) -> str:
    explain = f"`pipeline digest --week {week} --explain` lists the reasons"
    if selection.too_new:
        return f"All entries of {week} are too new ([digest] quiet_minutes); {explain}."
    if selection.excluded_by_editor:
        return f"The editor has left out every entry of {week}; {explain}."
    opens_at, closes_at = context.calendar.bounds(week)
    own = {decision.entry_id for decision in selection.left_out if opens_at <= decision.published_at < closes_at}
    if own & selection.excluded_by_filter:
        return f"config.toml leaves out every entry of {week}; {explain}."
    newest_at = store.entries.newest_at(context.feed_ids)
    if newest_at is None:
        return f"{week} has nothing to publish: no entries are stored yet; run `pipeline fetch` first."
    newest = context.calendar.week_of(newest_at)
    if newest == week:
        return f"{week} has no entries of its own, so nothing was written; {explain}."
    return (
        f"{week} has no entries, so nothing was written; the newest week with entries is {newest}: "
        f"run `pipeline digest {newest}`."
    )
