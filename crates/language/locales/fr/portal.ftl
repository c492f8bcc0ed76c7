## The frame of every page.
portal-skip = Aller au contenu principal
portal-nav-label = Menu principal
portal-nav-status = État du DNS
portal-nav-report = Signaler un problème
portal-nav-about = Qui nous sommes
portal-nav-alerts = Alertes
portal-nav-cases = Dossiers
portal-nav-zones = Zones
portal-nav-passive = DNS passif
portal-nav-directory = Annuaire
portal-nav-route = Qui en répond
portal-nav-centre = Notre propre état
portal-nav-organisation = Mon organisation
portal-nav-account = Compte
portal-nav-signin = Se connecter
portal-nav-signout = Se déconnecter
portal-languages = Langues
portal-reach-us = Vous pouvez nous joindre à toute heure :
portal-times-note = Toutes les heures sont en UTC. Si nous connaissons votre fuseau horaire, votre heure locale figure à côté.
portal-plain-text = Cette page en texte brut
portal-save = Enregistrer
portal-cancel = Annuler
portal-back = Retour
portal-yes = Oui
portal-no = Non
portal-none = Aucun
portal-never = Jamais
## Spans of time.
portal-ago-seconds = { $count ->
     [one] il y a { $count } seconde
    *[other] il y a { $count } secondes
    }
portal-ago-minutes = { $count ->
     [one] il y a { $count } minute
    *[other] il y a { $count } minutes
    }
portal-ago-hours = { $count ->
     [one] il y a { $count } heure
    *[other] il y a { $count } heures
    }
portal-ago-days = { $count ->
     [one] il y a { $count } jour
    *[other] il y a { $count } jours
    }
portal-in-seconds = { $count ->
     [one] dans { $count } seconde
    *[other] dans { $count } secondes
    }
portal-in-minutes = { $count ->
     [one] dans { $count } minute
    *[other] dans { $count } minutes
    }
portal-in-hours = { $count ->
     [one] dans { $count } heure
    *[other] dans { $count } heures
    }
portal-in-days = { $count ->
     [one] dans { $count } jour
    *[other] dans { $count } jours
    }
## Errors.
portal-errors-title = Merci de revoir ces points
portal-errors-prefix = Erreur :
portal-error-not-found-title = Cette page est introuvable
portal-error-not-found-text = L’adresse est peut-être erronée ou incomplète, ou la page est destinée à d’autres lecteurs. Si vous avez suivi l’un de nos liens, merci de nous le signaler.
portal-error-forbidden-title = Cette action ne vous est pas permise
portal-error-forbidden-text = Votre compte n’a pas le rôle nécessaire. Rien n’a été modifié. Un agent de permanence peut vous aider.
portal-error-unproven-title = Merci d’envoyer le formulaire encore une fois
portal-error-unproven-text = Nous n’avons pas pu vérifier que le formulaire venait de notre page : elle était ouverte depuis plus d’un jour, ou vous vous êtes connecté ou déconnecté entre-temps. Rien n’a été modifié. Revenez en arrière, rechargez la page et envoyez-le à nouveau.
portal-error-conflict-title = Quelque chose a changé entre-temps
portal-error-conflict-text = Votre demande ne correspond plus à l’état actuel. Rien n’a été modifié. Revenez en arrière, rechargez la page et décidez à nouveau.
portal-error-invalid-title = Nous n’avons pas pu lire cette demande
portal-error-invalid-text = Ce qui nous est parvenu était incomplet ou dans une forme inconnue. Rien n’a été modifié.
portal-error-method-title = Cette adresse ne s’utilise pas ainsi
portal-error-method-text = Merci de repartir de la page d’accueil et d’utiliser les formulaires.
portal-error-too-large-title = L’envoi est trop volumineux
portal-error-too-large-text = Merci de le raccourcir ou de nous envoyer les longs documents par courrier électronique.
portal-error-too-many-title = Trop de tentatives
portal-error-too-many-text = Pour protéger tout le monde, nous limitons les essais par adresse ou par compte. Merci de patienter un peu avant de réessayer.
portal-error-internal-title = Un problème est survenu de notre côté
portal-error-internal-text = Nous en avons gardé la trace. Merci de réessayer dans une minute. En cas d’urgence, utilisez l’adresse ou le numéro ci-dessous.
portal-error-unavailable-title = Nous ne pouvons rien enregistrer pour le moment
portal-error-unavailable-text = Rien n’a été modifié. Merci de réessayer dans quelques minutes. En cas d’urgence, utilisez l’adresse ou le numéro ci-dessous.
portal-error-wait = { $minutes ->
     [one] Merci de patienter { $minutes } minute.
    *[other] Merci de patienter { $minutes } minutes.
    }
portal-error-operation = Si vous nous écrivez à ce sujet, indiquez ce numéro :
portal-error-home = Vers la page d’accueil
portal-error-status = Code de la réponse :
portal-span-seconds = { $count ->
     [one] { $count } seconde
    *[other] { $count } secondes
    }
portal-span-minutes = { $count ->
     [one] { $count } minute
    *[other] { $count } minutes
    }
portal-span-hours = { $count ->
     [one] { $count } heure
    *[other] { $count } heures
    }
portal-span-days = { $count ->
     [one] { $count } jour
    *[other] { $count } jours
    }
