## The frame of every page.
portal-skip = Перейти к основному содержанию
portal-nav-label = Главное меню
portal-nav-status = Состояние
portal-nav-report = Сообщить о проблеме
portal-nav-about = Кто мы
portal-nav-alerts = Сигналы
portal-nav-cases = Дела
portal-nav-zones = Зоны
portal-nav-passive = Пассивный DNS
portal-nav-directory = Справочник
portal-nav-route = Кто отвечает
portal-nav-centre = Состояние центра
portal-nav-organisation = Моя организация
portal-nav-account = Учётная запись
portal-nav-signin = Войти
portal-nav-signout = Выйти
portal-languages = Языки
portal-reach-us = С нами можно связаться в любое время:
portal-times-note = Всё время указано по UTC. Если нам известен ваш часовой пояс, рядом стоит ваше местное время.
portal-plain-text = Эта страница простым текстом
portal-save = Сохранить
portal-cancel = Отмена
portal-back = Назад
portal-yes = Да
portal-no = Нет
portal-none = Нет
portal-never = Никогда
## Spans of time.
portal-ago-seconds = { $count ->
     [one] { $count } секунду назад
     [few] { $count } секунды назад
     [many] { $count } секунд назад
    *[other] { $count } секунды назад
    }
portal-ago-minutes = { $count ->
     [one] { $count } минуту назад
     [few] { $count } минуты назад
     [many] { $count } минут назад
    *[other] { $count } минуты назад
    }
portal-ago-hours = { $count ->
     [one] { $count } час назад
     [few] { $count } часа назад
     [many] { $count } часов назад
    *[other] { $count } часа назад
    }
portal-ago-days = { $count ->
     [one] { $count } день назад
     [few] { $count } дня назад
     [many] { $count } дней назад
    *[other] { $count } дня назад
    }
portal-in-seconds = { $count ->
     [one] через { $count } секунду
     [few] через { $count } секунды
     [many] через { $count } секунд
    *[other] через { $count } секунды
    }
portal-in-minutes = { $count ->
     [one] через { $count } минуту
     [few] через { $count } минуты
     [many] через { $count } минут
    *[other] через { $count } минуты
    }
portal-in-hours = { $count ->
     [one] через { $count } час
     [few] через { $count } часа
     [many] через { $count } часов
    *[other] через { $count } часа
    }
portal-in-days = { $count ->
     [one] через { $count } день
     [few] через { $count } дня
     [many] через { $count } дней
    *[other] через { $count } дня
    }
## Errors.
portal-errors-title = Пожалуйста, проверьте следующее
portal-errors-prefix = Ошибка:
portal-error-not-found-title = Страница не найдена
portal-error-not-found-text = Возможно, адрес неверен или неполон, либо страница предназначена для других читателей. Если вас привела сюда наша ссылка, пожалуйста, сообщите нам.
portal-error-forbidden-title = Это действие вам недоступно
portal-error-forbidden-text = У вашей учётной записи нет нужной роли. Ничего не изменено. Вам поможет дежурный.
portal-error-unproven-title = Пожалуйста, отправьте форму ещё раз
portal-error-unproven-text = Мы не смогли убедиться, что форма пришла с нашей страницы: она была открыта больше суток, либо за это время вы вошли или вышли. Ничего не изменено. Вернитесь, обновите страницу и отправьте форму снова.
portal-error-conflict-title = За это время что-то изменилось
portal-error-conflict-text = Ваш запрос не соответствует текущему состоянию. Ничего не изменено. Вернитесь, обновите страницу и решите снова.
portal-error-invalid-title = Мы не смогли прочитать запрос
portal-error-invalid-text = Полученные данные неполны или имеют неизвестный вид. Ничего не изменено.
portal-error-method-title = Этот адрес нельзя использовать таким образом
portal-error-method-text = Пожалуйста, начните с главной страницы и пользуйтесь её формами.
portal-error-too-large-title = Слишком большой объём
portal-error-too-large-text = Пожалуйста, сократите текст или пришлите объёмные материалы по почте.
portal-error-too-many-title = Слишком много попыток
portal-error-too-many-text = Чтобы защитить всех, мы ограничиваем число попыток с одного адреса или для одной учётной записи. Подождите немного и попробуйте снова.
portal-error-internal-title = У нас произошёл сбой
portal-error-internal-text = Мы записали, что случилось. Попробуйте снова через минуту. Если дело срочное, воспользуйтесь почтой или телефоном, указанными ниже.
portal-error-unavailable-title = Сейчас мы не можем ничего сохранить
portal-error-unavailable-text = Ничего не изменено. Попробуйте снова через несколько минут. Если дело срочное, воспользуйтесь почтой или телефоном, указанными ниже.
portal-error-wait = { $minutes ->
     [one] Подождите { $minutes } минуту.
     [few] Подождите { $minutes } минуты.
     [many] Подождите { $minutes } минут.
    *[other] Подождите { $minutes } минуты.
    }
portal-error-operation = Если будете писать нам об этом, укажите номер:
portal-error-home = На главную страницу
portal-error-status = Код ответа:
portal-span-seconds = { $count ->
     [one] { $count } секунда
     [few] { $count } секунды
     [many] { $count } секунд
    *[other] { $count } секунды
    }
portal-span-minutes = { $count ->
     [one] { $count } минута
     [few] { $count } минуты
     [many] { $count } минут
    *[other] { $count } минуты
    }
portal-span-hours = { $count ->
     [one] { $count } час
     [few] { $count } часа
     [many] { $count } часов
    *[other] { $count } часа
    }
portal-span-days = { $count ->
     [one] { $count } день
     [few] { $count } дня
     [many] { $count } дней
    *[other] { $count } дня
    }
