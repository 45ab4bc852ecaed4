//! Reads and writes HTTP dates: writes `Wed, 28 Dec 2022 10:27:41 GMT` and reads the three forms that RFC 9110 §5.6.7
//! asks of a recipient.
//!
//! Clauses GEN-6, GEN-7.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;

/// The form that is written, and the two old ones that are only read.
const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The months as a date spells them, the first at 1.
const MONTHS: [&str; 13] = [
    "", " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ",
    " Dec ",
];

/// Writes an instant as an HTTP date, in GMT and to the second.
pub fn format(instant: Timestamp) -> String {
    // By hand, since every answer has one or two and a format string is read anew for each.
    let civil = TimeZone::UTC.to_datetime(instant);
    let mut date = String::with_capacity(29);
    let two = |date: &mut String, number: i8| {
        let number = number.unsigned_abs();
        date.extend([b'0' + number / 10 % 10, b'0' + number % 10].map(char::from));
    };
    date.push_str(weekday(civil.weekday()));
    date.push_str(", ");
    two(&mut date, civil.day());
    date.push_str(MONTHS.get(civil.month().unsigned_abs() as usize).copied().unwrap_or_default());
    two(&mut date, (civil.year() / 100) as i8);
    two(&mut date, (civil.year() % 100) as i8);
    for (mark, number) in [(' ', civil.hour()), (':', civil.minute()), (':', civil.second())] {
        date.push(mark);
        two(&mut date, number);
    }
    date.push_str(" GMT");
    date
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

/// Reads an HTTP date; `None` for anything else, a wrong weekday included. A leap second counts as the second
/// before it.
///
/// ```
/// use countersign_protocol::http_date;
///
/// let moment = http_date::parse("Wed, 28 Dec 2022 10:27:41 GMT").expect("a date");
/// assert_eq!(http_date::format(moment), "Wed, 28 Dec 2022 10:27:41 GMT");
/// assert_eq!(http_date::parse("Wed Dec 28 10:27:41 2022"), Some(moment), "an old form that is still read");
/// assert_eq!(http_date::parse("Thu, 28 Dec 2022 10:27:41 GMT"), None, "it was a Wednesday");
/// ```
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    FORMS.iter().find_map(|form| {
        let civil = DateTime::strptime(form, text).ok()?;
        // The parser would also take signs, years of two digits for the first century, and no blanks at all.
        let written = civil.strftime(form).to_string();
        if written != text && written != text.replace(":60 ", ":59 ") {
            return None;
        }
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_the_preferred_form() {
        let instant: Timestamp = "2022-12-28T10:27:41Z".parse().unwrap();
        assert_eq!(format(instant), "Wed, 28 Dec 2022 10:27:41 GMT");
        assert_eq!(parse("Wed, 28 Dec 2022 10:27:41 GMT"), Some(instant));
        assert_eq!(format("2009-01-02T03:04:05.9Z".parse().unwrap()), "Fri, 02 Jan 2009 03:04:05 GMT");
    }

    #[test]
    fn writes_every_day_of_years_as_the_format_string_would() {
        let mut instant: Timestamp = "1969-12-27T23:59:58.5Z".parse().unwrap();
        for _ in 0..2000 {
            let expected = instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            assert_eq!(format(instant), expected);
            instant += jiff::SignedDuration::from_secs(13 * 86400 + 3661);
        }
    }

    #[test]
    fn reads_the_two_old_forms() {
        let instant: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(parse("Sunday, 06-Nov-94 08:49:37 GMT"), Some(instant));
        assert_eq!(parse("Sun Nov  6 08:49:37 1994"), Some(instant));
    }

    #[test]
    fn refuses_what_is_not_a_date() {
        for text in ["", "yesterday", "Wed, 32 Dec 2022 10:27:41 GMT", "Wed, 28 Dec 2022 10:27:41 +0800"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    /// Found by fuzzing: these were taken for moments of the years 0 and 22, and for the right one.
    #[test]
    fn refuses_signs_short_years_and_missing_blanks() {
        for text in
            ["Tue, 29 Feb + 00 03:59:59 GMT", "Wed, 28 Dec 22 10:27:41 GMT", "Wed, 28 Dec2022 10:27:41 GMT"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn takes_a_leap_second_for_the_second_before() {
        let instant = "2016-12-31T23:59:59Z".parse().ok();
        assert_eq!(parse("Sat, 31 Dec 2016 23:59:60 GMT"), instant);
        assert_eq!(parse("Sat Dec 31 23:59:60 2016"), instant);
    }
}
