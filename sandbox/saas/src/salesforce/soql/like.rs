//! `LIKE`.

use super::Text;

/// `%` stands for any characters, `_` for one. Linear in the text for each `%`, never exponential.
pub(super) fn like(text: &str, pattern: &Text) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<(char, bool)> = pattern
        .0
        .iter()
        .flat_map(|(c, escaped)| c.to_lowercase().map(|lower| (lower, *escaped)))
        .collect();
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(('%', false)) => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some((c, escaped)) if (*c == '_' && !escaped) || *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    (t, p) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|part| *part == ('%', false))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::salesforce::soql::{Condition, Literal, parse};

    #[test]
    fn escaped_wildcards_are_literal() {
        let pattern = |statement: &str| {
            let Some(Condition::Compare {
                value: Literal::Text(text),
                ..
            }) = parse(statement).unwrap().condition
            else {
                panic!("no pattern in {statement}")
            };
            text
        };
        let literal = pattern(r"SELECT Id FROM Account WHERE Name LIKE '50\%\_%'");
        assert!(like("50%_off", &literal));
        assert!(!like("500_off", &literal));
        let quote = pattern(r"SELECT Id FROM Account WHERE Name LIKE 'L\'_quila'");
        assert!(like("l'Aquila", &quote));
    }

    proptest! {
        /// The pattern of a text with everything escaped matches that text.
        #[test]
        fn a_text_is_like_itself(text in "[a-z%_]{0,20}") {
            let pattern = Text(text.chars().map(|c| (c, true)).collect());
            prop_assert!(like(&text, &pattern));
            prop_assert!(like(&text, &Text(vec![('%', false)])));
        }
    }
}
