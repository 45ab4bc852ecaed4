//! Fuzzes ranges, dates, entity tags, percent-encoding, scopes and names: each reading is held against a second one,
//! and what is written reads back.

use countersign_protocol::byte_range::{RangeOutcome, resolve, resolve_exact};
use countersign_protocol::credential_scope::{CredentialScope, format_v4_date, parse_v4_date};
use countersign_protocol::{Acl, BucketName, ObjectAcl, ObjectKey, etag, http_date, iso_time, url_encoding};
use jiff::Timestamp;

use crate::input::Input;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() {
        b'R' => ranges(&mut input),
        b'D' => dates(input.text().unwrap_or_default()),
        b'E' => entity_tags(&mut input),
        b'U' => encodings(input.rest()),
        b'S' => scopes(input.text().unwrap_or_default()),
        b'T' => moments(&mut input),
        _ => names(input.rest()),
    }
}

/// A line with the object's size, then the header.
fn ranges(input: &mut Input<'_>) {
    let Some(size) = input.line().and_then(|line| line.parse::<u64>().ok()) else { return };
    let Some(header) = input.line() else { return };
    for standard in [false, true] {
        assert_eq!(
            resolve(header, size, standard),
            second_range(header, size, standard),
            "{header:?} of {size}"
        );
    }
    if let Some((first, last)) = resolve_exact(header, size) {
        assert_eq!(resolve(header, size, false), RangeOutcome::Part { first, last });
    }
}

/// The same in wide numbers, so that nothing can overflow.
fn second_range(header: &str, size: u64, standard: bool) -> RangeOutcome {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return RangeOutcome::Whole;
    };
    let number = |text: &str| -> Option<Option<i128>> {
        let text = text.trim();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "" => Some(None),
            _ if digits => text.parse::<i128>().ok().filter(|n| *n <= i128::from(u64::MAX)).map(Some),
            _ => None,
        }
    };
    let size = i128::from(size);
    let (begin, end, outside) = match (number(first), number(last)) {
        (Some(Some(first)), Some(Some(last))) if first <= last => {
            (first, last.min(size - 1), first >= size || (last >= size && !standard))
        }
        (Some(Some(first)), Some(None)) => (first, size - 1, first >= size),
        (Some(None), Some(Some(count))) => {
            ((size - count).max(0), size - 1, count == 0 || size == 0 || (count > size && !standard))
        }
        _ => return RangeOutcome::Whole,
    };
    match (outside, standard) {
        (true, true) => RangeOutcome::Unsatisfiable,
        (true, false) => RangeOutcome::Whole,
        _ => RangeOutcome::Part { first: u64::try_from(begin).unwrap(), last: u64::try_from(end).unwrap() },
    }
}

