/**
 * What is asked in due form by somebody who may: it would change the job, and no defence is meant to be there. On loopback
 * without TLS everybody may, so an attack does not send it; with TLS it does, and must be refused.
 */
import { checkSubmission, labelOf } from "../../../coordinator/service/naming.ts";
import { parseJob } from "../../../core/jobfile.ts";
import type { Method } from "./methods.ts";

export type IsLegal = (method: Method, bytes: Buffer) => boolean;

type Fields = Readonly<Record<string, string | number | Readonly<Record<string, string>> | null>>;

/** @param job id of the job that is to go on; empty where there is but one @param own the workers it has */
export function legalOf(job: string, own: readonly string[]): IsLegal {
  const isMeant = (named: unknown) => job === "" || named === "" || named === job || job.startsWith(`${named}-`);
  const changes: Readonly<Record<string, (request: Fields) => boolean>> = {
    "Coordinator.Stop": (request) => isMeant(request["job"]),
    "Jobs.Control": (request) => isMeant(request["job"]),
    "Jobs.Submit": isValidJob,
    "Coordinator.Join": ({ hello, failed }) => failed != null || (isObject(hello) && own.includes(hello["worker"]!)),
  };
  return ({ name, decode }, bytes) => {
    const change = changes[name];
    if (!change) return false;
    try {
      return change(decode(bytes) as Fields);
    } catch {
      return false;
    }
  };
}

function isObject(value: Fields[string] | undefined): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null;
}

function isValidJob(request: Fields): boolean {
  const { name, priority } = request as { readonly name: string; readonly priority: number };
  const job = parseJob(String(request["job"]), "the attack");
  checkSubmission({ name: name || labelOf(job.name), priority });
  return true;
}
