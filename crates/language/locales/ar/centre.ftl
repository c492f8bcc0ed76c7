## The health of the centre itself.
centre-title = حالة المركز نفسه
centre-overall-good = يعمل المركز كما ينبغي
centre-overall-impaired = يعمل المركز، لكن هناك ما يحتاج إلى عناية
centre-overall-broken = لدى المركز نفسه مشكلة
centre-version = الإصدار
centre-started = يعمل منذ
centre-watching = مراقبة النطاقات
centre-watching-text = النطاقات المراقَبة: { $watched }. المتأخرة أو غير القابلة للاختبار: { $late }.
centre-reason = السبب
centre-reason-late = لا جولة في الوقت المحدد
centre-jobs = المهام
centre-jobs-waiting = في الانتظار
centre-jobs-running = قيد التنفيذ
centre-jobs-failed = في الانتظار بعد محاولة فاشلة
centre-jobs-next = التالية
centre-mailbox = صندوق البريد
centre-mailbox-none = لم يُعدّ صندوق بريد: لا تُقرأ هنا الإجابات والبلاغات الواردة بالبريد.
centre-mailbox-name = الصندوق
centre-mailbox-fetched = آخر قراءة
centre-mailbox-failing = أول إخفاق
centre-mailbox-mails = الرسائل المستلمة
centre-mailbox-mails-text = { $mails }، منها ما تعذرت قراءته: { $unreadable }
centre-records = السجلات
centre-engine = قاعدة البيانات
centre-audit = مدخلات سلسلة التدقيق ورأسها
centre-audit-check = هل السلسلة سليمة؟
centre-audit-verify = التحقق الآن
centre-audit-whole = { $rows ->
     [zero] سليمة: لا مدخلات بعد.
     [one] سليمة: فُحص مدخل واحد.
     [two] سليمة: فُحص مدخلان.
     [few] سليمة: فُحصت { $rows } مدخلات.
     [many] سليمة: فُحص { $rows } مدخلًا.
    *[other] سليمة: فُحص { $rows } مدخل.
    }
centre-audit-broken = مكسورة عند المدخل { $row }
centre-alerts-new = إنذارات لم ينظر فيها أحد
centre-lake = الرصد
centre-table = الجدول
centre-rows = الصفوف
centre-files = الملفات
centre-bytes = البايتات
centre-buffered = لم تُكتب في ملفات بعد
centre-damaged = ملفات تعذرت قراءتها
centre-metrics = الأرقام نفسها لأداة Prometheus
centre-condition-records-unwritable = لا يمكن الكتابة في السجلات. لن يُقبل أي شيء مما يُرسل حتى يصبح ذلك ممكنًا.
centre-condition-observations-unwritable = لا يمكن كتابة القياسات. ستُقاس النطاقات مجددًا عندما تتوفر مساحة.
centre-condition-clock-set = ضُبطت الساعة.
centre-condition-rounds-behind = القياسات متأخرة: هذا العدد من النطاقات يُقاس متأخرًا بأكثر من فترة واحدة. زِد عدد الأماكن (dns.zones_at_once) أو أطِل الفترات.
centre-condition-line-silent = لا يجيب أي خادم جذر هذا المركز: الأرجح أن خطه نفسه مقطوع. وإلى أن يجيب أحدها لا يمكن قول شيء عن أي نطاق، والصمت ليس عطلًا لأحد.
centre-condition-transfers-failing = تعذّر الحصول على نطاقات تسمح السجلات لهذا المركز بنقلها، أو أن ما وصل مشكوك فيه ووُضع جانبًا. وستبقى غائبة عن DNS السلبي وعن تغييرات النطاقات حتى ينجح النقل من جديد.
centre-condition-machine-slow = توقف هذا الجهاز مؤقتًا، إما معلَّقًا أو لنقص المعالجات. وما لم يُجب في أثناء ذلك يُقاس مجددًا قبل أن يصبح تنبيهًا.
centre-condition-standing-by = مركز آخر يقوم بالعمل، وهذا المركز في وضع الاستعداد.
