# Notices: plain-text mail to the party of a request.

notice-subject-restore-service = { $zone }: please restore the name service
notice-subject-renew-signatures = { $zone }: please renew the DNSSEC signatures
notice-subject-repair-ds = { $zone }: please make the DS records fit the keys
notice-subject-correct-delegation = { $zone }: please bring the delegation and the zone into line
notice-subject-correct-zone = { $zone }: please correct the zone
notice-subject-confirm-or-restore-delegation = { $zone }: please confirm or undo a change of the delegation
notice-subject-restore-ds = { $zone }: please check the removed DS records
notice-subject-explain = { $zone }: please tell us what happened
notice-subject-reminder = Reminder: { $subject }
notice-subject-thanks = { $zone }: repaired, thank you

notice-greeting = Dear colleagues at { $organisation },
notice-reminder-intro = { $answered ->
    [yes] we wrote to you before, and thank you for your answer. The request is still open.
   *[no] we wrote to you before and have not heard from you yet.
} { $late ->
    [yes] The time we asked for has passed, so we are writing once more.
   *[no] There is still time until the moment given below; this is only a reminder.
} If you have answered in the meantime, please ignore this message.

notice-heading-seen = WHAT WE SAW
notice-heading-why = WHY IT MATTERS
notice-heading-ask = WHAT WE ASK OF YOU
notice-heading-deadline = BY WHEN
notice-heading-answer = HOW TO ANSWER
notice-heading-who = WHO WE ARE

notice-fact-zone-unreachable = The name servers of this zone do not answer:
notice-fact-mass-unreachable = The name servers of this zone, and of other zones that they serve, do not answer:
notice-fact-signatures-invalid = The DNSSEC signatures of this zone are no longer valid:
notice-fact-ds-mismatch = The DS records at the parent do not fit the keys of this zone:
notice-fact-redelegated = The delegation of this zone changed, and nobody had announced it:
notice-fact-mass-redelegated = The delegation of this zone changed to servers to which other zones moved at the same time, and nobody had announced it:
notice-fact-ds-removed = All DS records of this zone were removed from the parent zone, and nobody had announced it:
notice-fact-health-worse = Our measurements of this zone got worse and stay so:
notice-fact-report = Somebody reported a problem with this zone to us:
notice-fact-other = There is a problem with this zone:
notice-others = { $count ->
    [one] One other zone is concerned in the same way.
   *[other] { $count } other zones are concerned in the same way.
}
notice-first-seen = First seen: { $time }
notice-last-seen = Last seen: { $time }
notice-servers = Servers concerned:
notice-change-ns = Change of the name servers, seen { $time }
notice-change-ds = Change of the DS records, seen { $time }
notice-change-glue = Change of the addresses of a name server, seen { $time }
notice-before = Before:
notice-after = Now:
notice-nothing = (nothing)
notice-findings = What the tests say (details in the attachment):
notice-mend = How to mend it: { $how }

notice-why-zone-unreachable = Web sites, mail and everything else under this name cannot be found, or will not be found soon when the caches run out.
notice-why-mass-unreachable = All zones on these name servers are without service at the same time. What is under their names cannot be found, or will not be found soon when the caches run out.
notice-why-signatures-invalid = Resolvers that validate DNSSEC reject every answer for this zone. For their users everything under this name has vanished.
notice-why-ds-mismatch = Resolvers that validate DNSSEC find no key to trust and reject every answer for this zone. For their users everything under this name has vanished.
notice-why-redelegated = Whoever runs the name servers decides where web, mail and passwords of this name go. A change that you did not make may be a takeover.
notice-why-mass-redelegated = When names of different owners move to the same new servers at the same time, it is often an attack on a registry or registrar. Whoever runs these servers can read mail and collect passwords.
notice-why-ds-removed = Without DS records the zone is no longer protected by DNSSEC: answers can be forged without anybody noticing. Attackers remove them before they redirect a zone.
notice-why-health-worse = Users may be affected already, or will be when one more server fails.
notice-why-report = Reports by people are often the first sign of something that measurements do not see.
notice-why-other = Users of names in this zone may be affected.

notice-ask-restore-service = Please bring the name servers of the zone back into service, or correct the delegation if other servers are in charge now.
notice-ask-renew-signatures = Please sign the zone again and publish it on all name servers. Then look into why renewal stopped.
notice-ask-repair-ds = Please make the DS records and the keys of the zone fit each other: put back the key that the DS records name, or have the DS records at the parent replaced by those of the key in use.
notice-ask-correct-delegation = Please make the delegation at the parent and the zone’s own name server records and addresses say the same, with servers that answer for the zone.
notice-ask-correct-zone = Please correct what the tests below name in the zone, or in how its servers are set up.
notice-ask-confirm-or-restore-delegation = Please tell us whether you meant this change. If you did not, please put the former delegation back and secure the access by which it was changed.
notice-ask-restore-ds = Please tell us whether you meant to remove the DS records. If you did not, please put them back and secure the access by which they were removed.
notice-ask-explain = Please tell us what happened, and whether you need help.
notice-expected = The delegation as we know it from before:
notice-measured = You need not prove anything: we measure by ourselves, and the request closes as soon as the DNS is right again. We ask and do not order; what you do is your decision.

notice-answer-link = Open this page; you need no account:
notice-answer-choices = There you can say with one click: we know, we are working on it, it is done, we cannot, it is not ours, or call us.
notice-answer-mail = Or simply reply to this message in your language, and leave the subject as it is.

notice-thanks = we have measured that the request is fulfilled:
notice-thanks-measured = Measured: { $time }
notice-thanks-nothing-more = Thank you for your work. There is nothing more for you to do.

notice-who = { $name } coordinates the response when the DNS is in trouble. We work for all who run it, free of charge.
notice-verify = To make sure that this message is from us, open our site by typing its address yourself, or contact us:
notice-attached = Attached: evidence.txt and evidence.json with everything we saw.
notice-tlp-clear = { $label }: you may pass this message on without limit.
notice-tlp-green = { $label }: you may pass this message on within your community, but not publish it.
notice-tlp-amber = { $label }: please share this message only within your organisation and with clients who need it to act.
notice-tlp-amber-strict = { $label }: please share this message only within your organisation.
notice-tlp-red = { $label }: this message is for you alone; please do not pass it on.
