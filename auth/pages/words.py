"""The words of the pages, in English and Russian."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """All that is said on pages, in one language."""

    language: str
    hub: str
    sign_in: str
    enter: str
    sign_in_for: str
    sign_in_again: str
    sign_out: str
    signed_out: str
    signed_in_as: str
    with_company: str
    name: str
    password: str
    change_password: str
    first_password: str
    present_password: str
    new_password: str
    again: str
    good_password: str
    save: str
    consent: str
    asks: str
    may: str
    what_for: str
    allow: str
    deny: str
    goes_back: str
    roles: str
    no_roles: str
    trouble: str
    bad_request: str
    wait: str
    weak: str
    differ: str
    refusals: Mapping[str, str]
    scopes: Mapping[str, str]
    purposes: Mapping[str, str]


EN = Words(
    language="en",
    hub="Customer hub",
    sign_in="Sign in",
    enter="Sign in",
    sign_in_for="To go on to",
    sign_in_again="Sign in again",
    sign_out="Sign out",
    signed_out="You are signed out of the customer hub.",
    signed_in_as="You are signed in as",
    with_company="Sign in with the company account",
    name="Name or e-mail",
    password="Password",  # noqa: S106 - a label
    change_password="Change the password",  # noqa: S106 - a label
    first_password="You were given this password. Choose one that only you know.",  # noqa: S106
    present_password="Present password",  # noqa: S106 - a label
    new_password="New password",  # noqa: S106 - a label
    again="New password once more",
    good_password="At least 12 characters; several words are easy to remember.",  # noqa: S106
    save="Save",
    consent="Allow access",
    asks="This application asks to work in the customer hub in your name.",
    may="It will be able to",
    what_for="It may use the data for",
    allow="Allow",
    deny="Do not allow",
    goes_back="Either way you go back to",
    roles="Roles:",
    no_roles="You have no role yet, so there is nothing to see. Ask an administrator for one.",
    trouble="This did not work",
    bad_request="The application asked in a way that can not be answered. Tell those who run it.",
    wait="There were too many attempts. Try again in {seconds} seconds.",
    weak="That password is too short or easy to guess. Choose another.",
    differ="The new password was not typed the same way twice.",
    refusals={
        "busy": "The hub can not answer at present. Try again in a moment.",
        "away": "The company's sign-in does not answer at present. Try again in a few minutes.",
        "disabled": "You are not let in. Ask an administrator of the customer hub.",
        "expired": "The sign-in took too long, or was begun in another window. Begin again.",
        "forged": "The form was too old, or came from another page. Nothing was done. Begin again.",
        "provider_refused": "The company's sign-in did not let you in. Begin again.",
        "uninvited": "Nobody has invited you yet. Ask an administrator of the customer hub.",
        "untrusted": "What the company's sign-in answered can not be trusted. Tell an"
        " administrator; nobody was signed in.",
        "wrong": "The name or the password is not right.",
    },
    scopes={
        "customers:read": "see who customers are: names, birth dates, city",
        "contacts:read": "see how customers are reached: e-mail, telephone, addresses",
        "orders:read": "see what customers bought: orders, deals, loyalty",
        "interactions:read": "see what customers did: visits, messages, answers to campaigns",
        "profiles:read": "see what is said about customers: figures, segments, tags",
        "consents:read": "see what customers agreed to, and when",
        "sources:read": "see which systems facts about customers come from",
        "products:read": "see products",
        "stores:read": "see stores",
        "integrations:read": "see which systems are connected, and how reading them went",
        "customers:write": "record customers, their orders and what they did",
        "consents:write": "record and withdraw consents of customers",
        "identity:decide": "merge and split customers",
        "segments:write": "make, change and delete segments",
        "audiences:run": "send audiences to ad platforms",
        "integrations:manage": "connect and disconnect systems",
        "webhooks:manage": "set where events about customers are sent",
        "privacy:manage": "answer customers' requests about their data, erasure included",
        "privacy:self": "make requests about one customer's own data",
        "customers:exchange": "act for single customers, on their own data",
        "audit:read": "see who looked at what",
        "admin": "manage applications, people, roles and purposes",
    },
    purposes={
        "customer_service": "serving customers",
        "analytics": "analysis",
        "profiling": "personal profiles of customers who agreed to that",
        "email_marketing": "marketing by e-mail, to those who agreed",
        "sms_marketing": "marketing by text message, to those who agreed",
        "phone_marketing": "marketing by telephone, to those who agreed",
        "ads_audiences": "audiences on ad platforms, of those who agreed",
        "ads_personalization": "personal advertising, to those who agreed",
        "partner_sharing": "sharing with partners, of those who agreed",
        "data_subject_rights": "answering customers about their own data",
    },
)
RU = Words(
    language="ru",
    hub="Хаб клиентских данных",
    sign_in="Вход",
    enter="Войти",
    sign_in_for="Чтобы продолжить в приложении",
    sign_in_again="Войти снова",
    sign_out="Выйти",
    signed_out="Вы вышли из хаба клиентских данных.",
    signed_in_as="Вы вошли как",
    with_company="Войти с учётной записью компании",
    name="Имя или e-mail",
    password="Пароль",  # noqa: S106 - a label
    change_password="Смена пароля",  # noqa: S106 - a label
    first_password="Этот пароль вам выдали. Придумайте такой, который знаете только вы.",  # noqa: S106
    present_password="Нынешний пароль",  # noqa: S106 - a label
    new_password="Новый пароль",  # noqa: S106 - a label
    again="Новый пароль ещё раз",
    good_password="Не меньше 12 знаков; несколько слов легко запомнить.",  # noqa: S106 - a hint
    save="Сохранить",
    consent="Разрешить доступ",
    asks="Приложение просит работать в хабе клиентских данных от вашего имени.",
    may="Оно сможет",
    what_for="Для чего оно сможет использовать данные",
    allow="Разрешить",
    deny="Не разрешать",
    goes_back="В любом случае вы вернётесь на",
    roles="Роли:",
    no_roles="У вас пока нет роли, поэтому смотреть нечего. Попросите её у администратора.",
    trouble="Не получилось",
    bad_request="Приложение обратилось так, что ответить нельзя. Сообщите тем, кто его ведёт.",
    wait="Слишком много попыток. Попробуйте снова через {seconds} с.",
    weak="Этот пароль слишком короткий или его легко угадать. Придумайте другой.",
    differ="Новый пароль введён дважды по-разному.",
    refusals={
        "busy": "Хаб сейчас не может ответить. Попробуйте через минуту.",
        "away": "Вход компании сейчас не отвечает. Попробуйте через несколько минут.",
        "disabled": "Вам нельзя войти. Обратитесь к администратору хаба.",
        "expired": "Вход занял слишком много времени или начат в другом окне. Начните снова.",
        "forged": "Форма устарела или пришла с чужой страницы. Ничего не сделано. Начните снова.",
        "provider_refused": "Вход компании вас не впустил. Начните снова.",
        "uninvited": "Вас пока никто не пригласил. Обратитесь к администратору хаба.",
        "untrusted": "Ответу входа компании нельзя доверять. Сообщите администратору;"
        " никто не вошёл.",
        "wrong": "Имя или пароль не подходят.",
    },
    scopes={
        "customers:read": "видеть, кто эти клиенты: имена, даты рождения, город",
        "contacts:read": "видеть, как связаться с клиентами: e-mail, телефон, адреса",
        "orders:read": "видеть, что клиенты купили: заказы, сделки, баллы",
        "interactions:read": "видеть, что клиенты делали: визиты, сообщения, ответы на рассылки",
        "profiles:read": "видеть, что известно о клиентах: показатели, сегменты, метки",
        "consents:read": "видеть, на что и когда клиенты дали согласие",
        "sources:read": "видеть, из каких систем пришли сведения о клиентах",
        "products:read": "видеть товары",
        "stores:read": "видеть магазины",
        "integrations:read": "видеть подключённые системы и как они читаются",
        "customers:write": "записывать клиентов, их заказы и действия",
        "consents:write": "записывать и отзывать согласия клиентов",
        "identity:decide": "объединять и разделять клиентов",
        "segments:write": "создавать, менять и удалять сегменты",
        "audiences:run": "отправлять аудитории на рекламные площадки",
        "integrations:manage": "подключать и отключать системы",
        "webhooks:manage": "задавать, куда отправляются события о клиентах",
        "privacy:manage": "отвечать на запросы клиентов об их данных, в том числе удалять их",
        "privacy:self": "делать запросы о данных одного клиента от его имени",
        "customers:exchange": "действовать за отдельных клиентов с их собственными данными",
        "audit:read": "видеть, кто что смотрел",
        "admin": "управлять приложениями, людьми, ролями и целями",
    },
    purposes={
        "customer_service": "обслуживание клиентов",
        "analytics": "анализ",
        "profiling": "личные профили клиентов, которые на это согласились",
        "email_marketing": "рассылки по e-mail тем, кто согласился",
        "sms_marketing": "рассылки по SMS тем, кто согласился",
        "phone_marketing": "звонки с предложениями тем, кто согласился",
        "ads_audiences": "аудитории на рекламных площадках из тех, кто согласился",
        "ads_personalization": "личная реклама тем, кто согласился",
        "partner_sharing": "передача партнёрам данных тех, кто согласился",
        "data_subject_rights": "ответы клиентам об их собственных данных",
    },
)
LANGUAGES: Mapping[str, Words] = {"en": EN, "ru": RU}


def spoken(accepted: str) -> Words:
    """The words in the language that a browser likes best (`Accept-Language`); else English."""
    wanted: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        name, _, quality = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            wanted.append((_weight(quality), language))
    best = max(wanted, key=lambda one: one[0], default=(0.0, "en"))
    return LANGUAGES[best[1]] if best[0] > 0 else EN


def _weight(quality: str) -> float:
    try:
        return float(quality.strip().removeprefix("q=")) if quality else 1.0
    except ValueError:
        return 0.0
