"""One simulated marketplace in full: the rows of every log, before any dirt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.account_changes import account_changes
from simulation.columns import Columns, from_rows, size, stack, take
from simulation.disputes import mark_friendly, open_disputes
from simulation.fraud.actions import Account, Attempt
from simulation.fraud.card_testing import run_card_testing
from simulation.fraud.laundering import run_laundering
from simulation.fraud.stolen_cards import run_stolen_cards
from simulation.fraud.takeover import run_takeovers
from simulation.fraud.underworld import Underworld
from simulation.honest_payments import honest_payments
from simulation.job_posts import job_posts
from simulation.ledger import ledger_entries
from simulation.logins import logins
from simulation.messages import messages
from simulation.payouts import payouts
from simulation.population import honest_accounts, main_device
from simulation.proposals import proposals
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream
from simulation.truth import typology_of
from simulation.user_reports import accusations, user_reports

_HONEST_ATTEMPTS = 0.945


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The rows of each log as numbers and text; ``payments`` also holds the hidden truth."""

    accounts: Columns
    logins: Columns
    payments: Columns
    payouts: Columns
    disputes: Columns
    account_changes: Columns
    ledger_entries: Columns
    job_posts: Columns
    proposals: Columns
    messages: Columns
    user_reports: Columns


def simulate(settings: SimulationSettings) -> World:
    """Let honest people and fraudsters act for the whole period; the same settings give the same world."""
    people = honest_accounts(settings)
    honest = honest_payments(
        settings, people, int(settings.payments_per_day * settings.days * _HONEST_ATTEMPTS)
    )
    under = _fraud(settings, people, honest)
    payments = stack([honest, from_rows(under.attempts, Attempt)])
    payments = take(payments, payments["ms"] < settings.end_ms)
    payments = take(payments, np.argsort(payments["ms"], kind="stable"))
    payments["payment"] = np.arange(size(payments))
    payments = mark_friendly(settings, payments)
    everyone = _everyone(settings, people, under.accounts)
    seen = logins(settings, everyone, payments, under.logins)
    paid_out = payouts(settings, everyone, payments, under)
    disputes = open_disputes(settings, payments)
    posts = job_posts(settings, everyone, payments)
    bids = proposals(settings, everyone, payments, posts)
    talk = messages(settings, everyone, payments, posts, bids)
    reports = user_reports(settings, everyone, payments, posts, talk)
    acts = _acts(payments, seen, posts, bids, talk, reports)
    accused = accusations(reports, disputes)
    guilty = typology_of(everyone, payments, posts, talk) != ""
    return World(
        accounts=everyone,
        logins=seen,
        payments=payments,
        payouts=paid_out,
        disputes=disputes,
        account_changes=account_changes(settings, everyone, acts, accused, guilty),
        ledger_entries=ledger_entries(settings, payments, paid_out),
        job_posts=posts,
        proposals=bids,
        messages=talk,
        user_reports=reports,
    )


def _acts(
    payments: Columns, seen: Columns, posts: Columns, bids: Columns, talk: Columns, reports: Columns
) -> Columns:
    """Return what accounts do after they signed up: account, ms."""
    parts = (
        (payments["payer"], payments["ms"]),
        (payments["payee"], payments["ms"]),
        (seen["account"], seen["ms"]),
        (posts["client"], posts["ms"]),
        (bids["freelancer"], bids["ms"]),
        (talk["sender"], talk["ms"]),
        (reports["reporter"], reports["ms"]),
    )
    return stack([{"account": who, "ms": at} for who, at in parts])


def _fraud(settings: SimulationSettings, people: Columns, honest: Columns) -> Underworld:
    """Run every typology up to its share of the frauds wanted."""
    fraud = settings.fraud
    wanted = fraud.approved_share / (1.0 - fraud.approved_share) * float(honest["approved"].sum())
    under = Underworld(settings, people)
    run_stolen_cards(under, round(wanted * fraud.stolen_card_share))
    run_card_testing(under, round(wanted * fraud.card_testing_share))
    run_takeovers(under, honest, round(wanted * fraud.takeover_share))
    run_laundering(under, round(wanted * fraud.laundering_share))
    return under


def _everyone(settings: SimulationSettings, people: Columns, made_up: list[Account]) -> Columns:
    """Return honest and made-up accounts below each other; habits of the latter are those of quiet people."""
    rng = stream(settings.seed, "everyone")
    who, at = people["account"], people["signup_ms"]
    place = honest_sessions(rng, people, who, at)
    signup = {"signup_device": main_device(people, who, at), "signup_ip": place["ip"]}
    pace = {"logins_pace": rng.lognormal(-0.3, 0.8, size(people))}
    honest = people | signup | pace
    rows = from_rows(made_up, Account)
    count = size(rows)
    quiet = {
        name: np.full(count, settings.end_ms)
        for name in ("new_phone_ms", "new_card_ms", "trip_from", "trip_until")
    }
    habits = {
        "trip_country": np.zeros(count, dtype=np.int64),
        "office": np.full(count, -1),
        "uses_vpn": happens(rng, 0.2, count),
        "logins_pace": rng.lognormal(-0.6, 0.8, count),
    }
    fake = rows | quiet | habits
    return stack([{name: honest[name] for name in fake}, fake])
