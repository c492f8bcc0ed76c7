## The public status page.
status-title = El estado del DNS
status-overall-good = Todas las zonas vigiladas responden como deben
status-overall-impaired = { $count ->
     [one] { $count } zona requiere atención; las demás responden como deben
    *[other] { $count } zonas requieren atención; las demás responden como deben
    }
status-overall-broken = { $count ->
     [one] { $count } zona está averiada en este momento
    *[other] { $count } zonas están averiadas en este momento
    }
status-overall-unknown = Todavía no hay mediciones
status-unknown-text = El centro acaba de empezar a vigilar. Esta página se llenará en cuanto termine la primera ronda de mediciones, normalmente en uno o dos minutos.
status-updated = Última medición:
status-stale = Es más antigua de lo habitual. Puede que las propias mediciones estén retrasadas; el agente de guardia está avisado.
status-incidents = En qué estamos trabajando
status-incidents-open = incidentes abiertos
status-incidents-period = incidentes en los últimos 90 días
status-incidents-notified = tiempo habitual desde el fallo hasta el aviso
status-incidents-verified = tiempo habitual desde el fallo hasta la reparación verificada
status-incidents-note = Aquí solo figuran recuentos. El contenido de un incidente se comparte con quienes deben actuar.
status-regions = Por región
status-map = Mapa del mundo en cinco regiones. La tabla contigua dice lo mismo con palabras.
status-region = Región
status-region-af = África
status-region-ap = Asia, Australia y Pacífico
status-region-eu = Europa
status-region-lac = América Latina y el Caribe
status-region-na = América del Norte
status-region-global = Todo el mundo
status-watched = Zonas
status-seen = Respondidas desde allí
status-points = Puntos de observación: { $count }
status-health = Estado
status-tlds = Dominios de primer nivel que vigilamos
status-tlds-none = Aún no hay ningún dominio de primer nivel en la lista de vigilancia.
status-tlds-cut = { $count ->
     [one] Hay { $count } más en la versión de texto.
    *[other] Hay { $count } más en la versión de texto.
    }
status-zone = Dominio
status-measured = Medido
status-see-problem = ¿Ve un problema que no aparece aquí?
