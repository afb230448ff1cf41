//! Document paths of update expressions: `SET a.b = :v` needs the map `a`.
//!
//! The borrowed service makes the map; DynamoDB refuses.

use serde_json::Value;

/// The message of DynamoDB's `ValidationException`.
pub(super) const INVALID: &str =
    "The document path provided in the update expression is invalid for update";

/// Whether each target of `SET` has its parent in the item.
pub(super) fn parents_exist(update: &Value, item: Option<&Value>) -> bool {
    let expression = update["UpdateExpression"].as_str().unwrap_or_default();
    targets(expression).iter().all(|target| {
        let mut names = target
            .split('.')
            .map(|part| resolve(part.trim(), &update["ExpressionAttributeNames"]));
        // The last part is what is set.
        names.next_back();
        let mut at = item.cloned();
        for (depth, name) in names.enumerate() {
            let step = |value: Value| step(&value, &name, depth == 0);
            at = at.and_then(step);
        }
        at.is_some() || !target.contains('.')
    })
}

/// Names of the attributes that an update changes, at the top of the item.
pub(super) fn changed(update: &Value) -> Vec<String> {
    let expression = update["UpdateExpression"].as_str().unwrap_or_default();
    let mut changed: Vec<String> = targets(expression);
    changed.extend(others(expression));
    changed
        .iter()
        .map(|target| {
            let top = target.split('.').next().unwrap_or_default();
            resolve(top.trim(), &update["ExpressionAttributeNames"]).0
        })
        .collect()
}

/// What `REMOVE`, `ADD` and `DELETE` name: the first word after the clause's name and each comma.
fn others(expression: &str) -> Vec<String> {
    let spaced = expression.replace(',', " , ");
    let mut others = Vec::new();
    let (mut in_clause, mut at_start) = (false, false);
    for word in spaced.split_whitespace() {
        if ["REMOVE", "ADD", "DELETE"]
            .iter()
            .any(|clause| word.eq_ignore_ascii_case(clause))
        {
            (in_clause, at_start) = (true, true);
        } else if word.eq_ignore_ascii_case("SET") {
            in_clause = false;
        } else if word == "," {
            at_start = true;
        } else if in_clause && at_start {
            others.push(word.to_owned());
            at_start = false;
        }
    }
    others
}

/// The left sides of the `SET` clause.
fn targets(expression: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_set = false;
    let mut depth = 0_usize;
    let mut assigned = false;
    let mut target = String::new();
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(',', " , ")
        .replace('=', " = ");
    for word in spaced.split_whitespace() {
        match word {
            _ if word.eq_ignore_ascii_case("SET") => in_set = true,
            _ if ["REMOVE", "ADD", "DELETE"]
                .iter()
                .any(|clause| word.eq_ignore_ascii_case(clause)) =>
            {
                in_set = false;
            }
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => assigned = false,
            "=" if in_set => {
                targets.push(std::mem::take(&mut target));
                assigned = true;
            }
            _ if in_set && !assigned => target.push_str(word),
            _ => {}
        }
    }
    targets
}

/// A name without its list indexes, and the indexes; placeholders are replaced.
fn resolve(part: &str, names: &Value) -> (String, Vec<usize>) {
    let (name, indexes) = part.split_once('[').unwrap_or((part, ""));
    let name = names[name].as_str().unwrap_or(name).to_owned();
    let indexes = indexes
        .split(['[', ']'])
        .filter_map(|index| index.parse().ok())
        .collect();
    (name, indexes)
}

/// One step down: an attribute of the item or a member of a map, then into lists.
fn step(value: &Value, (name, indexes): &(String, Vec<usize>), top: bool) -> Option<Value> {
    let members = if top { value } else { &value["M"] };
    let mut at = members.get(name)?;
    for index in indexes {
        at = at["L"].get(index)?;
    }
    Some(at.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_targets_of_set_are_read() {
        assert_eq!(
            targets("SET a.b = if_not_exists(a.c, :x), #d = :y + :z REMOVE e.f ADD g :h"),
            ["a.b", "#d"]
        );
        assert_eq!(targets("ADD n :one"), Vec::<String>::new());
        let update = json!({
            "UpdateExpression": "SET a.b = :x REMOVE l[0], #e.f ADD g :h, k :i",
            "ExpressionAttributeNames": {"#e": "e"},
        });
        assert_eq!(changed(&update), ["a", "l", "e", "g", "k"]);
    }

    #[test]
    fn a_nested_target_needs_its_parent() {
        let item = json!({"a": {"M": {"l": {"L": [{"M": {}}]}}}});
        for (expression, holds) in [
            ("SET a.b = :v", true),
            ("SET #a.b = :v", true),
            ("SET x = :v", true),
            ("SET x.y = :v", false),
            ("SET a.x.y = :v", false),
            ("SET a.l[0].y = :v", true),
            ("SET a.l[1].y = :v", false),
        ] {
            let update = json!({
                "UpdateExpression": expression, "ExpressionAttributeNames": {"#a": "a"},
            });
            assert_eq!(parents_exist(&update, Some(&item)), holds, "{expression}");
        }
        let update = json!({"UpdateExpression": "SET a.b = :v"});
        assert!(!parents_exist(&update, None));
    }
}
