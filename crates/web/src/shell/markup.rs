//! Small pieces of HTML that must be the same everywhere: times, names, addresses, labels.

use askama::filters::Safe;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use language::Arg;
use model::Name;

/// What can be put into a text as an argument.
pub trait Put {
    /// The argument.
    fn put(&self) -> Arg;
}

macro_rules! put_numbers {
    ($($number:ty),*) => {$(
        impl Put for $number {
            fn put(&self) -> Arg {
                Arg::Number(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )*};
}
put_numbers!(i64, u64, i32, u32, u16, usize);

impl Put for str {
    fn put(&self) -> Arg {
        Arg::Text(self.to_owned())
    }
}

impl Put for String {
    fn put(&self) -> Arg {
        Arg::Text(self.clone())
    }
}

impl Put for Name {
    fn put(&self) -> Arg {
        Arg::Text(self.to_string())
    }
}

impl<T: Put + ?Sized> Put for &T {
    fn put(&self) -> Arg {
        (**self).put()
    }
}

/// `text` with HTML's special characters written as references.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&#34;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A domain name, isolated from the direction of the text around it: the U-label form with the A-label form behind it.
pub fn name(name: &Name) -> Safe<String> {
    let ascii = escape(&name.to_string());
    Safe(match name.unicode() {
        Some(unicode) => {
            format!(
                "<bdi class=\"name\">{}</bdi> <bdi dir=\"ltr\" class=\"a-label\">({ascii})</bdi>",
                escape(&unicode)
            )
        }
        None => format!("<bdi dir=\"ltr\" class=\"name\">{ascii}</bdi>"),
    })
}

/// An address, hash, number or mail address: always left to right, isolated.
pub fn ltr(text: &str) -> Safe<String> {
    Safe(format!("<bdi dir=\"ltr\" class=\"code\">{}</bdi>", escape(text)))
}

/// A state as a label. The text says it; `class` only colours it.
pub fn tag(class: &str, text: &str) -> Safe<String> {
    Safe(format!(
        "<strong class=\"tag {}\">{}</strong>",
        escape(class),
        escape(text)
    ))
}

/// A moment as text: UTC, and the reader's own time beside it where that differs.
pub fn time_text(time: Timestamp, zone: &TimeZone) -> String {
    let utc = time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    if zone.to_offset(time) == jiff::tz::Offset::UTC {
        return utc;
    }
    let here = time.to_zoned(zone.clone());
    let format = if here.date() == time.to_zoned(TimeZone::UTC).date() {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    let place = zone.iana_name().unwrap_or("local");
    format!("{utc} ({} {place})", here.strftime(format))
}

/// The same in HTML, for machines too.
pub fn time(time: Timestamp, zone: &TimeZone) -> Safe<String> {
    Safe(format!(
        "<time datetime=\"{}\"><bdi dir=\"ltr\">{}</bdi></time>",
        time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        escape(&time_text(time, zone))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_shows_in_utc_and_in_the_reader_s_zone() {
        let moment: Timestamp = "2026-03-01T22:30:00Z".parse().unwrap();
        assert_eq!(time_text(moment, &TimeZone::UTC), "2026-03-01 22:30 UTC");
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        assert_eq!(
            time_text(moment, &tokyo),
            "2026-03-01 22:30 UTC (2026-03-02 07:30 Asia/Tokyo)"
        );
        let lagos = TimeZone::get("Africa/Lagos").unwrap();
        assert_eq!(time_text(moment, &lagos), "2026-03-01 22:30 UTC (23:30 Africa/Lagos)");
    }

    #[test]
    fn a_name_shows_both_its_forms_and_cannot_turn_the_text_around_it() {
        let athens: Name = "παράδειγμα.δοκιμή".parse().unwrap();
        let html = name(&athens).0;
        assert!(
            html.contains(">παράδειγμα.δοκιμή</bdi>") && html.contains("(xn--hxajbheg2az3al.xn--jxalpdlp)"),
            "{html}"
        );
        assert_eq!(ltr("<a>").0, "<bdi dir=\"ltr\" class=\"code\">&lt;a&gt;</bdi>");
    }
}
