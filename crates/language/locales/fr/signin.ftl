## Signing in and out.
signin-title = Se connecter
signin-lead = Pour les membres de l’équipe et notre communauté. Aucun compte n’est nécessaire pour signaler un problème ou répondre à une demande.
signin-name = Nom du compte
signin-password = Mot de passe
signin-code = Code de votre application d’authentification
signin-code-hint = Seulement si vous en avez configuré une. Un code de secours fonctionne aussi.
signin-send = Se connecter
signin-help = Un souci ? Un agent de permanence vous aide :
signin-said-out = Vous êtes déconnecté.
signin-error-again = Cette page était ouverte depuis trop longtemps. Merci de vous reconnecter.
signin-error-empty = Saisissez le nom du compte et le mot de passe
signin-error-refused = Le nom, le mot de passe ou le code est incorrect
signin-error-code-needed = Saisissez le code affiché par votre application d’authentification
signin-error-password-again = Saisissez de nouveau votre mot de passe
