# Sentences of the system itself, beside those of people.

statement-well-again = measured well again
statement-heard-again = heard again
statement-part-of = part of: { $kind } ({ $about })
statement-case-closed = its case was closed
statement-spam = spam
statement-seen = What was seen: { $kind } – { $zone }{ $others ->
    [0] {""}
   *[other] {" "}and { $others } more
}, { $time } ({ $alert })
statement-not-repaired = { $request }: measured again at { $time }, not repaired yet; it goes from “{ $from }” back to “{ $to }”.
statement-link-issued = made for the telephone
statement-links-revoked = { $count ->
    [one] { $count } taken back
   *[other] { $count } taken back
}
