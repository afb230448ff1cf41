//! Exact decimal numbers. SQLite has binary floating point only, so DECIMAL values are kept as the
//! nearest double of at most 15 significant digits (which gives the same decimal back, always) and
//! are added up here, exactly. What needs more digits is refused and never rounded silently.

use std::fmt;

/// Significant digits that survive the way through a double.
pub(crate) const DIGITS: u32 = 15;

/// `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    pub(crate) const ZERO: Self = Self {
        mantissa: 0,
        scale: 0,
    };

    pub(crate) fn from_integer(value: i64) -> Self {
        Self {
            mantissa: i128::from(value),
            scale: 0,
        }
    }

    /// Reads `-12.30`, `5`, `.5` and `1.2e-3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut mantissa = 0_i128;
        for digit in whole.chars().chain(fraction.chars()) {
            mantissa = mantissa
                .checked_mul(10)?
                .checked_add(i128::from(digit.to_digit(10)?))?;
        }
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        let mut scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        while scale < 0 {
            mantissa = mantissa.checked_mul(10)?;
            scale += 1;
        }
        let sign = if negative { -1 } else { 1 };
        Some(Self {
            mantissa: mantissa * sign,
            scale: scale.unsigned_abs(),
        })
    }

    /// The decimal that a double stands for, at 15 significant digits.
    pub(crate) fn from_f64(value: f64) -> Option<Self> {
        value
            .is_finite()
            .then(|| Self::parse(&format!("{value:.14e}")))
            .flatten()
            .map(Self::trimmed)
    }

    pub(crate) fn to_f64(self) -> f64 {
        format!("{}e-{}", self.mantissa, self.scale)
            .parse()
            .unwrap_or(f64::NAN)
    }

    /// The same number with exactly `scale` decimals, halves away from zero.
    pub(crate) fn rescale(self, scale: u32) -> Option<Self> {
        let mantissa = if scale >= self.scale {
            self.mantissa
                .checked_mul(10_i128.checked_pow(scale - self.scale)?)?
        } else {
            match 10_i128.checked_pow(self.scale - scale) {
                Some(by) => {
                    let half = by / 2 * self.mantissa.signum();
                    self.mantissa.checked_add(half)? / by
                }
                None => 0,
            }
        };
        Some(Self { mantissa, scale })
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let mantissa = self
            .rescale(scale)?
            .mantissa
            .checked_add(other.rescale(scale)?.mantissa)?;
        Some(Self { mantissa, scale })
    }

    pub(crate) fn negated(self) -> Self {
        Self {
            mantissa: -self.mantissa,
            scale: self.scale,
        }
    }

    /// How many significant digits the number has, trailing zeros of the fraction left out.
    pub(crate) fn digits(self) -> u32 {
        let mantissa = self.trimmed().mantissa.unsigned_abs();
        mantissa.checked_ilog10().map_or(1, |log| log + 1)
    }

    /// How many decimals the number needs.
    pub(crate) fn decimals(self) -> u32 {
        self.trimmed().scale
    }

    fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let width = self.scale as usize + 1;
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        if fraction.is_empty() {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{fraction}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_survives_the_way_through_a_double() {
        for text in ["0.10", "-12345678.99", "99999999999.01", "0", "7"] {
            let scale = text
                .split_once('.')
                .map_or(0, |(_, f)| u32::try_from(f.len()).unwrap());
            let back = Decimal::from_f64(Decimal::parse(text).unwrap().to_f64()).unwrap();
            assert_eq!(back.rescale(scale).unwrap().to_string(), text);
        }
    }

    #[test]
    fn ten_thousand_dimes_are_exactly_a_thousand() {
        let dime = Decimal::from_f64(0.1).unwrap();
        let sum = (0..10_000)
            .try_fold(Decimal::ZERO, |sum, _| sum.plus(dime))
            .unwrap();
        assert_eq!(sum.rescale(2).unwrap().to_string(), "1000.00");
    }

    #[test]
    fn halves_round_away_from_zero() {
        let round = |text| {
            Decimal::parse(text)
                .unwrap()
                .rescale(2)
                .unwrap()
                .to_string()
        };
        assert_eq!(round("0.125"), "0.13");
        assert_eq!(round("0e999999999"), "0.00");
        assert_eq!(round("-0.125"), "-0.13");
        assert_eq!(round("1.2e-3"), "0.00");
    }
}
