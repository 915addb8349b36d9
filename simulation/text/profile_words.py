"""Words of freelancers' profiles: crafts with their headlines and skills, and what people say of themselves."""

from __future__ import annotations

# By category of the jobs that fit.
HEADLINES = {
    "web": "{Senior|Full-stack|Freelance|WordPress} {web developer|engineer} {for shops|for start-ups|and tester}",
    "design": "{Logo|Brand|Graphic|Packaging} {designer|artist} with {ten|five|eight} years of {practice|print work}",
    "writing": "{Copywriter|Ghostwriter|Editor} for {travel|health|finance|software} {blogs|magazines}",
    "translation": "{Native|Certified} {German|Spanish|Hindi|Portuguese} translator {of contracts|of manuals|}",
    "data_entry": "{Fast|Careful} {data entry|spreadsheet} {clerk|helper}",
    "marketing": "{Social media|Search ads|E-mail} {manager|strategist} for {small firms|shops}",
    "video": "{Video editor|Animator|Colourist} for {weddings|podcasts|adverts}",
    "admin": "{Virtual assistant|Office manager|Support agent} {mornings|at all hours|part time}",
}
SKILLS = {
    "web": ("html", "css", "javascript", "php", "wordpress", "react", "sql", "python"),
    "design": ("illustrator", "photoshop", "figma", "logo", "branding", "print"),
    "writing": ("copywriting", "editing", "seo", "research", "proofreading"),
    "translation": ("german", "spanish", "hindi", "portuguese", "subtitles", "proofreading"),
    "data_entry": ("excel", "typing", "pdf", "crm", "ocr"),
    "marketing": ("social media", "ads", "e-mail", "seo", "analytics"),
    "video": ("premiere", "after effects", "subtitles", "sound", "colour"),
    "admin": ("calendar", "support", "bookkeeping", "travel", "chat"),
}

# By language, as letters are.
OVERVIEWS = {
    "en": (
        (
            "{I have worked|I work|I have been working} {for agencies|for start-ups|on my own} since {2012|2016|2019}. "
            "{My clients come back|Nine in ten clients hire me again|I answer within the hour}. {I send a draft "
            "first|You see the work every day|Two revisions are free}. {Write to me here|Ask me anything|Let us begin}!"
        ),
        (
            "{Quick, careful, friendly|On time, every time|Small jobs welcome}. {I am at my desk|I am online} "
            "{from eight to six|in the evenings|seven days a week}. {References are in my portfolio|See my samples "
            "below|I only show finished work}."
        ),
        (
            "{After|With} {ten|six|four} years in {an agency|a newspaper|a software house} I {now work for "
            "myself|went freelance}. {I like clear briefs|I ask many questions before I start|I keep deadlines}. "
            "{Thank you for reading|Looking forward to your project|Talk soon}."
        ),
    ),
    "es": (
        (
            "{Trabajo|Llevo años trabajando} {para agencias|por mi cuenta}. {Respondo rápido|Cumplo los plazos|Dos "
            "revisiones incluidas}. {Escríbame|Hablemos}."
        ),
    ),
    "pt": (
        (
            "{Trabalho|Há anos que trabalho} {para agências|por conta própria}. {Respondo depressa|Cumpro "
            "prazos|Duas revisões incluídas}. {Escreva-me|Vamos conversar}."
        ),
    ),
    "hi_latin": (
        (
            "{Paanch|Das} saal se {freelancing|agency mein kaam} kar raha hoon. {Deadline pakki|Jaldi jawab deta "
            "hoon|Do revisions free}. {Message kijiye|Baat karte hain}."
        ),
    ),
}
