# What is wrong with a report of the public form.

intake-error-what-short = Please describe what happened in at least ten letters.
intake-error-what-long = The description is too long; 10,000 letters are the limit. Please send the rest by mail.
intake-error-names-long = The list of names is too long; 4,000 letters are the limit. Please send the rest by mail.
intake-error-email = This is not a mail address. Please correct it or leave the field empty.
intake-error-tlp = Please choose one of the answers.
