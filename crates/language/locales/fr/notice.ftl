# Avis : courriel en texte simple à la partie concernée par une demande.

notice-subject-restore-service = { $zone } : merci de rétablir le service de noms
notice-subject-renew-signatures = { $zone } : merci de renouveler les signatures DNSSEC
notice-subject-repair-ds = { $zone } : merci de faire correspondre les enregistrements DS et les clés
notice-subject-correct-delegation = { $zone } : merci de faire concorder la délégation et la zone
notice-subject-correct-zone = { $zone } : merci de corriger la zone
notice-subject-confirm-or-restore-delegation = { $zone } : merci de confirmer ou d’annuler un changement de délégation
notice-subject-restore-ds = { $zone } : merci de vérifier la suppression des enregistrements DS
notice-subject-explain = { $zone } : merci de nous dire ce qui s’est passé
notice-subject-reminder = Rappel : { $subject }
notice-subject-thanks = { $zone } : réparé, merci

notice-greeting = Chers collègues de { $organisation },
notice-reminder-intro = { $answered ->
    [yes] nous vous avons déjà écrit et vous remercions de votre réponse. La demande est toujours ouverte.
   *[no] nous vous avons déjà écrit et n’avons pas encore eu de vos nouvelles.
} { $late ->
    [yes] Le délai que nous vous demandions est passé ; nous vous écrivons donc une nouvelle fois.
   *[no] Il reste du temps jusqu’au moment indiqué ci-dessous ; ceci n’est qu’un rappel.
} Si vous avez répondu entre-temps, merci de ne pas tenir compte de ce message.

notice-heading-seen = CE QUE NOUS AVONS VU
notice-heading-why = POURQUOI C’EST IMPORTANT
notice-heading-ask = CE QUE NOUS VOUS DEMANDONS
notice-heading-deadline = POUR QUAND
notice-heading-answer = COMMENT RÉPONDRE
notice-heading-who = QUI NOUS SOMMES

notice-fact-zone-unreachable = Les serveurs de noms de cette zone ne répondent pas :
notice-fact-mass-unreachable = Les serveurs de noms de cette zone, et d’autres zones qu’ils servent, ne répondent pas :
notice-fact-signatures-invalid = Les signatures DNSSEC de cette zone ne sont plus valides :
notice-fact-ds-mismatch = Les enregistrements DS du parent ne correspondent pas aux clés de cette zone :
notice-fact-redelegated = La délégation de cette zone a changé sans que personne l’ait annoncé :
notice-fact-mass-redelegated = La délégation de cette zone est passée, sans que personne l’ait annoncé, à des serveurs vers lesquels d’autres zones sont parties au même moment :
notice-fact-ds-removed = Tous les enregistrements DS de cette zone ont été retirés de la zone parente, sans que personne l’ait annoncé :
notice-fact-health-worse = Nos mesures de cette zone se sont dégradées et le restent :
notice-fact-report = Quelqu’un nous a signalé un problème avec cette zone :
notice-fact-other = Il y a un problème avec cette zone :
notice-others = { $count ->
    [one] Une autre zone est touchée de la même façon.
   *[other] { $count } autres zones sont touchées de la même façon.
}
notice-first-seen = Vu pour la première fois : { $time }
notice-last-seen = Vu pour la dernière fois : { $time }
notice-servers = Serveurs concernés :
notice-change-ns = Changement des serveurs de noms, vu le { $time }
notice-change-ds = Changement des enregistrements DS, vu le { $time }
notice-change-glue = Changement des adresses d’un serveur de noms, vu le { $time }
notice-before = Avant :
notice-after = Maintenant :
notice-nothing = (rien)
notice-findings = Ce que disent les tests (détails en pièce jointe) :
notice-mend = Comment y remédier : { $how }

