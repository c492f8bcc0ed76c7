## The form by which anyone reports a problem, and the page that thanks.
report-title = Signaler un problème lié au DNS
report-lead = Dites-nous ce que vous constatez. Aucun compte n’est nécessaire et chaque signalement est lu par une personne.
report-urgent = C’est urgent, ou le DNS est trop perturbé pour ce formulaire ? Joignez directement l’agent de permanence :
report-what = Que se passe-t-il ?
report-what-hint = Ce que vous avez constaté, depuis quand, et comment le vérifier. Vous pouvez écrire dans l’une de nos six langues.
report-names = Noms de domaine et adresses concernés
report-names-hint = Un par ligne, si vous les connaissez. Par exemple : example.org ou 192.0.2.1
report-email = Votre adresse électronique (si vous souhaitez une réponse)
report-email-hint = Nous ne l’utilisons que pour ce signalement. Vous pouvez laisser ce champ vide et rester anonyme.
report-language = Me répondre en
report-tlp = Jusqu’où ce signalement peut-il circuler ?
report-tlp-hint = Le protocole des feux de signalisation (TLP). En cas de doute, n’y touchez pas.
report-tlp-clear = tout le monde peut savoir
report-tlp-green = la communauté de la sécurité peut savoir
report-tlp-amber = ceux qui doivent agir et leurs clients
report-tlp-amber-strict = seulement les organisations qui doivent agir
report-tlp-red = seulement la personne qui le lit
report-trap = Laissez ce champ vide
report-privacy = Nous conservons votre signalement avec son heure, pour qu’aucun ne se perde. Nous ne publions pas qui l’a envoyé.
report-send = Envoyer le signalement
report-error-again = Cette page était ouverte depuis trop longtemps. Votre texte est toujours là : envoyez-le encore une fois.
report-too-many-title = De nombreux signalements sont venus de votre adresse
report-too-many-text = { $minutes ->
     [one] Votre texte est conservé ci-dessous. Renvoyez-le dans { $minutes } minute ou écrivez-nous.
    *[other] Votre texte est conservé ci-dessous. Renvoyez-le dans { $minutes } minutes ou écrivez-nous.
    }
report-thanks-title = Merci : nous avons bien reçu votre signalement
report-thanks-number = Son numéro est
report-thanks-kept = Il est enregistré en lieu sûr. Notez le numéro : il vous permet de revenir vers nous à tout moment.
report-thanks-next = Et maintenant
report-thanks-step-read = Un agent de permanence lit le signalement, de jour comme de nuit.
report-thanks-step-measure = Nous mesurons les noms que vous avez indiqués et comparons avec ce que nous savons.
report-thanks-step-write = Si quelqu’un doit agir, nous le prévenons et suivons jusqu’à la réparation. Si vous avez donné une adresse, nous vous écrivons.
report-thanks-more = Avez-vous autre chose à nous dire ? Écrivez-nous avec le numéro en objet :
report-thanks-home = Voir l’état actuel du DNS
report-error-unstored = Nous n’avons pas pu enregistrer votre signalement : notre propre stockage est indisponible. Votre texte est toujours là. Merci de le renvoyer dans quelques minutes, ou d’utiliser l’adresse ou le numéro ci-dessous.
