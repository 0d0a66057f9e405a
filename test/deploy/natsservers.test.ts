/** The chart's NATS as servers that end, fill up and get another configuration. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Events, type NatsConnection } from "nats";
import { artifactBucket } from "../../proto/cluster.ts";
import { openDepot } from "../../proto/depot/open.ts";
import { withHelm } from "./chart/helm.ts";
import { cluster, lead, served } from "./chart/natsserved.ts";
import { endingProblems } from "./chart/pods.ts";
import { chart, podOf, render, selects, type Thing } from "./chart/render.ts";

const bounded = { timeout: 120_000 };

const natsPod = (objects: readonly Thing[]): Thing => podOf(objects, "nats").spec;

/** What the connection is told of its servers, until it has come to another. */
async function untilMoved(connection: NatsConnection): Promise<string[]> {
  const told: string[] = [];
  for await (const { type } of connection.status()) {
    if (type === Events.LDM || type === Events.Disconnect || type === Events.Reconnect) told.push(type);
    if (type === Events.Reconnect) break;
  }
  return told;
}

test(
  "a server that is stopped is a lame duck first: clients go to others, and what is appended meanwhile is there",
  bounded,
  async (t) => {
    const nats = await served(t, ["nats.replicas=3"]);
    if (!nats) return;
    const coordinator = await nats.as("coordinator");
    const { connection } = coordinator;
    const leadership = await lead(coordinator, "one");
    const journal = await leadership.journal<{ readonly at: number }>("service");
    const [first] = nats.servers;
    assert.equal(connection.getServer(), `${first!.host}:4222`);

    let at = 0;
    const moved = untilMoved(connection);
    const ended = once(first!.process, "exit");
    // As a kubelet does: what it executes is over when the signal is sent.
    first!.execute(natsPod(nats.objects).containers[0].lifecycle.preStop.exec.command);
    first!.process.kill("SIGTERM");
    let isMoved = false;
    void moved.then(() => {
      isMoved = true;
    });
    while (!isMoved) await journal.append({ at: at++ });
    assert.deepEqual(await moved, [Events.LDM, Events.Disconnect, Events.Reconnect]);
    assert.ok(nats.servers.slice(1).some(({ host }) => connection.getServer() === `${host}:4222`));
    await ended;

    await journal.append({ at: at++ });
    await leadership.resign();
    const next = await lead(coordinator, "two");
    const { records } = await next.journal<{ readonly at: number }>("service");
    assert.deepEqual(
      records.map((record) => record.at),
      Array.from({ length: at }, (_, index) => index),
    );
    await next.resign();
  },
);

for (const replicas of [1, 3])
  test(
    `a full depot of ${replicas} takes no more and says what to do; journals go on, and what is removed is gone`,
    bounded,
    async (t) => {
      const nats = await served(t, ["nats.size=600Mi", "nats.journalSize=512Mi", `nats.replicas=${replicas}`]);
      if (!nats) return;
      const leadership = await lead(await nats.as("coordinator"), "one");
      const journal = await leadership.journal<object>("service");
      const depot = await openDepot(nats.depot.url, { env: nats.depot.env });
      const most = 20;
      const full = (async () => {
        for (let at = 0; at < most; at++) await depot.put(`job/model-${at}`, randomBytes(3 << 20));
      })();
      await assert.rejects(full, {
        code: "unavailable",
        message: `the JetStream object store ${artifactBucket(cluster)} is full: give its account and its disk more room, or remove what jobs that are over have there, of a service by limbeck delete JOB`,
      });
      for (let at = 0; at < 4; at++)
        await journal.append({ kind: "entry", text: randomBytes(1 << 19).toString("hex") });

      assert.ok((await depot.list("job")).length > 5, "what was there is there");
      await depot.remove("job");
      assert.deepEqual(await depot.list(""), []);
      const manager = await (await nats.as("depot")).connection.jetstreamManager({ checkAPI: false });
      const { state } = await manager.streams.info(`OBJ_${artifactBucket(cluster)}`);
      assert.deepEqual([state.messages, state.bytes], [0, 0]);
      await leadership.resign();
      await depot.close();
    },
  );

