"""The results of copies, by what a mail server replied.

Every copy gets one of the results of ``model.delivery.Outcome``:

    no server, connection lost before the dot, 4xx                later      (421, 454 and 4.7.x also ask to slow down)
    5xx for the recipient, an invalid address                     failed     refused
    5xx for the message                                           failed     message
    5xx for the connection, login or sender; a code for all       stop
    no reply to the dot, or none that can be understood           uncertain

Whatever a reply is to, a code of policy (5.7.x, 5.4.5: a quota) or of the server itself (5.3.x) concerns all copies: if
each were counted as failed, one blocked relay would fail every subscriber.
"""

from __future__ import annotations

import re

from pipeline.model.delivery import DeliveryResult
from pipeline.model.errors import DeliveryError

_SLOW_DOWN = re.compile(r"421|454|4\d\d 4\.7\.")
_FOR_ALL = re.compile(r"5\d\d 5\.(?:[37]\.|4\.5\b)")
_MAX_REPLY_CHARS = 200


def failed_result(error: DeliveryError, *, has_server: bool) -> DeliveryResult:
    """Return the result of a copy that was not accepted."""
    code, reply = error.reply[:3], _shortened(error.reply or str(error))
    if error.kind == "uncertain":
        return DeliveryResult(outcome="uncertain", reply=reply)
    if error.kind == "later" or (error.kind == "unreachable" and not code.startswith("5")):
        return DeliveryResult(
            outcome="later", reply=reply, slow_down=not has_server or bool(_SLOW_DOWN.match(error.reply))
        )
    if error.kind in ("recipient", "message") and not _FOR_ALL.match(error.reply):
        return DeliveryResult(
            outcome="failed", reason="refused" if error.kind == "recipient" else "message", reply=reply
        )
    return DeliveryResult(outcome="stop", reply=_shortened(str(error)))


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_REPLY_CHARS else f"{text[: _MAX_REPLY_CHARS - 1]}…"
