"""Words of job posts: what honest clients look for, what solicitors promise, and honest posts that sound like those."""

from __future__ import annotations

CATEGORIES = ("web", "design", "writing", "translation", "data_entry", "marketing", "video", "admin")
# Categories that ask for no skill, where solicitors fish.
BROAD = ("data_entry", "admin", "writing", "translation")

TITLES = {
    "web": (
        "{Fix|Build|Redesign|Extend} {my|our|a} {online shop|landing page|WordPress site|booking "
        "page|REST API}"
    ),
    "design": (
        "{Logo|Banner|Brochure|App icon|Packaging} {design|redesign} for {a cafe|our startup|a law "
        "firm|a band}"
    ),
    "writing": "{Blog posts|Product texts|Newsletter|Case study} about {travel|finance|cooking|health|software}",
    "translation": (
        "{Translate|Proofread} {a contract|a manual|our website|subtitles} {from|into} {German|Spanish|Hindi}"
    ),
    "data_entry": "{Data entry|Copy records|Clean a list} {from PDF|from scans|in a spreadsheet|in our CRM}",
    "marketing": "{Social media|Search ads|E-mail campaign} {manager|specialist|help} {wanted|needed}",
    "video": "{Edit|Cut|Subtitle} {a wedding film|our podcast|ten short clips|an interview}",
    "admin": "{Virtual assistant|Calendar help|Customer support} {part time|for two weeks|mornings}",
}

# By language: an opening, what is asked for, and an end.
HONEST = {
    "en": (
        (
            "{Hi|Hello|Hi there|Good day}, {we are|I am} looking for {someone|a freelancer|an expert} "
            "{to help with|for} this. {You should have|Please show} {similar work|two samples|good "
            "reviews}. {It should take|I expect} about {two|three|five|ten} {days|evenings|hours}. {We "
            "can start this week|The deadline is flexible|Milestones are fine|Please bid with your own "
            "price}."
        ),
        (
            "{Small|Simple|Clear} {job|project} with {a written brief|a mock-up|examples}. {Good "
            "English is a must|Any time zone works|Long-term work is possible}. {Tell me how you would "
            "start|Please answer two questions in your proposal|Ask if anything is unclear}."
        ),
        (
            "{We need|I need} this {done well|finished} by {Friday|the end of the month|next week}. "
            "{All files are ready|The texts exist already|Access is given after hiring}. {Thanks|Thank "
            "you|Cheers}!"
        ),
    ),
    "es": (
        (
            "{Hola|Buenos días}, {busco|buscamos} {a alguien|un profesional} {con "
            "experiencia|responsable} para este trabajo. {Plazo flexible|Empezamos esta semana|Pago por"
            " hitos}. {Gracias|Un saludo}."
        ),
    ),
    "pt": (
        (
            "{Olá|Bom dia}, {procuro|procuramos} {alguém|um profissional} {com experiência|cuidadoso} "
            "para este projeto. {Prazo flexível|Começamos esta semana|Pagamento por etapas}. "
            "{Obrigado|Abraço}."
        ),
    ),
    "fr": (
        (
            "Bonjour, {je cherche|nous cherchons} {quelqu'un|un indépendant} {expérimenté|soigneux} "
            "pour cette mission. {Délai souple|Début cette semaine|Paiement par étapes}. "
            "{Merci|Cordialement}."
        ),
    ),
    "hi_latin": (
        (
            "{Namaste|Hello ji}, {mujhe|humein} is kaam ke liye {ek freelancer|koi experienced banda} "
            "chahiye. {Kaam is hafte shuru hoga|Deadline flexible hai|Payment milestone se hoga}. "
            "{Dhanyavaad|Thanks ji}."
        ),
    ),
}

# Honest posts that speak of messengers, phones, cheques and easy work.
LOOK_ALIKES = (
    (
        "{Telegram|WhatsApp|Discord} bot developer {wanted|needed}. It should {answer "
        "customers|send reminders|post prices} and {run on our server|use the official API}. "
        "{Please show a bot you made|Milestones are fine}."
    ),
    (
        "{We talked on the phone about|As discussed on the phone,} {the new pages|the second part};"
        " this post is for {the contract|the invoice}. {Please bid with the price we agreed|You "
        "know the details}."
    ),
    (
        "{Easy|Simple} {typing|copying} work for {students|beginners}, {no experience "
        "needed|training is given}. {Two hours a day|Weekends only}, {paid by milestone|paid "
        "weekly} {here|on this site}."
    ),
    (
        "Write {an article|a guide} on {cheque fraud|overpayment scams|fake job offers} and how "
        "{victims|banks} {notice|stop} it."
    ),
    (
        "{Community manager|Moderator} for our {Telegram|WhatsApp} group of {300|2,000|12,000} "
        "members, {evenings|weekends}."
    ),
    (
        "{Urgent|ASAP}: {call centre|phone support} {agent|help} {from home|remote}, {headset and "
        "fast line needed|English and Hindi}."
    ),
)

# {APP}, {PHONE} and {HANDLE} are the solicitor's, disguised anew in every post.
SOLICITING = {
    "en": (
        (
            "{Earn|Make} {good money|up to {60|80|90} dollars an hour} {from home|with your phone}, {no"
            " experience needed|easy work}. {Contact|Text|Write to} our {manager|HR desk|team lead} on "
            "{APP}: {PHONE}. {Only {5|8|10} places left|Start today}!"
        ),
        (
            "{Retype|Convert} {a PDF|scanned pages} {into Word|to text}, {paid per page|high rate}. "
            "{Interviews|Briefing} {only on|are held on} {APP}, {add|message} {HANDLE}. {Do not apply "
            "here|Proposals here are not read|We answer faster there}."
        ),
        (
            "{Big company|Publishing house} {hires|seeks} {ten|many} {assistants|typists}, {weekly "
            "pay|paid daily}. {For details|To begin} {reach us|say hi} at {APP} {PHONE}. {A small "
            "registration fee applies|Bring your bank details}."
        ),
    ),
    "es": (
        (
            "{Gana|Cobra} {dinero desde casa|hasta 80 dólares por hora}, {sin experiencia|trabajo "
            "fácil}. {Escríbenos|Contacta} por {APP}: {PHONE}. {Empieza hoy|Quedan pocos puestos}."
        ),
    ),
    "pt": (
        (
            "{Ganhe|Receba} {dinheiro em casa|até 80 dólares por hora}, {sem experiência|trabalho "
            "fácil}. {Chame|Fale} no {APP}: {PHONE}. {Comece hoje|Últimas vagas}."
        ),
    ),
    "hi_latin": (
        (
            "Ghar baithe {paise kamao|kaam karo}, {experience nahi chahiye|roz payment}. {APP} par "
            "{message karo|contact karo}: {PHONE}. {Aaj hi shuru karo|Seats kam hain}."
        ),
    ),
}
APPS = ("telegram", "whatsapp", "signal")
