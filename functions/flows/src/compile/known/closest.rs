//! The name that was probably meant.

/// The known name that is closest to a given one, if any is close.
pub(super) fn closest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(given);
    let allowed = (plain.len() / 3).clamp(1, 4);
    known
        .map(|name| (distance(&plain, &self::plain(name)), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, name)| (*distance, name.len()))
        .map(|(_, name)| name)
}

/// Case and separators are what people get wrong first; they do not count.
fn plain(name: &str) -> Vec<char> {
    let mark = |c: &char| !matches!(c, '_' | '-' | ' ' | '.');
    // Names have 256 characters at most; longer ones are nobody's slip of the pen.
    let lower = name.chars().flat_map(char::to_lowercase).filter(mark);
    lower.take(256).collect()
}

/// How many characters must be added, removed, changed or swapped with their neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (line, left) in one.iter().enumerate() {
        let mut row = vec![line + 1];
        for (column, right) in other.iter().enumerate() {
            let changed = above[column] + usize::from(left != right);
            let mut least = changed.min(above[column + 1] + 1).min(row[column] + 1);
            let are_swapped =
                line > 0 && column > 0 && one[line - 1] == *right && *left == other[column - 1];
            if are_swapped {
                least = least.min(before[column - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let known = ["Amount__c", "City__c", "CreatedDate", "Id"];
        for (given, expected) in [
            ("amount__c", Some("Amount__c")),
            ("Amuont__c", Some("Amount__c")),
            ("City", Some("City__c")),
            ("created_date", Some("CreatedDate")),
            ("Population", None),
            ("", None),
        ] {
            assert_eq!(closest(given, known.into_iter()), expected, "{given}");
        }
    }

    #[test]
    fn distances_count_slips() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (one, other, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("name", "nmae", 1),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(&chars(one), &chars(other)), expected);
        }
    }
}
