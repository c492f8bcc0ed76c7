# مؤسسة بوصفها مشغّلًا: نطاقاتها وخوادمها.

operator-title = النطاقات والخوادم
operator-lead = النطاقات التي تتولاها هذه المؤسسة، والخوادم التي تستضيفها.
operator-entry = قيدها في الدليل
operator-of = المشغّل:
operator-zones = النطاقات
operator-zones-none = لا نطاق مراقَبًا لهذه المؤسسة.
operator-worst = أخطر نتيجة
operator-servers = خوادم هذه النطاقات
operator-servers-none = لم يُقَس أي من هذه النطاقات بعد.
operator-serving = يخدم
operator-asked-for = سُئل عن
operator-servers-hint = نسبة الإجابة والوسيط و95 %: خلال آخر 24 ساعة، كل خادم كما سُئل عن النطاق المذكور بجانبه.
operator-unread = نطاقات لم تُفحص خوادمها هنا: { $count }
