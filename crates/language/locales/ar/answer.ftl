# ما ينقص في إجابة أُرسلت عبر الرابط.

answer-error-reason-missing = يُرجى إخبارنا بسبب تعذّر ذلك.
answer-error-suggested-missing = يُرجى إخبارنا بمن قد يكون المسؤول، أو ترك ملاحظة.
answer-error-phone-missing = يُرجى كتابة رقم هاتف.
answer-error-too-long = هذا النص طويل جدًا؛ الحد الأقصى 4000 حرف.
