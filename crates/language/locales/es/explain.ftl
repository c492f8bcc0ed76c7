# Las palabras que unen las partes de una explicación.
# Las barras guardan el espacio; no se muestran.
explain-comma = |, |
explain-and = { $others } y { $last }
explain-none = ninguno
explain-not-known = (desconocido)
explain-given-data = los datos dados para esta prueba
explain-timeout = sin respuesta a tiempo
explain-refused = conexión rechazada
explain-unreachable = inalcanzable
explain-truncated = respuesta cortada
explain-malformed = respuesta ilegible
explain-minus = menos { $length }
explain-days = { $count ->
    [one] { $count } día
   *[other] { $count } días
}
explain-hours = { $count ->
    [one] { $count } hora
   *[other] { $count } horas
}
explain-minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minutos
}
explain-seconds = { $count ->
    [one] { $count } segundo
   *[other] { $count } segundos
}
