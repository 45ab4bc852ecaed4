//! Finds the known name that is most like a misspelt one.

/// The candidate with the fewest changes of a sign, if more than half of the name stays.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let ranked = candidates.into_iter().map(|candidate| (distance(name, candidate), candidate));
    let (changes, found) = ranked.min()?;
    (changes * 2 < name.chars().count().max(found.chars().count())).then_some(found)
}

/// How many signs are put in, left out, changed, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous = None;
    for (row, sign) in one.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, (wanted, kept)) in other.iter().zip(&last).enumerate() {
            let left = current.last().copied().unwrap_or_default();
            let above = last.get(column + 1).copied().unwrap_or_default();
            let mut fewest = (left + 1).min(above + 1).min(kept + usize::from(sign != *wanted));
            let swapped = column > 0 && previous == Some(*wanted) && other.get(column - 1) == Some(&sign);
            if let Some(cost) = before_last.get(column.wrapping_sub(1)).filter(|_| swapped) {
                fewest = fewest.min(cost + 1);
            }
            current.push(fewest);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(sign);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_with_the_fewest_changes() {
        let names = ["max-size", "data", "callback-allow", "callback-ca"];
        for (typed, meant) in [
            ("max-sise", Some("max-size")),
            ("maxsize", Some("max-size")),
            ("dtaa", Some("data")),
            ("callback-alow", Some("callback-allow")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
        assert_eq!((distance("ab", "ba"), distance("abc", "abc"), distance("", "ab")), (1, 0, 2));
    }
}
