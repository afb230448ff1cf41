//! Sales per city: what `City_Sales__c` holds, and the sums computed directly from it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

const CITIES: &str = include_str!("../../../data/world-cities.csv");

/// One record of `City_Sales__c`. Money is exact: integer cents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitySale {
    /// 18-character record id.
    pub id: String,
    /// Record name.
    pub name: String,
    /// City.
    pub city: String,
    /// Country.
    pub country: String,
    /// ISO 3166 code of the country.
    pub country_code: String,
    /// IANA time zone; its first part is what row-level security goes by.
    pub timezone: String,
    /// Inhabitants.
    pub population: i64,
    /// Sales in cents. Some are missing and some negative, for validations to find.
    pub amount_cents: Option<i64>,
    /// Units sold; some are zero.
    pub units: i64,
    /// A person's address, for masks; some are missing.
    pub email: Option<String>,
    /// When the record was made.
    pub created: Timestamp,
    /// When the record was last changed.
    pub last_modified: Timestamp,
    /// Whether the record lies in the recycle bin.
    pub is_deleted: bool,
}

/// One line of `world-cities.csv`.
#[derive(Deserialize)]
struct City {
    geoname_id: u64,
    #[serde(rename = "city")]
    name: String,
    country_code: String,
    country: String,
    population: i64,
    timezone: String,
}

/// All records, the same in every process, in the order of the file.
pub fn city_sales() -> Vec<CitySale> {
    csv::Reader::from_reader(CITIES.as_bytes())
        .deserialize()
        // The file is part of the program; a test counts its lines.
        .filter_map(Result::ok)
        .map(CitySale::of)
        .collect()
}

impl CitySale {
    fn of(city: City) -> Self {
        let key = city.geoname_id;
        let noise = scattered(key);
        let part = |salt: u64, below: u64| {
            i64::try_from(scattered(noise.wrapping_add(salt)) % below).unwrap_or_default()
        };
        let amount = 10_000 + part(1, 50_000_000);
        let created = Timestamp::UNIX_EPOCH
            .saturating_add(SignedDuration::from_secs(
                1_704_067_200 + part(2, 365 * 86_400),
            ))
            .unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            id: record_id("a01", key),
            name: format!("Sales {}", city.name),
            country_code: city.country_code.clone(),
            timezone: city.timezone,
            population: city.population,
            amount_cents: match key {
                key if key.is_multiple_of(97) => None,
                key if key.is_multiple_of(53) => Some(-amount),
                _ => Some(amount),
            },
            units: if key.is_multiple_of(61) {
                0
            } else {
                1 + part(3, 500)
            },
            email: (!key.is_multiple_of(89))
                .then(|| format!("sales.{key}@{}.example", city.country_code.to_lowercase())),
            created,
            last_modified: created
                .saturating_add(SignedDuration::from_secs(part(4, 500 * 86_400)))
                .unwrap_or(created),
            is_deleted: false,
            city: city.name,
            country: city.country,
        }
    }
}

/// `SUM(Amount__c)` per city over the records whose time zone starts with `zone` (`America`, `Europe`,
/// `Asia`; empty for all), in cents. As in SQL, missing amounts do not count and a city that has
/// nothing else has no sum.
pub fn sales_by_city(records: &[CitySale], zone: &str) -> BTreeMap<String, Option<i64>> {
    let mut sums = BTreeMap::<String, Option<i64>>::new();
    for record in live(records, zone) {
        let sum = sums.entry(record.city.clone()).or_default();
        if let Some(cents) = record.amount_cents {
            *sum = Some(sum.unwrap_or_default() + cents);
        }
    }
    sums
}

/// The sum of all amounts whose time zone starts with `zone`, in cents.
pub fn total_sales(records: &[CitySale], zone: &str) -> i64 {
    live(records, zone).filter_map(|r| r.amount_cents).sum()
}

fn live<'a>(records: &'a [CitySale], zone: &'a str) -> impl Iterator<Item = &'a CitySale> {
    records
        .iter()
        .filter(move |r| !r.is_deleted && r.timezone.starts_with(zone))
}

/// A case-safe 18-character id: prefix, number in base 62, and the three characters that tell the
/// case of the fifteen before them.
pub(crate) fn record_id(prefix: &str, number: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const CASES: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let mut digits = [b'0'; 12];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(rest % 62).unwrap_or_default()];
        rest /= 62;
    }
    let mut id: String = prefix.chars().take(3).collect();
    id.extend(digits.iter().map(|b| char::from(*b)));
    let cases: String = id
        .as_bytes()
        .chunks(5)
        .map(|five| {
            let upper = five
                .iter()
                .enumerate()
                .filter(|(_, b)| b.is_ascii_uppercase())
                .fold(0, |bits, (at, _)| bits | (1 << at));
            char::from(CASES[upper])
        })
        .collect();
    id + &cases
}

/// Splitmix64: the same scatter on every machine.
fn scattered(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_city_of_the_file_has_one_record_with_its_own_id() {
        let records = city_sales();
        assert_eq!(records.len(), CITIES.lines().count() - 1);
        let ids: HashSet<&str> = records.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(ids.len(), records.len());
        assert!(ids.iter().all(|id| id.len() == 18));
        assert_eq!(records, city_sales());
    }

    #[test]
    fn each_region_has_missing_negative_and_zero_values_for_validations_to_find() {
        let records = city_sales();
        for zone in ["America", "Europe", "Asia"] {
            let of_zone: Vec<&CitySale> = live(&records, zone).collect();
            assert!(of_zone.iter().any(|r| r.amount_cents.is_none()), "{zone}");
            assert!(of_zone.iter().any(|r| r.amount_cents < Some(0)), "{zone}");
            assert!(of_zone.iter().any(|r| r.units == 0), "{zone}");
            assert!(of_zone.iter().any(|r| r.email.is_none()), "{zone}");
        }
    }

    #[test]
    fn the_sum_over_cities_is_the_total_and_a_zone_is_a_part_of_it() {
        let records = city_sales();
        for zone in ["", "America", "Europe", "Asia"] {
            let by_city: i64 = sales_by_city(&records, zone).values().flatten().sum();
            assert_eq!(by_city, total_sales(&records, zone));
        }
        assert!(total_sales(&records, "Asia") < total_sales(&records, ""));
    }

    #[test]
    fn the_last_three_characters_of_an_id_tell_the_case_of_the_rest() {
        assert_eq!(record_id("00D", 0), "00D000000000000EAA");
        assert_ne!(record_id("a01", 10), record_id("a01", 36));
    }
}
