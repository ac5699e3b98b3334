"""Rule files and runbooks that come with Vedette: data, and the way to it.

A runbook is a page of Markdown named after its alert; the alerts' `runbook_url` points to `/runbooks/<alert>`.
"""

from vedette.content.bundle import NoRunbookError, bundled_rules, runbook, runbook_names

__all__ = ["NoRunbookError", "bundled_rules", "runbook", "runbook_names"]
