## My organisation.
organisation-requests = О чём мы просим сейчас
organisation-requests-none = Сейчас мы ни о чём не просим.
organisation-requests-ended = Прежние просьбы
organisation-request-open = Посмотреть и ответить
organisation-zones = Ваши зоны
organisation-zones-none = Мы пока не наблюдаем ни одной вашей зоны. Напишите нам, если хотите этого.
organisation-zones-more = { $count ->
     [one] Ещё { $count } зона — в JSON API.
     [few] Ещё { $count } зоны — в JSON API.
     [many] Ещё { $count } зон — в JSON API.
    *[other] Ещё { $count } зоны — в JSON API.
    }
organisation-findings = Что требует внимания
organisation-announce = Плановые изменения
organisation-announce-lead = Сообщите нам до смены серверов имён, glue или DS, и мы не поднимем тревогу.
organisation-announce-begin = Объявить об изменении
organisation-announce-send = Объявить
organisation-from = С (UTC)
organisation-until = До (UTC)
organisation-time-hint = Например, 2026-03-01 10:00
organisation-note = Что изменится
organisation-contacts = Как мы с вами связываемся
organisation-verified = Подтверждено
organisation-never-verified = Ни разу не подтверждено
organisation-channels = Способы связи с вами
organisation-people = Люди
organisation-kind = Способ
organisation-value = Адрес или номер
organisation-value-hint = Телефоны с кодом страны, например +254 20 123 4567
organisation-purpose = Для чего
organisation-person = Чей
organisation-nobody = организации
organisation-person-name = Имя
organisation-position = Должность
organisation-channel-email = Электронная почта
organisation-channel-phone = Телефон
organisation-channel-signal = Signal
organisation-channel-matrix = Matrix
organisation-channel-web-form = Веб-форма
organisation-channel-postal = Письмо почтой
organisation-channel-fax = Факс
organisation-channel-other = Другое
organisation-purpose-security = Инциденты
organisation-purpose-abuse = Злоупотребления
organisation-purpose-technical = Эксплуатация
organisation-purpose-general = Всё остальное
organisation-confirm = Мы проверили: на сегодня всё верно
organisation-channel-add = Добавить способ связи
organisation-person-add = Добавить человека
organisation-add = Добавить
organisation-remove = Убрать
organisation-language = Язык наших уведомлений
organisation-language-label = Пишите нам на языке
organisation-said-saved = Ваши данные изменены.
organisation-said-confirmed = Спасибо. Ваши данные подтверждены на сегодня.
organisation-said-announced = Спасибо. Изменение объявлено и в это время не вызовет тревоги.
organisation-error-channel = Введите полный адрес или номер, которого ещё нет в списке
organisation-error-last-channel = Сначала добавьте другой способ: без него мы не сможем с вами связаться
organisation-error-person = Введите имя, которого ещё нет в списке
organisation-error-zone = Выберите одну из ваших зон
organisation-error-time = Введите день и время, например 2026-03-01 10:00
organisation-error-window = Период должен быть впереди, заканчиваться после начала и длиться не более 60 дней, или 48 часов, если новые серверы не названы
