# 通过链接提交的答复有何问题。

answer-error-reason-missing = 请告诉我们为什么无法做到。
answer-error-suggested-missing = 请告诉我们可能由谁负责，或留下说明。
answer-error-phone-missing = 请填写电话号码。
answer-error-too-long = 文字过长；最多 4000 个字符。
