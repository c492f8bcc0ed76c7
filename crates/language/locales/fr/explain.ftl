# Les mots qui relient les parties d’une explication.
# Les barres gardent l’espace ; elles ne sont pas affichées.
explain-comma = |, |
explain-and = { $others } et { $last }
explain-none = aucun
explain-not-known = (inconnu)
explain-given-data = les données fournies pour ce test
explain-timeout = pas de réponse à temps
explain-refused = connexion refusée
explain-unreachable = injoignable
explain-truncated = réponse coupée
explain-malformed = réponse illisible
explain-minus = moins { $length }
explain-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
explain-hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
explain-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
explain-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
}
