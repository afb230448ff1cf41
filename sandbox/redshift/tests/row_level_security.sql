-- 1. Schema and table. "timestamp" is a reserved word, so the column has another name.
CREATE SCHEMA IF NOT EXISTS app;
REVOKE ALL ON SCHEMA app FROM PUBLIC;

CREATE TABLE IF NOT EXISTS app.sales_data (
    sku           VARCHAR(50)    NOT NULL,
    product_name  VARCHAR(255),
    category      VARCHAR(100),
    quantity      INTEGER,
    sales_price   DECIMAL(10,2),
    sold_at       TIMESTAMP,
    city          VARCHAR(100),
    region_code   VARCHAR(10),
    country       VARCHAR(10),
    latitude      DECIMAL(10,6),
    longitude     DECIMAL(10,6),
    population    INTEGER,
    elevation     INTEGER,
    timezone      VARCHAR(50)
);
REVOKE ALL ON TABLE app.sales_data FROM PUBLIC;

-- 2. Roles named <namespace>:<Identity Center group name>. Quote them: ":" and "-" need it, and case must match.
CREATE ROLE "AWSIDC:amer-sales";
CREATE ROLE "AWSIDC:emea-sales";
CREATE ROLE "AWSIDC:apac-sales";
CREATE ROLE "AWSIDC:exec-global";

-- 3. Privileges. RLS never gives access; it only removes rows from what a GRANT already allows.
GRANT USAGE ON SCHEMA app TO ROLE "AWSIDC:amer-sales";
GRANT USAGE ON SCHEMA app TO ROLE "AWSIDC:emea-sales";
GRANT USAGE ON SCHEMA app TO ROLE "AWSIDC:apac-sales";
GRANT USAGE ON SCHEMA app TO ROLE "AWSIDC:exec-global";

-- Column-level security: regional managers do not see population and elevation.
GRANT SELECT (sku, product_name, category, quantity, sales_price, sold_at, city, region_code, country, latitude, longitude, timezone)
    ON TABLE app.sales_data TO ROLE "AWSIDC:amer-sales";
GRANT SELECT (sku, product_name, category, quantity, sales_price, sold_at, city, region_code, country, latitude, longitude, timezone)
    ON TABLE app.sales_data TO ROLE "AWSIDC:emea-sales";
GRANT SELECT (sku, product_name, category, quantity, sales_price, sold_at, city, region_code, country, latitude, longitude, timezone)
    ON TABLE app.sales_data TO ROLE "AWSIDC:apac-sales";
GRANT SELECT ON TABLE app.sales_data TO ROLE "AWSIDC:exec-global";

-- 4. Which region a row belongs to is data, not a prefix of the time-zone name
--    (Atlantic/..., Pacific/..., Australia/..., Africa/..., Indian/... match none of Europe/Asia/America).
CREATE TABLE IF NOT EXISTS app.sales_region (
    timezone  VARCHAR(50) NOT NULL,
    region    VARCHAR(8)  NOT NULL
);

CREATE RLS POLICY sales_amer WITH (timezone VARCHAR(50))
    USING (timezone IN (SELECT r.timezone FROM app.sales_region r WHERE r.region = 'AMER'));
CREATE RLS POLICY sales_emea WITH (timezone VARCHAR(50))
    USING (timezone IN (SELECT r.timezone FROM app.sales_region r WHERE r.region = 'EMEA'));
CREATE RLS POLICY sales_apac WITH (timezone VARCHAR(50))
    USING (timezone IN (SELECT r.timezone FROM app.sales_region r WHERE r.region = 'APAC'));
CREATE RLS POLICY sales_all USING (TRUE);

-- The policy reads the lookup table, not the user.
GRANT SELECT ON TABLE app.sales_region TO RLS POLICY sales_amer;
GRANT SELECT ON TABLE app.sales_region TO RLS POLICY sales_emea;
GRANT SELECT ON TABLE app.sales_region TO RLS POLICY sales_apac;

ATTACH RLS POLICY sales_amer ON TABLE app.sales_data TO ROLE "AWSIDC:amer-sales";
ATTACH RLS POLICY sales_emea ON TABLE app.sales_data TO ROLE "AWSIDC:emea-sales";
ATTACH RLS POLICY sales_apac ON TABLE app.sales_data TO ROLE "AWSIDC:apac-sales";
-- Preferred over GRANT IGNORE RLS, which is not per table: it switches RLS off for that role on every table.
ATTACH RLS POLICY sales_all  ON TABLE app.sales_data TO ROLE "AWSIDC:exec-global";

-- 5. OR: a user in two groups sees both regions. The default, AND, would show such a user nothing.
ALTER TABLE app.sales_data ROW LEVEL SECURITY ON CONJUNCTION TYPE OR;

