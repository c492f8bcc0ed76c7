# Организация как оператор: её зоны и их серверы.

operator-title = Зоны и серверы
operator-lead = Зоны, за которые отвечает эта организация, и серверы, на которых они размещены.
operator-entry = Её запись в каталоге
operator-of = Оператор:
operator-zones = Зоны
operator-zones-none = Ни одна наблюдаемая зона не принадлежит этой организации.
operator-worst = Худший результат
operator-servers = Серверы этих зон
operator-servers-none = Ни одна из этих зон ещё не измерена.
operator-serving = Обслуживает
operator-asked-for = Спрошен о зоне
operator-servers-hint = Доля ответов, медиана и 95 %: за последние 24 часа, каждый сервер — по вопросам о зоне, указанной рядом.
operator-unread = Зон, серверы которых здесь не рассмотрены: { $count }
