## The health of the centre itself.
centre-title = Our own health
centre-overall-good = The centre works as it should
centre-overall-impaired = The centre works, but something needs attention
centre-overall-broken = The centre itself has a problem
centre-version = Version
centre-started = running since
centre-watching = Watching zones
centre-watching-text = Zones on the watch list: { $watched }. Held up or not testable: { $late }.
centre-reason = Why
centre-reason-late = no round in time
centre-jobs = Jobs
centre-jobs-waiting = Waiting
centre-jobs-running = Running
centre-jobs-failed = Waiting after a failed attempt
centre-jobs-next = Next one due
centre-mailbox = Mailbox
centre-mailbox-none = No mailbox is set: answers and reports by mail are not read here.
centre-mailbox-name = Mailbox
centre-mailbox-fetched = Last read
centre-mailbox-failing = First failure
centre-mailbox-mails = Mails taken
centre-mailbox-mails-text = { $mails }, of which { $unreadable } could not be read
centre-records = Records
centre-engine = Database
centre-audit = Entries in the audit chain, and its head
centre-audit-check = Is the chain whole?
centre-audit-verify = Verify it now
centre-audit-whole = { $rows ->
     [one] Whole: { $rows } entry was checked.
    *[other] Whole: { $rows } entries were checked.
    }
centre-audit-broken = Broken at entry { $row }
centre-alerts-new = Alerts nobody has looked at
centre-lake = Observations
centre-table = Table
centre-rows = Rows
centre-files = Files
centre-bytes = Bytes
centre-buffered = Not yet in files
centre-damaged = Files that could not be read
centre-metrics = The same as counts for Prometheus
centre-condition-records-unwritable = The records cannot be written. Nothing that people send is taken until they can.
centre-condition-observations-unwritable = The observations cannot be written. Zones are measured again when there is room.
centre-condition-clock-set = The clock was set.
centre-condition-rounds-behind = Rounds are late: this many zones are measured more than an interval behind. Give the centre more places (dns.zones_at_once) or longer intervals.
centre-condition-standing-by = Another centre does the work; this one stands by.
