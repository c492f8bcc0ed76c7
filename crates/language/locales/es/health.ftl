health-good = En orden
health-impaired = Con problemas
health-broken = Averiado
health-unknown = Desconocido
