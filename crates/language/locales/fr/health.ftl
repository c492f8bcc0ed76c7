health-good = En ordre
health-impaired = Perturbé
health-broken = En panne
health-unknown = Inconnu
