# Qué falla en una respuesta dada por el enlace.

answer-error-reason-missing = Indique, por favor, por qué no es posible.
answer-error-suggested-missing = Indique, por favor, quién podría ser responsable o deje una nota.
answer-error-phone-missing = Indique, por favor, un número de teléfono.
answer-error-too-long = Este texto es demasiado largo; el límite es de 4000 caracteres.
