health-good = 正常
health-impaired = 有问题
health-broken = 故障
health-unknown = 未知
