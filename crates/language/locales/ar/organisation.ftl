## My organisation.
organisation-requests = ما نطلبه منكم الآن
organisation-requests-none = لا نطلب منكم شيئًا حاليًا.
organisation-requests-ended = الطلبات السابقة
organisation-request-open = العرض والرد
organisation-zones = نطاقاتكم
organisation-zones-none = لا نراقب أي نطاق لكم بعد. اكتبوا إلينا إن رغبتم في ذلك.
organisation-zones-more = { $count ->
     [zero] القائمة كاملة.
     [one] يوجد نطاق آخر في واجهة JSON البرمجية.
     [two] يوجد نطاقان آخران في واجهة JSON البرمجية.
     [few] توجد { $count } نطاقات أخرى في واجهة JSON البرمجية.
     [many] يوجد { $count } نطاقًا آخر في واجهة JSON البرمجية.
    *[other] يوجد { $count } نطاق آخر في واجهة JSON البرمجية.
    }
organisation-findings = ما يحتاج إلى عناية
organisation-announce = التغييرات المخطط لها
organisation-announce-lead = أخبرونا قبل تغيير خوادم الأسماء أو سجلات glue أو DS، فلا نطلق إنذارًا.
organisation-announce-begin = الإعلان عن تغيير
organisation-announce-send = إعلان
organisation-from = من (بالتوقيت العالمي UTC)
organisation-until = حتى (بالتوقيت العالمي UTC)
organisation-time-hint = مثلًا 2026-03-01 10:00
organisation-note = ما الذي سيتغير
organisation-contacts = كيف نتواصل معكم
organisation-verified = تاريخ التأكيد
organisation-never-verified = لم يُؤكد قط
organisation-channels = طرق التواصل معكم
organisation-people = الأشخاص
organisation-kind = الطريقة
organisation-value = العنوان أو الرقم
organisation-value-hint = أرقام الهاتف مع رمز البلد، مثل ‎+254 20 123 4567
organisation-purpose = الغرض
organisation-person = لمن
organisation-nobody = المؤسسة
organisation-person-name = الاسم
organisation-position = الوظيفة
organisation-channel-email = البريد الإلكتروني
organisation-channel-phone = الهاتف
organisation-channel-signal = سيغنال
organisation-channel-matrix = ماتريكس
organisation-channel-web-form = نموذج على الويب
organisation-channel-postal = البريد العادي
organisation-channel-fax = الفاكس
organisation-channel-other = أخرى
organisation-purpose-security = الحوادث
organisation-purpose-abuse = إساءة الاستخدام
organisation-purpose-technical = التشغيل
organisation-purpose-general = ما عدا ذلك
organisation-confirm = تحققنا: كل هذا صحيح اليوم
organisation-channel-add = إضافة طريقة للتواصل
organisation-person-add = إضافة شخص
organisation-add = إضافة
organisation-remove = إزالة
organisation-language = لغة إشعاراتنا
organisation-language-label = راسلونا بـ
organisation-said-saved = تم تعديل بياناتكم.
organisation-said-confirmed = شكرًا لكم. تم تأكيد بياناتكم بتاريخ اليوم.
organisation-said-announced = شكرًا لكم. تم الإعلان عن التغيير ولن يثير إنذارًا خلال هذه الفترة.
organisation-error-channel = أدخلوا عنوانًا أو رقمًا كاملًا غير مدرج بعد
organisation-error-last-channel = أضيفوا طريقة أخرى أولًا: فبدونها لا نستطيع التواصل معكم
organisation-error-person = أدخلوا اسمًا غير مدرج بعد
organisation-error-zone = اختاروا أحد نطاقاتكم
organisation-error-time = أدخلوا اليوم والوقت، مثل 2026-03-01 10:00
organisation-error-window = يجب أن تكون الفترة قادمة وأن تنتهي بعد بدايتها وألا تتجاوز 60 يومًا أو 48 ساعة إذا لم تُذكر الخوادم الجديدة
