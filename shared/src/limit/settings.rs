//! The limits that this deployment has, from the environment.

use super::{Class, Limit};
use crate::config::Env;

/// The limit of each class, as `LIMIT_READ`, `LIMIT_WRITE`, `LIMIT_TOKEN`, `LIMIT_EVENT` and
/// `LIMIT_GUESS` say: `<tokens per second>/<burst>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    read: Limit,
    write: Limit,
    token: Limit,
    event: Limit,
    guess: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read: Limit::whole(50, 200),
            write: Limit::whole(10, 50),
            token: Limit::whole(2, 20),
            event: Limit::whole(20, 100),
            guess: Limit::thousandths(200, 10),
        }
    }
}

impl Limits {
    /// Reads the variables named above; an absent one means the default.
    pub fn from_env(env: &mut Env) -> Self {
        let usual = Self::default();
        Self {
            read: env.parsed_or("LIMIT_READ", usual.read),
            write: env.parsed_or("LIMIT_WRITE", usual.write),
            token: env.parsed_or("LIMIT_TOKEN", usual.token),
            event: env.parsed_or("LIMIT_EVENT", usual.event),
            guess: env.parsed_or("LIMIT_GUESS", usual.guess),
        }
    }

    /// The limit of a class.
    pub const fn of(&self, class: Class) -> Limit {
        match class {
            Class::Read => self.read,
            Class::Write => self.write,
            Class::Token => self.token,
            Class::Event => self.event,
            Class::Guess => self.guess,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_usual_and_what_is_unreadable_is_refused() {
        let given = |text: &str| {
            let mut env = Env::from_pairs([("LIMIT_WRITE".to_owned(), text.to_owned())]);
            let limits = Limits::from_env(&mut env);
            env.finish(Some(limits))
        };
        let limits = given("0.5/3").unwrap();
        assert_eq!(limits.of(Class::Write).to_string(), "0.5/3");
        assert_eq!(limits.of(Class::Read), Limits::default().of(Class::Read));
        assert!(
            given("many")
                .unwrap_err()
                .to_string()
                .contains("LIMIT_WRITE")
        );
    }
}
