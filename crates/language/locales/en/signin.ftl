## Signing in and out.
signin-title = Sign in
signin-lead = For members of the team and for our constituents. You need no account to report a problem or to answer one of our requests.
signin-name = Account name
signin-password = Password
signin-code = Code from your authenticator app
signin-code-hint = Only if you have set one up. A recovery code works too.
signin-send = Sign in
signin-help = Is something not working? A duty officer helps:
signin-said-out = You have signed out.
signin-error-again = This page had been open too long. Please sign in once more.
signin-error-empty = Enter your account name and your password
signin-error-refused = Name, password or code is not right
signin-error-code-needed = Enter the code that your authenticator app shows now
signin-error-password-again = Enter your password once more
