statement-well-again = de nouveau mesurée en ordre
statement-heard-again = de nouveau entendu
statement-part-of = fait partie de : { $kind } ({ $about })
statement-case-closed = son dossier a été clos
statement-spam = indésirable
statement-seen = Ce qui a été vu : { $kind } – { $zone }{ $others ->
    [0] {""}
   *[other] {" "}et { $others } de plus
}, { $time } ({ $alert })
statement-not-repaired = { $request } : mesuré de nouveau à { $time }, pas encore réparé ; l’état passe de « { $from } » à « { $to } ».
statement-link-issued = créé pour le téléphone
statement-links-revoked = { $count ->
    [one] { $count } retiré
   *[other] { $count } retirés
}
