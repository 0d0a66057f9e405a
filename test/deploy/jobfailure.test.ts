/** How mode `job` ends: what can never succeed is not repeated, and what could is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { withHelm } from "./chart/helm.ts";
import { componentOf, jobSet, podsOf, render, type Thing } from "./chart/render.ts";

const values = [packagePath("test/deploy/chart/values/job.yaml")];

/** By component: what becomes of a pod that ends with a code, by the first rule that is about it. */
function verdicts(specs: ReadonlyMap<string, Thing>, code: number): Record<string, string> {
  const verdict = ({ podFailurePolicy: { rules } }: Thing) =>
    rules.find(({ onExitCodes }: Thing) => onExitCodes?.values.includes(code))?.action ?? "Count";
  return Object.fromEntries([...specs].map(([component, spec]) => [component, verdict(spec)]));
}

function jobsOf(objects: readonly Thing[]): Map<string, Thing> {
  const specs = objects.flatMap(({ kind, spec }) =>
    kind === "Job" ? [spec] : kind === "JobSet" ? spec.replicatedJobs.map(({ template }: Thing) => template.spec) : [],
  );
  return new Map(specs.map((spec) => [componentOf(spec.template.metadata), spec]));
}

test("a job that has failed or cannot be read ends its coordinator's Job, and being sent away does not count", (t) =>
  withHelm(t, (helm) => {
    for (const apiVersions of [[], jobSet]) {
      const specs = jobsOf(render(helm, { values, apiVersions }));
      assert.deepEqual([...specs.keys()].sort(), ["coordinator", "students", "teachers"]);
      const all = (coordinator: string, worker = coordinator) => ({ coordinator, students: worker, teachers: worker });
      for (const code of [75, 143]) assert.deepEqual(verdicts(specs, code), all("Ignore"), `code ${code}`);
      for (const code of [1, 134, 137]) assert.deepEqual(verdicts(specs, code), all("Count"), `code ${code}`);
      assert.deepEqual(verdicts(specs, 2), all("FailJob", "Count"));
      assert.deepEqual(verdicts(specs, 3), all("FailJob", "FailIndex"));
      for (const { podFailurePolicy } of specs.values())
        assert.deepEqual(podFailurePolicy.rules[0], {
          action: "Ignore",
          onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
        });
    }
  }));

test("the processes end with the codes that the Jobs' rules are about", (t) =>
  withHelm(t, (helm) => {
    const told = Object.fromEntries(
      podsOf(render(helm, { values })).map((pod) => [
        componentOf(pod),
        pod.spec.containers[0].args
          .filter((arg: string) => /^--(leave|failed|alone)-code|^--patience/.test(arg))
          .sort(),
      ]),
    );
    const worker = ["--alone-code=3", "--leave-code=143", "--patience=30m"];
    assert.deepEqual(told, {
      coordinator: ["--failed-code=3", "--leave-code=143"],
      students: worker,
      teachers: worker,
    });
  }));

test("a JobSet fails with its coordinator's Job, and is not restarted", (t) =>
  withHelm(t, (helm) => {
    const { spec } = render(helm, { values, apiVersions: jobSet }).find(({ kind }) => kind === "JobSet");
    const [rule, ...others] = spec.failurePolicy.rules;
    assert.deepEqual(others, []);
    assert.equal(rule.action, "FailJobSet");
    assert.deepEqual(rule.targetReplicatedJobs, ["coordinator"]);
    assert.deepEqual(rule.onJobFailureReasons, ["PodFailurePolicy", "BackoffLimitExceeded"]);
    const service = render(helm, { apiVersions: jobSet }).find(({ kind }) => kind === "JobSet");
    assert.deepEqual(service.spec.failurePolicy, { maxRestarts: 3 });
  }));

test("a student of a service is started again after whatever it ends with but its work", (t) =>
  withHelm(t, (helm) => {
    const specs = jobsOf(render(helm));
    for (const code of [1, 2, 3]) assert.deepEqual(verdicts(specs, code), { students: "Count" });
  }));
