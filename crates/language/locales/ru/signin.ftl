## Signing in and out.
signin-title = Вход
signin-lead = Для членов команды и наших участников. Чтобы сообщить о проблеме или ответить на просьбу, учётная запись не нужна.
signin-name = Имя учётной записи
signin-password = Пароль
signin-code = Код из приложения-аутентификатора
signin-code-hint = Только если вы его настроили. Подойдёт и резервный код.
signin-send = Войти
signin-help = Что-то не работает? Поможет дежурный:
signin-said-out = Вы вышли.
signin-error-again = Страница была открыта слишком долго. Пожалуйста, войдите ещё раз.
signin-error-empty = Введите имя учётной записи и пароль
signin-error-refused = Имя, пароль или код неверны
signin-error-code-needed = Введите код, который сейчас показывает приложение-аутентификатор
signin-error-password-again = Введите пароль ещё раз
