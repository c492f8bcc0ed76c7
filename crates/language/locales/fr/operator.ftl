# Une organisation comme exploitant : ses zones et leurs serveurs.

operator-title = Zones et serveurs
operator-lead = Les zones dont cette organisation répond, et les serveurs qui les hébergent.
operator-entry = Sa fiche dans l’annuaire
operator-of = Exploitant :
operator-zones = Zones
operator-zones-none = Aucune zone surveillée n’est à cette organisation.
operator-worst = Constat le plus grave
operator-servers = Serveurs de ces zones
operator-servers-none = Aucune de ces zones n’a encore été mesurée.
operator-serving = Sert
operator-asked-for = Interrogé pour
operator-servers-hint = Réponses, médiane et 95 % : sur les dernières 24 heures, chaque serveur étant interrogé pour la zone indiquée à côté.
operator-unread = Zones dont les serveurs ne sont pas examinés ici : { $count }
