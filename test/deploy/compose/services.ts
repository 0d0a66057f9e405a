/** What the compose file says. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { packagePath } from "../../../proto/package.ts";

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly restart?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: Condition }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } };
}

export type Condition = "service_healthy" | "service_completed_successfully";

export interface Mount {
  /** A volume's name, or a path that begins with a dot or a slash. */
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** The file's folder, from which its paths lead. */
export const deploy = packagePath("deploy");

export function yamlOf(path: string) {
  return parse(readFileSync(resolve(deploy, path), "utf8"), { merge: true });
}

export const { services, volumes, networks } = yamlOf("compose.yaml") as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
};

/** Those of the image that is built here. */
export const limbecks = Object.entries(services).filter(([, { build }]) => build);

export function startedWith(command: string): typeof limbecks {
  return limbecks.filter(([, service]) => service.command?.[0] === command);
}

/** ${NAME:-otherwise} */
export function interpolated(text: string, settings: Readonly<Record<string, string>> = {}): string {
  return text.replace(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, otherwise: string) => settings[name] ?? otherwise);
}

export function mountsOf({ volumes: mounts = [] }: Service, settings: Readonly<Record<string, string>> = {}): Mount[] {
  return mounts.map((mount) => {
    const [source = "", target = "", mode] = interpolated(mount, settings).split(":");
    return { source, target, isReadOnly: mode === "ro" };
  });
}
