health-good = سليم
health-impaired = متعثر
health-broken = معطّل
health-unknown = غير معروف
