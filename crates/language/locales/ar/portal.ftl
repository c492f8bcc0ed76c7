## The frame of every page.
portal-skip = انتقل إلى المحتوى الرئيسي
portal-nav-label = القائمة الرئيسية
portal-nav-status = حالة النظام
portal-nav-report = الإبلاغ عن مشكلة
portal-nav-about = من نحن
portal-nav-alerts = الإنذارات
portal-nav-cases = القضايا
portal-nav-zones = النطاقات
portal-nav-passive = DNS السلبي
portal-nav-directory = الدليل
portal-nav-route = من المسؤول
portal-nav-centre = حالة المركز
portal-nav-organisation = مؤسستي
portal-nav-account = الحساب
portal-nav-signin = تسجيل الدخول
portal-nav-signout = تسجيل الخروج
portal-languages = اللغات
portal-reach-us = يمكنكم التواصل معنا في أي وقت:
portal-times-note = جميع الأوقات بالتوقيت العالمي المنسق (UTC). وإذا عرفنا منطقتكم الزمنية، يظهر توقيتكم المحلي بجانبه.
portal-plain-text = هذه الصفحة كنص عادي
portal-save = حفظ
portal-cancel = إلغاء
portal-back = رجوع
portal-yes = نعم
portal-no = لا
portal-none = لا يوجد
portal-never = أبدًا
## Spans of time.
portal-ago-seconds = { $count ->
     [zero] الآن
     [one] قبل ثانية واحدة
     [two] قبل ثانيتين
     [few] قبل { $count } ثوانٍ
     [many] قبل { $count } ثانية
    *[other] قبل { $count } ثانية
    }
portal-ago-minutes = { $count ->
     [zero] قبل أقل من دقيقة
     [one] قبل دقيقة واحدة
     [two] قبل دقيقتين
     [few] قبل { $count } دقائق
     [many] قبل { $count } دقيقة
    *[other] قبل { $count } دقيقة
    }
portal-ago-hours = { $count ->
     [zero] قبل أقل من ساعة
     [one] قبل ساعة واحدة
     [two] قبل ساعتين
     [few] قبل { $count } ساعات
     [many] قبل { $count } ساعة
    *[other] قبل { $count } ساعة
    }
portal-ago-days = { $count ->
     [zero] اليوم
     [one] قبل يوم واحد
     [two] قبل يومين
     [few] قبل { $count } أيام
     [many] قبل { $count } يومًا
    *[other] قبل { $count } يوم
    }
portal-in-seconds = { $count ->
     [zero] الآن
     [one] بعد ثانية واحدة
     [two] بعد ثانيتين
     [few] بعد { $count } ثوانٍ
     [many] بعد { $count } ثانية
    *[other] بعد { $count } ثانية
    }
portal-in-minutes = { $count ->
     [zero] بعد أقل من دقيقة
     [one] بعد دقيقة واحدة
     [two] بعد دقيقتين
     [few] بعد { $count } دقائق
     [many] بعد { $count } دقيقة
    *[other] بعد { $count } دقيقة
    }
portal-in-hours = { $count ->
     [zero] بعد أقل من ساعة
     [one] بعد ساعة واحدة
     [two] بعد ساعتين
     [few] بعد { $count } ساعات
     [many] بعد { $count } ساعة
    *[other] بعد { $count } ساعة
    }
portal-in-days = { $count ->
     [zero] اليوم
     [one] بعد يوم واحد
     [two] بعد يومين
     [few] بعد { $count } أيام
     [many] بعد { $count } يومًا
    *[other] بعد { $count } يوم
    }
