"""One simulated marketplace in full: the rows of every log, before any dirt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.account_changes import account_changes
from simulation.columns import Columns, Flags, from_rows, size, stack, take
from simulation.contracts import PADDED, contract_changes, contracts
from simulation.credits import credit_movements
from simulation.devices import devices
from simulation.disputes import mark_friendly, open_disputes
from simulation.enforcement import enforcement_actions, sanctions, suspended_from
from simulation.escrow import escrow_events, releases
from simulation.fraud.actions import Account, Attempt
from simulation.fraud.card_testing import run_card_testing
from simulation.fraud.clients import Clients
from simulation.fraud.credit_rings import caught_rings, run_credit_rings
from simulation.fraud.laundering import run_laundering
from simulation.fraud.non_delivery import run_non_delivery
from simulation.fraud.reaction import with_reaction
from simulation.fraud.rented_identities import run_rented_identities
from simulation.fraud.returning import linked, returners
from simulation.fraud.self_dealing import run_self_dealing
from simulation.fraud.stolen_cards import run_stolen_cards
from simulation.fraud.takeover import run_takeovers
from simulation.fraud.underworld import Underworld
from simulation.guilt import typology_of
from simulation.honest_payments import honest_payments
from simulation.instruments import instrument_changes
from simulation.job_posts import job_posts
from simulation.job_views import job_views
from simulation.ledger import ledger_entries
from simulation.logins import logins
from simulation.messages import messages
from simulation.organisations import organisation_changes
from simulation.payout_methods import payout_method_changes
from simulation.payouts import payouts
from simulation.population import honest_accounts, main_device
from simulation.profiles import profile_changes
from simulation.proposals import proposals
from simulation.reference import reference_data
from simulation.referrals import invitations, with_referrers
from simulation.reviews import reviews
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream
from simulation.time_logs import time_logs
from simulation.user_reports import accusations, user_reports
from simulation.verification import kyc_checks

_HONEST_ATTEMPTS = 0.945


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The rows of each log as numbers and text; ``contracts`` and others also hold the hidden truth."""

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
    contracts: Columns
    contract_changes: Columns
    escrow_events: Columns
    reviews: Columns
    time_logs: Columns
    instrument_changes: Columns
    payout_method_changes: Columns
    profile_changes: Columns
    organisation_changes: Columns
    kyc_checks: Columns
    enforcement_actions: Columns
    devices: Columns
    credit_movements: Columns
    exchange_rates: Columns
    card_issuers: Columns
    throw_away_domains: Columns
    holidays: Columns
    job_views: Columns


def simulate(settings: SimulationSettings) -> World:
    """Let honest people and fraudsters of one region act for the whole period; equal settings give equal worlds."""
    everyone, payments, under = _money_moved(settings)
    posts = job_posts(settings, everyone, payments)
    terms = contracts(settings, everyone, payments, posts)
    bids = proposals(settings, everyone, payments, posts, under.boosted)
    looks = job_views(settings, everyone, payments, posts, bids)
    talk = messages(settings, everyone, payments, posts, bids, terms)
    reports = user_reports(settings, everyone, payments, posts, talk)
    disputes = open_disputes(settings, payments, terms["contract"][terms["typology"] == PADDED])
    guilty = typology_of(everyone, payments, posts, talk) != ""
    accused = accusations(reports, disputes)
    everyone, sanctioned = _enforced(settings, everyone, accused, guilty, under.boosted)
    seen = logins(settings, everyone, payments, under.logins)
    seen = take(seen, seen["ms"] < suspended_from(everyone, sanctioned)[seen["account"]])
    praise = reviews(settings, everyone, terms)
    worked = time_logs(settings, everyone, terms)
    paid_out = payouts(settings, everyone, payments, under)
    of_account = typology_of(everyone, payments, posts, talk)
    acts = _acts(
        (invitations(everyone), "referrer"),
        *((payments, side) for side in ("payer", "payee")),
        (seen, "account"),
        (posts, "client"),
        (bids, "freelancer"),
        (looks, "account"),
        (talk, "sender"),
        (reports, "reporter"),
        *((terms | {"ms": terms["end_ms"]}, side) for side in ("client", "freelancer")),
        (praise, "reviewer"),
        (worked, "freelancer"),
    )
    return World(
        accounts=everyone,
        logins=seen,
        payments=payments,
        payouts=paid_out,
        disputes=disputes,
        account_changes=account_changes(settings, everyone, acts, sanctioned),
        ledger_entries=ledger_entries(settings, payments, paid_out),
        job_posts=posts,
        proposals=bids,
        messages=talk,
        user_reports=reports,
        contracts=terms,
        contract_changes=contract_changes(settings, terms),
        escrow_events=escrow_events(settings, payments, disputes),
        reviews=praise,
        time_logs=worked,
        instrument_changes=instrument_changes(settings, everyone, payments),
        payout_method_changes=payout_method_changes(settings, everyone, paid_out),
        profile_changes=profile_changes(settings, everyone),
        organisation_changes=organisation_changes(settings, everyone, of_account),
        kyc_checks=kyc_checks(settings, everyone),
        enforcement_actions=enforcement_actions(settings, sanctioned),
        devices=devices(settings, everyone, of_account, seen, _by_payer(payments), paid_out),
        credit_movements=credit_movements(settings, everyone, bids),
        job_views=looks,
        **reference_data(settings),
    )


