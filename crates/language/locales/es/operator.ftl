# Una organización como operador: sus zonas y los servidores de estas.

operator-title = Zonas y servidores
operator-lead = Las zonas de las que responde esta organización y los servidores en que están.
operator-entry = Su ficha en el directorio
operator-of = Operador:
operator-zones = Zonas
operator-zones-none = Ninguna zona vigilada es de esta organización.
operator-worst = Hallazgo más grave
operator-servers = Servidores de estas zonas
operator-servers-none = Todavía no se ha medido ninguna de estas zonas.
operator-serving = Sirve
operator-asked-for = Preguntado por
operator-servers-hint = Respuestas, mediana y 95 %: de las últimas 24 horas, cada servidor preguntado por la zona que figura al lado.
operator-unread = Zonas cuyos servidores no se examinan aquí: { $count }
