# Charts: titles, states and descriptions for those who hear them.

chart-strip-title = Health over { $days } days
chart-strip-summary = Days good: { $good }, impaired: { $impaired }, broken: { $broken }, without measurements: { $unknown }
chart-day = { $date }: { $health }, { $percent } % of { $asked } questions answered
chart-day-unknown = { $date }: no measurements
chart-ms = { $ms } ms
chart-rtt-title = Round-trip time
chart-rtt-none = no measurements
chart-rtt-silent = no answer to { $asked } questions
chart-rtt-one = { $median } ms; { $lost } of { $asked } questions without an answer
chart-rtt-summary = median { $median } ms, fastest { $fastest } ms, slowest { $slowest } ms; { $lost } of { $asked } questions without an answer
chart-chain-secured = Secured by DS
chart-chain-unsigned = Not secured (no DS)
chart-chain-broken = DS does not lead to a key
chart-chain-unknown = Security not known yet
chart-standing-expected = as expected
chart-standing-new = new, not expected
chart-standing-gone = expected, not seen
chart-standing-seen = seen
chart-graph-title = Delegation of { $zone }
chart-graph-summary = Name servers: { $names }; addresses: { $addresses }; broken: { $broken }; new: { $new }; missing: { $gone }. { $chain }.
chart-graph-parent = parent
chart-graph-zone = zone
chart-graph-no-address = no address seen
chart-graph-more = { $count } more in the table below
chart-answered-title = Questions answered
chart-answered-summary = { $answered } of { $asked } questions were answered