fn dates(text: &str) {
    if let Some(instant) = http_date::parse(text) {
        let second = second_date(text).unwrap_or_else(|| panic!("{text:?} was read as {instant}"));
        assert_eq!(instant.as_second(), second, "{text:?}");
        assert_eq!(http_date::parse(&http_date::format(instant)), Some(instant), "{text:?}");
    }
    if let Some(instant) = parse_v4_date(text) {
        assert_eq!(format_v4_date(instant), text);
    }
    if let Some(instant) = iso_time::parse(text) {
        let whole = Timestamp::from_second(instant.as_second()).unwrap();
        assert_eq!(iso_time::parse(&iso_time::format(instant)), Some(whole));
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

/// Seconds since 1970 of any of HTTP's three forms, by counting days.
fn second_date(text: &str) -> Option<i64> {
    let lower = text.trim().to_lowercase();
    let words: Vec<&str> = lower.split([' ', '\t', '-', ',']).filter(|word| !word.is_empty()).collect();
    let (weekday, day, month, year, time) = match words[..] {
        [weekday, month, day, time, year] if time.contains(':') => (weekday, day, month, year, time),
        [weekday, day, month, year, time, "gmt"] => (weekday, day, month, year, time),
        _ => return None,
    };
    let written: i64 = year.parse().ok()?;
    let year = match year.len() {
        2 => written + if written < 69 { 2_000 } else { 1_900 },
        4 => written,
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| month == *name)?;
    let day: i64 = day.parse().ok()?;
    let clock: Vec<i64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = clock[..] else { return None };
    let days = days_before_year(year) + days_before_month(year, month) + day - 1;
    let name = DAYS[usize::try_from(days.rem_euclid(7)).ok()?];
    let spelt = weekday.starts_with(name) && (1..=31).contains(&day);
    let clock = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    // A leap second counts as the one before it.
    (spelt && clock).then_some(days * 86_400 + hour * 3_600 + minute * 60 + second.min(59))
}

fn days_before_year(year: i64) -> i64 {
    let leap_days = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    (year - 1_970) * 365 + leap_days(year - 1) - leap_days(1_969)
}

fn days_before_month(year: i64, month: usize) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    lengths[..month].iter().sum()
}

/// Eight bytes of seconds: every moment is written and read back by every form that has room for it.
fn moments(input: &mut Input<'_>) {
    let seconds = (0..8).fold(0_i64, |sum, _| sum << 8 | i64::from(input.byte()));
    // The years from 0 to 9999, which is what a form of four digits can say.
    let Ok(instant) =
        Timestamp::from_second(seconds.rem_euclid(253_402_300_800 + 62_167_219_200) - 62_167_219_200)
    else {
        return;
    };
    assert_eq!(http_date::parse(&http_date::format(instant)), Some(instant), "{instant}");
    assert_eq!(parse_v4_date(&format_v4_date(instant)), Some(instant), "{instant}");
    assert_eq!(iso_time::parse(&iso_time::format(instant)), Some(instant), "{instant}");
    assert_eq!(second_date(&http_date::format(instant)), Some(instant.as_second()), "{instant}");
}

/// A line with a tag, then a list.
fn entity_tags(input: &mut Input<'_>) {
    let (Some(tag), Some(list)) = (input.line(), input.line()) else { return };
    let named = etag::matches(list, tag);
    let found = list.split(',').any(|item| {
        let item = item.trim();
        let bare: String = item.trim_start_matches("W/").chars().filter(|letter| *letter != '"').collect();
        item.trim_start_matches("W/") == "*" || bare.eq_ignore_ascii_case(tag)
    });
    assert!(!named || found || tag.contains('"'), "{tag:?} in {list:?}");
    if !tag.contains([',', '"', ' ']) && tag.trim() == tag && !tag.starts_with("W/") {
        assert!(
            etag::matches(&etag::quoted(tag), tag)
                && etag::matches(&format!("x, W/{}", etag::quoted(tag)), tag)
        );
    }
}

fn encodings(bytes: &[u8]) {
    let encoded = url_encoding::encode(bytes);
    assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte)));
    assert_eq!(url_encoding::decode(&encoded), bytes);
    assert_eq!(url_encoding::decode_query(&encoded), bytes);
    let path = url_encoding::encode_path(bytes);
    assert_eq!(path, encoded.replace("%2F", "/"));
    assert_eq!(url_encoding::decode(&path), bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let pairs = url_encoding::query_pairs(text);
    let written: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", url_encoding::encode(name), url_encoding::encode(value)))
        .collect();
    assert_eq!(url_encoding::query_pairs(&written.join("&")), pairs, "{text:?}");
    for (name, value) in &pairs {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let first =
            pairs.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value).unwrap_or(value);
        assert_eq!(url_encoding::query_value(text, name), Some(String::from_utf8_lossy(first).into_owned()));
    }
}

fn scopes(text: &str) {
    if let Ok((id, scope)) = CredentialScope::parse_credential(text) {
        assert_eq!(scope.credential(id), text);
        assert!(!id.is_empty() && !scope.region().is_empty());
    }
}

fn names(bytes: &[u8]) {
    let key = ObjectKey::parse_bytes(bytes);
    let legal = (1..=1_023).contains(&bytes.len())
        && std::str::from_utf8(bytes).is_ok()
        && bytes[0] != b'\\'
        && !bytes.contains(&0);
    assert_eq!(key.is_ok(), legal);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(name) = BucketName::parse(text) {
        assert!((3..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-'));
        assert!(text.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '-')));
        assert_eq!(name.as_str(), text);
    }
    assert_eq!(Acl::parse(text).ok().map(Acl::as_str), Acl::parse(text).is_ok().then_some(text));
    assert_eq!(
        ObjectAcl::parse(text).ok().map(ObjectAcl::as_str),
        ObjectAcl::parse(text).is_ok().then_some(text)
    );
}
