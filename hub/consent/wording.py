"""What the mail says that asks for a confirmation: in English and Russian, and no advertising."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

SUBJECT: Mapping[str, str] = {
    "en": "Please confirm: {title}",
    "ru": "Подтвердите согласие: {title}",
}
TEXT: Mapping[str, str] = {
    "en": """\
Hello,

{who} was asked to use this address for: {title}.

If you agree, open this page and confirm it there:

{link}

You will see there, word for word, what you would agree to; you can also say no. The page can be
answered until {until}.

If you did not ask for this, do nothing: without your confirmation nothing is changed.
""",
    "ru": """\
Здравствуйте!

Для этого адреса у нас ({who}) запрошено согласие: {title}.

Если вы согласны, откройте страницу и подтвердите это там:

{link}

На ней дословно написано, на что вы соглашаетесь; там же можно отказаться. Ответить можно до
{until}.

Если вы этого не запрашивали, ничего не делайте: без вашего подтверждения ничего не изменится.
""",
}
US: Mapping[str, str] = {"en": "The sender of this mail", "ru": "отправитель этого письма"}


def spoken(language: str) -> str:
    """The language of ours that is nearest."""
    word = language.lower().partition("-")[0]
    return word if word in TEXT else "en"


def subject(language: str, *, title: str) -> str:
    return SUBJECT[spoken(language)].format(title=title)


def text(
    language: str, *, title: str, controller: str, link: str, until: datetime, zone: str
) -> str:
    spoken_ = spoken(language)
    local = until.astimezone(ZoneInfo(zone))
    when = f"{local:%d.%m.%Y %H:%M}" if spoken_ == "ru" else f"{local:%Y-%m-%d %H:%M}"
    who = controller or US[spoken_]
    return TEXT[spoken_].format(title=title, who=who, link=link, until=when)
