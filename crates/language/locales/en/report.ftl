## The form by which anyone reports a problem, and the page that thanks.
report-title = Report a problem with the DNS
report-lead = Tell us what you see. You need no account, and every report is read by a person.
report-urgent = Is it urgent, or is the DNS too broken for this form? Reach the duty officer directly:
report-what = What is wrong?
report-what-hint = What you saw, since when, and how one can see it too. Any of our six languages is fine.
report-names = Domain names and addresses concerned
report-names-hint = One on each line, if you know them. For example: example.org or 192.0.2.1
report-email = Your mail address (if you want an answer)
report-email-hint = We use it for this report only. You may leave it empty and stay unknown to us.
report-language = Answer me in
report-tlp = How far may this report travel?
report-tlp-hint = The Traffic Light Protocol (TLP). If unsure, leave it as it is.
report-tlp-clear = everyone may know
report-tlp-green = the security community may know
report-tlp-amber = those who must act, and their clients
report-tlp-amber-strict = only the organisations that must act
report-tlp-red = only the person who reads it
report-trap = Leave this field empty
report-privacy = We keep your report together with the time, so that no report is lost. We do not publish who sent it.
report-send = Send the report
report-error-again = This page had been open too long. Your text is still here: please send it once more.
report-too-many-title = Many reports have come from your address
report-too-many-text = { $minutes ->
     [one] What you typed is still below. Please send it again in { $minutes } minute, or write to us by mail.
    *[other] What you typed is still below. Please send it again in { $minutes } minutes, or write to us by mail.
    }
report-thanks-title = Thank you: we have your report
report-thanks-number = Its number is
report-thanks-kept = It is safely stored. Please note the number; with it you can come back to us at any time.
report-thanks-next = What happens next
report-thanks-step-read = A duty officer reads the report, day or night.
report-thanks-step-measure = We measure the names that you gave us and compare with what we know.
report-thanks-step-write = If somebody has to act, we tell them and follow it to the repair. If you gave a mail address, we write to you.
report-thanks-more = Do you have more to tell? Write to us with the number in the subject:
report-thanks-home = See the present status of the DNS
report-error-unstored = We could not store your report: our own storage does not serve. Your text is still here. Please send it again in a few minutes, or use the mail address or the telephone number below.
