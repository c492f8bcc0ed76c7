# What `dnscert check` prints on a terminal.
check-tested = Tested { $time } UTC in { $seconds } s with { $questions ->
    [one] { $questions } question
   *[other] { $questions } questions
}.
check-untestable = This zone could not be tested: { $reason }.
check-server-refuses = refuses the connection
check-server-garbage = sends garbage
check-why = why
check-mend = mend
check-see = see
check-test = test
check-fine = Fine: { $areas }.
check-nothing = Nothing to report at { $level } or above.
check-area-basic = Basics
check-area-address = Addresses
check-area-connectivity = Connectivity
check-area-consistency = Consistency
check-area-delegation = Delegation
check-area-dnssec = DNSSEC
check-area-chain = Chain of trust
check-area-nameserver = Name servers
check-area-edns = EDNS
check-area-syntax = Names
check-area-zone = Zone contents
check-area-resolver = Resolver
