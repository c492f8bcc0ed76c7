## The public status page.
status-title = Состояние DNS
status-overall-good = Все наблюдаемые зоны отвечают как положено
status-overall-impaired = { $count ->
     [one] { $count } зона требует внимания, остальные отвечают как положено
     [few] { $count } зоны требуют внимания, остальные отвечают как положено
     [many] { $count } зон требуют внимания, остальные отвечают как положено
    *[other] { $count } зоны требуют внимания, остальные отвечают как положено
    }
status-overall-broken = { $count ->
     [one] Сейчас неисправна { $count } зона
     [few] Сейчас неисправны { $count } зоны
     [many] Сейчас неисправны { $count } зон
    *[other] Сейчас неисправны { $count } зоны
    }
status-overall-unknown = Измерений пока нет
status-unknown-text = Центр только начал наблюдение. Страница заполнится после первого круга измерений, обычно через минуту-две.
status-updated = Последнее измерение:
status-stale = Это давнее обычного. Возможно, задерживаются сами измерения; дежурный извещён.
status-incidents = Над чем мы работаем
status-incidents-open = открытых инцидентов
status-incidents-period = инцидентов за 90 дней
status-incidents-notified = обычно от сбоя до уведомления
status-incidents-verified = обычно от сбоя до проверенного устранения
status-incidents-note = Здесь только числа. Суть инцидентов сообщается тем, кто должен действовать.
status-regions = По регионам
status-map = Карта мира из пяти регионов. Таблица рядом говорит то же словами.
status-region = Регион
status-region-af = Африка
status-region-ap = Азия, Австралия и Океания
status-region-eu = Европа
status-region-lac = Латинская Америка и Карибы
status-region-na = Северная Америка
status-region-global = Весь мир
status-watched = Зон
status-seen = Ответы оттуда
status-points = Точек наблюдения: { $count }
status-health = Состояние
status-tlds = Наблюдаемые домены верхнего уровня
status-tlds-none = Пока ни один домен верхнего уровня не наблюдается.
status-tlds-cut = { $count ->
     [one] Ещё { $count } домен — в текстовой версии.
     [few] Ещё { $count } домена — в текстовой версии.
     [many] Ещё { $count } доменов — в текстовой версии.
    *[other] Ещё { $count } домена — в текстовой версии.
    }
status-zone = Домен
status-measured = Измерено
status-see-problem = Видите проблему, которой здесь нет?
