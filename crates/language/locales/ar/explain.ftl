# الكلمات التي تصل أجزاء الشرح.
# تحفظ الخطوط الفراغ ولا تظهر.
explain-comma = |، |
explain-and = { $others } و{ $last }
explain-none = لا شيء
explain-not-known = (غير معروف)
explain-given-data = البيانات المعطاة لهذا الاختبار
explain-timeout = لا إجابة في الوقت المحدد
explain-refused = الاتصال مرفوض
explain-unreachable = تعذّر الوصول
explain-truncated = إجابة مقطوعة
explain-malformed = إجابة غير مقروءة
explain-minus = ناقص { $length }
explain-days = { $count ->
    [one] يوم واحد
    [two] يومان
    [few] { $count } أيام
    [many] { $count } يومًا
   *[other] { $count } يوم
}
explain-hours = { $count ->
    [one] ساعة واحدة
    [two] ساعتان
    [few] { $count } ساعات
    [many] { $count } ساعة
   *[other] { $count } ساعة
}
explain-minutes = { $count ->
    [one] دقيقة واحدة
    [two] دقيقتان
    [few] { $count } دقائق
    [many] { $count } دقيقة
   *[other] { $count } دقيقة
}
explain-seconds = { $count ->
    [one] ثانية واحدة
    [two] ثانيتان
    [few] { $count } ثوانٍ
    [many] { $count } ثانية
   *[other] { $count } ثانية
}
