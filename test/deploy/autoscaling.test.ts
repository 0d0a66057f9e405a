/** How teachers are scaled: never to where nothing brings them back, and by pods whatever runs in them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withHelm } from "./chart/helm.ts";
import { render, type Thing } from "./chart/render.ts";

test("the last teacher stays, for what teachers are scaled by is theirs", (t) =>
  withHelm(t, (helm) => {
    for (const kind of ["keda", "hpa"]) {
      const set = [`teachers.autoscaling.kind=${kind}`, "teachers.autoscaling.minReplicas=0"];
      assert.throws(() => render(helm, { set }), /\/teachers\/autoscaling\/minReplicas/);
    }
  }));

test("the series of a worker are its pod's, also where it is one of several", (t) =>
  withHelm(t, (helm) => {
    const objects = render(helm, { set: ["monitoring.scrapeConfig.enabled=true"] });
    const { relabelings } = objects.find(({ kind }) => kind === "ScrapeConfig").spec;
    const { regex } = relabelings.find(({ targetLabel }: Thing) => targetLabel === "pod");
    // As Prometheus has it: all of the label is matched, and the first group is taken.
    const podOf = (worker: string) => new RegExp(`^(?:${regex})$`).exec(worker)?.[1];
    const pod = "limbeck-teachers-7d9c-x2k4q";
    assert.deepEqual([podOf(pod), podOf(`${pod}-gpu0`), podOf(`${pod}-gpu11`), podOf("")], [pod, pod, pod, undefined]);
  }));
