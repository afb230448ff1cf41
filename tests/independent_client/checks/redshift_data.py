"""Redshift Data API: a statement's life, named parameters, typed results in pages."""

import re
import uuid

from world import equal, eventually, holds, matches, refused

ROWS = 250


def run(world):
    data = world.client("redshift-data")
    target = {"WorkgroupName": world.workgroup, "Database": world.database}
    table = f"public.independent_{world.mark}"

    def finished(sql, **more):
        statement = data.execute_statement(**target, Sql=sql, **more)["Id"]
        return _settled(data, statement, "FINISHED")

    with world.step("redshift-data", "ExecuteStatement"):
        columns = "id integer, city varchar(80), share double precision, open boolean, total decimal(12,2)"
        made = data.execute_statement(**target, Sql=f"create table {table} ({columns})")
        matches(re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), made["Id"], "Id")
        equal(made["Database"], world.database, "Database")
        equal(made["WorkgroupName"], world.workgroup, "WorkgroupName")
        _settled(data, made["Id"], "FINISHED")
        values = ", ".join(f"({n}, 'city {n}', {n}.5, {str(n % 2 == 0).lower()}, {n}.25)" for n in range(ROWS))
        told = finished(f"insert into {table} values {values}")
        equal(told["ResultRows"], ROWS, "ResultRows of an insert")
        equal(told["HasResultSet"], False, "HasResultSet of an insert")
        once = {**target, "Sql": f"select count(*) as n from {table}", "ClientToken": str(uuid.uuid4())}
        first = data.execute_statement(**once)["Id"]
        equal(data.execute_statement(**once)["Id"], first, "the statement of the same token")

    with world.step("redshift-data", "ExecuteStatement with parameters"):
        by_name = f"select id, city from {table} where city = :city and id >= :least"
        parameters = [{"name": "city", "value": "city 7"}, {"name": "least", "value": "5"}]
        told = finished(by_name, Parameters=parameters)
        records = data.get_statement_result(Id=told["Id"])["Records"]
        equal(records, [[{"longValue": 7}, {"stringValue": "city 7"}]], "the row")
        # A value is data, whatever it looks like.
        attack = [{"name": "city", "value": "x' or '1'='1"}, {"name": "least", "value": "0"}]
        told = finished(by_name, Parameters=attack)
        equal(data.get_statement_result(Id=told["Id"])["Records"], [], "no row")
        code = "ValidationException"
        ask = {**target, "Sql": by_name}
        refused(data.execute_statement, code, 400, **ask, Parameters=parameters[:1])
        unused = [*parameters, {"name": "unused", "value": "1"}]
        refused(data.execute_statement, code, 400, **ask, Parameters=unused)

    with world.step("redshift-data", "DescribeStatement"):
        told = finished(f"select id from {table} order by id", StatementName="named")
        equal(told["ResultRows"], ROWS, "ResultRows")
        equal(told["HasResultSet"], True, "HasResultSet")
        equal(told["QueryString"], f"select id from {table} order by id", "QueryString")
        holds(told["Duration"] >= 0, "Duration is not negative")
        holds(told["UpdatedAt"] >= told["CreatedAt"], "UpdatedAt is not before CreatedAt")
        wrong = data.execute_statement(**target, Sql=f"select unheard_of from {table}")["Id"]
        failed = _settled(data, wrong, "FAILED")
        holds("unheard_of" in failed["Error"], f"the error names the column: {failed['Error']}")
        refused(data.get_statement_result, "ValidationException", 400, Id=wrong)
        unknown = {"Id": str(uuid.uuid4())}
        refused(data.describe_statement, "ResourceNotFoundException", 400, **unknown)

    with world.step("redshift-data", "GetStatementResult"):
        sql = f"select id, city, share, open, total, null as absent from {table} order by id"
        told = finished(sql)
        page = data.get_statement_result(Id=told["Id"])
        names = [column["name"] for column in page["ColumnMetadata"]]
        equal(names, ["id", "city", "share", "open", "total", "absent"], "the columns")
        equal(page["TotalNumRows"], ROWS, "TotalNumRows")
        expected = [
            {"longValue": 0},
            {"stringValue": "city 0"},
            {"doubleValue": 0.5},
            {"booleanValue": True},
            {"stringValue": "0.25"},
            {"isNull": True},
        ]
        equal(page["Records"][0], expected, "the first row")
        kinds = [column["typeName"] for column in page["ColumnMetadata"][:5]]
        equal(kinds, ["int4", "varchar", "float8", "bool", "numeric"], "the columns' types")
        ids, count = _ids(page), 1
        while "NextToken" in page:
            page = data.get_statement_result(Id=told["Id"], NextToken=page["NextToken"])
            ids += _ids(page)
            count += 1
        equal(ids, list(range(ROWS)), "the rows of all pages, in order")
        holds(count > 1, f"{ROWS} rows come on several pages")
        forged = {"Id": told["Id"], "NextToken": "forged"}
        refused(data.get_statement_result, "ValidationException", 400, **forged)

    with world.step("redshift-data", "CancelStatement"):
        over = {"Id": told["Id"]}
        refused(data.cancel_statement, "ValidationException", 400, **over)
        refused(data.cancel_statement, "ResourceNotFoundException", 400, **unknown)

    finished(f"drop table {table}")


def _settled(data, statement, status):
    def ask():
        told = data.describe_statement(Id=statement)
        over = told["Status"] in ("FINISHED", "FAILED", "ABORTED")
        return told if over else None

    told = eventually(ask, f"the end of statement {statement}")
    holds(told["Status"] == status, f"{told['Status']} instead of {status}: {told.get('Error')}")
    return told


def _ids(page):
    return [row[0]["longValue"] for row in page["Records"]]
