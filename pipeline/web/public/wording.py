"""Sentences of the pages for subscribers that depend on what happened; the others stand in the templates."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse

from pipeline.digest.render.translator import Translator
from pipeline.model.errors import FormError, InvalidTokenError, PipelineError, TooManyRequestsError
from pipeline.web.public.rendering import Action, Page

STATUS_OF_LINK = {"forged": 404, "used": 410, "expired": 410}


def form_fault(error: PipelineError, translator: Translator) -> str:
    """Return what is wrong with a form, for the person who filled it in."""
    if isinstance(error, TooManyRequestsError):
        return translator.gettext("There were too many sign-ups from your network. Try again in an hour.")
    if not isinstance(error, FormError):
        return translator.gettext("Check the email address: it is incomplete or has a typing error.")
    return {
        "consent": translator.gettext("Please tick the box: we may only write to you if you agree."),
        "address": translator.gettext("Check the email address: it is incomplete or has a typing error."),
        "disposable": translator.gettext("Use another address: this mailbox is thrown away after a short time."),
        "role": translator.gettext("Use an address of your own: this one belongs to several people."),
        "domain": translator.gettext("Check the email address: its domain receives no email."),
    }[error.fault]


def too_fast(translator: Translator) -> str:
    """Return the request to try again, for a form that was filled in faster than people do."""
    return translator.gettext("That was very fast. Please press the button once more.")


def puzzle(translator: Translator) -> str:
    """Return why a browser has to calculate something before it may send a form."""
    return translator.gettext(
        "Many people are signing up right now, so your browser does a short calculation first. That needs JavaScript. "
        "Please press the button once more."
    )


def invalid_link(page: Page, error: InvalidTokenError, *, sign_up: bool = True) -> HTMLResponse:
    """Return the page of a link that is incomplete, or belongs to nobody any more."""
    translator = page.translator
    actions = [Action(label=translator.gettext("Go to the sign-up page"), url="/subscribe")] if sign_up else []
    if error.kind == "forged":
        return page.message(
            translator.gettext("This link does not work"),
            translator.gettext("It is incomplete or was changed. Open it from the email itself, or copy all of it."),
            status=STATUS_OF_LINK["forged"],
            actions=actions,
        )
    return page.message(
        translator.gettext("This subscription no longer exists"),
        translator.gettext("We hold nothing about you behind this link, and you get no email from us."),
        status=STATUS_OF_LINK["used"],
        actions=actions,
    )


def late_link(page: Page) -> HTMLResponse:
    """Return the page of a link that has expired, with a button that mails a new one."""
    translator = page.translator
    return page.message(
        translator.gettext("This link has expired"),
        translator.gettext("It was valid for a limited time, to protect you. We can send you a new one."),
        status=STATUS_OF_LINK["expired"],
        actions=[Action(label=translator.gettext("Send me a new link"))],
    )


def late_confirmation(page: Page, form: str) -> HTMLResponse:
    """Return the page of a sign-up that was not confirmed in time."""
    translator = page.translator
    return page.message(
        translator.gettext("This link has expired"),
        translator.gettext(
            "A sign-up that is not confirmed in time is deleted. Sign up again, and you get a new link."
        ),
        status=STATUS_OF_LINK["expired"],
        actions=[Action(label=translator.gettext("Subscribe again"), url=f"/subscribe/{form}")],
    )


def new_link_sent(page: Page) -> HTMLResponse:
    """Return the page after a new link was asked for."""
    translator = page.translator
    return page.message(
        translator.gettext("A new link is on its way"),
        translator.gettext("Look into your mailbox in a few minutes. You can ask for another one tomorrow."),
    )


def ended(page: Page) -> HTMLResponse:
    """Return the page of a subscription that the person, or its operator, has ended."""
    translator = page.translator
    return page.message(
        translator.gettext("You are unsubscribed"),
        translator.gettext("You get no more editions. You can sign up again at any time."),
        actions=[Action(label=translator.gettext("Go to the sign-up page"), url="/subscribe")],
    )


def no_mail(page: Page) -> HTMLResponse:
    """Return the page of an address that is suppressed, and that only the operator may release."""
    translator = page.translator
    return page.message(
        translator.gettext("This address gets no email from us"),
        help_at(page),
        status=409,
    )


def help_at(page: Page) -> str:
    """Return the sentence that says whom to ask for help."""
    return page.translator.gettext("Write to {contact} if you need help.", contact=page.audience.contact)


def masked(address: str) -> str:
    """Return an address that its owner recognises, and nobody else whom a mail was passed on to can read.

    >>> masked("ada.byron@kueste.example")
    'a…@kueste.example'
    """
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"


def day_of(instant: datetime, zone: str) -> str:
    """Return the day of an instant in a time zone, as a field for dates has it: ``2026-12-24``."""
    return instant.astimezone(ZoneInfo(zone)).date().isoformat()
