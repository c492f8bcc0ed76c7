# 作为运营者的机构：其区域及服务器。

operator-title = 区域和服务器
operator-lead = 该机构负责的区域，以及这些区域所在的服务器。
operator-entry = 名录中的条目
operator-of = 运营者：
operator-zones = 区域
operator-zones-none = 没有被监测的区域属于该机构。
operator-worst = 最严重的结果
operator-servers = 这些区域的服务器
operator-servers-none = 这些区域都尚未测量。
operator-serving = 服务
operator-asked-for = 查询的区域
operator-servers-hint = 应答率、中位数和 95 % 均为最近 24 小时的数据，每台服务器按旁边所列区域的查询计算。
operator-unread = 未在此查看其服务器的区域数：{ $count }
