## Signing in and out.
signin-title = تسجيل الدخول
signin-lead = لأعضاء الفريق والجهات التي نخدمها. لا تحتاجون إلى حساب للإبلاغ عن مشكلة أو للرد على أحد طلباتنا.
signin-name = اسم الحساب
signin-password = كلمة المرور
signin-code = الرمز من تطبيق المصادقة
signin-code-hint = فقط إن كنتم قد أعددتموه. ويصلح رمز الاسترداد أيضًا.
signin-send = دخول
signin-help = هل هناك ما لا يعمل؟ يساعدكم ضابط المناوبة:
signin-said-out = تم تسجيل خروجكم.
signin-error-again = بقيت هذه الصفحة مفتوحة وقتًا طويلًا. يرجى تسجيل الدخول مرة أخرى.
signin-error-empty = أدخلوا اسم الحساب وكلمة المرور
signin-error-refused = الاسم أو كلمة المرور أو الرمز غير صحيح
signin-error-code-needed = أدخلوا الرمز الذي يظهر الآن في تطبيق المصادقة
signin-error-password-again = أدخلوا كلمة المرور مرة أخرى
