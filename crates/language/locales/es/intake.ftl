# Qué falla en un aviso del formulario público.

intake-error-what-short = Describa, por favor, lo ocurrido con al menos diez caracteres.
intake-error-what-long = La descripción es demasiado larga; el límite es de 10 000 caracteres. Envíe el resto por correo, por favor.
intake-error-names-long = La lista de nombres es demasiado larga; el límite es de 4000 caracteres. Envíe el resto por correo, por favor.
intake-error-email = Esto no es una dirección de correo. Corríjala o deje el campo vacío.
intake-error-tlp = Elija, por favor, una de las respuestas.
