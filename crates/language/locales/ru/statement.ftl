statement-well-again = по измерениям снова в порядке
statement-heard-again = снова на связи
statement-part-of = часть: { $kind } ({ $about })
statement-case-closed = дело закрыто
statement-spam = спам
statement-seen = Что было замечено: { $kind } – { $zone }{ $others ->
    [0] {""}
   *[other] {" "}и ещё { $others }
}, { $time } ({ $alert })
statement-not-repaired = { $request }: измерено снова { $time }, пока не исправлено; состояние «{ $from }» возвращается в «{ $to }».
statement-link-issued = создана для телефона
statement-links-revoked = { $count ->
    [one] отозвана { $count }
    [few] отозвано { $count }
    [many] отозвано { $count }
   *[other] отозвано { $count }
}
