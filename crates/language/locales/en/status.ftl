## The public status page.
status-title = The state of the DNS
status-overall-good = All watched zones answer as they should
status-overall-impaired = { $count ->
     [one] { $count } zone needs attention; all others answer as they should
    *[other] { $count } zones need attention; all others answer as they should
    }
status-overall-broken = { $count ->
     [one] { $count } zone is broken at present
    *[other] { $count } zones are broken at present
    }
status-overall-unknown = There is no measurement yet
status-unknown-text = The centre has just begun to watch. This page fills as soon as the first round of measurements is done, usually within a minute or two.
status-updated = Last measurement:
status-stale = This is longer ago than usual. The measurements themselves may be held up; the duty officer has been told.
status-incidents = What we are working on
status-incidents-open = incidents open
status-incidents-period = incidents in the last 90 days
status-incidents-notified = typical time from fault to telling those concerned
status-incidents-verified = typical time from fault to verified repair
status-incidents-note = Only counts stand here. What an incident is about is shared with those who have to act.
status-regions = By region
status-map = Map of the world in five regions. The table beside it says the same in words.
status-region = Region
status-region-af = Africa
status-region-ap = Asia, Australia and Pacific
status-region-eu = Europe
status-region-lac = Latin America and Caribbean
status-region-na = North America
status-region-global = Worldwide
status-watched = Zones
status-seen = Answered from there
status-points = Vantage points: { $count }
status-health = State
status-tlds = Top-level domains that we watch
status-tlds-none = No top-level domain is on the watch list yet.
status-tlds-cut = { $count ->
     [one] { $count } more is in the plain-text version.
    *[other] { $count } more are in the plain-text version.
    }
status-zone = Domain
status-measured = Measured
status-see-problem = Do you see a problem that does not show here?
