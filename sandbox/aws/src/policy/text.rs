//! Texts of a policy: wildcards (`*` for any run of characters, `?` for exactly one) and policy
//! variables (`${aws:PrincipalTag/team}`, `${aws:PrincipalTag/team, 'none'}`, `${*}`).

use super::Context;

/// One character of a text; a wildcard only if the policy itself wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Letter {
    character: char,
    wild: bool,
}

/// A text of a policy with its variables filled in. What a variable brings is never a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(Vec<Letter>);

/// What became of a text's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filled {
    /// All are filled in.
    Text(Text),
    /// The request lacks the key of one of them: the text fits nothing.
    Absent,
    /// One is not known, or not well formed.
    Unknown,
}

impl Text {
    /// A text without variables.
    pub(super) fn plain(text: &str) -> Self {
        let letter = |character| Letter {
            character,
            wild: matches!(character, '*' | '?'),
        };
        Self(text.chars().map(letter).collect())
    }

    /// Fills in the variables of a text from the keys of the request.
    pub(super) fn fill(text: &str, context: &Context) -> Filled {
        let mut letters = Vec::new();
        let mut rest = text;
        while let Some((before, variable)) = rest.split_once("${") {
            letters.extend(Self::plain(before).0);
            let Some((variable, after)) = variable.split_once('}') else {
                return Filled::Unknown;
            };
            let (key, default) = match variable.split_once(',') {
                Some((key, default)) => (key.trim(), quoted(default.trim())),
                None => (variable, None),
            };
            let value = match key {
                "*" | "?" | "$" => Some(key.to_owned()),
                _ if !context.knows(key) || variable.contains(',') && default.is_none() => {
                    return Filled::Unknown;
                }
                _ => match context.get(key) {
                    Some([value]) => Some(value.clone()),
                    // Which of several would be meant is nowhere said.
                    Some(_) => return Filled::Unknown,
                    None => default.map(str::to_owned),
                },
            };
            let Some(value) = value else {
                return Filled::Absent;
            };
            letters.extend(value.chars().map(|character| Letter {
                character,
                wild: false,
            }));
            rest = after;
        }
        letters.extend(Self::plain(rest).0);
        Filled::Text(Self(letters))
    }

    /// Whether a value is this text, wildcards being plain characters.
    pub(super) fn is(&self, value: &str) -> bool {
        self.0
            .iter()
            .map(|letter| letter.character)
            .eq(value.chars())
    }

    /// Like [`Text::is`], without regard to case.
    pub(super) fn is_ignoring_case(&self, value: &str) -> bool {
        let text: String = self.0.iter().map(|letter| letter.character).collect();
        text.to_lowercase() == value.to_lowercase()
    }

    /// Whether a value fits this text as a pattern.
    pub(super) fn fits(&self, value: &str) -> bool {
        fits(&self.0, value)
    }

    /// Whether an ARN fits this text as a pattern, part by part: a wildcard does not cross a colon
    /// before the resource part.
    pub(super) fn fits_arn(&self, arn: &str) -> bool {
        let pattern: Vec<&[Letter]> = self.0.splitn(6, |letter| letter.character == ':').collect();
        let arn: Vec<&str> = arn.splitn(6, ':').collect();
        pattern.len() == 6
            && arn.len() == 6
            && pattern
                .iter()
                .zip(&arn)
                .all(|(pattern, part)| fits(pattern, part))
    }
}

/// Whether a value fits a pattern of an action, where case does not count.
pub(super) fn action_fits(pattern: &str, action: &str) -> bool {
    Text::plain(&pattern.to_ascii_lowercase()).fits(&action.to_ascii_lowercase())
}

/// The text between single quotes.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

fn fits(pattern: &[Letter], value: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let (mut p, mut v) = (0, 0);
    // Where the last star stood, and how much of the value it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while v < value.len() {
        let letter = pattern.get(p);
        if letter.is_some_and(|letter| letter.wild && letter.character == '*') {
            star = Some((p, v));
            p += 1;
        } else if letter.is_some_and(|letter| letter.wild || letter.character == value[v]) {
            p += 1;
            v += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            v = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..]
        .iter()
        .all(|rest| rest.wild && rest.character == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_iam() {
        for (pattern, value, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*ab*ab", "xabyab", true),
            ("abc", "abcd", false),
            ("sts:*", "sts:assumerole", true),
        ] {
            assert_eq!(
                Text::plain(pattern).fits(value),
                expected,
                "{pattern} against {value}"
            );
        }
        assert!(action_fits("STS:assume*", "sts:AssumeRole"));
    }

    #[test]
    fn a_wildcard_in_an_arn_stays_in_its_part() {
        let fits = |pattern| Text::plain(pattern).fits_arn("arn:aws:iam::111111111111:role/app/x");
        assert!(fits("arn:aws:iam::*:role/app/*"));
        assert!(!fits("arn:*"));
    }

    fn context() -> Context {
        let mut context = Context::with_known_keys(&["aws:PrincipalTag/", "aws:TagKeys"]);
        context.set("aws:PrincipalTag/tributary:tenant", ["ten_1".to_owned()]);
        context.set("aws:PrincipalTag/wild", ["a*".to_owned()]);
        context.set("aws:TagKeys", ["a".to_owned(), "b".to_owned()]);
        context
    }

    fn filled(text: &str) -> Filled {
        Text::fill(text, &context())
    }

    #[test]
    fn variables_are_filled_in_also_when_a_tags_key_holds_a_colon() {
        let Filled::Text(text) = filled("TENANT#${aws:PrincipalTag/tributary:tenant}#*") else {
            panic!("not filled");
        };
        assert!(text.fits("TENANT#ten_1#run"));
        assert!(!text.fits("TENANT#ten_2#run"));
        assert!(!text.fits("TENANT#ten_1"));
    }

    #[test]
    fn a_variable_brings_no_wildcard_and_a_quoted_one_is_none() {
        for text in ["${aws:PrincipalTag/wild}", "a${*}"] {
            let Filled::Text(text) = filled(text) else {
                panic!("not filled");
            };
            assert!(text.fits("a*") && !text.fits("ab"));
        }
    }

    #[test]
    fn a_missing_key_takes_the_default_or_fits_nothing() {
        assert_eq!(filled("x-${aws:PrincipalTag/none}"), Filled::Absent);
        assert_eq!(
            filled("x-${aws:PrincipalTag/none, 'all'}"),
            Filled::Text(Text::plain("x-all"))
        );
    }

    #[test]
    fn what_is_no_variable_is_not_understood() {
        for text in [
            "${",
            "${aws:PrincipalTag/none",
            "${martian:key}",
            "${aws:TagKeys}",
            "${aws:PrincipalTag/none, all}",
        ] {
            assert_eq!(filled(text), Filled::Unknown, "{text}");
        }
    }
}
