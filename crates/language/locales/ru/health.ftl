health-good = В порядке
health-impaired = С перебоями
health-broken = Не работает
health-unknown = Неизвестно
