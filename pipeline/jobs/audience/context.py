"""The context of the jobs of people: store, forms, links in mails, and the settings of [signup]."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from pipeline.audience.addresses import address_key
from pipeline.audience.tokens import Purpose, address_hash, sign_token, subscriber_id_of, verify_token
from pipeline.model.digest import Publication
from pipeline.model.errors import ConfigError, InvalidTokenError, UsageError
from pipeline.model.subscriber import SignupForm, Subscriber, SuppressionReason
from pipeline.store import Store

MAIL_INTERVAL = timedelta(days=7)
"""An address gets at most one mail of a form in this time, however often it is entered."""
PREFERENCES_TTL = timedelta(days=60)
"""How long a link to the preferences shows them; anybody may have got the mail from a subscriber."""
GUIDE_TTL = timedelta(days=30)
ADDRESS_TTL = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRules:
    """The limits of [signup]."""

    keep_unconfirmed: timedelta
    max_per_network: int
    max_per_form: int
    min_seconds: float
    challenge: str
    """``auto``, ``always`` or ``never``."""
    allow_disposable: bool
    allow_role: bool
    best_of_after: timedelta | None
    has_mail_server: Callable[[str], bool] = lambda domain: True
    """Checks whether mail to a domain can be delivered (DNS); True if that cannot be found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The guide of a form: a file to download, or a page to visit."""

    form: str
    title: str
    version: str
    """The SHA-256 of the file or URL, in 12 hexadecimal digits."""
    url: str = ""
    path: Path | None = None

    @property
    def media_type(self) -> str:
        """The media type of the file."""
        guessed = mimetypes.guess_type(self.path.name)[0] if self.path else None
        return guessed or "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceContext:
    """Store, forms, keys and settings that the jobs of people share."""

    store: Store
    publication: Publication
    forms: Mapping[str, SignupForm]
    """By id; never empty."""
    rules: SignupRules
    public_url: str
    """Without a slash at its end; empty if there are no public pages."""
    folder: Path
    """The folder of config.toml, which paths of guides are relative to."""
    keys: Mapping[str, str]
    """The signing key of each purpose, and of ``suppression``."""

    def form(self, form_id: str) -> SignupForm:
        """Return a form; UsageError if there is none with this id."""
        try:
            return self.forms[form_id]
        except KeyError:
            raise UsageError(f"there is no sign-up form {form_id!r}; the forms are {', '.join(self.forms)}.") from None

    def guide(self, form_id: str) -> Guide | None:
        """Return the guide of a form, or None; ConfigError if its file cannot be read."""
        form = self.forms.get(form_id)
        if form is None or not form.guide:
            return None
        if form.guide.startswith(("http://", "https://")):
            content, path = form.guide.encode(), None
        else:
            path = self.folder / form.guide
            try:
                content = path.read_bytes()
            except OSError as error:
                raise ConfigError(
                    f"the guide of the form {form.id!r} cannot be read: {path} ({error.strerror}); correct its path."
                ) from error
        return Guide(
            form=form.id,
            title=form.guide_title or (path.name if path else form.guide),
            version=sha256(content).hexdigest()[:12],
            url="" if path else form.guide,
            path=path,
        )

    def guide_if_readable(self, form_id: str) -> Guide | None:
        """Return the guide of a form, or None, also if its file cannot be read."""
        try:
            return self.guide(form_id)
        except ConfigError:
            return None

    def link(self, purpose: Purpose, subscriber: Subscriber, now: datetime) -> str:
        """Return the URL of a subscriber's own link."""
        return f"{self.public_url}/{purpose}/{self.token(purpose, subscriber, now)}"

    def token(self, purpose: Purpose, subscriber: Subscriber, now: datetime) -> str:
        """Return the token of a subscriber's own link."""
        expires_at = None if purpose == "unsubscribe" else now + self._ttl(purpose)
        bound_to = subscriber.new_address if purpose == "address" else ""
        return sign_token(purpose, subscriber, self.keys[purpose], expires_at=expires_at, bound_to=bound_to)

    def subscriber_of(
        self, purpose: Purpose, token: str, now: datetime, *, even_if_expired: bool = False
    ) -> Subscriber:
        """Return the subscriber whom a link belongs to.

        InvalidTokenError: it was not made here (``forged``); it was, for somebody who is no longer stored (``used``);
        it has expired (``expired``).
        """
        subscriber = self.store.subscribers.get(subscriber_id_of(token))
        if subscriber is None:
            raise InvalidTokenError("We do not hold a subscription for this link any more.", kind="used")
        bound_to = subscriber.new_address if purpose == "address" else ""
        expires_at = verify_token(purpose, token, subscriber, self.keys[purpose], bound_to=bound_to)
        if expires_at and expires_at <= now and not even_if_expired:
            raise InvalidTokenError("This link has expired.", kind="expired")
        return subscriber

    def address_hash(self, address: str) -> str:
        """Return the HMAC under which an address is suppressed."""
        return address_hash(address_key(address), self.keys["suppression"])

    def suppression(self, address: str) -> SuppressionReason | None:
        """Return why an address is suppressed, or None."""
        return self.store.suppressions.find(self.address_hash(address))

    def _ttl(self, purpose: Purpose) -> timedelta:
        if purpose == "confirm":
            return self.rules.keep_unconfirmed
        return {"preferences": PREFERENCES_TTL, "guide": GUIDE_TTL}.get(purpose, ADDRESS_TTL)
