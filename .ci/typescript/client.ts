// What a single-page application does with the generated client. It is compiled, never run: each
// `@ts-expect-error` marks a mistake that the types must catch, and fails the check if they do not.
import createClient from "openapi-fetch";
import type { components, paths } from "./tributary.js";

type Flow = components["schemas"]["FlowDefinition"];
type Problem = components["schemas"]["Problem"];

const flow: Flow = {
  name: "City sales to S3",
  accountId: "acc_019364c0a1b27cc3a4d5e6f708192a3b",
  source: {
    connector: "salesforce",
    connectionId: "con_019364c0a1b27cc3a4d5e6f708192a3b",
    object: "City_Sales__c",
  },
  destination: {
    connector: "s3",
    bucket: "tributary-landing",
    format: { file: "csv", aggregation: "singleFile" },
  },
  trigger: { type: "scheduled", every: "rate(1 hour)", pull: "incremental" },
  mappings: [
    { type: "field", from: "Id", to: "id" },
    {
      type: "concatenate",
      from: ["City__c", "Country__c"],
      format: "${City__c} ${Country__c}",
      to: "place",
      toType: "string",
    },
  ],
  filters: [{ field: "Amount__c", fieldType: "double", operator: "greaterThan", value: 0 }],
  transforms: [{ type: "mask", field: "City__c", part: "last", length: 3 }],
  validations: [{ field: "Id", must: "notBeNull", otherwise: "dropRecord" }],
};

// @ts-expect-error A Salesforce source has no bucket.
const wrongSource: Flow["source"] = { connector: "salesforce", bucket: "tributary-landing" };

// @ts-expect-error There is no such destination.
const wrongDestination: Flow["destination"] = { connector: "floppyDisk", bucket: "a" };

// @ts-expect-error A schedule says how often.
const wrongTrigger: Flow["trigger"] = { type: "scheduled", pull: "complete" };

// @ts-expect-error Comparisons are AppFlow's no longer: our words are lower case.
const wrongFilter: Flow["filters"] = [{ field: "A", fieldType: "string", operator: "EQUAL_TO" }];

function describe(problem: Problem): string {
  const faults = problem.errors ?? [];
  return [problem.code, ...faults.map((fault) => `${fault.pointer}: ${fault.detail}`)].join("\n");
}

export async function createAndStart(baseUrl: string, accessToken: string): Promise<string> {
  const client = createClient<paths>({
    baseUrl,
    headers: { authorization: `Bearer ${accessToken}` },
  });
  const me = await client.GET("/v1/me");
  if (me.error) throw new Error(describe(me.error));

  const made = await client.POST("/v1/flows", {
    params: { header: { "idempotency-key": crypto.randomUUID() } },
    body: flow,
  });
  if (made.error) throw new Error(describe(made.error));
  // AppFlow throttles: the flow is made as soon as it does not.
  if ("operationId" in made.data) return `pending: /v1/operations/${made.data.operationId}`;

  const started = await client.POST("/v1/flows/{id}/start", {
    params: { path: { id: made.data.id }, header: { "idempotency-key": crypto.randomUUID() } },
  });
  if (started.error) throw new Error(describe(started.error));

  // @ts-expect-error There is no such route.
  await client.GET("/v1/flowz");

  const runs = await client.GET("/v1/flows/{id}/runs", { params: { path: { id: made.data.id } } });
  if (runs.error) throw new Error(describe(runs.error));
  return runs.data.items.map((run) => `${run.id} ${run.status}`).join("\n");
}

export const refused = [wrongSource, wrongDestination, wrongTrigger, wrongFilter];