notice-why-zone-unreachable = Les sites web, le courriel et tout ce qui se trouve sous ce nom sont introuvables, ou le seront bientôt, quand les caches auront expiré.
notice-why-mass-unreachable = Toutes les zones de ces serveurs de noms sont privées de service en même temps. Ce qui se trouve sous leurs noms est introuvable, ou le sera bientôt, quand les caches auront expiré.
notice-why-signatures-invalid = Les résolveurs qui valident DNSSEC rejettent toute réponse pour cette zone. Pour leurs utilisateurs, tout ce qui se trouve sous ce nom a disparu.
notice-why-ds-mismatch = Les résolveurs qui valident DNSSEC ne trouvent aucune clé de confiance et rejettent toutes les réponses pour cette zone. Pour leurs utilisateurs, tout ce qui porte ce nom a disparu.
notice-why-redelegated = Qui exploite les serveurs de noms décide où vont le web, le courriel et les mots de passe de ce nom. Un changement que vous n’avez pas fait peut être une prise de contrôle.
notice-why-mass-redelegated = Quand des noms de titulaires différents passent en même temps aux mêmes nouveaux serveurs, il s’agit souvent d’une attaque contre un registre ou un bureau d’enregistrement. Qui exploite ces serveurs peut lire le courriel et recueillir des mots de passe.
notice-why-ds-removed = Sans enregistrements DS, la zone n’est plus protégée par DNSSEC : des réponses peuvent être falsifiées sans que personne le remarque. Les attaquants les retirent avant de détourner une zone.
notice-why-health-worse = Des utilisateurs sont peut-être déjà touchés, ou le seront si un serveur de plus tombe en panne.
notice-why-report = Les signalements sont souvent le premier signe de ce que les mesures ne voient pas.
notice-why-other = Les utilisateurs des noms de cette zone peuvent être touchés.

notice-ask-restore-service = Merci de remettre en service les serveurs de noms de la zone, ou de corriger la délégation si d’autres serveurs en sont désormais chargés.
notice-ask-renew-signatures = Merci de signer à nouveau la zone et de la publier sur tous les serveurs de noms, puis de chercher pourquoi le renouvellement s’est arrêté.
notice-ask-repair-ds = Merci de faire correspondre les enregistrements DS et les clés de la zone : remettez la clé que désignent les enregistrements DS, ou faites remplacer ces derniers, chez le parent, par ceux de la clé en service.
notice-ask-correct-delegation = Merci de faire concorder la délégation chez le parent et les enregistrements de serveurs de noms et d’adresses de la zone elle-même, avec des serveurs qui répondent pour la zone.
notice-ask-correct-zone = Merci de corriger, dans la zone ou dans la configuration de ses serveurs, ce que nomment les tests.
notice-ask-confirm-or-restore-delegation = Merci de nous dire si vous avez voulu ce changement. Sinon, merci de rétablir l’ancienne délégation et de sécuriser l’accès par lequel elle a été modifiée.
notice-ask-restore-ds = Merci de nous dire si vous avez voulu retirer les enregistrements DS. Sinon, merci de les rétablir et de sécuriser l’accès par lequel ils ont été retirés.
notice-ask-explain = Merci de nous dire ce qui s’est passé et si vous avez besoin d’aide.
notice-expected = La délégation telle que nous la connaissions auparavant :
notice-measured = Vous n’avez rien à prouver : nous mesurons nous-mêmes, et la demande se clôt dès que le DNS est de nouveau en ordre. Nous demandons, nous n’ordonnons pas ; ce que vous faites reste votre décision.

notice-answer-link = Ouvrez cette page ; aucun compte n’est nécessaire :
notice-answer-choices = Vous pourrez y dire en un clic : nous le savons, nous y travaillons, c’est fait, nous ne pouvons pas, ce n’est pas de notre ressort, ou appelez-nous.
notice-answer-mail = Ou répondez simplement à ce message dans votre langue, sans modifier l’objet.

notice-thanks = nos mesures montrent que la demande est satisfaite :
notice-thanks-measured = Mesuré : { $time }
notice-thanks-nothing-more = Merci de votre travail. Vous n’avez plus rien à faire.

notice-who = { $name } coordonne la réponse quand le DNS est en difficulté. Nous travaillons gratuitement pour tous ceux qui l’exploitent.
notice-verify = Pour vous assurer que ce message vient de nous, tapez vous-même l’adresse de notre site, ou contactez-nous :
notice-attached = Pièces jointes : evidence.txt et evidence.json, avec tout ce que nous avons vu.
notice-tlp-clear = { $label } : vous pouvez transmettre ce message sans limite.
notice-tlp-green = { $label } : vous pouvez transmettre ce message dans votre communauté, sans le publier.
notice-tlp-amber = { $label } : merci de ne partager ce message que dans votre organisation et avec les clients qui en ont besoin pour agir.
notice-tlp-amber-strict = { $label } : merci de ne partager ce message que dans votre organisation.
notice-tlp-red = { $label } : ce message est pour vous seul ; merci de ne pas le transmettre.
