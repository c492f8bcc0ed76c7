## The health of the centre itself.
centre-title = Состояние самого центра
centre-overall-good = Центр работает как положено
centre-overall-impaired = Центр работает, но что-то требует внимания
centre-overall-broken = У самого центра неполадки
centre-version = Версия
centre-started = работает с
centre-watching = Наблюдение за зонами
centre-watching-text = Наблюдаемых зон: { $watched }. С задержкой или непроверяемых: { $late }.
centre-reason = Почему
centre-reason-late = нет измерения вовремя
centre-jobs = Задания
centre-jobs-waiting = Ожидают
centre-jobs-running = Выполняются
centre-jobs-failed = Ожидают после неудачи
centre-jobs-next = Следующее
centre-mailbox = Почтовый ящик
centre-mailbox-none = Почтовый ящик не настроен: ответы и сообщения по почте здесь не читаются.
centre-mailbox-name = Ящик
centre-mailbox-fetched = Последнее чтение
centre-mailbox-failing = Первый сбой
centre-mailbox-mails = Принято писем
centre-mailbox-mails-text = { $mails }, из них не прочитано: { $unreadable }
centre-records = Записи
centre-engine = База данных
centre-audit = Записей в цепочке аудита и её вершина
centre-audit-check = Цела ли цепочка?
centre-audit-verify = Проверить сейчас
centre-audit-whole = { $rows ->
     [one] Цела: проверена { $rows } запись.
     [few] Цела: проверены { $rows } записи.
     [many] Цела: проверено { $rows } записей.
    *[other] Цела: проверено { $rows } записи.
    }
centre-audit-broken = Нарушена на записи { $row }
centre-alerts-new = Сигналы, которые никто не смотрел
centre-lake = Наблюдения
centre-table = Таблица
centre-rows = Строк
centre-files = Файлов
centre-bytes = Байтов
centre-buffered = Ещё не в файлах
centre-damaged = Нечитаемые файлы
centre-metrics = То же в виде счётчиков для Prometheus
centre-condition-records-unwritable = Записи нельзя изменить. Пока это так, ничего из присланного не принимается.
centre-condition-observations-unwritable = Наблюдения нельзя записать. Зоны будут измерены снова, когда появится место.
centre-condition-clock-set = Часы были переведены.
centre-condition-rounds-behind = Измерения запаздывают: столько зон измеряется с опозданием более чем на интервал. Увеличьте число мест (dns.zones_at_once) или интервалы.
centre-condition-line-silent = Ни один корневой сервер не отвечает этому центру: скорее всего, оборвана его собственная линия. Пока ни один не ответит, ни об одной зоне ничего сказать нельзя, и молчание — ничей сбой.
centre-condition-transfers-failing = Зоны, передачу которых реестры разрешили этому центру, получить не удалось, либо полученное вызывает сомнения и отложено. Пока передача не заработает, их нет в пассивном DNS и в изменениях зон.
centre-condition-machine-slow = Эта машина останавливалась: была приостановлена или ей не хватало процессоров. То, что за это время не ответило, измеряется снова, прежде чем стать сигналом.
centre-condition-standing-by = Работу выполняет другой центр; этот наготове.
