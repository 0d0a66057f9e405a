/** The ScrapeConfig has no field that the oldest operator that is promised does not know: the API server would refuse it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { withHelm } from "./chart/helm.ts";
import { chart, render } from "./chart/render.ts";

/** Since which version of the operator (its CHANGELOG.md) a field is there; those of the CRD's first are of 0.65. */
const since: Readonly<Record<string, number>> = {
  "spec.scrapeInterval": 67, // #5742
  "spec.authorization": 66, // #5642
  "spec.relabelings": 65,
  "spec.httpSDConfigs": 65,
  "spec.httpSDConfigs.url": 65,
  "spec.httpSDConfigs.refreshInterval": 65,
  "spec.httpSDConfigs.authorization": 66, // #5642
};

test("the ScrapeConfig keeps to the fields of the operator's version that the chart names", (t) =>
  withHelm(t, (helm) => {
    const set = ["monitoring.scrapeConfig.enabled=true", "auth.httpTokenSecret=token"];
    const { spec } = render(helm, { set }).find(({ kind }) => kind === "ScrapeConfig");
    const used = [
      ...Object.keys(spec).map((name) => `spec.${name}`),
      ...Object.keys(spec.httpSDConfigs[0]).map((name) => `spec.httpSDConfigs.${name}`),
    ];
    assert.deepEqual(used.sort(), Object.keys(since).sort());
    const needed = Math.max(...used.map((name) => since[name]!));
    for (const file of ["values.yaml", "README.md"])
      assert.match(
        readFileSync(`${chart}/${file}`, "utf8"),
        new RegExp(`Prometheus Operator \\(0\\.${needed} or newer\\)`),
      );
  }));
