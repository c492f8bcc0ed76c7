## The frame of every page.
portal-skip = Skip to the main content
portal-nav-label = Main menu
portal-nav-status = Status
portal-nav-report = Report a problem
portal-nav-about = Who we are
portal-nav-alerts = Alerts
portal-nav-cases = Cases
portal-nav-zones = Zones
portal-nav-passive = Passive DNS
portal-nav-directory = Directory
portal-nav-route = Who answers for it
portal-nav-centre = Our own health
portal-nav-organisation = My organisation
portal-nav-account = Account
portal-nav-signin = Sign in
portal-nav-signout = Sign out
portal-languages = Languages
portal-reach-us = You reach us at any hour:
portal-times-note = All times are in UTC. Where we know your time zone, your local time stands beside.
portal-plain-text = This page as plain text
portal-save = Save
portal-cancel = Cancel
portal-back = Back
portal-yes = Yes
portal-no = No
portal-none = None
portal-never = Never
## Spans of time.
portal-ago-seconds = { $count ->
     [one] { $count } second ago
    *[other] { $count } seconds ago
    }
portal-ago-minutes = { $count ->
     [one] { $count } minute ago
    *[other] { $count } minutes ago
    }
portal-ago-hours = { $count ->
     [one] { $count } hour ago
    *[other] { $count } hours ago
    }
portal-ago-days = { $count ->
     [one] { $count } day ago
    *[other] { $count } days ago
    }
portal-in-seconds = { $count ->
     [one] in { $count } second
    *[other] in { $count } seconds
    }
portal-in-minutes = { $count ->
     [one] in { $count } minute
    *[other] in { $count } minutes
    }
portal-in-hours = { $count ->
     [one] in { $count } hour
    *[other] in { $count } hours
    }
portal-in-days = { $count ->
     [one] in { $count } day
    *[other] in { $count } days
    }
## Errors.
portal-errors-title = Please look at these points
portal-errors-prefix = Error:
portal-error-not-found-title = We cannot find this page
portal-error-not-found-text = The address may be wrong or incomplete, or the page may be meant for other readers. If you came by a link of ours, please tell us.
portal-error-forbidden-title = You may not do this
portal-error-forbidden-text = Your account does not have the role that this needs. Nothing was changed. A duty officer can help.
portal-error-unproven-title = Please send the form once more
portal-error-unproven-text = We could not be sure that the form came from our own page: it had been open for more than a day, or you have signed in or out since. Nothing was changed. Go back, reload the page and send it again.
portal-error-conflict-title = Something has changed in the meantime
portal-error-conflict-text = What you asked for does not fit the present state. Nothing was changed. Go back, reload the page and decide again.
portal-error-invalid-title = We could not read this
portal-error-invalid-text = What arrived was incomplete or in a form that we do not know. Nothing was changed.
portal-error-method-title = This address cannot be used in this way
portal-error-method-text = Please begin at the first page and use the forms there.
portal-error-too-large-title = This is too large
portal-error-too-large-text = Please shorten it, or send long material to us by mail.
portal-error-too-many-title = Too many attempts
portal-error-too-many-text = To protect everyone, we count how often one address or account tries. Please wait a little and try again.
portal-error-internal-title = Something went wrong on our side
portal-error-internal-text = We have kept a record of it. Please try again in a minute. If it is urgent, use the mail address or the telephone number below.
portal-error-unavailable-title = We cannot store anything at the moment
portal-error-unavailable-text = Nothing was changed. Please try again in a few minutes. If it is urgent, use the mail address or the telephone number below.
portal-error-wait = { $minutes ->
     [one] Please wait { $minutes } minute.
    *[other] Please wait { $minutes } minutes.
    }
portal-error-operation = If you write to us about it, please give this number:
portal-error-home = To the first page
portal-error-status = Status of the answer:
portal-span-seconds = { $count ->
     [one] { $count } second
    *[other] { $count } seconds
    }
portal-span-minutes = { $count ->
     [one] { $count } minute
    *[other] { $count } minutes
    }
portal-span-hours = { $count ->
     [one] { $count } hour
    *[other] { $count } hours
    }
portal-span-days = { $count ->
     [one] { $count } day
    *[other] { $count } days
    }
