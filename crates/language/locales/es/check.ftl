# Lo que `dnscert check` muestra en un terminal.
check-tested = Probado el { $time } UTC en { $seconds } s con { $questions ->
    [one] { $questions } pregunta
   *[other] { $questions } preguntas
}.
check-untestable = Esta zona no se pudo probar: { $reason }.
check-server-refuses = rechaza la conexión
check-server-garbage = envía datos sin sentido
check-why = por qué
check-mend = remedio
check-see = véase
check-test = prueba
check-fine = En orden: { $areas }.
check-nothing = Nada que informar en el nivel { $level } o superior.
check-area-basic = Fundamentos
check-area-address = Direcciones
check-area-connectivity = Conectividad
check-area-consistency = Coherencia
check-area-delegation = Delegación
check-area-dnssec = DNSSEC
check-area-chain = Cadena de confianza
check-area-nameserver = Servidores de nombres
check-area-edns = EDNS
check-area-syntax = Nombres
check-area-zone = Contenido de la zona
check-area-resolver = Resolutor