test("a configuration that is another is rolled out, whatever it is of; other values are none of NATS' business", (t) =>
  withHelm(t, (helm) => {
    const checksum = (...set: string[]) => {
      const { spec } = render(helm, { set }).find(
        ({ kind, metadata }) => kind === "StatefulSet" && metadata.name.endsWith("-nats"),
      );
      return spec.template.metadata.annotations["checksum/config"];
    };
    const changes = [
      "cluster=other",
      "nats.replicas=3",
      "nats.size=20Gi",
      "nats.journalSize=2Gi",
      "storage.kind=volume",
    ];
    const sums = [checksum(), ...changes.map((change) => checksum(change))];
    assert.equal(new Set(sums).size, sums.length, sums.join(" "));
    assert.equal(checksum("students.replicas=5", "nats.image.tag=2.11-alpine"), checksum());
  }));

test("several servers are lame ducks for as long as they may be; a single one has nowhere to send its clients", (t) =>
  withHelm(t, (helm) => {
    assert.equal(natsPod(render(helm)).containers[0].lifecycle, undefined);
    const objects = render(helm, { set: ["nats.replicas=3"] });
    assert.deepEqual(endingProblems(objects), []);
    const changed = (right: string, wrong: string) => {
      const text = JSON.stringify(objects);
      assert.ok(text.includes(right), right);
      return endingProblems(JSON.parse(text.replace(right, wrong))).join("; ");
    };
    assert.match(
      changed('"terminationGracePeriodSeconds":60', '"terminationGracePeriodSeconds":30'),
      /is killed after 30/,
    );
    assert.match(changed("ldm=/data/nats.pid", "ldm=/data/other.pid"), /SIGTERM ends it at once/);
    assert.match(changed("pid_file: /data/nats.pid\\n", ""), /SIGTERM ends it at once/);
  }));

test("sizes that leave no room for journals, or none for a depot, are refused", (t) =>
  withHelm(t, (helm) => {
    const refused = (set: string, says: RegExp) => assert.throws(() => render(helm, { set: set.split(" ") }), says);
    refused("nats.size=1Gi", /nats\.size=1Gi has no room for checkpoints and models/);
    refused("nats.journalSize=100Mi", /nats\.journalSize=100Mi is too little/);
    refused("nats.journalSize=1G", /\/nats\/journalSize/);
    render(helm, { set: ["nats.size=1Gi", "storage.kind=volume"] });
  }));

test("what README.md selects for larger claims is NATS' StatefulSet and what it has made, whatever the release is called", (t) =>
  withHelm(t, (helm) => {
    const readme = readFileSync(`${chart}/README.md`, "utf8");
    const selections = [...readme.matchAll(/kubectl (get pvc|delete statefulset) -l (\S+)/g)];
    assert.deepEqual(
      selections.map(([, command]) => command),
      ["get pvc", "delete statefulset"],
    );
    for (const release of ["limbeck", "team"]) {
      const all = render(helm, { release });
      for (const [, command, selector] of selections) {
        const labels = Object.fromEntries(
          selector!
            .replace("RELEASE", release)
            .split(",")
            .map((each) => each.split("=")),
        );
        // Kubernetes labels the claims as the StatefulSet selects its pods.
        const found = all.filter(
          ({ kind, metadata, spec }) =>
            kind === "StatefulSet" &&
            selects(labels, command === "get pvc" ? spec.selector.matchLabels : metadata.labels),
        );
        assert.equal(found.length, 1, `${command} of ${release}`);
      }
    }
    assert.doesNotMatch(readme, /RELEASE-limbeck-/, "no names of a release that is called limbeck");
  }));
