"""The logs of what members write, as apps and the support desk word them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation.columns import Columns
from simulation.identifiers import iso_text
from simulation.user_reports import POST, THREAD
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
        **words.place(rows),
    }
    return replace(
        words.of_apps("job_posts", "job_posted", rows, fields),
        text_field="description",
        member_field="client_id",
    )


def proposal_records(words: Words, rows: Columns) -> Records:
    """Return ``proposals``."""
    fields = {
        "proposal_id": words.id("pro", rows["proposal"]),
        "job_id": words.id("job", rows["post"]),
        "freelancer_id": words.id("acc", rows["freelancer"]),
        "cover_letter": rows["cover_letter"],
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        "boost_credits": rows["boost_credits"],
        "seconds_since_post": rows["seconds_since_post"],
        **words.place(rows),
    }
    return replace(
        words.of_apps("proposals", "proposal_sent", rows, fields),
        text_field="cover_letter",
        member_field="freelancer_id",
    )


def view_records(words: Words, rows: Columns) -> Records:
    """Return ``job_views``."""
    fields = {
        "job_id": words.id("job", rows["post"]),
        "account_id": words.id("acc", rows["account"]),
        "kind": rows["kind"],
        **words.place(rows),
    }
    return replace(words.of_apps("job_views", "job_view_noted", rows, fields), member_field="account_id")


def message_records(words: Words, rows: Columns) -> Records:
    """Return ``messages``."""
    fields = {
        "message_id": words.id("msg", rows["message"]),
        "thread_id": words.id("thr", rows["thread"]),
        "sender_id": words.id("acc", rows["sender"]),
        "recipient_id": words.id("acc", rows["recipient"]),
        "job_id": words.id_or_none("job", rows["job"]),
        "contract_id": words.id_or_none("con", rows["contract"]),
        "body": rows["body"],
        "edited": rows["edited"],
        **words.place(rows),
    }
    return replace(
        words.of_apps("messages", "message_sent", rows, fields), text_field="body", member_field="sender_id"
    )


def report_records(words: Words, rows: Columns) -> Records:
    """Return ``user_reports``."""
    kind = rows["target_type"]
    posts, threads = words.id("job", rows["target"]), words.id("thr", rows["target"])
    fields = {
        "report_id": words.id("rep", rows["report"]),
        "reporter_id": words.id("acc", rows["reporter"]),
        "target_type": rows["target_type"],
        "target_id": np.select(
            [kind == POST, kind == THREAD], [posts, threads], words.id("acc", rows["target"])
        ),
        "reason_code": rows["reason_code"],
    }
    return replace(
        words.of_server("user_reports", "user_reported", rows, fields, "support-desk"),
        member_field="reporter_id",
    )


def review_records(words: Words, rows: Columns) -> Records:
    """Return ``reviews``."""
    fields = {
        "review_id": words.id("rev", rows["contract"] * 2 + rows["is_of_client"]),
        "contract_id": words.id("con", rows["contract"]),
        "reviewer_id": words.id("acc", rows["reviewer"]),
        "reviewed_id": words.id("acc", rows["reviewed"]),
        "stars": rows["stars"],
        "private_score": rows["private_score"],
        "comment": rows["comment"],
        **words.place(rows),
    }
    return replace(
        words.of_apps("reviews", "review_written", rows, fields),
        text_field="comment",
        member_field="reviewer_id",
    )


def time_records(words: Words, rows: Columns) -> Records:
    """Return ``time_logs``; what was written by hand has no picture of the screen."""
    screenshot = words.id("scr", rows["screenshot"]).astype(object)
    screenshot[rows["manual"]] = None
    fields = {
        "log_id": words.id("tlg", rows["log"]),
        "contract_id": words.id("con", rows["contract"]),
        "freelancer_id": words.id("acc", rows["freelancer"]),
        "started_ts": iso_text(rows["start_ms"]),
        "minutes": rows["minutes"],
        "activity_level": rows["activity_level"],
        "manual": rows["manual"],
        "screenshot_hash": screenshot,
        **words.place(rows),
    }
    return replace(words.of_apps("time_logs", "time_logged", rows, fields), member_field="freelancer_id")
