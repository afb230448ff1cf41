//! The normal form of a flow: two flows with the same one mean the same to AppFlow.
//!
//! | written | normal |
//! |---|---|
//! | a version or schema that has a default, left out | the default |
//! | `false`, an empty text, `automatic`, aggregation `none`, CSV input, offset 0 | left out |
//! | an output format without a kind of file | JSON; nothing at all when that is all it says |
//! | error handling or a date prefix that says nothing | left out |
//! | a mask's character, left out | `*` |
//! | the length of a full mask | left out |
//! | `rate(1hours)` | `rate(1 hour)` |
//! | parts of a second, in the schedule and (below the millisecond) in filters | cut |
//! | `1.0`, `1e3`, a date without a time | `1`, `1000`, midnight in UTC |

use jiff::Timestamp;

use super::{check::filters, import::value, schedule::Expression};
use crate::model::{
    Aggregation, DataTransferApi, DatePrefix, Destination, EntityDestination, EntitySource,
    ErrorHandling, Filter, FlowDefinition, InputFile, MaskPart, OutputFile, OutputFormat,
    Scheduled, Source, TableDestination, Transform, Trigger,
};

/// The flow in its normal form.
pub fn normal(definition: &FlowDefinition) -> FlowDefinition {
    let mut flow = definition.clone();
    said(&mut flow.description);
    source(&mut flow.source);
    destination(&mut flow.destination);
    if let Trigger::Scheduled(scheduled) = &mut flow.trigger {
        schedule(scheduled);
    }
    flow.filters.iter_mut().for_each(filter);
    for transform in &mut flow.transforms {
        if let Transform::Mask(mask) = transform {
            mask.with.get_or_insert_with(|| "*".to_owned());
            if mask.part == MaskPart::All {
                mask.length = None;
            }
        }
    }
    flow
}

/// A schedule as people write it.
pub(super) fn written(expression: &Expression) -> String {
    let plain = expression.normalised();
    let Expression::Rate { count, .. } = expression else {
        return plain;
    };
    let units = plain
        .strip_prefix(&format!("rate({count}"))
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or_default();
    match count {
        1 => format!("rate(1 {})", units.trim_end_matches('s')),
        _ => format!("rate({count} {units})"),
    }
}

fn said(text: &mut Option<String>) {
    text.take_if(|text| text.is_empty());
}

fn truth(told: &mut Option<bool>) {
    told.take_if(|told| !*told);
}

fn automatic(api: &mut Option<DataTransferApi>) {
    api.take_if(|api| *api == DataTransferApi::Automatic);
}

fn source(source: &mut Source) {
    let version = source.row().api_version.and_then(|version| version.default);
    match source {
        Source::S3(files) => {
            files.file.take_if(|file| *file == InputFile::Csv);
        }
        Source::Salesforce(object) => {
            truth(&mut object.add_new_fields);
            truth(&mut object.include_deleted_records);
            automatic(&mut object.data_transfer_api);
        }
        Source::Veeva(object) => {
            said(&mut object.document_type);
            truth(&mut object.include_source_files);
            truth(&mut object.include_renditions);
            truth(&mut object.include_all_versions);
        }
        Source::Asana(EntitySource { api_version, .. })
        | Source::GitHub(EntitySource { api_version, .. })
        | Source::GoogleAds(EntitySource { api_version, .. })
        | Source::GoogleAnalytics4(EntitySource { api_version, .. })
        | Source::GoogleBigQuery(EntitySource { api_version, .. })
        | Source::HubSpot(EntitySource { api_version, .. })
        | Source::Jdbc(EntitySource { api_version, .. })
        | Source::Mailchimp(EntitySource { api_version, .. })
        | Source::Dynamics365(EntitySource { api_version, .. })
        | Source::MarketingCloud(EntitySource { api_version, .. })
        | Source::Custom(EntitySource { api_version, .. }) => defaulted(api_version, version),
        Source::SharePoint(site) => defaulted(&mut site.api_version, version),
        Source::SapOData(_)
        | Source::ServiceNow(_)
        | Source::Zendesk(_)
        | Source::Slack(_)
        | Source::Marketo(_)
        | Source::Pardot(_)
        | Source::Datadog(_)
        | Source::Dynatrace(_)
        | Source::InforNexus(_)
        | Source::Singular(_)
        | Source::TrendMicro(_)
        | Source::GoogleAnalytics(_)
        | Source::Amplitude(_) => {}
    }
}

