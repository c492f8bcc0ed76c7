## The public status page.
status-title = L’état du DNS
status-overall-good = Toutes les zones surveillées répondent correctement
status-overall-impaired = { $count ->
     [one] { $count } zone demande de l’attention ; les autres répondent correctement
    *[other] { $count } zones demandent de l’attention ; les autres répondent correctement
    }
status-overall-broken = { $count ->
     [one] { $count } zone est en panne actuellement
    *[other] { $count } zones sont en panne actuellement
    }
status-overall-unknown = Il n’y a pas encore de mesure
status-unknown-text = Le centre vient de commencer sa surveillance. Cette page se remplira dès la première série de mesures, en général d’ici une ou deux minutes.
status-updated = Dernière mesure :
status-stale = C’est plus ancien que d’habitude. Les mesures elles-mêmes sont peut-être retardées ; l’agent de permanence est prévenu.
status-incidents = Ce sur quoi nous travaillons
status-incidents-open = incidents en cours
status-incidents-period = incidents ces 90 derniers jours
status-incidents-notified = délai habituel entre la panne et l’avertissement
status-incidents-verified = délai habituel entre la panne et la réparation vérifiée
status-incidents-note = Seuls les nombres figurent ici. Le contenu d’un incident n’est partagé qu’avec ceux qui doivent agir.
status-regions = Par région
status-map = Carte du monde en cinq régions. Le tableau voisin dit la même chose en mots.
status-region = Région
status-region-af = Afrique
status-region-ap = Asie, Australie et Pacifique
status-region-eu = Europe
status-region-lac = Amérique latine et Caraïbes
status-region-na = Amérique du Nord
status-region-global = Monde entier
status-watched = Zones
status-seen = Réponses vues de là
status-points = Points d’observation : { $count }
status-health = État
status-tlds = Domaines de premier niveau surveillés
status-tlds-none = Aucun domaine de premier niveau n’est encore surveillé.
status-tlds-cut = { $count ->
     [one] { $count } autre figure dans la version en texte brut.
    *[other] { $count } autres figurent dans la version en texte brut.
    }
status-zone = Domaine
status-measured = Mesuré
status-see-problem = Vous constatez un problème qui ne figure pas ici ?
