/** Who types what README.md of the chart, docs/operations.md and the chart's notes say gets a release that can run. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { identityUri, type Role } from "../../core/security/identity.ts";
import { packagePath } from "../../proto/package.ts";
import { scratchFolder } from "../e2e/limbeck.ts";
import { findTool } from "../kubernetestools.ts";
import { withHelm } from "./chart/helm.ts";
import { componentOf, notes, parsed, podOf, podsOf, render, said, type Thing } from "./chart/render.ts";

const pages = ["deploy/helm/limbeck/README.md", "docs/operations.md"];
const read = (path: string) => readFileSync(packagePath(path), "utf8").replaceAll(/ *\\\n */g, " ");

test("each `helm install` of the pages finds the image that the page has pushed or loaded", (t) =>
  withHelm(t, (helm) => {
    for (const page of pages) {
      const text = read(page);
      const there = [...text.matchAll(/(?:docker push|kind load docker-image) (\S+)/g)].map(([, image]) => image);
      const installs = [...text.matchAll(/^ *helm install (.*?)(?: +#.*)?$/gm)].map(([, args]) => args!.split(/ +/));
      assert.ok(installs.length > 0, page);
      for (const args of installs) {
        const own = args.map((each) => (each.startsWith("deploy/") ? packagePath(each) : each));
        const images = podsOf(parsed(said(helm, ["template", ...own])))
          .map(({ spec }) => spec.containers[0].image)
          .filter((image) => /limbeck/.test(image));
        assert.ok(images.length > 3);
        for (const image of images) assert.ok(there.includes(image), `${page}: ${args.join(" ")}: ${image}`);
      }
      for (const [, path] of text.matchAll(/docker build -f (\S+)/g)) read(path!);
    }
  }));

const roles: Readonly<Record<string, Role>> = {
  coordinator: "coordinator",
  students: "worker",
  teachers: "worker",
  client: "submitter",
};

test("Secrets made without cert-manager as README.md says are what the pods mount, for their cluster and role", async (t) => {
  const [helm, kubectl] = [findTool("helm"), findTool("kubectl")];
  if ("why" in helm) return t.skip(helm.why);
  if ("why" in kubectl) return t.skip(kubectl.why);
  const [, typed, days] = /## Certificates without.*?```sh\n(.*?)```\n\nThey last (\d+) days/s.exec(read(pages[0]!))!;
  const cwd = await scratchFolder(t);
  symlinkSync(packagePath("deploy"), join(cwd, "deploy"));
  const script = `
    npx() { shift; "$NODE" "$LIMBECK" "$@" >&2; }
    kubectl() { "$KUBECTL" "$@" --dry-run=client --output=yaml; echo ---; }
    helm() { shift; "$HELM" template "$@"; }
    ${typed}`;
  const env = {
    NODE: process.execPath,
    LIMBECK: packagePath("dist/cli/main.js"),
    HELM: helm.path,
    KUBECTL: kubectl.path,
  };
  const options = { cwd, encoding: "utf8", env: { ...process.env, ...env } } as const;
  const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", script], options);
  assert.equal(status, 0, stderr);
  const objects = parsed(stdout);
  for (const pod of podsOf(objects)) {
    const { spec } = pod;
    const role = roles[componentOf(pod)];
    if (role === undefined) continue; // NATS
    const { secretName } = spec.volumes.find(({ name }: Thing) => name === "tls").secret;
    const made = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === secretName);
    const [ca, certificate, key] = ["ca.crt", "tls.crt", "tls.key"].map((name) =>
      Buffer.from(made.data[name], "base64"),
    );
    const holder = new X509Certificate(certificate!);
    const { value: cluster } = spec.containers[0].env.find(({ name }: Thing) => name === "LIMBECK_CLUSTER");
    assert.ok(holder.subjectAltName!.split(", ").includes(`URI:${identityUri(cluster, role)}`), holder.subjectAltName);
    assert.ok(holder.verify(new X509Certificate(ca!).publicKey));
    assert.ok(holder.checkPrivateKey(createPrivateKey(key!)));
    const [from, until] = [holder.validFrom, holder.validTo].map((each) => Date.parse(each));
    assert.equal(Math.floor((until! - from!) / 86_400_000), Number(days));
  }
});

test("the notes lead to the leader's pod, which its coordinators name, where several may lead", (t) =>
  withHelm(t, (helm) => {
    assert.match(notes(helm), /names the pod that leads.*\n {2}kubectl --namespace ml port-forward pod\/POD 7071$/m);
    assert.doesNotMatch(notes(helm, { set: ["coordinator.replicas=1"] }), /pod\/POD/);
    const pod = podOf(render(helm), "coordinator");
    const [{ args, env }] = pod.spec.containers;
    assert.ok(args.includes("--name=$(POD_NAME)"));
    const { valueFrom } = env.find(({ name }: Thing) => name === "POD_NAME");
    assert.equal(valueFrom.fieldRef.fieldPath, "metadata.name");
  }));

test("the notes say who may scrape, and which images are published nowhere", (t) =>
  withHelm(t, (helm) => {
    assert.match(notes(helm), /networkPolicy\.scrapers\): .*"kubernetes\.io\/metadata\.name":"monitoring"/);
    assert.match(notes(helm, { json: ["networkPolicy.scrapers=[]"] }), /networkPolicy\.scrapers\): nobody$/m);
    assert.doesNotMatch(notes(helm, { set: ["networkPolicy.enabled=false"] }), /scrape/);
    assert.match(notes(helm), /^The image limbeck:\S+ is published nowhere/m);
    assert.match(
      notes(helm, { set: ["students.gpu.count=1"] }),
      /^The image limbeck:\S+, and limbeck:\S+-gpu for GPUs, is/m,
    );
    assert.doesNotMatch(notes(helm, { set: ["image.repository=registry.lab/limbeck"] }), /published nowhere/);
  }));
