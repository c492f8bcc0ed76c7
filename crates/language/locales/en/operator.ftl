# One organisation as operator: its zones and their servers.

operator-title = Zones and servers
operator-lead = The zones that this organisation answers for, and the servers that they are on.
operator-entry = Its entry in the directory
operator-of = Operator:
operator-zones = Zones
operator-zones-none = No zone that is watched is this organisation’s.
operator-worst = Worst finding
operator-servers = Servers of these zones
operator-servers-none = None of these zones has been measured yet.
operator-serving = Serves
operator-asked-for = Asked for
operator-servers-hint = Answered, median and 95 % within: over the last 24 hours, each server as it was asked for the zone beside it.
operator-unread = The servers of so many zones are not looked at here: { $count }
