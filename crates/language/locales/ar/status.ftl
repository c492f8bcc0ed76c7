## The public status page.
status-title = حالة نظام أسماء النطاقات
status-overall-good = جميع النطاقات المراقَبة تجيب كما ينبغي
status-overall-impaired = { $count ->
     [zero] جميع النطاقات تجيب كما ينبغي
     [one] نطاق واحد يحتاج إلى عناية، وبقية النطاقات تجيب كما ينبغي
     [two] نطاقان يحتاجان إلى عناية، وبقية النطاقات تجيب كما ينبغي
     [few] { $count } نطاقات تحتاج إلى عناية، والبقية تجيب كما ينبغي
     [many] { $count } نطاقًا تحتاج إلى عناية، والبقية تجيب كما ينبغي
    *[other] { $count } نطاق تحتاج إلى عناية، والبقية تجيب كما ينبغي
    }
status-overall-broken = { $count ->
     [zero] لا نطاقات معطلة حاليًا
     [one] نطاق واحد معطل حاليًا
     [two] نطاقان معطلان حاليًا
     [few] { $count } نطاقات معطلة حاليًا
     [many] { $count } نطاقًا معطلًا حاليًا
    *[other] { $count } نطاق معطل حاليًا
    }
status-overall-unknown = لا توجد قياسات بعد
status-unknown-text = بدأ المركز المراقبة للتو. ستمتلئ هذه الصفحة بعد انتهاء أول جولة قياس، عادة خلال دقيقة أو دقيقتين.
status-updated = آخر قياس:
status-stale = هذا أقدم من المعتاد. قد تكون القياسات نفسها متأخرة، وقد أُبلغ ضابط المناوبة.
status-incidents = ما نعمل عليه
status-incidents-open = حوادث مفتوحة
status-incidents-period = حوادث في آخر 90 يومًا
status-incidents-notified = الوقت المعتاد من العطل إلى إبلاغ المعنيين
status-incidents-verified = الوقت المعتاد من العطل إلى الإصلاح المتحقق منه
status-incidents-note = لا تظهر هنا إلا الأعداد. أما مضمون الحوادث فيُشارَك مع من عليهم التصرف.
status-regions = بحسب المنطقة
status-map = خريطة العالم في خمس مناطق. ويقول الجدول المجاور الشيء نفسه بالكلمات.
status-region = المنطقة
status-region-af = أفريقيا
status-region-ap = آسيا وأستراليا والمحيط الهادئ
status-region-eu = أوروبا
status-region-lac = أمريكا اللاتينية والكاريبي
status-region-na = أمريكا الشمالية
status-region-global = العالم كله
status-watched = النطاقات
status-seen = المُجاب عنها من هناك
status-points = نقاط الرصد: { $count }
status-health = الحالة
status-tlds = نطاقات المستوى الأعلى التي نراقبها
status-tlds-none = لا يوجد نطاق من المستوى الأعلى في قائمة المراقبة بعد.
status-tlds-cut = { $count ->
     [zero] القائمة كاملة.
     [one] يوجد نطاق آخر في النسخة النصية.
     [two] يوجد نطاقان آخران في النسخة النصية.
     [few] توجد { $count } نطاقات أخرى في النسخة النصية.
     [many] يوجد { $count } نطاقًا آخر في النسخة النصية.
    *[other] يوجد { $count } نطاق آخر في النسخة النصية.
    }
status-zone = النطاق
status-measured = القياس
status-see-problem = هل ترون مشكلة لا تظهر هنا؟
