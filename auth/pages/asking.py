"""What people read who come from a mail of ours, in English and Russian."""

from collections.abc import Mapping

EN: Mapping[str, str] = {
    "ask": "Do you agree?",
    "from": "asks you for",
    "for": "You are asked for",
    "confirm": "I agree",
    "deny": "I do not agree",
    "confirmed": "Thank you: you agreed. You can take it back at any time, for instance by the"
    " link in any mail.",
    "denied": "You did not agree, and that is noted.",
    "used": "This was answered already. Nothing was changed.",
    "over": "This can no longer be answered. Nothing was changed; if you still want it, ask for a"
    " new mail.",
    "strange": "There is nothing at this address. See that the whole link was copied from the"
    " mail.",
    "unclear": "The answer did not arrive whole. Go back and press one of the buttons again.",
    "done": "Done",
    "leave": "Unsubscribe",
    "leaving": "You will get no more of this at the address that the mail went to:",
    "left": "You will get no more of this at the address that the mail went to.",
    "busy": "The hub can not answer at present. Try again in a moment: nothing was changed.",
}
RU: Mapping[str, str] = {
    "ask": "Вы согласны?",
    "from": "просит вашего согласия",
    "for": "У вас просят согласия",
    "confirm": "Согласен / согласна",
    "deny": "Не согласен / не согласна",
    "confirmed": "Спасибо, согласие получено. Его можно отозвать в любое время, например по"
    " ссылке в любом письме.",
    "denied": "Вы не согласились, это записано.",
    "used": "Ответ уже был получен. Ничего не изменилось.",
    "over": "Ответить уже нельзя. Ничего не изменилось; если согласие ещё нужно, запросите новое"
    " письмо.",
    "strange": "По этому адресу ничего нет. Проверьте, что ссылка скопирована из письма целиком.",
    "unclear": "Ответ дошёл не целиком. Вернитесь и нажмите одну из кнопок ещё раз.",
    "done": "Готово",
    "leave": "Отписаться",
    "leaving": "На адрес, на который пришло письмо, больше не будет приходить:",
    "left": "На адрес, на который пришло письмо, это больше не будет приходить.",
    "busy": "Сейчас ответить не получается. Попробуйте через минуту: ничего не изменилось.",
}
SPOKEN: Mapping[str, Mapping[str, str]] = {"en": EN, "ru": RU}
