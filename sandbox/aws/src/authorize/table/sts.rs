//! STS, on the caller's side.

use serde_json::Value;

use super::{Ask, Need, Unmapped};

pub(super) fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    match ask.operation {
        // Everybody may ask who they are.
        "GetCallerIdentity" => Ok(Vec::new()),
        "AssumeRole" => Ok(assume_role(ask)),
        _ => Err(Unmapped::Operation),
    }
}

fn assume_role(ask: &Ask<'_>) -> Vec<Need> {
    let list = |prefix: &str, member: &str| -> Vec<String> {
        let fields = (1..).map_while(|at| {
            ask.body
                .get(format!("{prefix}.member.{at}{member}"))
                .and_then(Value::as_str)
        });
        fields.map(str::to_owned).collect()
    };
    let text = |name: &str| ask.body[name].as_str().map(str::to_owned);
    let tags: Vec<(String, String)> = list("Tags", ".Key")
        .into_iter()
        .zip(list("Tags", ".Value"))
        .collect();
    let providers = list("ProvidedContexts", ".ProviderArn");
    let implied = [
        ("sts:AssumeRole", true),
        ("sts:TagSession", !tags.is_empty()),
        ("sts:SetContext", !providers.is_empty()),
        ("sts:SetSourceIdentity", text("SourceIdentity").is_some()),
    ];
    let needs = implied.into_iter().filter(|(_, implied)| *implied);
    needs
        .map(|(action, _)| {
            let mut need = Need::new(action, ask.text("RoleArn"))
                .key("sts:ExternalId", text("ExternalId"))
                .key("sts:RoleSessionName", text("RoleSessionName"))
                .key("sts:RequestContextProviders", providers.iter().cloned())
                .key("sts:TransitiveTagKeys", list("TransitiveTagKeys", ""))
                .key("aws:TagKeys", tags.iter().map(|(key, _)| key.clone()));
            for (key, value) in &tags {
                need = need.key(&format!("aws:RequestTag/{key}"), [value.clone()]);
            }
            need
        })
        .collect()
}
