"""The letter that lies in the archive, in Russian and in English."""

from collections.abc import Mapping

README: Mapping[str, str] = {
    "README.en.txt": """\
What is held of you
===================

This archive was made at {at} for the request {request}. It holds everything that the customer hub
has of you.

json/          everything, table by table, as JSON
csv/           the same as tables for a spreadsheet
contents.json  what each of these files holds, its category, and what is left out and why: names of
               colleagues, other people's data, and values that only prove or seal something
purposes.json  what your data may be used for, on which legal basis, which categories, and whether
               it is used for that now
consents.json  what you agreed to, refused or took back: records after ISO/IEC TS 27560
recipients.json  who was given your data, and who saw or changed it in the hub
sources.json   where your data comes from
retention.json how long what is kept, in days; null: until the source or you delete it

You may have wrong data corrected, have data erased, have its use restricted, object to its use, and
take back a consent at any time; and you may complain to a supervisory authority.
""",
    "README.ru.txt": """\
Какие ваши данные хранятся
==========================

Архив создан {at} по запросу {request}. В нём всё, что хранится о вас в этой системе.

json/          все данные по таблицам, в формате JSON
csv/           те же данные в виде таблиц (CSV)
contents.json  что в каком файле, категория данных, что не включено и почему: имена сотрудников,
               данные других людей и служебные значения
purposes.json  для каких целей, на каком правовом основании и какие категории данных могут
               использоваться, и используются ли они сейчас
consents.json  на что вы согласились, от чего отказались и что отозвали (по ISO/IEC TS 27560)
recipients.json  кому передавались ваши данные и кто их видел или менял в системе
sources.json   откуда получены данные
retention.json сколько дней хранятся данные; null: пока их не удалит источник или вы

Вы вправе потребовать исправить, удалить данные или ограничить их использование, возразить против
него, в любое время отозвать согласие и обратиться в надзорный орган.
""",
}
