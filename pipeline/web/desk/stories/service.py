"""The editor's file of a week as the desk changes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.app import App
from pipeline.app.feeds import build_link_collection
from pipeline.jobs.editor.edit import OverridesEditor
from pipeline.jobs.editor.files import EditorFiles
from pipeline.jobs.editor.pictures import PictureFolder
from pipeline.jobs.editor.stories import StorySection, editable_stories
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import EditorLink
from pipeline.model.errors import ConflictError, UsageError
from pipeline.model.week import Week
from pipeline.text.picture_references import is_reference
from pipeline.text.urls import clean_url, with_scheme
from pipeline.web.desk.pictures.pages import local_image
from pipeline.web.desk.pictures.remote import RemotePictures
from pipeline.web.desk.ports import EditorState, OverridesChange
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.stories.history import EditHistory, FileChange


@dataclass(frozen=True, slots=True)
class PublicationEditor:
    """``EditorService`` of a publication."""

    publication: LivePublication
    pictures: RemotePictures
    history: EditHistory = field(default_factory=EditHistory)

    def state(self, week: str) -> EditorState:
        """Return the overrides of a week."""
        current = self._overrides_editor().read(parse_week(week), now=self.publication.clock())
        return EditorState(version=current.version, overrides=current.overrides)

    def version(self, week: str) -> str:
        """Return the version of the file; empty if there is none."""
        return self._overrides_editor().version(parse_week(week))

    def preview(self, week: str, change: OverridesChange) -> Edition | BuildFailure:
        """Return the draft that a change would produce."""
        now = self.publication.clock()
        return self.publication.build(
            lambda app, context: self._overrides_editor().preview(parse_week(week), change, now=now)
        )

    def save(self, week: str, change: OverridesChange, version: str, label: str = "") -> None:
        """Write a change to the file."""
        editor, parsed = self._overrides_editor(), parse_week(week)
        before = FileChange(text_before=editor.text(parsed), label=label)
        editor.save(parsed, change, version, now=self.publication.clock())
        if (saved := editor.version(parsed)) != version:
            self.history.add(week, saved, before)

    def last_change(self, week: str) -> str:
        """Return the label of the change that made the file what it is; empty if that cannot be undone."""
        change = self.history.get(week, self.version(week))
        return change.label if change else ""

    def undo(self, week: str, version: str) -> str:
        """Undo the last change and return its label."""
        change = self.history.get(week, version)
        if change is None:
            raise ConflictError(f"{week}.md has changed since, so this can no longer be undone.")
        self._overrides_editor().restore(parse_week(week), change.text_before, version)
        return change.label

    def stories(self, week: str) -> tuple[StorySection, ...]:
        """Return the week's stories as an editor can change them."""
        app, context, now = self.publication.current_app(), self.publication.digest_context(), self.publication.clock()
        return editable_stories(app.store(), context, parse_week(week), now=now)

    def add_picture(self, content: bytes) -> str:
        """Store an uploaded picture and return its reference, for Markdown or as the picture of a story."""
        return PictureFolder(folder=self.publication.current_app().editions_folder).add(content)

    def preview_link(self, url: str) -> EditorLink:
        """Return a link with the title and description of its page. Opens the publication again: needs no lock."""
        address = clean_url(with_scheme(url))
        if not address:
            raise UsageError(f"{url!r} is not the address of a web page; enter one that begins with https://.")
        with App.load(self.publication.path) as app:
            link = build_link_collection(app, self.publication.clock()).preview(address, app.fetcher)
        return EditorLink(url=link.url, title=link.title, note_md=link.note)

    def picture(self, url: str) -> tuple[str, bytes] | None:
        """Return (media type, bytes) of a picture; None if there is none to be had. Needs no lock."""
        if is_reference(url):
            return local_image(self.publication.current_app(), url, now=self.publication.clock())
        return self.pictures.get(url)

    def _overrides_editor(self) -> OverridesEditor:
        app, context = self.publication.current_app(), self.publication.digest_context()
        files = EditorFiles(
            folder=app.editions_folder,
            store=app.store(),
            link_feed_ids=context.link_feed_ids,
            calendar=context.calendar,
        )
        return OverridesEditor(store=app.store(), context=context, files=files)


def parse_week(text: str) -> Week:
    """Return the week written as ``2026-W07``. Raise UsageError for any other text."""
    try:
        return Week.parse(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a week; enter one such as 2026-W07.") from error
