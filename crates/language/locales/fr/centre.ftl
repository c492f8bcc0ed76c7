## The health of the centre itself.
centre-title = Notre propre état
centre-overall-good = Le centre fonctionne correctement
centre-overall-impaired = Le centre fonctionne, mais un point demande de l’attention
centre-overall-broken = Le centre lui-même a un problème
centre-version = Version
centre-started = en marche depuis
centre-watching = Surveillance des zones
centre-watching-text = Zones surveillées : { $watched }. En retard ou non testables : { $late }.
centre-reason = Pourquoi
centre-reason-late = pas de mesure à temps
centre-jobs = Tâches
centre-jobs-waiting = En attente
centre-jobs-running = En cours
centre-jobs-failed = En attente après un échec
centre-jobs-next = Prochaine échéance
centre-mailbox = Boîte aux lettres
centre-mailbox-none = Aucune boîte aux lettres n’est configurée : les réponses et signalements par courriel ne sont pas lus ici.
centre-mailbox-name = Boîte
centre-mailbox-fetched = Dernière relève
centre-mailbox-failing = Premier échec
centre-mailbox-mails = Courriels relevés
centre-mailbox-mails-text = { $mails }, dont illisibles : { $unreadable }
centre-records = Registres
centre-engine = Base de données
centre-audit = Entrées de la chaîne d’audit et son sommet
centre-audit-check = La chaîne est-elle intacte ?
centre-audit-verify = Vérifier maintenant
centre-audit-whole = { $rows ->
     [one] Intacte : { $rows } entrée vérifiée.
    *[other] Intacte : { $rows } entrées vérifiées.
    }
centre-audit-broken = Rompue à l’entrée { $row }
centre-alerts-new = Alertes que personne n’a examinées
centre-lake = Observations
centre-table = Table
centre-rows = Lignes
centre-files = Fichiers
centre-bytes = Octets
centre-buffered = Pas encore en fichier
centre-damaged = Fichiers illisibles
centre-metrics = Les mêmes chiffres pour Prometheus
centre-condition-records-unwritable = Les dossiers ne peuvent pas être écrits. Rien de ce que l’on nous envoie n’est accepté d’ici là.
centre-condition-observations-unwritable = Les observations ne peuvent pas être écrites. Les zones seront mesurées de nouveau dès qu’il y aura de la place.
centre-condition-clock-set = L’horloge a été réglée.
centre-condition-rounds-behind = Les mesures ont du retard : ce nombre de zones est mesuré avec plus d’un intervalle de retard. Donnez plus de places au centre (dns.zones_at_once) ou allongez les intervalles.
centre-condition-standing-by = Un autre centre fait le travail ; celui-ci se tient prêt.
