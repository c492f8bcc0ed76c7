statement-well-again = أظهر القياس أنه سليم من جديد
statement-heard-again = عاد الاتصال به
statement-part-of = جزء من: { $kind } ({ $about })
statement-case-closed = أُغلقت قضيته
statement-spam = رسالة مزعجة
statement-seen = ما رُصد: { $kind } – { $zone }{ $others ->
    [0] {""}
   *[other] {" "}و{ $others } أخرى
}، { $time } ({ $alert })
statement-not-repaired = { $request }: أُعيد القياس في { $time } ولم يتم الإصلاح بعد؛ تعود الحالة من «{ $from }» إلى «{ $to }».
statement-link-issued = أُنشئ للتسليم هاتفيًا
statement-links-revoked = { $count ->
    [zero] لم يُسحب شيء
    [one] سُحب رابط واحد
    [two] سُحب رابطان
    [few] سُحبت { $count } روابط
    [many] سُحب { $count } رابطًا
   *[other] سُحب { $count } رابط
}
