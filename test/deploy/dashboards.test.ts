/** The dashboards are what their sources say, and say what they show. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dashboards } from "../../deploy/grafana/dashboards.ts";
import { isMetric } from "../metricstext.ts";
import { checkedInDashboards, type Dashboard, metricsIn, panelsOf, rulesOf } from "./rules.ts";

test("the dashboards are what their sources make; `npm run dashboards` makes them again", () => {
  assert.deepEqual(checkedInDashboards(), new Map([...dashboards()].sort()));
});

test("every dashboard lets choose data source, job and worker", () => {
  const uids = new Set<string>();
  for (const [name, text] of checkedInDashboards()) {
    const { uid, templating, panels } = JSON.parse(text) as Dashboard;
    uids.add(uid);
    assert.deepEqual(
      templating.list.map(({ name }) => name),
      ["datasource", "job", "worker"],
      name,
    );
    const ids = panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, `${name}: ids are unique`);
  }
  assert.equal(uids.size, 4);
});

test("every panel has a title, a description, a unit, and queries of metrics that there are", () => {
  const recorded = rulesOf("rules.yml").map(({ record }) => record);
  for (const [name, text] of checkedInDashboards()) {
    for (const { title, description, datasource, fieldConfig, targets } of panelsOf(text)) {
      const where = `${name}: ${title}`;
      assert.match(title, /\S/, where);
      assert.match(description, /\.$/, where);
      assert.ok(fieldConfig.defaults.unit, where);
      assert.equal(datasource.uid, "$datasource", where);
      assert.ok(targets.length > 0, where);
      for (const { expr, datasource } of targets) {
        assert.equal(datasource.uid, "$datasource", where);
        assert.doesNotMatch(expr, /\[\d+[smh]\]/, `${where}: a rate is over $__rate_interval`);
        const metrics = metricsIn(expr);
        assert.ok(metrics.length > 0, `${where}: ${expr}`);
        for (const metric of metrics) assert.ok(isMetric(metric) || recorded.includes(metric), `${where}: ${metric}`);
      }
    }
  }
});
