# 连接说明各部分的词语。
# 竖线用来保留空格，不会显示。
explain-comma = |、|
explain-and = { $others }和{ $last }
explain-none = 无
explain-not-known = （未知）
explain-given-data = 本次测试所给的数据
explain-timeout = 未按时应答
explain-refused = 连接被拒绝
explain-unreachable = 无法到达
explain-truncated = 应答被截断
explain-malformed = 应答无法解读
explain-minus = 负{ $length }
explain-days = { $count ->
   *[other] { $count } 天
}
explain-hours = { $count ->
   *[other] { $count } 小时
}
explain-minutes = { $count ->
   *[other] { $count } 分钟
}
explain-seconds = { $count ->
   *[other] { $count } 秒
}
