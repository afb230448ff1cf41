//! What no test can use, and what is denied on purpose, each with its reason.

const LOADED: &str = "AppFlow stages rows and has Redshift copy them; the load itself is AWS's";
const UNDELIVERED: &str =
    "only when Lambda does not take an invocation, which its asynchronous queue does";

/// Role, action, reason: permissions that AWS's own machinery uses where no test sees it.
pub(crate) const BY_AWS_ALONE: [(&str, &str, &str); 9] = [
    ("template.yaml SchedulerRole", "kms:Decrypt", UNDELIVERED),
    (
        "template.yaml SchedulerRole",
        "kms:GenerateDataKey",
        UNDELIVERED,
    ),
    (
        "template.yaml SchedulerRole",
        "sqs:SendMessage",
        UNDELIVERED,
    ),
    (
        "template.yaml WarehouseDataApiRole",
        "redshift-data:DescribeStatement",
        LOADED,
    ),
    (
        "template.yaml WarehouseDataApiRole",
        "redshift-data:ExecuteStatement",
        LOADED,
    ),
    (
        "template.yaml WarehouseDataApiRole",
        "redshift-data:GetStatementResult",
        LOADED,
    ),
    (
        "template.yaml WarehouseDataApiRole",
        "redshift-serverless:GetCredentials",
        LOADED,
    ),
    ("template.yaml WarehouseLoadRole", "s3:GetObject", LOADED),
    ("template.yaml WarehouseLoadRole", "s3:ListBucket", LOADED),
];

/// Role, action, reason: denials that the product provokes wherever it runs. What a single test
/// provokes is announced there, with `Aws::expect_denial`.
pub(crate) const EXPECTED_DENIALS: [(&str, &str, &str); 0] = [];
