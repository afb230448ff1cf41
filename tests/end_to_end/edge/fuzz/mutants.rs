//! Damage to a JSON body, one place at a time.

use serde_json::{Value, json};

/// Objects whose members have any name, and members that hold anything at all.
const OPEN: [&str; 6] = [
    "/flow",
    "/parameters",
    "/credentials",
    "/connections",
    "/properties",
    "/tags",
];
/// More than a body may have.
const TOO_LARGE: usize = 1024 * 1024 + 1;
const MARK: &str = "\u{1}MARK\u{1}";

/// A damaged body.
pub(super) struct Mutant {
    /// What is wrong with it.
    pub(super) what: String,
    pub(super) body: Vec<u8>,
    pub(super) media_type: Option<&'static str>,
}

fn mutant(what: impl Into<String>, body: impl Into<Vec<u8>>) -> Mutant {
    Mutant {
        what: what.into(),
        body: body.into(),
        media_type: Some("application/json"),
    }
}

/// All damaged bodies of a good one. A body that may be left out is not damaged by its absence.
pub(super) fn of(good: &Value, is_optional: bool) -> Vec<Mutant> {
    let mut all = whole(good);
    let mut pointers = Vec::new();
    walk(good, String::new(), &mut pointers);
    for pointer in &pointers {
        all.extend(at(good, pointer));
    }
    all.retain(|mutant| !is_optional || !mutant.body.is_empty());
    all
}

/// Bodies that take long to send and to read: the reader is the same everywhere.
pub(super) fn heavy() -> Vec<Mutant> {
    vec![
        mutant(
            "many levels",
            format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)),
        ),
        mutant("levels without an end", "{\"a\":".repeat(100_000)),
        mutant("a long text", format!("\"{}\"", "a".repeat(TOO_LARGE))),
        mutant("a long number", "1".repeat(TOO_LARGE)),
    ]
}

/// Damage to the text as a whole.
fn whole(good: &Value) -> Vec<Mutant> {
    let text = good.to_string();
    let mut all = vec![
        mutant("blanks", "  \n"),
        mutant("null", "null"),
        mutant("a text", "\"x\""),
        mutant("a number", "7"),
        mutant("a list", "[]"),
        mutant("a list of it", format!("[{text}]")),
        mutant("something behind", format!("{text} x")),
        mutant("two of it", format!("{text}{text}")),
        mutant("a brace too many", format!("{text}}}")),
        mutant("a byte order mark", format!("\u{feff}{text}")),
        mutant("a zero byte behind", format!("{text}\0")),
        mutant("a comment", format!("/* */{text}")),
        mutant("33 levels", format!("{}{}", "[".repeat(33), "]".repeat(33))),
        mutant(
            "too many blanks",
            format!("{text}{}", " ".repeat(TOO_LARGE)),
        ),
        mutant(
            "UTF-16",
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>(),
        ),
    ];
    all.push(mutant("nothing", ""));
    let steps = text.len().clamp(1, 24);
    for step in 0..steps {
        let mut end = text.len() * step / steps;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end > 0 {
            all.push(mutant(format!("only {end} bytes"), &text[..end]));
        }
    }
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/xml"),
    ] {
        all.push(Mutant {
            media_type,
            ..mutant(format!("the type {media_type:?}"), text.clone())
        });
    }
    all
}

/// Whether a value is of a kind.
type Is = fn(&Value) -> bool;

/// Damage to one value.
fn at(good: &Value, pointer: &str) -> Vec<Mutant> {
    let value = good.pointer(pointer).unwrap();
    let is_open = OPEN.iter().any(|open| pointer.ends_with(open));
    let within = |open: &str| pointer.contains(&format!("{open}/"));
    let is_anything = OPEN[..2].iter().any(|open| within(open));
    let place = |what: &str| format!("{what} at {pointer:?}");
    let instead = |what: &str, text: &[u8]| mutant(place(what), replaced(good, pointer, text));
    let mut all = vec![
        instead("a number beyond numbers", b"1e999999"),
        instead("NaN", b"NaN"),
        instead("a bare word", b"x"),
        instead("a comma", b","),
        instead("text that is no UTF-8", b"\"\xff\xfe\""),
        instead("an overlong sequence", b"\"\xc0\xaf\""),
        instead("half a surrogate", br#""\ud800""#),
        instead("the wrong half of a surrogate", br#""\udc00x""#),
        instead("a broken escape", br#""\x41""#),
        instead("a control character", b"\"a\nb\""),
        instead(
            "40 levels",
            format!("{}{}", "[".repeat(40), "]".repeat(40)).as_bytes(),
        ),
    ];
    if !is_anything {
        let others: [(&str, Value, Is); 5] = [
            ("a text", json!("\u{0}"), Value::is_string),
            ("a number", json!(-7.5), Value::is_number),
            ("a boolean", json!(true), Value::is_boolean),
            ("a list", json!([[]]), Value::is_array),
            ("an object", json!({ "no such": 1 }), Value::is_object),
        ];
        for (what, other, is_same) in others {
            if !is_same(value) {
                all.push(instead(what, other.to_string().as_bytes()));
            }
        }
    }
    if let Value::Object(members) = value {
        let text = value.to_string();
        let inner = &text[1..text.len() - 1];
        let comma = if members.is_empty() { "" } else { "," };
        let first = members.iter().next();
        let twice = match first {
            Some((key, value)) => format!("{{{}:{value},{inner}}}", json!(key)),
            None => r#"{"a":1,"a":1}"#.to_owned(),
        };
        all.push(instead("a key twice", twice.as_bytes()));
        if !is_open && !is_anything {
            let more = format!("{{{inner}{comma}\"noSuchMember\":null}}");
            all.push(instead("an unknown member", more.as_bytes()));
        }
    }
    all
}

/// The text of a value with these bytes in a place.
fn replaced(good: &Value, pointer: &str, bytes: &[u8]) -> Vec<u8> {
    let mut marked = good.clone();
    *marked.pointer_mut(pointer).unwrap() = Value::from(MARK);
    let text = marked.to_string();
    let (before, after) = text.split_once(&json!(MARK).to_string()).unwrap();
    [before.as_bytes(), bytes, after.as_bytes()].concat()
}

/// Pointers of a value and of all that is in it.
fn walk(value: &Value, pointer: String, found: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                walk(member, format!("{pointer}/{}", escaped(key)), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(pointer);
}
