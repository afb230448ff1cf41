//! Reads the notation of the shape tables. A line that cannot be read is left out, and the test
//! that walks all references then names what is missing.

use super::{Member, Shape, Shapes, Type};

/// Reads one table into `shapes`.
pub(super) fn read(text: &'static str, shapes: &mut Shapes) {
    let mut open: Option<(&'static str, Vec<Member>)> = None;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((name, mut members)) = open.take() {
            if line == "}" {
                shapes.insert(name, Shape::Structure(members));
            } else {
                members.extend(member(line));
                open = Some((name, members));
            }
        } else if let Some(name) = line.strip_suffix(" {}") {
            shapes.insert(name, Shape::Structure(Vec::new()));
        } else if let Some(name) = line.strip_suffix(" {") {
            open = Some((name, Vec::new()));
        } else if let Some((name, words)) = line.split_once(" = ") {
            shapes.insert(name, Shape::Enumeration(words.split(" | ").collect()));
        } else if let Some((name, rule)) = line.split_once(" : ")
            && let Some(shape) = limited(rule)
        {
            shapes.insert(name, shape);
        }
    }
}

fn member(line: &'static str) -> Option<Member> {
    let (name, of) = line.split_once(' ')?;
    Some(Member {
        name: name.trim_end_matches('*'),
        required: name.ends_with('*'),
        of: read_type(of)?,
    })
}

fn limited(rule: &'static str) -> Option<Shape> {
    let mut words = rule.split(' ');
    let of = read_type(words.next()?)?;
    let (least, most) = words.next()?.split_once("..")?;
    Some(Shape::Limited {
        of,
        least: least.parse().ok()?,
        most: most.parse().ok()?,
        class: words.next(),
    })
}

fn read_type(word: &'static str) -> Option<Type> {
    if let Some(item) = word.strip_prefix('[') {
        return Some(Type::List(Box::new(read_type(item.strip_suffix(']')?)?)));
    }
    if let Some(entry) = word.strip_prefix('{') {
        let (key, item) = entry.strip_suffix('}')?.split_once(':')?;
        return Some(Type::Map(
            Box::new(read_type(key)?),
            Box::new(read_type(item)?),
        ));
    }
    Some(match word {
        "s" => Type::String,
        "i" | "l" => Type::Integer,
        "d" => Type::Double,
        "b" => Type::Boolean,
        "t" => Type::Timestamp,
        name => Type::Named(name),
    })
}
