"""Words of proposals and messages: what honest people write, what swindlers do, and honest words that sound alike."""

from __future__ import annotations

# By language: how a freelancer opens a proposal, and how it ends. Most send nearly the same letter every time.
LETTERS = {
    "en": (
        (
            "{Hi|Hello|Dear client}, {I read your post carefully|your project sounds good|this is what I do "
            "every day}. "
            "{I have {three|five|eight} years of experience|I did {ten|twenty} such jobs here|Please see my "
            "portfolio}. "
            "{I can start {today|tomorrow|on Monday}|My price includes two revisions}. {Best regards|Thanks|Cheers}"
        ),
        (
            "{Good day|Hello there}! {Short and simple|To answer your question}: {yes, I can do this|I would "
            "begin with a "
            "draft|two days are enough}. {Ask me anything|Let us talk here|I am online most of the day}."
        ),
        (
            "{I am|We are} {a small team|a full-time freelancer|a native speaker} and {deliver on time|know "
            "this topic "
            "well}. {A sample is attached|First milestone: a sample|You pay when you are happy}. {Looking "
            "forward|Regards}"
        ),
    ),
    "es": (
        (
            "{Hola|Buenas}, {leí su anuncio|me interesa el proyecto}. {Tengo {tres|cinco} años de "
            "experiencia|Puedo empezar "
            "hoy}. {Saludos|Gracias}"
        ),
    ),
    "pt": (
        (
            "{Olá|Oi}, {li o seu anúncio|o projeto me interessa}. {Tenho {três|cinco} anos de "
            "experiência|Posso começar "
            "hoje}. {Abraço|Obrigado}"
        ),
    ),
    "hi_latin": (
        (
            "{Namaste|Hello sir}, {aapka post padha|yeh kaam mujhe aata hai}. {{Teen|Paanch} saal ka "
            "experience hai|Aaj se "
            "start kar sakta hoon}. {Dhanyavaad|Thanks}"
        ),
    ),
}

# What the two sides of a contract write to each other, in turn.
CLIENT_SAYS = (
    "{Hi|Hello}, {how is it going|any news|did you get the files}?",
    "{Looks good|Very nice|Great work}, {please change {the title|the colours|page two}|I have one remark}.",
    "{I funded|I will release} the {next|first} milestone {today|now}. {Thanks|Thank you}!",
    "{Can we move|Could you move} the deadline to {Friday|next week}?",
)
FREELANCER_SAYS = (
    "{Hi|Hello}, {I am half way|the draft is attached|I sent it just now}.",
    "{Sure|No problem|Of course}, {I will change that|give me an hour|tomorrow morning}.",
    "{Done|Finished}! {Please have a look|Let me know what you think}.",
    "{One question|Quick question}: {which logo shall I use|is the text final|who has the password}?",
)
# Honest messages with the words of a swindle: equipment, cheques, calls elsewhere, refunds of what was too much.
HONEST_LIKE_SWINDLES = (
    (
        "{I bought|We ordered} the {camera|laptop|microphone} {for the shoot|myself}; {is it in the "
        "budget|I add the receipt}?"
    ),
    "{The bank returned the cheque|A cheque takes too long here}, {let us stay with milestones|please fund it here}.",
    "{You paid|I sent} {too much|one milestone twice}, {I refund the difference here|please refund it on this site}.",
    "{Shall we have|Can we do} a {call|video call} on {Zoom|Skype|WhatsApp} {tomorrow|at five}?",
    (
        "{Please fill in|Here is} the form {for the invoice|with the brand questions}: "
        "{company.example|forms.example}/brief"
    ),
)
# A swindler's messages in their order; {APP} is disguised anew, {ITEM} and {LINK} are one for the whole thread.
SWINDLE = (
    (
        (
            "{Congratulations|Good news}, you {are hired|got the position}! {Before you start|First} you need "
            "{ITEM}. We "
            "{mail|send} you a {check|cashier's check|cheque} {to buy it|for the equipment}."
        ),
        (
            "{Deposit the check|Take the check to your bank} {today|as soon as it comes} and {send|wire} the "
            "{difference|rest} "
            "{to our vendor|to the supplier}."
        ),
        "{Our manager waits|Please hurry}, {write me on|text me at} {APP}, {not here|this chat is slow}.",
    ),
    (
        (
            "{Hello|Dear}, {please fill in|complete} the {onboarding|payroll} form at {LINK} {with your bank "
            "details|and verify "
            "your card}."
        ),
        (
            "{A small deposit|A refundable fee} for {ITEM} {is needed|applies}, {we return it|you get it back} "
            "with the first "
            "pay."
        ),
        "{Continue|Talk to HR} on {APP}, {I am not often here|it is faster}.",
    ),
    (
        (
            "{I paid you too much by mistake|The accountant sent double}, {please send the difference|return "
            "the rest} "
            "{by gift card|by transfer} {today|now}."
        ),
        (
            "{You keep {fifty|eighty} for the trouble|Keep a bonus}. {The check clears|The bank shows it} "
            "{tomorrow|in a day}."
        ),
        "{Tell me the code|Send a picture of the receipt} on {APP}.",
    ),
)
ITEMS = ("a laptop", "a phone and a headset", "our software licence", "a printer for checks")
LINKS = ("staff-start.example", "payroll-check.example", "hr-onboard.example")
SWINDLED_SAY = (
    "{OK|Sure}, {what do I need to do|thank you}!",
    "{I see|Hm}, {is that normal|can we do it here}?",
    "{Done|I will try}.",
)
