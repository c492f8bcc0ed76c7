# 公开表单中的报告有何问题。

intake-error-what-short = 请用至少十个字符描述发生的情况。
intake-error-what-long = 描述过长；最多 10000 个字符。其余内容请通过邮件发送。
intake-error-names-long = 名称列表过长；最多 4000 个字符。其余内容请通过邮件发送。
intake-error-email = 这不是有效的电子邮件地址。请更正，或将此栏留空。
intake-error-tlp = 请选择其中一个选项。
