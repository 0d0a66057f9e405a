/** What a pod's volumes hold, as folders of this machine. */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mounts } from "../mounts.ts";
import type { Thing } from "./render.ts";

export interface Sources {
  readonly objects: readonly Thing[];
  /** By name: the folder that stands for it, with a file for each key. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** @param own folder of the pod */
export function mountsOf(spec: Thing, own: string, sources: Sources): Mounts {
  const folders = new Map<string, string>(
    spec.volumes.map((volume: Thing) => [volume.name, filled(volume, join(own, volume.name), sources)]),
  );
  return spec.containers[0].volumeMounts.map(({ name, mountPath, subPath = "." }: Thing) => {
    const folder = join(folders.get(name)!, subPath);
    mkdirSync(folder, { recursive: true });
    return [mountPath, folder];
  });
}

/** A Secret's files, a ConfigMap's, or nothing yet. */
function filled({ secret, configMap }: Thing, folder: string, { objects, secrets }: Sources): string {
  mkdirSync(folder, { recursive: true });
  if (secret) {
    const from = secrets[secret.secretName]!;
    const items: Thing[] = secret.items ?? readdirSync(from).map((key) => ({ key, path: key }));
    for (const { key, path } of items) copyFileSync(join(from, key), join(folder, path));
  }
  const source =
    configMap && objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === configMap.name);
  for (const [name, text] of Object.entries<string>(source?.data ?? {})) writeFileSync(join(folder, name), text);
  return folder;
}