def _money_moved(settings: SimulationSettings) -> tuple[Columns, Columns, Underworld]:
    """Return the accounts, honest ones and others, all payments, and what fraudsters did besides."""
    people = honest_accounts(settings)
    honest = honest_payments(
        settings, people, int(settings.payments_per_day * settings.days * _HONEST_ATTEMPTS)
    )
    under = _fraud(settings, people, honest)
    fraud = with_reaction(settings, from_rows(under.attempts, Attempt))
    payments = _paid(settings, stack([honest, fraud]))
    return _everyone(settings, people, under.accounts), payments, under


def _enforced(
    settings: SimulationSettings, people: Columns, accused: Columns, guilty: Flags, boosted: Columns
) -> tuple[Columns, Columns]:
    """Return the accounts with those that banned people open anew, and the sanctions of all."""
    sanctioned = sanctions(settings, people, accused, guilty)
    returned = returners(settings, people, sanctioned)
    caught = caught_rings(settings, people, boosted, sanctioned)
    everyone = with_referrers(settings, stack([people, returned]))
    return everyone, stack([sanctioned, caught, linked(settings, returned)])


def _paid(settings: SimulationSettings, attempts: Columns) -> Columns:
    """Return the attempts of the period, numbered in order of time, with their releases and friendly frauds."""
    payments = take(attempts, attempts["ms"] < settings.end_ms)
    payments = take(payments, np.argsort(payments["ms"], kind="stable"))
    payments["payment"] = np.arange(size(payments))
    payments = mark_friendly(settings, payments)
    return payments | releases(settings, payments)


def _by_payer(payments: Columns) -> Columns:
    return payments | {"account": payments["payer"]}


def _acts(*deeds: tuple[Columns, str]) -> Columns:
    """Return what accounts do after they signed up: account, ms; of each part, the column that names the account."""
    return stack([{"account": rows[who], "ms": rows["ms"]} for rows, who in deeds])


def _fraud(settings: SimulationSettings, people: Columns, honest: Columns) -> Underworld:
    """Run every typology that pays or is paid, up to its share of the frauds or of the freelancers."""
    fraud = settings.fraud
    wanted = fraud.approved_share / (1.0 - fraud.approved_share) * float(honest["approved"].sum())
    freelancers = int((people["role"] != "client").sum())
    under = Underworld(settings, people)
    clients = Clients(under.rng, honest)
    run_stolen_cards(under, round(wanted * fraud.stolen_card_share))
    run_card_testing(under, round(wanted * fraud.card_testing_share))
    run_takeovers(under, clients, round(wanted * fraud.takeover_share))
    run_laundering(under, round(wanted * fraud.laundering_share))
    run_non_delivery(under, clients, round(wanted * fraud.non_delivery_share))
    run_self_dealing(under, round(freelancers * fraud.self_dealing))
    run_rented_identities(under, clients, round(freelancers * fraud.rented_identities))
    newcomers = int((people["signup_ms"] >= settings.start_ms).sum())
    run_credit_rings(under, round(newcomers * fraud.credit_rings))
    return under


def _everyone(settings: SimulationSettings, people: Columns, made_up: list[Account]) -> Columns:
    """Return honest and made-up accounts below each other; habits of the latter are those of quiet people.

    ``typology`` is what an account was made up for, where its payments do not tell.
    """
    rng = stream(settings.seed, "everyone")
    who, at = people["account"], people["signup_ms"]
    place = honest_sessions(rng, people, who, at)
    signup = {"signup_device": main_device(people, who, at), "signup_ip": place["ip"]}
    pace = {"logins_pace": rng.lognormal(-0.3, 0.8, size(people))}
    means = {"typology": np.full(size(people), ""), "new_method_ms": np.full(size(people), settings.end_ms)}
    honest = people | signup | pace | means
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
