"""Words of reviews: of the work of freelancers and of the manners of clients, good and bad."""

from __future__ import annotations

OF_FREELANCERS = {
    "good": (
        "{Great|Excellent|Very good} {work|job}, {delivered on time|fast and friendly|exactly what I asked for}.",
        "{Would hire again|Highly recommended|Will be back}. {Communication was easy|Good eye for detail}.",
        "{Knows|Really knows} {the subject|what to do} and {asks the right questions|needs little guidance}.",
        "{Thanks|Thank you}! {All fine|Everything as agreed|Top quality}.",
    ),
    "bad": (
        "{Late|Very late} and {not what was agreed|full of mistakes}. {I had to do it again|Disappointed}.",
        "{Stopped answering|Hard to reach} after {the first payment|two days}.",
        "{Work was copied|Nothing usable came|Only half was done}. {Not again|Be careful}.",
    ),
}
OF_CLIENTS = {
    "good": (
        "{Clear|Very clear} {instructions|brief} and {fast payment|quick answers}.",
        "{A pleasure|Nice} to work with, {fair|generous} and {polite|organised}.",
        "{Great client|Good client}, {hope to work together again|recommended}.",
    ),
    "bad": (
        "{Changed|Kept changing} the {scope|task} and {paid late|wanted it for free}.",
        "{Never answers|Rude tone}. {Unclear brief|Endless revisions}.",
    ),
}
