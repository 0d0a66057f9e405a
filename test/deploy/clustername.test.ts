/** Two releases of one name, in two namespaces, must not take each other's journals and checkpoints for their own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withHelm } from "./chart/helm.ts";
import { render } from "./chart/render.ts";

const nats = ["nats.enabled=false", "nats.external.urls={nats://nats.platform:4222}"];
const job = ["mode=job", "job.file=x"];
const s3 = ["storage.kind=s3", "storage.s3.bucket=results"];

test("a cluster that shares NATS or a bucket has a name of its own, and one that ran without keeps it", (t) =>
  withHelm(t, (helm) => {
    for (const [shared, where] of [
      [nats, "the same journals in nats.external"],
      [s3, "the same folder of storage.s3.bucket"],
      [[...nats, ...job], "the same object store in nats.external"],
    ] as const) {
      const says = (thrown: Error) => {
        assert.ok(thrown.message.includes(`a release limbeck.a in another namespace would write ${where}`));
        assert.match(
          thrown.message,
          /such as ml-limbeck-a; a release that ran without it goes on by cluster=limbeck-a$/m,
        );
        return true;
      };
      assert.throws(() => render(helm, { release: "limbeck.a", set: shared }), says);
      for (const name of ["ml-limbeck-a", "limbeck-a"]) {
        const text = JSON.stringify(render(helm, { release: "limbeck.a", set: [...shared, `cluster=${name}`] }));
        assert.ok(text.includes(`{"name":"LIMBECK_CLUSTER","value":"${name}"}`));
      }
    }
  }));

test("where nothing is shared, the release's name will do", (t) =>
  withHelm(t, (helm) => {
    const folder = ["nats.enabled=false", "coordinator.replicas=1", "storage.kind=volume"];
    const own = [...s3, "storage.s3.prefix=ml"];
    // A job has no journal in NATS, and its checkpoints lie elsewhere.
    for (const set of [[], folder, own, [...nats, ...job, ...own], [...nats, ...job, "storage.kind=volume"]])
      assert.ok(JSON.stringify(render(helm, { set })).includes(`{"name":"LIMBECK_CLUSTER","value":"limbeck"}`));
  }));
