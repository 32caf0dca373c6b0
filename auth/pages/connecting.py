"""What people are told who come back from a vendor, in English and Russian."""

from collections.abc import Mapping

EN: Mapping[str, str] = {
    "title": "Connected",
    "connected": "{name} is connected. You can close this window.",
    "failed": "Not connected",
    "strange": "This address opens once and for ten minutes, and does so no longer. Ask for a new"
    " one: hub integration authorize NAME",
    "denied": "{name} is not connected: the leave was not given. To begin again: hub integration"
    " authorize {name}",
    "vendor": "{name} is not connected: the system did not want to give leave. Look at the hub's"
    " client there, then begin again: hub integration authorize {name}",
    "no_code": "{name} is not connected: the system sent nothing along that would let the hub in."
    " To begin again: hub integration authorize {name}",
    "other_server": "{name} is not connected: another server than the system's own sent you back."
    " Nothing was shown to it. To begin again: hub integration authorize {name}",
    "changed": "{name} is not connected: its settings were changed meanwhile. To begin again: hub"
    " integration authorize {name}",
    "refused": "{name} is not connected: the system took the leave for none, or does not know the"
    " hub's client. Look at the client's id and secret, then begin again: hub integration authorize"
    " {name}",
    "away": "The system does not answer at present. Begin again in a few minutes: hub integration"
    " authorize NAME",
    "stopped": "The system gives the hub no token. The hub's log says why; when that is mended,"
    " begin again: hub integration authorize NAME",
}
RU: Mapping[str, str] = {
    "title": "Подключено",
    "connected": "Система {name} подключена. Это окно можно закрыть.",
    "failed": "Не подключено",
    "strange": "Этот адрес открывается один раз и в течение десяти минут; он больше не действует."
    " Новый даст команда: hub integration authorize NAME",
    "denied": "Система {name} не подключена: разрешение не дано. Начать снова: hub integration"
    " authorize {name}",
    "vendor": "Система {name} не подключена: она не захотела дать разрешение. Проверьте в ней"
    " настройки приложения и начните снова: hub integration authorize {name}",
    "no_code": "Система {name} не подключена: она не прислала ничего, что впустило бы хаб. Начать"
    " снова: hub integration authorize {name}",
    "other_server": "Система {name} не подключена: вас прислал обратно другой сервер. Ему ничего не"
    " показано. Начать снова: hub integration authorize {name}",
    "changed": "Система {name} не подключена: её настройки тем временем изменились. Начать снова:"
    " hub integration authorize {name}",
    "refused": "Система {name} не подключена: она не приняла разрешение или не знает приложение."
    " Проверьте его идентификатор и секрет и начните снова: hub integration authorize {name}",
    "away": "Система сейчас не отвечает. Начните снова через несколько минут: hub integration"
    " authorize NAME",
    "stopped": "Система не даёт токен. Причина записана в журнале; когда она устранена, начните"
    " снова: hub integration authorize NAME",
}
SPOKEN: Mapping[str, Mapping[str, str]] = {"en": EN, "ru": RU}
