## Signing in and out.
signin-title = 登录
signin-lead = 供团队成员和我们的服务对象使用。报告问题或答复我们的请求无需账户。
signin-name = 账户名
signin-password = 密码
signin-code = 身份验证器应用中的验证码
signin-code-hint = 仅在您已设置时填写。也可使用恢复码。
signin-send = 登录
signin-help = 遇到问题？值班人员可以帮助您：
signin-said-out = 您已退出。
signin-error-again = 此页面打开时间过长。请重新登录。
signin-error-empty = 请输入账户名和密码
signin-error-refused = 账户名、密码或验证码不正确
signin-error-code-needed = 请输入身份验证器应用当前显示的验证码
signin-error-password-again = 请再次输入密码
