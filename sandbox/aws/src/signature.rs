//! Reading the signer out of a request: the SigV4 `Authorization` header or a presigned query.

use http::HeaderMap;

use crate::credentials::Unrecognised;

/// Who claims to have signed a request, for which service and Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) access_key_id: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) session_token: Option<String>,
}

/// Reads the credential scope. The signature itself is not verified (see the crate's page).
pub(crate) fn read(headers: &HeaderMap, query: &str) -> Result<Claimed, Unrecognised> {
    if let Some(authorization) = headers.get(http::header::AUTHORIZATION) {
        let fields = authorization
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("AWS4-HMAC-SHA256"))
            .ok_or(Unrecognised::Malformed)?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name))
        };
        if field("Signature=").is_none_or(str::is_empty) || field("SignedHeaders=").is_none() {
            return Err(Unrecognised::Malformed);
        }
        let token = headers
            .get("x-amz-security-token")
            .map(|value| value.to_str().map(str::to_owned))
            .transpose()
            .map_err(|_| Unrecognised::Malformed)?;
        return scope(field("Credential=").ok_or(Unrecognised::Malformed)?, token);
    }
    let mut credential = None;
    let mut token = None;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "X-Amz-Credential" => credential = Some(value.into_owned()),
            "X-Amz-Security-Token" => token = Some(value.into_owned()),
            _ => {}
        }
    }
    scope(&credential.ok_or(Unrecognised::Unsigned)?, token)
}

/// `<key>/<date>/<region>/<service>/aws4_request`
fn scope(credential: &str, session_token: Option<String>) -> Result<Claimed, Unrecognised> {
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        [key, date, region, service, "aws4_request"]
            if date.len() == 8 && parts.iter().all(|part| !part.is_empty()) =>
        {
            Ok(Claimed {
                access_key_id: (*key).to_owned(),
                region: (*region).to_owned(),
                service: (*service).to_owned(),
                session_token,
            })
        }
        _ => Err(Unrecognised::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn the_scope_is_read_from_the_header() {
        let mut headers = header(
            "AWS4-HMAC-SHA256 Credential=ASIA1/20261120/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=ab",
        );
        headers.insert("x-amz-security-token", "tok".parse().unwrap());
        let claimed = read(&headers, "").unwrap();
        assert_eq!(
            (claimed.service.as_str(), claimed.region.as_str()),
            ("sqs", "us-east-1")
        );
        assert_eq!(claimed.session_token.as_deref(), Some("tok"));
    }

    #[test]
    fn the_scope_is_read_from_a_presigned_query() {
        let query =
            "X-Amz-Credential=AKIA1%2F20261120%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=ab";
        assert_eq!(
            read(&HeaderMap::new(), query).unwrap().access_key_id,
            "AKIA1"
        );
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(read(&HeaderMap::new(), "a=b"), Err(Unrecognised::Unsigned));
        for value in [
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=A/20261120/r/s/aws4_request, SignedHeaders=host",
            "AWS4-HMAC-SHA256 Credential=A/r/s/aws4_request, SignedHeaders=host, Signature=x",
            "AWS4-HMAC-SHA256 Credential=A/20261120//s/aws4_request, SignedHeaders=h, Signature=x",
        ] {
            assert_eq!(
                read(&header(value), ""),
                Err(Unrecognised::Malformed),
                "{value}"
            );
        }
    }
}
