# How something does: a zone, a server, a part of the centre.

health-good = In order
health-impaired = Impaired
health-broken = Broken
health-unknown = Not known
