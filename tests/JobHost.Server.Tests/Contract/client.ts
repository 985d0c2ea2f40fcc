// What a client in TypeScript is like whose types are generated from the OpenAPI document: `node client.js URL`. It fails
// with an assertion where the server does otherwise than the document says, and is not compiled where the types do.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Run = components["schemas"]["Run"];
type Termination = components["schemas"]["Termination"];

const client = createClient<paths>({ baseUrl: process.argv[2]! });
const batch = crypto.randomUUID();

function given<T>(value: T | undefined, problem: components["schemas"]["Problem"] | undefined): T {
  assert.ok(value !== undefined, `Refused: ${JSON.stringify(problem)}`);
  return value;
}

async function start(job: string, wait?: number): Promise<Run> {
  const { data, error } = await client.POST("/api/v1/jobs/{job}/runs", {
    params: {
      path: { job },
      header: { "Idempotency-Key": crypto.randomUUID(), ...(wait && { Prefer: `wait=${wait}` }) },
    },
    body: { labels: { batch }, priority: 5 },
  });
  return given(data, error);
}

async function waitFor(id: string, isThere: (run: Run) => boolean): Promise<Run> {
  for (;;) {
    const { data, error } = await client.GET("/api/v1/runs/{id}", {
      params: { path: { id }, header: { Prefer: "wait=1" } },
    });
    const run = given(data, error);
    if (isThere(run)) {
      return run;
    }
    assert.equal(run.endedAt, null, `It has ended otherwise: ${run.state}`);
  }
}

// Starts a run, and waits for its end.
const hello = await start("hello", 60);
const ended = await waitFor(hello.id, (run) => run.endedAt !== null);
assert.equal(ended.state, "succeeded");
assert.deepEqual(ended.labels, { batch });
assert.equal(ended.priority, 5);
// @ts-expect-error: a state that no run has.
assert.notEqual(ended.state === "done", true);

// Kills a stubborn one, and reads the receipt.
const stubborn = await start("stubborn");
assert.equal(stubborn.state, "running");
await waitFor(stubborn.id, (run) => run.state === "running");
const stop = await client.POST("/api/v1/runs/{id}/kill", {
  params: { path: { id: stubborn.id }, header: { Prefer: "wait=60" } },
  body: { reason: "it is stubborn" },
});
assert.equal(stop.response.status, 200);
const answer = given(stop.data, stop.error);
// A plan would have no verdict.
assert.ok("verdict" in answer);
const receipt: Termination = given(
  ...(await client
    .GET("/api/v1/runs/{id}/termination", { params: { path: { id: stubborn.id } } })
    .then(({ data, error }) => [data, error] as const)),
);
assert.equal(receipt.verdict, "gone");
assert.deepEqual(receipt, answer);
assert.equal(receipt.requests[0]?.reason, "it is stubborn");
assert.equal(receipt.rungs.at(-1)?.name, "verify");
assert.deepEqual(receipt.survivors, []);

// Once more: it has ended, and the problem shows it.
const again = await client.POST("/api/v1/runs/{id}/kill", { params: { path: { id: stubborn.id } } });
assert.ok(again.error?.type === "/problems/run-already-ended");
assert.equal(again.error.run?.state, "killed");

// Lists by filter and page.
const more = [await start("hello", 60), await start("hello", 60)];
const wanted = [...more.map((run) => run.id).reverse(), hello.id];
const found: string[] = [];
let pageToken: string | null | undefined;
let pages = 0;
do {
  const { data, error } = await client.GET("/api/v1/runs", {
    params: {
      query: {
        state: ["succeeded", "failed"],
        label: [`batch=${batch}`],
        order: "newest",
        pageSize: 2,
        ...(pageToken && { pageToken }),
      },
    },
  });
  const page = given(data, error);
  found.push(...page.items.map((run) => run.id));
  pageToken = page.nextPageToken;
  pages++;
} while (pageToken !== null);
assert.deepEqual(found, wanted);
assert.equal(pages, 2);
// @ts-expect-error: an order that there is not.
const order: NonNullable<paths["/api/v1/runs"]["get"]["parameters"]["query"]>["order"] = "best";
assert.equal(order, "best");

// Meets a 404.
const unknown = await client.GET("/api/v1/runs/{id}", {
  params: { path: { id: "0198c0de-0000-7000-8000-000000000001" } },
});
assert.equal(unknown.response.status, 404);
assert.ok(unknown.error?.type === "/problems/unknown-run");
assert.equal(unknown.error.status, 404);
// @ts-expect-error: a problem that this operation does not have.
assert.notEqual(unknown.error.type === "/problems/queue-full", true);

// Meets a 422.
const invalid = await client.POST("/api/v1/jobs/{job}/runs", {
  params: { path: { job: "hello" } },
  body: { priority: 9999, timeoutSeconds: 0 },
});
assert.equal(invalid.response.status, 422);
assert.ok(invalid.error?.type === "/problems/invalid-parameters");
assert.deepEqual(Object.keys(invalid.error.errors ?? {}).sort(), ["priority", "timeoutSeconds"]);

console.log("all is as the document says");
