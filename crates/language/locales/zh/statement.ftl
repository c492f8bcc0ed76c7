statement-well-again = 再次测量正常
statement-heard-again = 重新收到数据
statement-part-of = 属于：{ $kind }（{ $about }）
statement-case-closed = 案件已结案
statement-spam = 垃圾信息
statement-seen = 观察到的情况：{ $kind } – { $zone }{ $others ->
    [0] {""}
   *[other] {" "}等 { $others } 个
}，{ $time }（{ $alert }）
statement-not-repaired = { $request }：于 { $time } 再次测量，尚未修复；状态由“{ $from }”退回“{ $to }”。
statement-link-issued = 为电话交接而生成
statement-links-revoked = 收回 { $count } 个
