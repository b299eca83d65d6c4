"""Builders for the jobs of people: sign-ups, subscriptions, mails to one person."""

from __future__ import annotations

from datetime import datetime
from secrets import token_urlsafe
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from pipeline.app.delivery import build_mailer, build_notifier
from pipeline.app.digests import template_folders
from pipeline.config.public import DEFAULT_FORM
from pipeline.model.errors import DNSUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.app.app import App
    from pipeline.config.public import FormSettings, SignupSettings
    from pipeline.digest.render.style import ThemeStyle
    from pipeline.jobs.audience.context import AudienceContext, SignupRules
    from pipeline.jobs.audience.person_mail_writer import PersonMailWriter
    from pipeline.jobs.audience.person_mailer import PersonMailer
    from pipeline.jobs.audience.sign_up import SignUp
    from pipeline.model.subscriber import SignupForm
    from pipeline.scheduler.engine import Task

_MAX_LOOKUPS = 10
"""How many domains are looked up at a time."""


def public_url(app: App) -> str:
    """Return the URL of the pages for subscribers without a trailing slash; empty if there are none."""
    settings = app.config.public
    return settings.url.rstrip("/") if settings.listen else ""


def build_audience_context(app: App) -> AudienceContext:
    """Return what the jobs of people need; the signing keys are created at first use and kept in the store."""
    from pipeline.audience.tokens import PURPOSES
    from pipeline.jobs.audience.context import AudienceContext

    signup, subscribers = app.config.signup, app.store().subscribers
    return AudienceContext(
        store=app.store(),
        publication=app.publication,
        forms={form.id: form for form in _forms(signup, app.config.forms)},
        rules=_rules(signup),
        public_url=public_url(app),
        folder=app.folder,
        keys={
            purpose: subscribers.signing_key(purpose, token_urlsafe(32))
            for purpose in (*PURPOSES, "suppression", "challenge", "delivery")
        },
    )


def build_sign_up(app: App, context: AudienceContext) -> SignUp:
    """Return what takes sign-ups; somebody is alerted if a form gets too many."""
    from pipeline.jobs.audience.sign_up import SignUp
    from pipeline.model.alert import Alert

    def alert(form: SignupForm, count: int, now: datetime) -> None:
        text = (
            f"The form “{form.id}” got {count} sign-ups within an hour. If you did not expect that, a program may be "
            "entering other people's addresses.\n\nNothing needs to be done at once: an address gets at most one mail "
            "a week, nobody is subscribed without confirming, and browsers have to solve a challenge now."
        )
        # Not sent here: a visitor waits for the answer.
        build_notifier(app).open(
            Alert(key=f"signup/{form.id}", subject="Unusually many sign-ups", text=text, raised_at=now)
        )

    return SignUp(context, on_flood=alert)


def build_person_mailer(app: App) -> PersonMailer:
    """Return what sends the mails to one person that are due.

    TemplateError if a template is missing or broken; ConfigError if the mail server's password is missing.
    """
    from pipeline.jobs.audience.person_mailer import PersonMailer

    return PersonMailer(writer=build_person_mail_writer(app), mailer=build_mailer(app))


def build_person_mail_writer(app: App) -> PersonMailWriter:
    """Return what writes mails to one person; TemplateError if a template is missing or broken."""
    from pipeline.digest.render.person_mail import load_person_mail_templates
    from pipeline.jobs.audience.person_mail_writer import PersonMailWriter

    templates = load_person_mail_templates(template_folders(app), app.config.digest.theme)
    return PersonMailWriter(build_audience_context(app), templates)


def clean_up_tasks(app: App) -> Iterator[Task]:
    """Yield the task that deletes unconfirmed sign-ups."""
    from pipeline.jobs.audience.sign_up import clean_up_task

    def resolve_floods(now: datetime) -> None:
        context, notifier = build_audience_context(app), build_notifier(app)
        for form_id in context.forms:
            if not build_sign_up(app, context).is_flooded(form_id, now):
                notifier.resolve(f"signup/{form_id}", at=now)

    yield clean_up_task(app.store(), app.config.signup.keep_unconfirmed, resolve_floods)


def _forms(signup: SignupSettings, forms: tuple[FormSettings, ...]) -> Iterator[SignupForm]:
    """Yield the form of [signup], then those of [[forms]]."""
    from pipeline.model.subscriber import SignupForm

    every: list[tuple[str, SignupSettings | FormSettings]] = [(DEFAULT_FORM, signup)]
    for form_id, settings in (*every, *((form.id, form) for form in forms)):
        yield SignupForm(
            id=form_id,
            title=settings.title or signup.title,
            wording=settings.wording or signup.wording,
            introduction=settings.introduction,
            guide=settings.guide,
            guide_title=settings.guide_title,
            asks_name=settings.ask_name,
            asks_topics=settings.ask_topics,
        )


def _rules(settings: SignupSettings) -> SignupRules:
    from pipeline.jobs.audience.context import SignupRules

    return SignupRules(
        keep_unconfirmed=settings.keep_unconfirmed,
        max_per_network=settings.max_per_network,
        max_per_form=settings.max_per_form,
        min_seconds=settings.min_seconds,
        challenge=settings.challenge,
        allow_disposable=settings.allow_disposable,
        allow_role=settings.allow_role,
        best_of_after=settings.best_of_after,
        has_mail_server=_mail_server_check() if settings.check_mx else lambda domain: True,
    )


def _mail_server_check() -> Callable[[str], bool]:
    from pipeline.delivery.dns import Resolver

    resolver, free = Resolver(), BoundedSemaphore(_MAX_LOOKUPS)

    def has_mail_server(domain: str) -> bool:
        if not free.acquire(blocking=False):
            return True  # many slow domains at once are an attack, and must not make others wait
        try:
            hosts = resolver.mx(domain)
            return hosts != (".",) and bool(hosts or resolver.addresses(domain))
        except DNSUnavailableError:
            return True  # nobody is turned away because a name server is down
        finally:
            free.release()

    return has_mail_server


def public_style(app: App) -> ThemeStyle:
    """Return the colours and fonts of the newsletter; those of the shipped themes if its theme is broken."""
    from pipeline.digest.render.style import DEFAULT_STYLE, with_branding
    from pipeline.digest.render.theme import load_theme
    from pipeline.model.errors import TemplateError

    try:
        style = load_theme(template_folders(app), app.config.digest.theme).style
    except TemplateError:
        style = DEFAULT_STYLE  # the sending task reports the error; the pages stay up
    return with_branding(style, accent=app.publication.accent, fonts=app.publication.fonts)
