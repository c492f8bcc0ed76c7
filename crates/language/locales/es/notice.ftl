# Avisos: correo de texto simple a la parte de una petición.

notice-subject-restore-service = { $zone }: por favor, restablezcan el servicio de nombres
notice-subject-renew-signatures = { $zone }: por favor, renueven las firmas DNSSEC
notice-subject-repair-ds = { $zone }: por favor, hagan coincidir los registros DS con las claves
notice-subject-correct-delegation = { $zone }: por favor, hagan coincidir la delegación y la zona
notice-subject-correct-zone = { $zone }: por favor, corrijan la zona
notice-subject-confirm-or-restore-delegation = { $zone }: por favor, confirmen o deshagan un cambio de delegación
notice-subject-restore-ds = { $zone }: por favor, revisen los registros DS eliminados
notice-subject-explain = { $zone }: por favor, cuéntennos qué ocurrió
notice-subject-reminder = Recordatorio: { $subject }
notice-subject-thanks = { $zone }: reparado, gracias

notice-greeting = Estimados colegas de { $organisation }:
notice-reminder-intro = { $answered ->
    [yes] Les escribimos antes y les agradecemos su respuesta. La petición sigue abierta.
   *[no] Les escribimos antes y aún no tenemos noticias suyas.
} { $late ->
    [yes] El plazo que pedíamos ha pasado, por eso les escribimos una vez más.
   *[no] Todavía hay tiempo hasta el momento indicado más abajo; esto es solo un recordatorio.
} Si ya respondieron entretanto, no tengan en cuenta este mensaje.

notice-heading-seen = QUÉ HEMOS VISTO
notice-heading-why = POR QUÉ IMPORTA
notice-heading-ask = QUÉ LES PEDIMOS
notice-heading-deadline = PARA CUÁNDO
notice-heading-answer = CÓMO RESPONDER
notice-heading-who = QUIÉNES SOMOS

notice-fact-zone-unreachable = Los servidores de nombres de esta zona no responden:
notice-fact-mass-unreachable = Los servidores de nombres de esta zona, y de otras zonas que atienden, no responden:
notice-fact-signatures-invalid = Las firmas DNSSEC de esta zona ya no son válidas:
notice-fact-ds-mismatch = Los registros DS de la zona superior no coinciden con las claves de esta zona:
notice-fact-redelegated = La delegación de esta zona cambió sin que nadie lo anunciara:
notice-fact-mass-redelegated = La delegación de esta zona pasó, sin que nadie lo anunciara, a servidores a los que otras zonas pasaron al mismo tiempo:
notice-fact-ds-removed = Todos los registros DS de esta zona se eliminaron de la zona superior sin que nadie lo anunciara:
notice-fact-health-worse = Nuestras mediciones de esta zona empeoraron y siguen así:
notice-fact-report = Alguien nos avisó de un problema con esta zona:
notice-fact-other = Hay un problema con esta zona:
notice-others = { $count ->
    [one] Otra zona está afectada del mismo modo.
   *[other] Otras { $count } zonas están afectadas del mismo modo.
}
notice-first-seen = Visto por primera vez: { $time }
notice-last-seen = Visto por última vez: { $time }
notice-servers = Servidores afectados:
notice-change-ns = Cambio de los servidores de nombres, visto { $time }
notice-change-ds = Cambio de los registros DS, visto { $time }
notice-change-glue = Cambio de las direcciones de un servidor de nombres, visto { $time }
notice-before = Antes:
notice-after = Ahora:
notice-nothing = (nada)
notice-findings = Qué dicen las pruebas (detalles en el adjunto):
notice-mend = Cómo corregirlo: { $how }

