# Words that join the parts of an explanation.
# The bars keep the blank; they are not shown.
explain-comma = |, |
explain-and = { $others } and { $last }
explain-none = none
explain-not-known = (not known)
explain-given-data = the data given for this test
explain-timeout = no answer in time
explain-refused = connection refused
explain-unreachable = not reachable
explain-truncated = answer cut off
explain-malformed = answer unreadable
explain-minus = minus { $length }
explain-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
explain-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
explain-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
explain-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
