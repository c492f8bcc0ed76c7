statement-well-again = medida de nuevo en orden
statement-heard-again = se le oye de nuevo
statement-part-of = parte de: { $kind } ({ $about })
statement-case-closed = su caso se cerró
statement-spam = correo basura
statement-seen = Lo que se vio: { $kind } – { $zone }{ $others ->
    [0] {""}
   *[other] {" "}y { $others } más
}, { $time } ({ $alert })
statement-not-repaired = { $request }: medido de nuevo a las { $time }, todavía sin reparar; pasa de «{ $from }» a «{ $to }».
statement-link-issued = creado para el teléfono
statement-links-revoked = { $count ->
    [one] { $count } retirado
   *[other] { $count } retirados
}
