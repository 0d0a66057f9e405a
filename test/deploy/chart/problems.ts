/** All that is wrong with a rendering, in sentences. */
import { addressProblems } from "./addresses.ts";
import { argumentProblems } from "./arguments.ts";
import { budgetProblems } from "./budgets.ts";
import { graceProblems } from "./graces.ts";
import { hookProblems } from "./hooks.ts";
import { identityProblems } from "./identities.ts";
import { jobProblems } from "./jobs.ts";
import { monitorProblems } from "./monitors.ts";
import { mountProblems } from "./mounts.ts";
import { nameProblems, policyProblems, selectionProblems } from "./network.ts";
import { outsiderProblems } from "./outsiders.ts";
import {
  endingProblems,
  gpuProblems,
  referenceProblems,
  resourceProblems,
  secretProblems,
  securityProblems,
} from "./pods.ts";
import { probeProblems } from "./probes.ts";
import type { Thing } from "./render.ts";
import { schemaProblems } from "./schema.ts";

/** What values of the examples and tests name, and others make. */
const others = [
  ...[
    "datasets",
    "datasets-vision",
    "datasets-speech",
    "limbeck-s3",
    "limbeck-nats",
    "limbeck-nats-users",
    "platform-ca",
    "limbeck",
    "registry",
  ],
  ...["limbeck-token-key", "limbeck-worker-token", "limbeck-http", "token-key", "worker-token", "http-token"],
  ...["tls-coordinator", "tls-worker", "tls-client", "limbeck-vision", "limbeck-speech"],
];

const checks = [
  (objects: readonly Thing[]) => objects.flatMap(schemaProblems),
  ...[nameProblems, securityProblems, resourceProblems, gpuProblems, probeProblems, secretProblems, endingProblems],
  (objects: readonly Thing[]) => [referenceProblems, identityProblems].flatMap((check) => check(objects, others)),
  ...[policyProblems, selectionProblems, argumentProblems, addressProblems, outsiderProblems, monitorProblems],
  ...[mountProblems, jobProblems, budgetProblems, graceProblems, hookProblems],
];

export function problems(objects: readonly Thing[]): string[] {
  return checks.flatMap((check) => check(objects));
}
