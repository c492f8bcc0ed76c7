# Ce qui ne va pas dans une réponse donnée par le lien.

answer-error-reason-missing = Merci d’indiquer pourquoi cela n’est pas possible.
answer-error-suggested-missing = Merci d’indiquer qui pourrait être responsable, ou de laisser une remarque.
answer-error-phone-missing = Merci d’indiquer un numéro de téléphone.
answer-error-too-long = Ce texte est trop long ; la limite est de 4000 caractères.
