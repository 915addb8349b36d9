"""The logs of what members write, as apps and the support desk word them."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, size
from simulation.identifiers import ip_text
from simulation.user_reports import POST
from simulation.words import Records, Words


def post_records(words: Words, rows: Columns) -> Records:
    """Return ``job_posts``."""
    fields = {
        "job_id": words.id("job", rows["post"]),
        "client_id": words.id("acc", rows["client"]),
        "title": rows["title"],
        "description": rows["description"],
        "category": rows["category"],
        "budget_type": rows["budget_type"],
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        "device_id": words.id("dev", rows["device"]),
        "ip": ip_text(rows["ip"]),
        "ip_country": words.country(rows["ip_country"]),
    }
    return Records(
        log="job_posts",
        event_type="job_posted",
        event_ms=rows["ms"],
        producer=words.app(rows["device"]),
        fields=fields,
        device_field="device_id",
        from_server=False,
        text_field="description",
        ip_field="ip",
        member_field="client_id",
    )


def report_records(words: Words, rows: Columns) -> Records:
    """Return ``user_reports``."""
    is_post = rows["target_type"] == POST
    fields = {
        "report_id": words.id("rep", rows["report"]),
        "reporter_id": words.id("acc", rows["reporter"]),
        "target_type": rows["target_type"],
        "target_id": np.where(is_post, words.id("job", rows["target"]), words.id("acc", rows["target"])),
        "reason_code": rows["reason_code"],
    }
    return Records(
        log="user_reports",
        event_type="user_reported",
        event_ms=rows["ms"],
        producer=np.full(size(rows), "support-desk"),
        fields=fields,
        device_field=None,
        from_server=True,
        member_field="reporter_id",
    )
