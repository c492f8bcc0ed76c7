# Ce qui ne va pas dans un signalement.

intake-error-what-short = Merci de décrire ce qui s’est passé en dix caractères au moins.
intake-error-what-long = La description est trop longue ; la limite est de 10 000 caractères. Merci d’envoyer le reste par courriel.
intake-error-names-long = La liste de noms est trop longue ; la limite est de 4 000 caractères. Merci d’envoyer le reste par courriel.
intake-error-email = Ceci n’est pas une adresse de courriel. Merci de la corriger ou de laisser le champ vide.
intake-error-tlp = Merci de choisir l’une des réponses.
