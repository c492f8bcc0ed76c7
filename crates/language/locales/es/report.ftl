## The form by which anyone reports a problem, and the page that thanks.
report-title = Informar de un problema con el DNS
report-lead = Cuéntenos qué observa. No necesita cuenta y una persona lee cada informe.
report-urgent = ¿Es urgente, o el DNS está demasiado dañado para este formulario? Contacte directamente con el agente de guardia:
report-what = ¿Qué ocurre?
report-what-hint = Qué vio, desde cuándo y cómo podemos verlo también. Puede escribir en cualquiera de nuestros seis idiomas.
report-names = Nombres de dominio y direcciones afectados
report-names-hint = Uno por línea, si los conoce. Por ejemplo: example.org o 192.0.2.1
report-email = Su correo electrónico (si desea respuesta)
report-email-hint = Solo lo usamos para este informe. Puede dejarlo vacío y permanecer en el anonimato.
report-language = Responderme en
report-tlp = ¿Hasta dónde puede circular este informe?
report-tlp-hint = El protocolo de semáforo (TLP). Si duda, déjelo como está.
report-tlp-clear = todo el mundo puede saberlo
report-tlp-green = la comunidad de seguridad puede saberlo
report-tlp-amber = quienes deben actuar y sus clientes
report-tlp-amber-strict = solo las organizaciones que deben actuar
report-tlp-red = solo la persona que lo lee
report-trap = Deje este campo vacío
report-privacy = Guardamos su informe junto con la hora para que ninguno se pierda. No publicamos quién lo envió.
report-send = Enviar el informe
report-error-again = Esta página llevaba demasiado tiempo abierta. Su texto sigue aquí: envíelo una vez más.
report-too-many-title = Han llegado muchos informes desde su dirección
report-too-many-text = { $minutes ->
     [one] Lo que escribió sigue abajo. Envíelo de nuevo dentro de { $minutes } minuto o escríbanos por correo.
    *[other] Lo que escribió sigue abajo. Envíelo de nuevo dentro de { $minutes } minutos o escríbanos por correo.
    }
report-thanks-title = Gracias: hemos recibido su informe
report-thanks-number = Su número es
report-thanks-kept = Está guardado de forma segura. Anote el número; con él puede volver a contactarnos cuando quiera.
report-thanks-next = Qué ocurre ahora
report-thanks-step-read = Un agente de guardia lee el informe, de día o de noche.
report-thanks-step-measure = Medimos los nombres que nos dio y los comparamos con lo que sabemos.
report-thanks-step-write = Si alguien debe actuar, se lo comunicamos y lo seguimos hasta la reparación. Si dio un correo, le escribimos.
report-thanks-more = ¿Tiene algo más que contar? Escríbanos con el número en el asunto:
report-thanks-home = Ver el estado actual del DNS
report-error-unstored = No hemos podido guardar su aviso: nuestro propio almacenamiento no responde. Su texto sigue aquí. Envíelo de nuevo en unos minutos, o use el correo o el teléfono que figuran abajo.