fn defaulted(value: &mut Option<String>, default: Option<&str>) {
    if value.is_none() {
        *value = default.map(str::to_owned);
    }
}

fn destination(destination: &mut Destination) {
    let version = destination.row().api_version;
    let version = version.and_then(|version| version.default);
    match destination {
        Destination::S3(files) => {
            said(&mut files.prefix);
            if let Some(given) = &mut files.format {
                format(given);
            }
            files.format.take_if(|format| {
                *format
                    == OutputFormat {
                        file: Some(OutputFile::Json),
                        aggregation: None,
                        target_file_size_mb: None,
                        prefix: None,
                        preserve_source_types: None,
                    }
            });
        }
        Destination::Redshift(to) => table(to, "public"),
        Destination::Snowflake(to) => table(to, "PUBLIC"),
        Destination::Salesforce(to) => {
            automatic(&mut to.data_transfer_api);
            errors(&mut to.error_handling);
        }
        Destination::EventBridge(to) => {
            said(&mut to.suffix);
            errors(&mut to.error_handling);
        }
        Destination::Zendesk(to) => errors(&mut to.error_handling),
        Destination::Marketo(to) => errors(&mut to.error_handling),
        Destination::SapOData(to) => {
            if let Some(place) = &mut to.success_responses {
                said(&mut place.prefix);
            }
            errors(&mut to.error_handling);
        }
        Destination::GoogleBigQuery(to)
        | Destination::HubSpot(to)
        | Destination::Jdbc(to)
        | Destination::RdsPostgreSql(to)
        | Destination::Custom(to) => entity(to, version),
        Destination::CustomerProfiles(to) => said(&mut to.object_type),
        Destination::Upsolver(files) => {
            said(&mut files.prefix);
            format(&mut files.format);
        }
        Destination::LookoutMetrics(_) => {}
        Destination::Honeycode(to) => errors(&mut to.error_handling),
    }
}

fn table(table: &mut TableDestination, schema: &str) {
    defaulted(&mut table.schema, Some(schema));
    errors(&mut table.error_handling);
}

fn entity(to: &mut EntityDestination, version: Option<&str>) {
    defaulted(&mut to.api_version, version);
    errors(&mut to.error_handling);
}

fn errors(handling: &mut Option<ErrorHandling>) {
    if let Some(given) = handling {
        said(&mut given.bucket);
        said(&mut given.prefix);
        truth(&mut given.stop_on_first_error);
    }
    handling.take_if(|given| {
        given.bucket.is_none() && given.prefix.is_none() && given.stop_on_first_error.is_none()
    });
}

fn format(format: &mut OutputFormat) {
    format.file.get_or_insert(OutputFile::Json);
    format
        .aggregation
        .take_if(|aggregation| *aggregation == Aggregation::None);
    truth(&mut format.preserve_source_types);
    let nothing = DatePrefix {
        place: None,
        depth: None,
        folders: Vec::new(),
    };
    format.prefix.take_if(|prefix| *prefix == nothing);
}

fn schedule(scheduled: &mut Scheduled) {
    if let Ok(expression) = Expression::parse(&scheduled.every) {
        scheduled.every = written(&expression);
    }
    let Scheduled {
        start,
        end,
        first_from,
        ..
    } = scheduled;
    for at in [start, end, first_from].into_iter().flatten() {
        *at = Timestamp::from_second(at.as_second()).unwrap_or(*at);
    }
    scheduled.offset_seconds.take_if(|offset| *offset == 0);
    said(&mut scheduled.time_zone);
}

fn filter(filter: &mut Filter) {
    let class = filters::class(&filter.field_type);
    let Filter {
        value: one,
        values,
        lower,
        upper,
        ..
    } = filter;
    let several = values.iter_mut().flatten();
    for given in [one, lower, upper].into_iter().flatten().chain(several) {
        let plain = filters::plain(given, class);
        if let Some(read) = plain.and_then(|text| value(&text, class)) {
            *given = read;
        }
    }
}
