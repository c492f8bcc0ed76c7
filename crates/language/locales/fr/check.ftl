# Ce que `dnscert check` affiche dans un terminal.
check-tested = Testé le { $time } UTC en { $seconds } s avec { $questions ->
    [one] { $questions } question
   *[other] { $questions } questions
}.
check-untestable = Cette zone n’a pas pu être testée : { $reason }.
check-server-refuses = refuse la connexion
check-server-garbage = envoie n’importe quoi
check-why = pourquoi
check-mend = remède
check-see = voir
check-test = test
check-fine = En ordre : { $areas }.
check-nothing = Rien à signaler au niveau { $level } ou au-dessus.
check-area-basic = Bases
check-area-address = Adresses
check-area-connectivity = Connectivité
check-area-consistency = Cohérence
check-area-delegation = Délégation
check-area-dnssec = DNSSEC
check-area-chain = Chaîne de confiance
check-area-nameserver = Serveurs de noms
check-area-edns = EDNS
check-area-syntax = Noms
check-area-zone = Contenu de la zone
check-area-resolver = Résolveur
