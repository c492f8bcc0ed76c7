## Signing in and out.
signin-title = Iniciar sesión
signin-lead = Para los miembros del equipo y nuestra comunidad. No necesita cuenta para informar de un problema ni para responder a una petición.
signin-name = Nombre de la cuenta
signin-password = Contraseña
signin-code = Código de su aplicación de autenticación
signin-code-hint = Solo si ha configurado una. También sirve un código de recuperación.
signin-send = Entrar
signin-help = ¿Algo no funciona? Un agente de guardia le ayuda:
signin-said-out = Ha cerrado la sesión.
signin-error-again = Esta página llevaba demasiado tiempo abierta. Inicie sesión de nuevo, por favor.
signin-error-empty = Escriba el nombre de la cuenta y la contraseña
signin-error-refused = El nombre, la contraseña o el código no es correcto
signin-error-code-needed = Escriba el código que muestra ahora su aplicación de autenticación
signin-error-password-again = Escriba su contraseña otra vez