## Errors.
portal-errors-title = يرجى مراجعة النقاط التالية
portal-errors-prefix = خطأ:
portal-error-not-found-title = لم نعثر على هذه الصفحة
portal-error-not-found-text = قد يكون العنوان خاطئًا أو ناقصًا، أو قد تكون الصفحة مخصصة لقراء آخرين. إن وصلتم عبر رابط من روابطنا فنرجو إبلاغنا.
portal-error-forbidden-title = لا يُسمح لكم بهذا الإجراء
portal-error-forbidden-text = لا يملك حسابكم الدور اللازم لذلك. لم يتغير شيء. يمكن لضابط المناوبة مساعدتكم.
portal-error-unproven-title = يرجى إرسال النموذج مرة أخرى
portal-error-unproven-text = لم نتمكن من التأكد من أن النموذج جاء من صفحتنا: ربما بقيت مفتوحة أكثر من يوم، أو سجلتم الدخول أو الخروج منذ ذلك الحين. لم يتغير شيء. ارجعوا وأعيدوا تحميل الصفحة ثم أرسلوه مجددًا.
portal-error-conflict-title = تغيّر شيء ما في هذه الأثناء
portal-error-conflict-text = ما طلبتموه لا يتوافق مع الوضع الحالي. لم يتغير شيء. ارجعوا وأعيدوا تحميل الصفحة ثم قرروا من جديد.
portal-error-invalid-title = تعذرت علينا قراءة هذا الطلب
portal-error-invalid-text = ما وصلنا كان ناقصًا أو بصيغة لا نعرفها. لم يتغير شيء.
portal-error-method-title = لا يمكن استخدام هذا العنوان بهذه الطريقة
portal-error-method-text = يرجى البدء من الصفحة الأولى واستخدام النماذج الموجودة فيها.
portal-error-too-large-title = حجم الإرسال كبير جدًا
portal-error-too-large-text = يرجى اختصاره، أو إرسال المواد الطويلة إلينا بالبريد الإلكتروني.
portal-error-too-many-title = محاولات كثيرة جدًا
portal-error-too-many-text = لحماية الجميع، نحدد عدد المحاولات لكل عنوان أو حساب. يرجى الانتظار قليلًا ثم المحاولة مرة أخرى.
portal-error-internal-title = حدث خلل من جانبنا
portal-error-internal-text = لقد سجلنا ما حدث. يرجى المحاولة مجددًا بعد دقيقة. وإذا كان الأمر عاجلًا فاستخدموا البريد أو الهاتف أدناه.
portal-error-unavailable-title = لا يمكننا حفظ أي شيء في الوقت الحالي
portal-error-unavailable-text = لم يتغير شيء. يرجى المحاولة مجددًا بعد بضع دقائق. وإذا كان الأمر عاجلًا فاستخدموا البريد أو الهاتف أدناه.
portal-error-wait = { $minutes ->
     [zero] يرجى الانتظار قليلًا.
     [one] يرجى الانتظار دقيقة واحدة.
     [two] يرجى الانتظار دقيقتين.
     [few] يرجى الانتظار { $minutes } دقائق.
     [many] يرجى الانتظار { $minutes } دقيقة.
    *[other] يرجى الانتظار { $minutes } دقيقة.
    }
portal-error-operation = إذا كتبتم إلينا بهذا الشأن فاذكروا هذا الرقم:
portal-error-home = إلى الصفحة الأولى
portal-error-status = رمز الاستجابة:
portal-span-seconds = { $count ->
     [zero] أقل من ثانية
     [one] ثانية واحدة
     [two] ثانيتان
     [few] { $count } ثوانٍ
     [many] { $count } ثانية
    *[other] { $count } ثانية
    }
portal-span-minutes = { $count ->
     [zero] أقل من دقيقة
     [one] دقيقة واحدة
     [two] دقيقتان
     [few] { $count } دقائق
     [many] { $count } دقيقة
    *[other] { $count } دقيقة
    }
portal-span-hours = { $count ->
     [zero] أقل من ساعة
     [one] ساعة واحدة
     [two] ساعتان
     [few] { $count } ساعات
     [many] { $count } ساعة
    *[other] { $count } ساعة
    }
portal-span-days = { $count ->
     [zero] أقل من يوم
     [one] يوم واحد
     [two] يومان
     [few] { $count } أيام
     [many] { $count } يومًا
    *[other] { $count } يوم
    }
