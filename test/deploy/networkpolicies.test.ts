/** What the chart's network policies open and close beyond the chart's own pods. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withHelm } from "./chart/helm.ts";
import { rulesOf } from "./chart/network.ts";
import { componentOf, podsOf, render, selects, type Thing } from "./chart/render.ts";

const s3 = ["cluster=ml-limbeck", "storage.kind=s3", "storage.s3.bucket=results"];
const metadata = ["169.254.169.254/32", "169.254.170.23/32"];
const ours = ["coordinator", "students", "teachers"];
const all = ["client", "coordinator", "nats", "students", "teachers"];

/** The components whose pods may go there, and by a port of that number. */
function whoReaches(objects: readonly Thing[], there: (peer: Thing) => boolean, port: number): readonly string[] {
  const goes = ({ to, ports }: Thing) => to?.some(there) && ports.some((each: Thing) => each.port === port);
  return podsOf(objects)
    .filter((pod) => rulesOf(objects, pod, "Egress").some(goes))
    .map(componentOf)
    .sort();
}

/** A value that lets out there alone. */
function rule(value: string, cidr: string, port: number): readonly string[] {
  const parts = [`to[0].ipBlock.cidr=${cidr}`, "ports[0].protocol=TCP", `ports[0].port=${port}`];
  return parts.map((part) => `networkPolicy.${value}[0].${part}`);
}

const isBlock = (cidr: string) => (peer: Thing) => peer.ipBlock?.cidr === cidr;
const isNamespace = (name: string) => (peer: Thing) =>
  peer.namespaceSelector?.matchLabels["kubernetes.io/metadata.name"] === name;

test("without a Secret for S3, what gives pods their credentials is reached, by those that need them", (t) =>
  withHelm(t, (helm) => {
    const givers = (...set: string[]) => {
      const objects = render(helm, { set });
      return metadata.map((cidr) => whoReaches(objects, isBlock(cidr), 80));
    };
    assert.deepEqual(givers(...s3), [ours, ours]);
    assert.deepEqual(givers(...s3, "storage.s3.existingSecret=keys"), [[], []]);
    const role = "serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::1:role/limbeck";
    assert.deepEqual(givers(...s3, role), [[], []], "IRSA asks STS, and a node's role is no pod's");
    assert.deepEqual(givers(), [[], []]);
  }));

test("where S3 has its peers, another rule lets coordinators and workers reach STS", (t) =>
  withHelm(t, (helm) => {
    const peers = "networkPolicy.s3Peers[0].ipBlock.cidr=10.1.0.0/16";
    const objects = render(helm, { set: [...s3, peers, ...rule("extraEgress", "10.2.0.0/16", 443)] });
    assert.deepEqual(whoReaches(objects, isBlock("10.1.0.0/16"), 443), ours);
    assert.deepEqual(whoReaches(objects, isBlock("10.2.0.0/16"), 443), ours);
  }));

test("names are resolved by the cluster's DNS, by a cache at a link-local address, by OpenShift's, or as values say", (t) =>
  withHelm(t, (helm) => {
    const usual = render(helm);
    assert.deepEqual(whoReaches(usual, isNamespace("kube-system"), 53), all);
    assert.deepEqual(whoReaches(usual, isBlock("169.254.0.0/16"), 53), all);
    assert.deepEqual(whoReaches(usual, isNamespace("openshift-dns"), 5353), all);
    const other = render(helm, { set: rule("dnsEgress", "10.0.0.10/32", 53) });
    assert.deepEqual(whoReaches(other, isBlock("10.0.0.10/32"), 53), all);
    assert.deepEqual(whoReaches(other, isNamespace("kube-system"), 53), []);
  }));

test("who labels a pod to submit from it is let in, and keeps what else it reaches", (t) =>
  withHelm(t, (helm) => {
    const labels = { app: "notebook", "limbeck.dev/client": "true" };
    const policies = render(helm).filter(({ kind }) => kind === "NetworkPolicy");
    const selecting = policies.filter(({ spec }) => selects(spec.podSelector.matchLabels, labels));
    assert.deepEqual(
      selecting.map(({ metadata: { name } }) => name),
      [],
    );
    const isNamed = ({ podSelector }: Thing) => podSelector && selects(podSelector.matchLabels, labels);
    const open = policies.flatMap(({ spec }) =>
      (spec.ingress ?? [])
        .filter(({ from }: Thing) => from.some(isNamed))
        .flatMap(({ ports }: Thing) => ports.map(({ port }: Thing) => port)),
    );
    assert.deepEqual(open.sort(), [4222, 7070, 7071]);
  }));

test("no port is open to everybody: probes come from the pod's own node, and need no rule", (t) =>
  withHelm(t, (helm) => {
    const rules = render(helm, { set: ["nats.replicas=3"] }).flatMap(({ kind, spec }) =>
      kind === "NetworkPolicy" ? (spec.ingress ?? []) : [],
    );
    assert.ok(rules.length > 5);
    for (const rule of rules) assert.ok(rule.from?.length > 0, JSON.stringify(rule));
  }));

test("the policy of `helm test` comes with its pod", (t) =>
  withHelm(t, (helm) => {
    const names = (...set: string[]) => render(helm, { set }).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const policy = "NetworkPolicy limbeck-client";
    assert.ok(names().includes(policy));
    assert.ok(!names("tests.enabled=false").includes(policy));
    assert.ok(!names("mode=job", "job.file=x").includes(policy));
  }));
