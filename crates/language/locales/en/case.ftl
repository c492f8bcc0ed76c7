# Words of alerts, cases and requests, for pages of the team and of organisations.

case-state-open = Open
case-state-closed = Closed

case-alert-state-new = New
case-alert-state-in-case = In a case
case-alert-state-dismissed = Dismissed
case-alert-state-ended = Over

case-severity-page = Urgent
case-severity-review = To review
case-severity-log = For the record

case-alert-kind-zone-unreachable = Zone does not answer
case-alert-kind-mass-unreachable = Servers of several zones do not answer
case-alert-kind-signatures-invalid = DNSSEC does not validate
case-alert-kind-redelegated = Unannounced change of delegation
case-alert-kind-mass-redelegated = Several zones moved to the same servers
case-alert-kind-ds-removed = All DS records removed
case-alert-kind-health-worse = Health got worse
case-alert-kind-report = Report by a person
case-alert-kind-mail-unreadable = Mail that could not be read
case-alert-kind-mail-closed-case = Mail about the closed case { $number }
case-alert-kind-vantage-silent = Vantage point { $vantage_point } is silent
case-alert-kind-vantages-silent = Vantage points silent: { $count }
case-alert-kind-other = Other matter

case-request-state-not-notified = Not notified
case-request-state-queued = Notice waits
case-request-state-sent = Notice sent
case-request-state-delivered = Notice delivered
case-request-state-bounced = Notice came back
case-request-state-opened = Opened
case-request-state-acknowledged = Acknowledged
case-request-state-working = Being worked on
case-request-state-done = Said to be done
case-request-state-declined = Declined
case-request-state-not-theirs = Not theirs
case-request-state-verified = Verified
case-request-state-unreachable = Unreachable

case-ask-restore-service = Restore the name service
case-ask-renew-signatures = Renew the signatures
case-ask-repair-ds = Make the DS records fit the keys
case-ask-correct-delegation = Bring delegation and zone into line
case-ask-correct-zone = Correct the zone
case-ask-confirm-or-restore-delegation = Confirm or restore the delegation
case-ask-restore-ds = Restore the DS records
case-ask-explain = Explain what happened
