# Что `dnscert check` показывает в терминале.
check-tested = Проверено { $time } UTC за { $seconds } с, { $questions ->
    [one] { $questions } вопрос
    [few] { $questions } вопроса
    [many] { $questions } вопросов
   *[other] { $questions } вопроса
}.
check-untestable = Эту зону не удалось проверить: { $reason }.
check-server-refuses = отказывает в соединении
check-server-garbage = присылает бессмыслицу
check-why = почему
check-mend = исправить
check-see = см.
check-test = тест
check-fine = В порядке: { $areas }.
check-nothing = На уровне { $level } и выше сообщать не о чем.
check-area-basic = Основы
check-area-address = Адреса
check-area-connectivity = Доступность
check-area-consistency = Согласованность
check-area-delegation = Делегирование
check-area-dnssec = DNSSEC
check-area-chain = Цепочка доверия
check-area-nameserver = Серверы имён
check-area-edns = EDNS
check-area-syntax = Имена
check-area-zone = Содержимое зоны
check-area-resolver = Резолвер
