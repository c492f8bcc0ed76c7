//! What is unusual about questions, how servers stumble over it (RFC 8906), and how hostile ones harm whoever reads them, by
//! name.

use serde::{Deserialize, Serialize};

/// What a server does with EDNS, cookies, unusual flags, types or opcodes. Elsewhere it behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddManner {
    /// Sends options back that it does not know.
    #[default]
    EchoesOptions,
    /// Does not answer a question with an option.
    DropsOptions,
    /// Answers FORMERR, without OPT, to a question with an option.
    RejectsOptions,
    /// Answers EDNS version 1 as if it were version 0.
    IgnoresVersion,
    /// Answers EDNS version 1, and says that it speaks that version.
    EchoesVersion,
    /// Does not answer a question of EDNS version 1.
    DropsVersion,
    /// Sends EDNS flags back that it does not know.
    EchoesFlags,
    /// Does not answer a question with EDNS flags that it does not know.
    DropsFlags,
    /// Leaves DO out of answers with signatures.
    OmitsDo,
    /// Does not answer a question with DO.
    DropsDo,
    /// Answers SERVFAIL to a question with DO.
    FailsOnDo,
    /// Does not answer a question without EDNS.
    DropsWithoutEdns,
    /// Does not answer a question without DO.
    DropsWithoutDo,
    /// Does not answer a question without an option.
    DropsWithoutOption,
    /// Does not answer a question with RD.
    DropsRd,
    /// Answers REFUSED to a question without RD, as a resolver does that lets nobody look into its cache.
    RefusesWithoutRd,
    /// Leaves the OPT record out of its answers, and sends signatures all the same.
    OmitsOpt,
    /// Sends an OPT record to whoever sends none.
    UnaskedOpt,
    /// Answers EDNS version 1 with BADVERS, and says that it speaks that version.
    EchoesBadVersion,
    /// Pads answers with 600 octets (RFC 7830), however little room the question announces.
    TooLarge,
    /// Its answers over UDP beyond 200 octets get lost, unless the question announces 512 octets of room or less: a narrow path,
    /// narrow enough for the small answers of the lab.
    LosesLarge,
    /// Answers over TCP alone.
    DropsUdp,
    /// Announces room for 4,096 octets over UDP, as was usual before DNS flag day 2020.
    LargeBuffer,
    /// Does not answer a question for a type beyond 255.
    DropsTypes,
    /// Does not answer an opcode but QUERY.
    DropsOpcodes,
    /// Does not answer a question with AD, CD or the reserved bit in the header.
    DropsHeaderFlags,
    /// Sends all header flags of the question back.
    EchoesHeaderFlags,
    /// Answers ANY with one made-up HINFO record (RFC 8482 §4.2).
    MinimalAny,
    /// Gives cookies (RFC 7873, RFC 9018), and answers those who have none.
    Cookies,
    /// Gives cookies, and answers BADCOOKIE over UDP to whoever has no valid one.
    RequiresCookies,
    /// Takes no cookie for valid, not even its own, and answers BADCOOKIE.
    ForgetsCookies,
    /// Gives cookies, and none to whoever brings one.
    DropsCookies,
    /// Sends the client's cookie back without one of its own.
    HalfCookies,
    /// Sends another client's cookie back.
    ForeignCookies,
    /// Sends cookies of 44 octets, which are too long.
    LongCookies,
    /// Sends cookies to whoever sends none.
    UnaskedCookies,
    /// Gives cookies, and does not mind malformed ones.
    LaxCookies,
}

impl OddManner {
    /// All manners.
    pub const ALL: [OddManner; 37] = [
        OddManner::EchoesOptions,
        OddManner::DropsOptions,
        OddManner::RejectsOptions,
        OddManner::IgnoresVersion,
        OddManner::EchoesVersion,
        OddManner::DropsVersion,
        OddManner::EchoesFlags,
        OddManner::DropsFlags,
        OddManner::OmitsDo,
        OddManner::DropsDo,
        OddManner::FailsOnDo,
        OddManner::DropsWithoutEdns,
        OddManner::DropsWithoutDo,
        OddManner::DropsWithoutOption,
        OddManner::DropsRd,
        OddManner::RefusesWithoutRd,
        OddManner::OmitsOpt,
        OddManner::UnaskedOpt,
        OddManner::EchoesBadVersion,
        OddManner::TooLarge,
        OddManner::LosesLarge,
        OddManner::DropsUdp,
        OddManner::LargeBuffer,
        OddManner::DropsTypes,
        OddManner::DropsOpcodes,
        OddManner::DropsHeaderFlags,
        OddManner::EchoesHeaderFlags,
        OddManner::MinimalAny,
        OddManner::Cookies,
        OddManner::RequiresCookies,
        OddManner::ForgetsCookies,
        OddManner::DropsCookies,
        OddManner::HalfCookies,
        OddManner::ForeignCookies,
        OddManner::LongCookies,
        OddManner::UnaskedCookies,
        OddManner::LaxCookies,
    ];
}

/// Something that a question may have and most have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// The name begins with a capital letter.
    Capital,
    /// An EDNS version above 0.
    EdnsVersion,
    /// An EDNS option.
    EdnsOption,
    /// An EDNS flag besides DO.
    EdnsFlag,
    /// Class CH.
    Chaos,
}

/// What a hostile server sends. Whoever asks must come to an end, soon and in little memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hostility {
    /// A name that is compressed into itself.
    #[default]
    CompressionLoop,
    /// 65,535 records in each section by the header, one in the message.
    FalseCounts,
    /// Record data that is longer than the message by its own word.
    FalseLengths,
    /// Over UDP always TC, over TCP one octet after the other with a pause.
    Dribbles,
    /// Every name is an alias of a name that has not been asked for yet.
    EndlessAliases,
    /// Every name is a zone of its own, with twenty name servers below it and no address of any.
    EndlessReferrals,
    /// Every name is a zone of its own, whose only name server has this server's address.
    GlueToItself,
    /// The zone has a thousand name servers, all at this server's address.
    ManyServers,
}

impl Hostility {
    /// All of them.
    pub const ALL: [Hostility; 8] = [
        Hostility::CompressionLoop,
        Hostility::FalseCounts,
        Hostility::FalseLengths,
        Hostility::Dribbles,
        Hostility::EndlessAliases,
        Hostility::EndlessReferrals,
        Hostility::GlueToItself,
        Hostility::ManyServers,
    ];
}
