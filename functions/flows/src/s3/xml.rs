//! S3's answers.

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

/// A page of an account's buckets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Buckets {
    pub(crate) items: Vec<Bucket>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// A bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// RFC 3339.
    pub(crate) created_at: Option<String>,
    pub(crate) region: Option<String>,
}

/// `ListAllMyBucketsResult`.
pub(super) fn buckets(text: &str) -> Result<Buckets, XmlDecodeError> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    let mut page = Buckets::default();
    while let Some(mut tag) = root.next_tag() {
        match tag.start_el().local() {
            "Buckets" => {
                while let Some(mut tag) = tag.next_tag() {
                    page.items.push(bucket(&mut tag)?);
                }
            }
            "ContinuationToken" => page.next = filled(&mut tag)?,
            _ => {}
        }
    }
    Ok(page)
}

fn bucket(tag: &mut ScopedDecoder<'_, '_>) -> Result<Bucket, XmlDecodeError> {
    let mut bucket = Bucket::default();
    while let Some(mut tag) = tag.next_tag() {
        match tag.start_el().local() {
            "Name" => bucket.name = filled(&mut tag)?.unwrap_or_default(),
            "CreationDate" => bucket.created_at = filled(&mut tag)?,
            "BucketRegion" => bucket.region = filled(&mut tag)?,
            _ => {}
        }
    }
    Ok(bucket)
}

/// `LocationConstraint`; empty for the first Region, and with a word of its own for the second.
pub(super) fn location(text: &str) -> Result<String, XmlDecodeError> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    Ok(match filled(&mut root)?.as_deref() {
        None => "us-east-1".to_owned(),
        Some("EU") => "eu-west-1".to_owned(),
        Some(region) => region.to_owned(),
    })
}

/// Code and message of an `Error`.
pub(super) fn error(text: &str) -> Result<(Option<String>, Option<String>), XmlDecodeError> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    let (mut code, mut message) = (None, None);
    while let Some(mut tag) = root.next_tag() {
        match tag.start_el().local() {
            "Code" => code = filled(&mut tag)?,
            "Message" => message = filled(&mut tag)?,
            _ => {}
        }
    }
    Ok((code, message))
}

fn filled(tag: &mut ScopedDecoder<'_, '_>) -> Result<Option<String>, XmlDecodeError> {
    let text = try_data(tag)?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_of_buckets_are_read() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Owner><ID>x</ID></Owner>
              <Buckets>
                <Bucket><Name>a-bucket</Name><CreationDate>2026-01-31T08:00:00.000Z</CreationDate><BucketRegion>us-east-1</BucketRegion></Bucket>
                <Bucket><Name>b&amp;c</Name></Bucket>
              </Buckets>
              <ContinuationToken>next==</ContinuationToken>
            </ListAllMyBucketsResult>"#;
        let page = buckets(text).unwrap();
        assert_eq!(page.next.as_deref(), Some("next=="));
        assert_eq!(page.items[0].region.as_deref(), Some("us-east-1"));
        assert_eq!((page.items[1].name.as_str(), page.items.len()), ("b&c", 2));
    }

    #[test]
    fn locations_have_their_old_words() {
        let read = |text: &str| {
            location(&format!(
                "<LocationConstraint xmlns=\"x\">{text}</LocationConstraint>"
            ))
            .unwrap()
        };
        assert_eq!(read(""), "us-east-1");
        assert_eq!(read("EU"), "eu-west-1");
        assert_eq!(read("ap-south-1"), "ap-south-1");
        assert_eq!(location("<LocationConstraint/>").unwrap(), "us-east-1");
    }

    #[test]
    fn errors_say_their_code() {
        let text = "<Error><Code>NoSuchBucketPolicy</Code><Message>The bucket policy does not exist</Message></Error>";
        assert_eq!(
            error(text).unwrap().0.as_deref(),
            Some("NoSuchBucketPolicy")
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = buckets(&text);
            let _ = location(&text);
            let _ = error(&text);
        }
    }
}
