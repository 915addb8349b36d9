"""The honest accounts, one row each: who they are, what they own and how lively they are.

Among them are the people a fraud model must not mistake: travellers, VPN users, offices on one device and one
card, holders of prepaid and foreign cards, newcomers who spend much at once, agencies paying many, classes of learners
who sign up within hours of each other by one link.
"""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Ints, size
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
THROW_AWAY = "mailbox.example"
EMAIL_DOMAINS = ("gmail.example", "outlook.example", "yahoo.example", "company.example", THROW_AWAY)
CHANNELS = ("organic", "search_ad", "referral", "social", "partner")
_OLD_SHARE = 0.42
_OFFICE_FIRST = 3_000_000_000
_LEARNERS = 12


def honest_accounts(settings: SimulationSettings) -> Columns:
    """Return the honest accounts, numbered from 0; some 40 % signed up before the first day.

    ``hand`` is the account that its person opened first: accounts of one hand share devices, letters and payout
    methods. An honest account is its own.
    """
    rng = stream(settings.seed, "population")
    count = settings.accounts
    role = choice(rng, ("client", "freelancer", "both"), (0.38, 0.52, 0.10), count)
    country = np.where(
        role == "freelancer",
        geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, count),
        geography.draw_countries(rng, geography.CLIENT_WEIGHTS, count),
    )
    people: Columns = {
        "account": np.arange(count),
        "hand": np.arange(count),
        "role": role,
        "signup_ms": _signups(rng, settings, country),
    }
    people |= _classes(settings, people)
    office = _offices(rng, count)
    country = np.where(office >= 0, country[np.maximum(office, 0)], country)
    people |= {"country": country, "office": office}
    people |= _contact(rng, people, country)
    people |= _money_habits(rng, people, settings)
    people |= _movements(rng, people, settings)
    return people


def _signups(rng: np.random.Generator, settings: SimulationSettings, country: Array) -> Ints:
    """Return sign-up times: some spread over three years before the period, the rest evenly inside it."""
    count = len(country)
    before = settings.start_ms - (rng.exponential(280.0, count).clip(0.1, 1100.0) * DAY_MS).astype(np.int64)
    inside = settings.start_ms + (rng.random(count) * settings.days * DAY_MS).astype(np.int64)
    at = geography.working_time(rng, np.where(happens(rng, _OLD_SHARE, count), before, inside), country)
    at = np.where(at < settings.end_ms, at, at - DAY_MS)  # moved from a holiday past the last day
    return np.where((at >= settings.start_ms) & (at < settings.start_ms + HOUR_MS), at + HOUR_MS, at)


def _offices(rng: np.random.Generator, count: int) -> Ints:
    """Return the office number of the 9 % who share one, else -1; an office has about six accounts."""
    offices = max(1, count * 9 // 600)
    return np.where(happens(rng, 0.09, count), rng.integers(0, offices, size=count), -1)


def _classes(settings: SimulationSettings, people: Columns) -> Columns:
    """Return when each signs up and who invited it, -1 for nobody: some freelancers follow a teacher within hours."""
    rng = stream(settings.seed, "classes")
    signup_ms = people["signup_ms"].copy()
    referrer = np.full(size(people), -1)
    learns = (
        happens(rng, 0.06, size(people)) & (people["role"] != "client") & (signup_ms >= settings.start_ms)
    )
    learners = np.flatnonzero(learns)
    taught = rng.integers(0, 1 + len(learners) // _LEARNERS, len(learners))
    _, first, number = np.unique(taught, return_index=True, return_inverse=True)
    teacher = learners[first][number.reshape(-1)]
    follows = learners != teacher
    late = rng.lognormal(3.6, 1.2, int(follows.sum())).clip(0.5, 1_200.0) * 60_000
    learner, teacher = learners[follows], teacher[follows]
    at = signup_ms[teacher] + late.astype(np.int64)
    in_time = at < settings.end_ms
    signup_ms[learner[in_time]] = at[in_time]
    referrer[learner[in_time]] = teacher[in_time]
    return {"signup_ms": signup_ms, "referrer": referrer}


def _contact(rng: np.random.Generator, people: Columns, country: Ints) -> Columns:
    """Return e-mail domain, phone country and the channel through which the account came."""
    count = len(country)
    elsewhere = geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, count)
    return {
        "email_domain": choice(rng, EMAIL_DOMAINS, (55, 15, 10, 17, 3), count),
        "phone_country": np.where(happens(rng, 0.05, count), elsewhere, country),
        "channel": np.where(
            people["referrer"] >= 0, "referral", choice(rng, CHANNELS, (40, 25, 15, 15, 5), count)
        ),
    }


def _money_habits(rng: np.random.Generator, people: Columns, settings: SimulationSettings) -> Columns:
    """Return how often an account hires, how much it pays and whether it is an agency."""
    count = len(people["account"])
    agency = happens(rng, 0.02, count)
    log_amount = rng.normal(4.75, 0.85, count)
    newcomer = people["signup_ms"] >= settings.start_ms
    log_amount = log_amount + np.where(newcomer & happens(rng, 0.16, count), 1.4, 0.0)
    return {
        "is_agency": agency,
        "appetite": rng.lognormal(0.0, 0.9, count) * np.where(agency, 6.0, 1.0),
        "popularity": rng.lognormal(0.0, 1.2, count),
        "log_amount": log_amount,
    }


def _movements(rng: np.random.Generator, people: Columns, settings: SimulationSettings) -> Columns:
    """Return new phones, new cards, one long trip and VPN use."""
    count = len(people["account"])
    days = settings.days

    def moment(share: float) -> Ints:
        at = settings.start_ms + (rng.random(count) * days * DAY_MS).astype(np.int64)
        return np.where(happens(rng, share, count), at, settings.end_ms)

    trip_from = moment(0.16)
    return {
        "new_phone_ms": moment(0.35),
        "new_card_ms": moment(0.30),
        "trip_from": trip_from,
        "trip_until": trip_from + (rng.uniform(5, 50, count) * DAY_MS).astype(np.int64),
        "trip_country": geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, count),
        "uses_vpn": happens(rng, 0.07, count),
    }


def main_device(people: Columns, who: Ints, at_ms: Ints) -> Ints:
    """Return the device an account mostly uses at a moment: its office's, or its phone of that time."""
    own = people["hand"][who] * 8 + (at_ms >= people["new_phone_ms"][who])
    office = people["office"][who]
    return np.where(office >= 0, _OFFICE_FIRST + office, own)
