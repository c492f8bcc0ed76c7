## The frame of every page.
portal-skip = Ir al contenido principal
portal-nav-label = Menú principal
portal-nav-status = Estado
portal-nav-report = Informar de un problema
portal-nav-about = Quiénes somos
portal-nav-alerts = Alertas
portal-nav-cases = Casos
portal-nav-zones = Zonas
portal-nav-passive = DNS pasivo
portal-nav-directory = Directorio
portal-nav-route = Quién responde
portal-nav-centre = Nuestro propio estado
portal-nav-organisation = Mi organización
portal-nav-account = Cuenta
portal-nav-signin = Iniciar sesión
portal-nav-signout = Cerrar sesión
portal-languages = Idiomas
portal-reach-us = Puede contactarnos a cualquier hora:
portal-times-note = Todas las horas están en UTC. Si conocemos su zona horaria, su hora local aparece al lado.
portal-plain-text = Esta página como texto sin formato
portal-save = Guardar
portal-cancel = Cancelar
portal-back = Volver
portal-yes = Sí
portal-no = No
portal-none = Ninguno
portal-never = Nunca
## Spans of time.
portal-ago-seconds = { $count ->
     [one] hace { $count } segundo
    *[other] hace { $count } segundos
    }
portal-ago-minutes = { $count ->
     [one] hace { $count } minuto
    *[other] hace { $count } minutos
    }
portal-ago-hours = { $count ->
     [one] hace { $count } hora
    *[other] hace { $count } horas
    }
portal-ago-days = { $count ->
     [one] hace { $count } día
    *[other] hace { $count } días
    }
portal-in-seconds = { $count ->
     [one] dentro de { $count } segundo
    *[other] dentro de { $count } segundos
    }
portal-in-minutes = { $count ->
     [one] dentro de { $count } minuto
    *[other] dentro de { $count } minutos
    }
portal-in-hours = { $count ->
     [one] dentro de { $count } hora
    *[other] dentro de { $count } horas
    }
portal-in-days = { $count ->
     [one] dentro de { $count } día
    *[other] dentro de { $count } días
    }
## Errors.
portal-errors-title = Revise estos puntos, por favor
portal-errors-prefix = Error:
portal-error-not-found-title = No encontramos esta página
portal-error-not-found-text = Puede que la dirección sea incorrecta o esté incompleta, o que la página esté destinada a otros lectores. Si llegó por un enlace nuestro, le rogamos que nos avise.
portal-error-forbidden-title = No puede hacer esto
portal-error-forbidden-text = Su cuenta no tiene la función necesaria. No se ha cambiado nada. Un agente de guardia puede ayudarle.
portal-error-unproven-title = Envíe el formulario una vez más, por favor
portal-error-unproven-text = No pudimos comprobar que el formulario viniera de nuestra página: llevaba abierta más de un día, o usted ha iniciado o cerrado sesión mientras tanto. No se ha cambiado nada. Vuelva atrás, recargue la página y envíelo de nuevo.
portal-error-conflict-title = Algo ha cambiado entretanto
portal-error-conflict-text = Lo que pidió no corresponde al estado actual. No se ha cambiado nada. Vuelva atrás, recargue la página y decida de nuevo.
portal-error-invalid-title = No pudimos leer esta solicitud
portal-error-invalid-text = Lo que llegó estaba incompleto o en una forma que no conocemos. No se ha cambiado nada.
portal-error-method-title = Esta dirección no se puede usar así
portal-error-method-text = Empiece por la página de inicio y use los formularios.
portal-error-too-large-title = El envío es demasiado grande
portal-error-too-large-text = Acórtelo o envíenos el material extenso por correo electrónico.
portal-error-too-many-title = Demasiados intentos
portal-error-too-many-text = Para proteger a todos, limitamos los intentos por dirección o cuenta. Espere un poco y vuelva a intentarlo.
portal-error-internal-title = Algo ha fallado por nuestra parte
portal-error-internal-text = Hemos guardado constancia. Vuelva a intentarlo en un minuto. Si es urgente, use el correo o el teléfono que figuran abajo.
portal-error-unavailable-title = No podemos guardar nada en este momento
portal-error-unavailable-text = No se ha cambiado nada. Vuelva a intentarlo en unos minutos. Si es urgente, use el correo o el teléfono que figuran abajo.
portal-error-wait = { $minutes ->
     [one] Espere { $minutes } minuto.
    *[other] Espere { $minutes } minutos.
    }
portal-error-operation = Si nos escribe sobre esto, indique este número:
portal-error-home = Ir a la página de inicio
portal-error-status = Código de la respuesta:
portal-span-seconds = { $count ->
     [one] { $count } segundo
    *[other] { $count } segundos
    }
portal-span-minutes = { $count ->
     [one] { $count } minuto
    *[other] { $count } minutos
    }
portal-span-hours = { $count ->
     [one] { $count } hora
    *[other] { $count } horas
    }
portal-span-days = { $count ->
     [one] { $count } día
    *[other] { $count } días
    }
