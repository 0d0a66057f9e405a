/** Pods with a worker for each GPU: a kubelet knows how they are, and kernels need not be compiled anew in each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { packagePath } from "../../proto/package.ts";
import { withHelm } from "./chart/helm.ts";
import { podOf, render, type Thing } from "./chart/render.ts";

const values = [packagePath("deploy/helm/examples/eight-gpus.yaml")];

function workerOf(objects: readonly Thing[], component: string): Thing {
  const { spec } = podOf(objects, component);
  return { ...spec.containers[0], volumes: spec.volumes };
}

test("a pod of several workers has all probes, of the port that its supervisor serves", (t) =>
  withHelm(t, (helm) => {
    const { args, ports, startupProbe, livenessProbe, readinessProbe } = workerOf(render(helm, { values }), "students");
    assert.ok(args.includes("--devices=all"));
    assert.ok(args.includes("--health=0.0.0.0:7082"));
    assert.deepEqual(ports, [{ name: "health", containerPort: 7082 }]);
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) assert.deepEqual(probe.grpc, { port: 7082 });
  }));

test("what CUDA compiles is kept in the claim that is named for it, by those who have GPUs", (t) =>
  withHelm(t, (helm) => {
    const set = ["kernels.existingClaim=kernels", "teachers.gpu.count=1"];
    const kept = (component: string, ...more: string[]) => {
      const { volumes, volumeMounts } = workerOf(render(helm, { set: [...set, ...more] }), component);
      const { name } = volumes.find(({ persistentVolumeClaim: claim }: Thing) => claim?.claimName === "kernels") ?? {};
      return volumeMounts.find((mount: Thing) => mount.name === name)?.mountPath;
    };
    // Beneath LIMBECK_CACHE: worker/engine/environment.ts.
    assert.equal(kept("teachers"), "/var/cache/limbeck/cuda");
    assert.equal(kept("students"), undefined);
    assert.equal(kept("students", "students.gpu.count=6", "students.devices=all"), "/var/cache/limbeck/cuda");
  }));
