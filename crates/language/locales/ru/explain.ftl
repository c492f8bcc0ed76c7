# Слова, связывающие части объяснения.
# Черты сохраняют пробел и не показываются.
explain-comma = |, |
explain-and = { $others } и { $last }
explain-none = нет
explain-not-known = (неизвестно)
explain-given-data = данные, заданные для этой проверки
explain-timeout = нет ответа вовремя
explain-refused = соединение отклонено
explain-unreachable = недоступен
explain-truncated = ответ обрезан
explain-malformed = ответ не читается
explain-minus = минус { $length }
explain-days = { $count ->
    [one] { $count } день
    [few] { $count } дня
    [many] { $count } дней
   *[other] { $count } дня
}
explain-hours = { $count ->
    [one] { $count } час
    [few] { $count } часа
    [many] { $count } часов
   *[other] { $count } часа
}
explain-minutes = { $count ->
    [one] { $count } минута
    [few] { $count } минуты
    [many] { $count } минут
   *[other] { $count } минуты
}
explain-seconds = { $count ->
    [one] { $count } секунда
    [few] { $count } секунды
    [many] { $count } секунд
   *[other] { $count } секунды
}