notice-why-zone-unreachable = Los sitios web, el correo y todo lo que está bajo este nombre no se encuentra, o pronto no se encontrará, cuando caduquen las cachés.
notice-why-mass-unreachable = Todas las zonas de estos servidores de nombres están sin servicio al mismo tiempo. Lo que está bajo sus nombres no se encuentra, o pronto no se encontrará, cuando caduquen las cachés.
notice-why-signatures-invalid = Los servidores recursivos que validan DNSSEC rechazan toda respuesta de esta zona. Para sus usuarios ha desaparecido todo lo que está bajo este nombre.
notice-why-ds-mismatch = Los resolutores que validan DNSSEC no encuentran ninguna clave de confianza y rechazan todas las respuestas de esta zona. Para sus usuarios, todo lo que lleva este nombre ha desaparecido.
notice-why-redelegated = Quien opera los servidores de nombres decide adónde van la web, el correo y las contraseñas de este nombre. Un cambio que ustedes no hicieron puede ser una apropiación.
notice-why-mass-redelegated = Cuando nombres de distintos titulares pasan al mismo tiempo a los mismos servidores nuevos, a menudo se trata de un ataque a un registro o a un registrador. Quien opera esos servidores puede leer el correo y recoger contraseñas.
notice-why-ds-removed = Sin registros DS la zona ya no está protegida por DNSSEC: se pueden falsificar respuestas sin que nadie lo note. Los atacantes los eliminan antes de desviar una zona.
notice-why-health-worse = Es posible que ya haya usuarios afectados, o que los haya si falla un servidor más.
notice-why-report = Los avisos de personas son a menudo la primera señal de lo que las mediciones no ven.
notice-why-other = Los usuarios de los nombres de esta zona pueden estar afectados.

notice-ask-restore-service = Por favor, pongan de nuevo en servicio los servidores de nombres de la zona, o corrijan la delegación si ahora se encargan otros servidores.
notice-ask-renew-signatures = Por favor, firmen de nuevo la zona y publíquenla en todos los servidores de nombres. Después averigüen por qué se detuvo la renovación.
notice-ask-repair-ds = Por favor, hagan que los registros DS y las claves de la zona coincidan: repongan la clave que nombran los registros DS, o pidan que en la zona superior se sustituyan por los de la clave en uso.
notice-ask-correct-delegation = Por favor, hagan que la delegación en la zona superior y los propios registros de servidores de nombres y direcciones de la zona digan lo mismo, con servidores que respondan por la zona.
notice-ask-correct-zone = Por favor, corrijan en la zona, o en la configuración de sus servidores, lo que señalan las pruebas.
notice-ask-confirm-or-restore-delegation = Por favor, dígannos si este cambio fue intencionado. Si no lo fue, restablezcan la delegación anterior y aseguren el acceso por el que se cambió.
notice-ask-restore-ds = Por favor, dígannos si la eliminación de los registros DS fue intencionada. Si no lo fue, restablézcanlos y aseguren el acceso por el que se eliminaron.
notice-ask-explain = Por favor, cuéntennos qué ocurrió y si necesitan ayuda.
notice-expected = La delegación tal como la conocíamos antes:
notice-measured = No tienen que demostrar nada: medimos nosotros mismos, y la petición se cierra en cuanto el DNS vuelve a estar en orden. Pedimos, no ordenamos; lo que hagan es decisión suya.

notice-answer-link = Abran esta página; no necesitan cuenta:
notice-answer-choices = Allí pueden decir con un clic: lo sabemos, estamos en ello, está hecho, no podemos, no nos corresponde, o llámennos.
notice-answer-mail = O respondan simplemente a este mensaje en su idioma, sin cambiar el asunto.

notice-thanks = Hemos medido que la petición está cumplida:
notice-thanks-measured = Medido: { $time }
notice-thanks-nothing-more = Gracias por su trabajo. No tienen que hacer nada más.

notice-who = { $name } coordina la respuesta cuando el DNS tiene problemas. Trabajamos gratuitamente para todos los que lo operan.
notice-verify = Para asegurarse de que este mensaje es nuestro, escriban ustedes mismos la dirección de nuestro sitio o contáctennos:
notice-attached = Adjuntos: evidence.txt y evidence.json, con todo lo que vimos.
notice-tlp-clear = { $label }: pueden transmitir este mensaje sin límite.
notice-tlp-green = { $label }: pueden transmitir este mensaje dentro de su comunidad, pero no publicarlo.
notice-tlp-amber = { $label }: por favor, compartan este mensaje solo dentro de su organización y con los clientes que lo necesiten para actuar.
notice-tlp-amber-strict = { $label }: por favor, compartan este mensaje solo dentro de su organización.
notice-tlp-red = { $label }: este mensaje es solo para ustedes; por favor, no lo transmitan.
