"""The list of alerts in a digest or summary, for chats whose usual text is empty.

There the title of a message about a group says it all; of a digest it says only how much there is.
"""

from __future__ import annotations

from typing import Final

from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.text import truncate
from vedette.alerting.records import Form

_LISTING: Final = (
    "{{ range .Alerts }}{{ .Status | toUpper }} *{{ .Labels.alertname }}*"
    '{{ with .Labels.Remove (stringSlice "alertname") }} ({{ .Values | join " " }}){{ end }}'
    "{{ with .Annotations.summary }}: {{ . }}{{ end }}{{ with .Annotations.digest }}; {{ . }}{{ end }}\n{{ end }}"
)
_CHARS: Final = 8000


def text_or_listing(message: Message, template: str) -> str:
    """What a template gives; of digests and summaries, a list where that is nothing.

    Raises:
        DeliveryError: the template fails.
    """
    text = message.text(template)
    if text or message.notify.form is Form.GROUP:
        return text
    return truncate(message.text(_LISTING), _CHARS)
