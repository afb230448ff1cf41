//! What no test can use, and what is denied on purpose, each with its reason.

/// Role, action, reason.
pub(crate) type Entry = (&'static str, &'static str, &'static str);

const LOADED: &str = "AppFlow stages rows and has Redshift copy them; the load itself is AWS's";
const UNDELIVERED: &str =
    "only when Lambda does not take an invocation, which its asynchronous queue does";

/// Permissions that AWS's own machinery uses where no test sees it.
pub(crate) const BY_AWS_ALONE: [Entry; 8] = [
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
];

/// Role, action, what the resource's name contains, reason.
pub(crate) type DenialEntry = (&'static str, &'static str, &'static str, &'static str);

const OUTSIDE: &str = "a verification shows that the role stops at its prefix";

/// Denials that the product provokes wherever it runs. What a single test provokes is announced
/// there, with `Aws::expect_denial`.
pub(crate) const EXPECTED_DENIALS: [DenialEntry; 2] = [
    (
        "customer-account.yaml AccessRole",
        "appflow:DescribeFlow",
        ":flow/selftest-",
        OUTSIDE,
    ),
    (
        "template.yaml VendorFlowsRole",
        "appflow:DescribeFlow",
        ":flow/selftest-",
        OUTSIDE,
    ),
];
