## The health of the centre itself.
centre-title = Nuestro propio estado
centre-overall-good = El centro funciona como debe
centre-overall-impaired = El centro funciona, pero algo requiere atención
centre-overall-broken = El propio centro tiene un problema
centre-version = Versión
centre-started = en marcha desde
centre-watching = Vigilancia de zonas
centre-watching-text = Zonas vigiladas: { $watched }. Retrasadas o sin poder probarse: { $late }.
centre-reason = Por qué
centre-reason-late = sin ronda a tiempo
centre-jobs = Tareas
centre-jobs-waiting = En espera
centre-jobs-running = En curso
centre-jobs-failed = En espera tras un intento fallido
centre-jobs-next = Próxima
centre-mailbox = Buzón
centre-mailbox-none = No hay buzón configurado: aquí no se leen las respuestas ni los avisos por correo.
centre-mailbox-name = Buzón
centre-mailbox-fetched = Última lectura
centre-mailbox-failing = Primer fallo
centre-mailbox-mails = Correos recibidos
centre-mailbox-mails-text = { $mails }; ilegibles: { $unreadable }
centre-records = Registros
centre-engine = Base de datos
centre-audit = Entradas de la cadena de auditoría y su cabeza
centre-audit-check = ¿Está íntegra la cadena?
centre-audit-verify = Verificar ahora
centre-audit-whole = { $rows ->
     [one] Íntegra: se comprobó { $rows } entrada.
    *[other] Íntegra: se comprobaron { $rows } entradas.
    }
centre-audit-broken = Rota en la entrada { $row }
centre-alerts-new = Alertas que nadie ha mirado
centre-lake = Observaciones
centre-table = Tabla
centre-rows = Filas
centre-files = Archivos
centre-bytes = Bytes
centre-buffered = Aún no en archivos
centre-damaged = Archivos ilegibles
centre-metrics = Lo mismo como recuentos para Prometheus
centre-condition-records-unwritable = No se puede escribir en los registros. Hasta entonces no se acepta nada de lo que se envíe.
centre-condition-observations-unwritable = No se pueden escribir las observaciones. Las zonas se medirán de nuevo cuando haya espacio.
centre-condition-clock-set = Se ha ajustado el reloj.
centre-condition-rounds-behind = Las mediciones van con retraso: tantas zonas se miden con más de un intervalo de demora. Dé más plazas al centro (dns.zones_at_once) o intervalos más largos.
centre-condition-standing-by = Otro centro hace el trabajo; este está en reserva.
