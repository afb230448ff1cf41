//! The warehouse of the worked example: one table, row-level security by time zone.

/// The administrator's script. Row-level security never gives access; it removes rows from what a
/// grant allows, so there are both.
pub const SETUP: &str = r#"
CREATE TABLE public.city_sales (
    id        VARCHAR(18) NOT NULL,
    city      VARCHAR(100),
    country   VARCHAR(100),
    timezone  VARCHAR(50),
    amount    DECIMAL(12,2),
    units     INTEGER,
    email     VARCHAR(255)
);
REVOKE ALL ON TABLE public.city_sales FROM PUBLIC;

CREATE ROLE "AWSIDC:amer-sales";
CREATE ROLE "AWSIDC:emea-sales";
CREATE ROLE "AWSIDC:apac-sales";
CREATE ROLE "AWSIDC:exec-global";

GRANT USAGE ON SCHEMA public TO ROLE "AWSIDC:amer-sales";
GRANT USAGE ON SCHEMA public TO ROLE "AWSIDC:emea-sales";
GRANT USAGE ON SCHEMA public TO ROLE "AWSIDC:apac-sales";
GRANT USAGE ON SCHEMA public TO ROLE "AWSIDC:exec-global";
GRANT SELECT ON TABLE public.city_sales TO ROLE "AWSIDC:amer-sales";
GRANT SELECT ON TABLE public.city_sales TO ROLE "AWSIDC:emea-sales";
GRANT SELECT ON TABLE public.city_sales TO ROLE "AWSIDC:apac-sales";
GRANT SELECT ON TABLE public.city_sales TO ROLE "AWSIDC:exec-global";

CREATE RLS POLICY sales_amer WITH (timezone VARCHAR(50)) USING (timezone LIKE 'America/%');
CREATE RLS POLICY sales_emea WITH (timezone VARCHAR(50)) USING (timezone LIKE 'Europe/%');
CREATE RLS POLICY sales_apac WITH (timezone VARCHAR(50)) USING (timezone LIKE 'Asia/%');
CREATE RLS POLICY sales_all USING (TRUE);

ATTACH RLS POLICY sales_amer ON TABLE public.city_sales TO ROLE "AWSIDC:amer-sales";
ATTACH RLS POLICY sales_emea ON TABLE public.city_sales TO ROLE "AWSIDC:emea-sales";
ATTACH RLS POLICY sales_apac ON TABLE public.city_sales TO ROLE "AWSIDC:apac-sales";
ATTACH RLS POLICY sales_all ON TABLE public.city_sales TO ROLE "AWSIDC:exec-global";

ALTER TABLE public.city_sales ROW LEVEL SECURITY ON CONJUNCTION TYPE OR;
"#;

/// The database that holds it.
pub const DATABASE: &str = "analytics";
/// The workgroup that serves it.
pub const WORKGROUP: &str = "tributary";
