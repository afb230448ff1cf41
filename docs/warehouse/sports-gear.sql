-- Schemas and tables. Nobody has anything that is not granted below.
CREATE SCHEMA IF NOT EXISTS app;
REVOKE ALL ON SCHEMA app FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE TABLE IF NOT EXISTS public.city_sales (
    id        VARCHAR(18) NOT NULL,
    city      VARCHAR(100),
    country   VARCHAR(100),
    timezone  VARCHAR(50),
    amount    DECIMAL(12,2),
    units     INTEGER,
    email     VARCHAR(255)
);
REVOKE ALL ON TABLE public.city_sales FROM PUBLIC;

CREATE TABLE IF NOT EXISTS app.sales_data (
    sku           VARCHAR(50) NOT NULL,
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

CREATE TABLE IF NOT EXISTS app.sales_region (
    timezone  VARCHAR(50) NOT NULL,
    region    VARCHAR(8)  NOT NULL
);
REVOKE ALL ON TABLE app.sales_region FROM PUBLIC;

-- One role for each group: <namespace>:<name of the group>. Quoted, because of ":" and "-".
CREATE ROLE "AWSIDC:amer-sales";
CREATE ROLE "AWSIDC:emea-sales";
CREATE ROLE "AWSIDC:apac-sales";
CREATE ROLE "AWSIDC:exec-global";

-- What the roles may read. Row-level security only takes rows away from it.
GRANT USAGE ON SCHEMA public TO ROLE "AWSIDC:amer-sales", ROLE "AWSIDC:emea-sales", ROLE "AWSIDC:apac-sales", ROLE "AWSIDC:exec-global";
GRANT USAGE ON SCHEMA app TO ROLE "AWSIDC:amer-sales", ROLE "AWSIDC:emea-sales", ROLE "AWSIDC:apac-sales", ROLE "AWSIDC:exec-global";
GRANT SELECT ON TABLE public.city_sales TO ROLE "AWSIDC:amer-sales", ROLE "AWSIDC:emea-sales", ROLE "AWSIDC:apac-sales", ROLE "AWSIDC:exec-global";

-- Column-level security: the regions do not see population and elevation. A SELECT on the whole table
-- would win over these, so the regions have none.
GRANT SELECT (sku, product_name, category, quantity, sales_price, sold_at, city, region_code, country, latitude, longitude, timezone)
    ON TABLE app.sales_data TO ROLE "AWSIDC:amer-sales", ROLE "AWSIDC:emea-sales", ROLE "AWSIDC:apac-sales";
GRANT SELECT ON TABLE app.sales_data TO ROLE "AWSIDC:exec-global";

-- Row-level security: a region sees the time zones that app.sales_region gives it. The policy reads
-- that table; the people do not.
CREATE RLS POLICY sales_amer WITH (timezone VARCHAR(50))
    USING (timezone IN (SELECT r.timezone FROM app.sales_region r WHERE r.region = 'AMER'));
CREATE RLS POLICY sales_emea WITH (timezone VARCHAR(50))
    USING (timezone IN (SELECT r.timezone FROM app.sales_region r WHERE r.region = 'EMEA'));
CREATE RLS POLICY sales_apac WITH (timezone VARCHAR(50))
    USING (timezone IN (SELECT r.timezone FROM app.sales_region r WHERE r.region = 'APAC'));
CREATE RLS POLICY sales_all USING (TRUE);
GRANT SELECT ON TABLE app.sales_region TO RLS POLICY sales_amer, RLS POLICY sales_emea, RLS POLICY sales_apac;

ATTACH RLS POLICY sales_amer ON TABLE public.city_sales, app.sales_data TO ROLE "AWSIDC:amer-sales";
ATTACH RLS POLICY sales_emea ON TABLE public.city_sales, app.sales_data TO ROLE "AWSIDC:emea-sales";
ATTACH RLS POLICY sales_apac ON TABLE public.city_sales, app.sales_data TO ROLE "AWSIDC:apac-sales";
ATTACH RLS POLICY sales_all ON TABLE public.city_sales, app.sales_data TO ROLE "AWSIDC:exec-global";

-- OR: who is in two regions sees both. AND, which is the default, would show them nothing.
ALTER TABLE public.city_sales ROW LEVEL SECURITY ON CONJUNCTION TYPE OR;
ALTER TABLE app.sales_data ROW LEVEL SECURITY ON CONJUNCTION TYPE OR;
