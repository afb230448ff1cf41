//! AppFlow's words of operators and writes, read back as ours.

use tributary::connector::{Comparison, WriteOperation};

use crate::compile::{operators::Operator, words};

const COMPARISONS: [Comparison; 8] = [
    Comparison::Contains,
    Comparison::Equals,
    Comparison::NotEquals,
    Comparison::LessThan,
    Comparison::LessThanOrEquals,
    Comparison::GreaterThan,
    Comparison::GreaterThanOrEquals,
    Comparison::Between,
];

/// The comparisons among AppFlow's operators, in the catalogue's order; those that a connector's row
/// does not have are left out.
pub fn comparisons<'a>(
    words: &(impl Iterator<Item = &'a str> + Clone),
    upper_bound: &[Comparison],
) -> Vec<Comparison> {
    COMPARISONS
        .into_iter()
        .filter(|ours| upper_bound.contains(ours))
        .filter(|ours| {
            words
                .clone()
                .any(|word| word == Operator::of(*ours).as_str())
        })
        .collect()
}

/// What AppFlow's write operations are called here; unknown ones are left out.
pub fn writes<'a>(words: impl Iterator<Item = &'a str>) -> Vec<WriteOperation> {
    words.filter_map(words::write_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_the_upper_bound_and_unknown_words_are_left_out() {
        let words = ["BETWEEN", "EQUAL_TO", "PROJECTION", "NEW_ONE"];
        let found = comparisons(&words.into_iter(), &COMPARISONS);
        assert_eq!(found, [Comparison::Equals, Comparison::Between]);
        let found = comparisons(&words.into_iter(), &[Comparison::Between]);
        assert_eq!(found, [Comparison::Between]);
        let found = writes(["UPSERT", "MERGE", "INSERT"].into_iter());
        assert_eq!(found, [WriteOperation::Upsert, WriteOperation::Insert]);
    }
}
