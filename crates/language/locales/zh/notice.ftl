# 通知：发给请求相关方的纯文本邮件。

notice-subject-restore-service = { $zone }：请恢复域名服务
notice-subject-renew-signatures = { $zone }：请更新 DNSSEC 签名
notice-subject-repair-ds = { $zone }：请使 DS 记录与密钥相符
notice-subject-correct-delegation = { $zone }：请使授权与区域保持一致
notice-subject-correct-zone = { $zone }：请更正区域
notice-subject-confirm-or-restore-delegation = { $zone }：请确认或撤销授权变更
notice-subject-restore-ds = { $zone }：请检查被删除的 DS 记录
notice-subject-explain = { $zone }：请告诉我们发生了什么
notice-subject-reminder = 提醒：{ $subject }
notice-subject-thanks = { $zone }：已修复，谢谢

notice-greeting = { $organisation } 的各位同仁：
notice-reminder-intro = { $answered ->
    [yes] 我们此前曾致信贵方，感谢贵方的答复。该请求仍未完成。
   *[no] 我们此前曾致信贵方，尚未收到回复。
}{ $late ->
    [yes] 我们请求的期限已过，因此再次来信。
   *[no] 距下文所示的期限尚有时间，本邮件仅为提醒。
}如果您已经答复，请忽略本邮件。

notice-heading-seen = 我们看到了什么
notice-heading-why = 为何重要
notice-heading-ask = 我们的请求
notice-heading-deadline = 期限
notice-heading-answer = 如何答复
notice-heading-who = 我们是谁

notice-fact-zone-unreachable = 该区域的域名服务器没有应答：
notice-fact-mass-unreachable = 该区域以及这些服务器所服务的其他区域的域名服务器均没有应答：
notice-fact-signatures-invalid = 该区域的 DNSSEC 签名已失效：
notice-fact-ds-mismatch = 上级区域的 DS 记录与该区域的密钥不符：
notice-fact-redelegated = 该区域的授权发生了变更，事先无人通告：
notice-fact-mass-redelegated = 该区域的授权未经通告转到了新的服务器，其他区域也在同一时间转到了这些服务器：
notice-fact-ds-removed = 该区域的全部 DS 记录已从上级区域删除，事先无人通告：
notice-fact-health-worse = 我们对该区域的测量结果变差，并且持续如此：
notice-fact-report = 有人向我们报告该区域存在问题：
notice-fact-other = 该区域存在问题：
notice-others = { $count ->
   *[other] 另有 { $count } 个区域存在同样的情况。
}
notice-first-seen = 首次发现：{ $time }
notice-last-seen = 最近一次发现：{ $time }
notice-servers = 涉及的服务器：
notice-change-ns = 域名服务器变更，发现于 { $time }
notice-change-ds = DS 记录变更，发现于 { $time }
notice-change-glue = 域名服务器地址变更，发现于 { $time }
notice-before = 此前：
notice-after = 现在：
notice-nothing = （无）
notice-findings = 测试结果（详情见附件）：
notice-mend = 修复方法：{ $how }

notice-why-zone-unreachable = 该域名下的网站、邮件及其他一切服务已无法访问，或在缓存过期后很快将无法访问。
notice-why-mass-unreachable = 这些域名服务器上的所有区域同时失去服务。其域名下的一切服务已无法访问，或在缓存过期后很快将无法访问。
notice-why-signatures-invalid = 进行 DNSSEC 验证的解析器会拒绝该区域的所有应答。对其用户而言，该域名下的一切都已消失。
notice-why-ds-mismatch = 验证 DNSSEC 的解析器找不到可信的密钥，会拒绝该区域的一切应答。对其用户而言，此名称下的一切都消失了。
notice-why-redelegated = 谁运行域名服务器，谁就决定该域名的网站、邮件和密码去向何处。不是贵方所做的变更可能意味着域名被劫持。
notice-why-mass-redelegated = 不同所有者的域名在同一时间转到同一批新服务器，往往意味着注册局或注册商遭到攻击。运行这些服务器的人可以读取邮件并收集密码。
notice-why-ds-removed = 没有 DS 记录，该区域就不再受 DNSSEC 保护：应答可能被伪造而无人察觉。攻击者在转移区域之前常先删除这些记录。
notice-why-health-worse = 用户可能已经受到影响，或者在再有一台服务器出现故障时将受到影响。
notice-why-report = 人们的报告往往是测量所看不到的问题的最初迹象。
notice-why-other = 该区域内域名的用户可能受到影响。

notice-ask-restore-service = 请恢复该区域域名服务器的运行；如果现已改由其他服务器负责，请更正授权。
notice-ask-renew-signatures = 请重新签署该区域，并发布到所有域名服务器；随后请查明签名更新为何中断。
notice-ask-repair-ds = 请使该区域的 DS 记录与密钥相符：恢复 DS 记录所指的密钥，或请上级区域将 DS 记录更换为当前密钥的记录。
notice-ask-correct-delegation = 请使上级区域的授权与该区域自身的域名服务器记录及地址保持一致，并确保这些服务器能为该区域应答。
notice-ask-correct-zone = 请在该区域或其服务器的配置中更正测试所指出的问题。
notice-ask-confirm-or-restore-delegation = 请告诉我们这一变更是否为贵方本意。如果不是，请恢复原有授权，并保护好被用来进行变更的访问途径。
notice-ask-restore-ds = 请告诉我们删除 DS 记录是否为贵方本意。如果不是，请恢复这些记录，并保护好被用来删除它们的访问途径。
notice-ask-explain = 请告诉我们发生了什么，以及是否需要帮助。
notice-expected = 我们此前所知的授权：
notice-measured = 贵方无须证明任何事情：我们会自行测量，一旦 DNS 恢复正常，请求即告完成。我们只是请求，并非命令；如何行动由贵方决定。

notice-answer-link = 请打开以下页面，无需账号：
notice-answer-choices = 在那里只需点击一下即可答复：我们已知悉、正在处理、已完成、无法做到、非我方负责，或请致电我们。
notice-answer-mail = 也可以直接用您的语言回复本邮件，请勿更改主题。

notice-thanks = 我们的测量显示该请求已经完成：
notice-thanks-measured = 测量时间：{ $time }
notice-thanks-nothing-more = 感谢您的工作。您无须再做任何事情。

notice-who = { $name } 在 DNS 出现问题时协调应对工作。我们为所有运行 DNS 的人免费服务。
notice-verify = 如需确认本邮件确实来自我们，请自行输入我们网站的地址，或与我们联系：
notice-attached = 附件：evidence.txt 和 evidence.json，包含我们看到的全部内容。
notice-tlp-clear = { $label }：本邮件可不受限制地转发。
notice-tlp-green = { $label }：本邮件可在贵方所在的社群内转发，但请勿公开发布。
notice-tlp-amber = { $label }：请仅在贵组织内部以及需要据此采取行动的客户之间分享本邮件。
notice-tlp-amber-strict = { $label }：请仅在贵组织内部分享本邮件。
notice-tlp-red = { $label }：本邮件仅供您本人阅读，请勿转发。
